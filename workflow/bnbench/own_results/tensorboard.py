"""Reads TensorBoard's event files, where the package tensorboard is installed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bnbench.errors import UserError, first_line
from bnbench.own_results import hparams
from bnbench.own_results.joining import counted, together, with_constants
from bnbench.own_results.lightning import RUN, called
from bnbench.own_results.merging import STEP, merged
from bnbench.own_results.table import Long, Part, of_columns

EVENTS = "tfevents"
"""Part of the name of every event file."""
_SCALARS = "scalars"
_PLACEHOLDER = "hp_metric"
"""Lightning writes −1 under this tag if nobody logs it."""
_SIDES = ("train", "validation")
"""The folders into which Keras divides the metrics of one run."""


def runs(root: Path, files: Sequence[Path]) -> Long:
    """The scalars of all runs, a row per run and epoch, or per run and step.

    The column `run` names the folder of the run, from `root` on. What Lightning's `hparams.yaml` in it says is read as
    `lightning.runs` reads it. Scalars in Keras' folders `train` and `validation`
    belong to one run, as `train/…` and `validation/…`.

    Raises:
        UserError: the package tensorboard is absent, or a file holds no scalars.
    """
    found: dict[Path, dict[Path, str]] = {}
    for file in files:
        folder = file.parent
        keras = folder.name in _SIDES and folder != root
        found.setdefault(folder.parent if keras else folder, {})[file] = f"{folder.name}/" if keras else ""
    of_runs = hparams.beside([*found])
    longs = []
    for (folder, of_run), values in zip(found.items(), of_runs.columns, strict=True):
        long = run(of_run)
        hparams.refuse_shared(long, (RUN, *values))
        longs.append(with_constants(long, {RUN: called(folder, root), **values}))
    long = together(longs)
    note = f"{counted(len(longs), 'run')} of TensorBoard, each named by its folder in the column '{RUN}'."
    return replace(long, notes=(note, *long.notes, *of_runs.notes), factors=of_runs.factors)


def run(files: Mapping[Path, str]) -> Long:
    """The scalars of one run, whose tags get the prefixes that belong to the files.

    Where a step has several values of a tag, since a run was resumed from an earlier step, the last one counts.
    """
    values: dict[str, dict[int, float]] = {}
    kinds: dict[str, str] = {}
    for file, prefix in sorted(files.items()):
        for tag, step, value in _scalars(file, kinds):
            values.setdefault(prefix + tag, {})[step] = value
    name = str(min(files))
    values = {tag: each for tag, each in values.items() if tag != _PLACEHOLDER or {*each.values()} != {-1.0}}
    if not values:
        raise UserError(f"{name}: found no scalars, allowed: an event file of TensorBoard with at least one")
    steps = sorted({step for each in values.values() for step in each})
    notes = ("Tags that are not scalars are left out.",) if {*kinds.values()} - {_SCALARS} else ()
    columns: dict[str, list[Any]] = {STEP: [*steps]}
    # A scalar may itself be called `step`; it is the step of the event that counts.
    columns |= {tag: [each.get(step) for step in steps] for tag, each in sorted(values.items()) if tag != STEP}
    return merged(Long(of_columns(columns), (Part(name, 0, None),), notes))


def _scalars(file: Path, kinds: dict[str, str]) -> list[tuple[str, int, float]]:
    """Tag, step and value of each scalar of an event file, in its order; `kinds` takes what each other tag is."""
    try:
        from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader  # noqa: PLC0415 - optional
        from tensorboard.util.tensor_util import make_ndarray  # noqa: PLC0415
    except ImportError as error:
        how = "pip install 'bnbench[tensorboard]' installs it"
        raise UserError(f"{file}: TensorBoard's files need the package tensorboard; {how}") from error
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    found: list[tuple[str, int, float]] = []
    try:
        for event in LegacyEventFileLoader(str(file)).Load():
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found.append((value.tag, event.step, value.simple_value))
                # TensorFlow 2 writes tensors of any kind, which the first of a tag alone names.
                elif kinds.setdefault(value.tag, value.metadata.plugin_data.plugin_name) == _SCALARS:
                    found.append((value.tag, event.step, float(make_ndarray(value.tensor).item())))
    except Exception as error:  # the records are decoded by a library that raises what it likes
        raise UserError(f"{file}: cannot be read as an event file ({first_line(error)})") from error
    return found
