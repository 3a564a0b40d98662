"""Merges the rows of loggers that write the metrics of one epoch, or of one step, in several rows with blanks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bnbench.own_results.joining import lines_of, named, parts_of_lines
from bnbench.own_results.table import Long

EPOCH, STEP = "epoch", "step"


def merged(long: Long) -> Long:
    """The rows of one run as a row per epoch, or a row per step where nothing is logged once per epoch.

    Of a metric that an epoch, or a step, has several values of, the last one is kept. A row without an epoch belongs to
    the epoch of the next row that has one.
    """
    table = long.table
    if EPOCH in table.column_names:
        epochs = _filled(table.column(EPOCH))
        table = table.set_column(table.column_names.index(EPOCH), EPOCH, epochs)
        codes = _codes(epochs)
        often = _often(table, codes)
        metrics = [name for name in table.column_names if name not in {EPOCH, STEP} and _valid(table, name).any()]
        if STEP not in table.column_names or len(often) < len(metrics):
            return _last(replace(long, table=table), codes, often)
    if STEP in table.column_names:
        return _last(replace(long, table=table), _codes(table.column(STEP)), [])
    return long


def _filled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null_forward(pc.fill_null_backward(column))


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """A number [rows] for each different value, in the order in which they first appear."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices)


def _valid(table: pa.Table, name: str) -> np.ndarray:
    return np.asarray(pc.is_valid(table.column(name)))


def _often(table: pa.Table, codes: np.ndarray) -> list[str]:
    """The metrics that have several values in most of the epochs in which they have any."""
    found = []
    for name in table.column_names:
        counts = np.bincount(codes[_valid(table, name)])
        if name not in {EPOCH, STEP} and counts.any() and 2 * (counts > 1).sum() > (counts > 0).sum():
            found.append(name)
    return found


def _last(long: Long, codes: np.ndarray, often: list[str]) -> Long:
    """A row for each code, with the last value of each column."""
    rows = int(codes.max(initial=-1)) + 1
    if rows == len(codes):
        return long
    columns = {}
    for name in long.table.column_names:
        places = np.flatnonzero(_valid(long.table, name))
        last = np.full(rows, -1)
        np.maximum.at(last, codes[places], places)
        columns[name] = long.table.column(name).take(pa.array(last, mask=last < 0))
    lines = lines_of(long)
    file = long.parts[0].file
    parts = long.parts[:1] if lines is None else parts_of_lines(file, lines[np.unique(codes, return_index=True)[1]])
    what = "an epoch" if EPOCH in long.table.column_names else "a step"
    kept = f"; of {named(often)}, the last value in it" if often else ""
    return replace(
        long, table=pa.table(columns), parts=parts, notes=(*long.notes, f"The rows of {what} are one{kept}.")
    )
