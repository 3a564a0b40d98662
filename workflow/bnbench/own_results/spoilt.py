"""Columns of text that should be numbers: a few cells are something else, or all are written in another notation."""

from __future__ import annotations

import numpy as np

from bnbench import notations
from bnbench.errors import quoted
from bnbench.own_results.columns import Columns

_MOSTLY = 0.5
"""Text is spoilt numbers if a larger share of its cells reads as numbers."""


def numbers(columns: Columns, name: str) -> str:
    """The first cell that is no number, of a column of text that is mostly numbers: `'?' in runs.csv, line 5`.

    Empty of every other column.
    """
    if columns.is_number(name):
        return ""
    codes, values = columns.codes(name)
    plain = np.array([notations.is_plain(text) for text in values], np.bool_)
    other = np.array([notations.is_other(text) for text in values], np.bool_)
    there = codes >= 0
    if not there.any() or (plain | other)[codes[there]].mean() <= _MOSTLY:
        return ""
    row = int(np.flatnonzero(there)[np.argmin(plain[codes[there]])])
    return f"{quoted(values[codes[row]])} in {columns.long.where(row)}"
