"""The long table that every reader gives: a row per run, or per run and epoch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MISSING = ("", "NA", "N/A", "#N/A", "null", "NULL", "<NA>")
"""Texts of a cell that stand for nothing. `nan` and `inf` are none of them: they are numbers of a run that diverged."""


@dataclass(frozen=True)
class Part:
    """A stretch of rows that come from one file."""

    file: str
    """Its name in messages."""
    first: int
    """Row of the long table at which the stretch begins."""
    line: int | None
    """Line of this row in the file; None if a file has no lines."""


@dataclass(frozen=True)
class Long:
    """What a reader has read."""

    table: pa.Table
    """Columns of float64 or of text. Null is a cell without a value; NaN and ±∞ are values of a run that diverged."""
    parts: tuple[Part, ...]
    """Where the rows come from, in their order; at least one."""
    notes: tuple[str, ...] = ()
    """Notes on what was read and what was left out: a sentence each."""
    factors: tuple[str, ...] = ()
    """Columns that the reader knows to be factors: they come from names of folders or from hyperparameters."""

    def where(self, row: int) -> str:
        """The file and the line of a row, as messages have them: `runs.csv, line 12`."""
        part = self.parts[bisect_right([part.first for part in self.parts], row) - 1]
        return part.file if part.line is None else f"{part.file}, line {part.line + row - part.first}"


def typed(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A column of text as numbers, if all of its cells with a value are; `MISSING` ones become null."""
    blank = pc.is_in(pc.utf8_trim_whitespace(column), pa.array(MISSING))
    column = pc.if_else(blank, pa.scalar(None, pa.string()), column)
    try:
        return pc.cast(pc.utf8_trim_whitespace(column), pa.float64())
    except pa.ArrowInvalid:
        return column


def of_columns(columns: Mapping[str, Sequence[object] | np.ndarray]) -> pa.Table:
    """A table of columns of numbers or of anything else, which becomes text; None is a cell without a value."""
    return pa.table({name: _column(values) for name, values in columns.items()})


def _column(values: Sequence[object] | np.ndarray) -> pa.Array:
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        return pa.array(values.astype(np.float64))
    if all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())  # type: ignore[arg-type]
    return pa.array([None if value is None else str(value) for value in values], pa.string())
