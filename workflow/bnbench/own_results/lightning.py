"""Reads a folder of Lightning's runs: `metrics.csv` of its CSVLogger, with `hparams.yaml` beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bnbench.errors import UserError
from bnbench.own_results import hparams
from bnbench.own_results.csv_file import cells
from bnbench.own_results.joining import named, together, with_constants
from bnbench.own_results.merging import merged
from bnbench.own_results.seeds import is_seed
from bnbench.own_results.table import Long

METRICS, HPARAMS = "metrics.csv", "hparams.yaml"
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
    found, unread = [], dict[str, None]()
    for file in files:
        beside = file.with_name(HPARAMS)
        values, left = hparams.read(beside, str(beside)) if beside.is_file() else ({}, ())
        found.append(values)
        unread.update(dict.fromkeys(left))
    names = hparams.differing(found)
    longs = [
        _run(file, _called(file.parent, root), {name: values[name] for name in names if name in values})
        for file, values in zip(files, found, strict=True)
    ]
    long = together(longs)
    notes = [f"{len(files)} runs of Lightning, each named by its folder in the column 'run'.", *long.notes]
    if names:
        notes.append(f"Hyperparameters that differ between runs, and seeds, are columns: {named(names)}.")
    else:
        notes.append("No hyperparameters differ between runs; a pattern takes factors from the names of folders.")
    if unread:
        notes.append(f"Hyperparameters that are neither numbers nor text are left out: {named(unread)}.")
    return replace(long, notes=tuple(notes), factors=tuple(name for name in names if not is_seed(name)))


def _called(folder: Path, root: Path) -> str:
    """The folder of a run from the root on; a root that is itself a run has its own name."""
    return folder.resolve().name if folder == root else folder.relative_to(root).as_posix()


def _run(file: Path, run: str, values: dict[str, str]) -> Long:
    long = merged(cells(file, str(file)))
    for name in (RUN, *values):
        if name in long.table.column_names:
            where = "as the name of a folder" if name == RUN else f"in {HPARAMS}"
            raise UserError(f"{file}: found the column '{name}' that stands {where} too, allowed: one of them")
    return with_constants(long, {RUN: run, **values})
