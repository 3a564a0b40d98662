"""Reads a folder of Lightning's runs: `metrics.csv` of its CSVLogger, with `hparams.yaml` beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bnbench.own_results import hparams
from bnbench.own_results.csv_file import cells
from bnbench.own_results.joining import counted, together, with_constants
from bnbench.own_results.merging import merged
from bnbench.own_results.table import Long

METRICS = "metrics.csv"
RUN = "run"


def runs(root: Path, files: Sequence[Path]) -> Long:
    """The rows of all runs as text, a row per run and epoch, or per run and step.

    The column `run` names the folder of the run, from `root` on. Hyperparameters that differ between runs, and seeds,
    are columns too.

    Args:
        root: the folder in which the runs are.
        files: the `metrics.csv` of each run.

    Raises:
        UserError: a file cannot be read, or a hyperparameter has the name of a metric.
    """
    found = hparams.beside([file.parent for file in files])
    longs = [_run(file, root, values) for file, values in zip(files, found.columns, strict=True)]
    long = together(longs)
    note = f"{counted(len(files), 'run')} of Lightning, each named by its folder in the column '{RUN}'."
    return replace(long, notes=(note, *long.notes, *found.notes), factors=found.factors)


def called(folder: Path, root: Path) -> str:
    """The folder of a run from the root on; a root that is itself a run has its own name."""
    return folder.resolve().name if folder == root else folder.relative_to(root).as_posix()


def _run(file: Path, root: Path, values: dict[str, str]) -> Long:
    long = merged(cells(file, str(file)))
    hparams.refuse_shared(long, (RUN, *values))
    return with_constants(long, {RUN: called(file.parent, root), **values})
