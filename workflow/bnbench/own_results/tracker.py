"""Reads what trackers such as Weights & Biases export: a chart, a column per run and metric, or a table of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bnbench.errors import UserError
from bnbench.own_results.joining import counted, lines_of, named, parts_of_lines, together, with_constants
from bnbench.own_results.seeds import split
from bnbench.own_results.table import Long, typed

_BETWEEN = " - "
_SPREAD = ("__MIN", "__MAX")
_STEPS = {"step": "step", "_step": "step", "global_step": "step", "trainer/global_step": "step", "epoch": "epoch"}
_STEP_OF_TRACKER = "_step"


def is_chart(cells: Long) -> bool:
    """Whether columns are those of a chart: numbers of steps first, then `run - metric` alone."""
    first, *others = cells.table.column_names
    if not others or _BETWEEN in first or not all(_BETWEEN in name for name in others):
        return False
    return bool(pa.types.is_floating(typed(cells.table.column(0)).type))


def chart(cells: Long) -> Long:
    """The rows of a chart in long form: `run`, the step, and a column per metric, a row per run and step.

    Where all names of runs end in a seed, the columns `group` and `seed` are added to `run`. Rows in which a run has no
    value are left out, and so are runs without any.

    Args:
        cells: the file, as `csv_file.cells` reads it.

    Raises:
        UserError: no run has a value.
    """
    table, first = cells.table, cells.table.column_names[0]
    step = _STEPS.get(first.lower(), first)
    runs: dict[str, dict[str, str]] = {}
    for name in table.column_names[1:]:
        run, _, metric = name.rpartition(_BETWEEN)
        counts = metric in {_STEP_OF_TRACKER, step}
        if not counts and not metric.endswith(_SPREAD) and table.column(name).null_count < table.num_rows:
            runs.setdefault(run.strip(), {})[metric.strip()] = name
    if not runs:
        raise UserError(f"{cells.parts[0].file}: found a chart without values, allowed: a value of at least one run")
    groups = split([*runs])
    lines = lines_of(cells)
    longs = []
    for run, metrics in runs.items():
        known = {"run": run}
        if groups:
            known |= {"group": groups[run][0], "seed": groups[run][1]}
        longs.append(with_constants(_rows(cells, lines, {step: first, **metrics}), known))
    long = together(longs)
    return replace(long, notes=(*cells.notes, *_notes(table, runs, groups)), factors=("group",) if groups else ())


def states(cells: Long) -> Long:
    """The same rows, with a note of runs that did not finish, if this is a tracker's table of runs."""
    if not {"Name", "State"} <= {*cells.table.column_names}:
        return cells
    counts = {each["values"]: each["counts"] for each in pc.value_counts(cells.table.column("State")).to_pylist()}
    open_ = {state or "without a state": count for state, count in counts.items() if state != "finished"}
    if not open_:
        return cells
    told = named(f"{count} {state}" for state, count in sorted(open_.items()))
    note = f"{counted(sum(open_.values()), 'run')} did not finish ({told}): they are kept with their values."
    return replace(cells, notes=(*cells.notes, note))


def _rows(cells: Long, lines: np.ndarray | None, names: dict[str, str]) -> Long:
    """The rows in which one of the columns behind the first has a value, with new names."""
    columns = [cells.table.column(name) for name in names.values()]
    there = np.zeros(cells.table.num_rows, bool)
    for column in columns[1:]:
        there |= np.asarray(pc.is_valid(column))
    table = pa.table(columns, names=[*names]).filter(pa.array(there))
    parts = cells.parts[:1] if lines is None else parts_of_lines(cells.parts[0].file, lines[there])
    return Long(table, parts)


def _notes(table: pa.Table, runs: dict[str, dict[str, str]], groups: object) -> list[str]:
    metrics = dict.fromkeys(metric for each in runs.values() for metric in each)
    notes = [f"A chart of a tracker: {counted(len(runs), 'run')}, of which it has {named(metrics)}."]
    spread = [name for name in table.column_names if name.endswith(_SPREAD)]
    if spread:
        note = f"Columns of minima and maxima are left out ({len(spread)})"
        notes.append(f"{note}; {_MEANS}" if _differs(table, spread) else f"{note}.")
    if groups:
        notes.append("The names of all runs end in a seed: the part before it becomes the column 'group'.")
    return notes


_MEANS = "some differ from the value itself, which is then a mean over steps or over several runs."


def _differs(table: pa.Table, spread: Sequence[str]) -> bool:
    pairs = ((table.column(name), name.rpartition("__")[0]) for name in spread)
    return any(
        pc.any(pc.not_equal(column, table.column(value))).as_py()
        for column, value in pairs
        if value in table.column_names
    )
