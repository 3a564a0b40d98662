"""Columns of numbers: those that were measured, and those that count seeds or epochs."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bnbench.errors import UserError, found
from bnbench.own_results.columns import Columns

Array = NDArray[np.float64]

_NUMBER = (
    r"^\s*[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)\s*$"
)
_LARGEST = 2**53
"""Beyond this, float64 cannot hold every whole number."""

_HUGE = 1e100
"""A larger number means that a run diverged: its square would overflow."""


def measured(columns: Columns, name: str) -> tuple[Array, NDArray[np.bool_]]:
    """The numbers of a column, and whether a cell has one, [rows] each; NaN is one that is not finite.

    True and False are 1 and 0.

    Raises:
        UserError: a cell holds something else.
    """
    column = columns.table[name]
    if not columns.is_number(name):
        column = _flags(column)
        if column is None:
            _refuse_text(columns, name, "numbers, nan where a run diverged, and nothing where it was not measured")
    known = pc.is_valid(column).to_numpy()
    values = pc.fill_null(column, np.nan).to_numpy().astype(np.float64)
    values[~(np.abs(values) <= _HUGE)] = np.nan
    return values, known


def _flags(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    lower = pc.utf8_lower(column)
    if {*pc.unique(lower).to_pylist()} - {None} <= {"true", "false"}:
        return pc.cast(pc.equal(lower, "true"), pa.float64())
    return None


def is_whole(columns: Columns, name: str) -> bool:
    """Whether a column counts: all of its numbers are whole."""
    if not columns.is_number(name):
        return False
    values = pc.drop_null(columns.table[name]).to_numpy()
    return bool(np.isfinite(values).all() and (values == np.floor(values)).all())


def is_index(columns: Columns, name: str) -> bool:
    """Whether a column numbers the rows, in any order."""
    if not is_whole(columns, name) or columns.has_gaps(name) or columns.count(name) < columns.rows:
        return False
    values = columns.table[name].to_numpy()
    return bool(values.max() - values.min() == columns.rows - 1)


def whole(columns: Columns, name: str, what: str) -> NDArray[np.int64]:
    """A column of whole numbers, a value in every row, [rows].

    Args:
        columns: of the table.
        name: of the column.
        what: it counts, `seed` or `epoch`.

    Raises:
        UserError: a cell holds something else.
    """
    allowed = f"whole numbers, as the {what}; or --{what} with another column"
    if not columns.is_number(name):
        _refuse_text(columns, name, allowed)
    column = columns.table[name]
    empty = pc.is_null(column).to_numpy()
    if empty.any():
        where = columns.long.where(int(np.argmax(empty)))
        raise UserError(f"{where}, column {name}: found nothing, allowed: the {what} of the run in every row")
    values = column.to_numpy()
    finite = np.where(np.isfinite(values), values, 0.5)
    odd = finite != np.floor(finite)
    large = np.abs(finite) > _LARGEST
    if odd.any() or large.any():
        row = int(np.argmax(odd | large))
        cell = f"{values[row]:.0f}" if large[row] else f"{values[row]:g}"
        limit = f"whole numbers up to {_LARGEST} (2^53)" if large[row] else allowed
        raise UserError(f"{columns.long.where(row)}, column {name}: found {cell}, allowed: {limit}")
    if what == "epoch" and values.min() < 0:
        row = int(np.argmax(values < 0))
        raise UserError(f"{columns.long.where(row)}, column {name}: found {values[row]:g}, allowed: epochs from 0 on")
    counted: NDArray[np.int64] = values.astype(np.int64)
    return counted


def _refuse_text(columns: Columns, name: str, allowed: str) -> None:
    """Name the first cell that is not a number.

    Raises:
        UserError: always.
    """
    column = columns.table[name]
    odd = pc.fill_null(pc.invert(pc.match_substring_regex(column, _NUMBER)), fill_value=False).to_numpy()
    row = int(np.argmax(odd))
    cell = column[row].as_py()
    hint = " (write a decimal point, not a comma)" if re.fullmatch(r"[+-]?\d*,\d+", str(cell).strip()) else ""
    raise UserError(f"{columns.long.where(row)}, column {name}: found {found(cell)}{hint}, allowed: {allowed}")
