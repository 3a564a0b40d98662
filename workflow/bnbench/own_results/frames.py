"""Takes a pandas DataFrame as results."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pyarrow as pa

from bnbench.errors import UserError
from bnbench.own_results.arrow_columns import joined, plain
from bnbench.own_results.joining import named, refuse_names, with_numbers
from bnbench.own_results.table import Long, of_columns

_NAME = "the frame"


def from_frame(frame: pd.DataFrame) -> Long:
    """The rows of a frame; the levels of its index that have names become columns.

    NaN is what pandas writes for a value that is missing, so it becomes null; ±∞ stands for a run that diverged.

    Raises:
        UserError: the frame has no row, a column without a name or with the name of another, or an index that has no
            name and does not count rows.
    """
    if not isinstance(frame, pd.DataFrame):
        raise UserError(f"{_NAME}: found {type(frame).__name__}, allowed: a pandas DataFrame, or the path of a file")
    levels = [frame.index.get_level_values(place) for place in range(frame.index.nlevels)]
    for level in levels:
        if level.name is None and not pd.api.types.is_integer_dtype(level.dtype):
            found = f"an index without a name ({named(level[:3])}, …)" if len(level) else "an empty index"
            raise UserError(
                f"{_NAME}: found {found}, allowed: one that counts rows, or has a name (frame.index.name = …)"
            )
    indexed = [(str(level.name), level.to_series(index=frame.index)) for level in levels if level.name is not None]
    columns = [(_name(column), frame.iloc[:, place]) for place, column in enumerate(frame.columns)]
    refuse_names([name for name, _ in [*indexed, *columns]], _NAME)
    arrays = {name: _array(series) for name, series in [*indexed, *columns]}
    long = with_numbers(plain(pa.table(arrays), _NAME))
    lacking = [name for name, series in columns if series.dtype.kind == "f" and series.isna().any()]
    if not lacking:
        return long
    note = f"NaN is read as a missing value in {named(lacking)}; write inf for a run that diverged."
    return replace(long, notes=(*long.notes, note))


def _name(column: object) -> str:
    return joined(column) if isinstance(column, tuple) else str(column)


def _array(series: pd.Series) -> pa.Array | pa.ChunkedArray:
    if isinstance(series.dtype, pd.PeriodDtype | pd.IntervalDtype):
        series = series.astype(str)
    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        values = [None if pd.api.types.is_scalar(value) and pd.isna(value) else value for value in series]
        return of_columns({"": values}).column("")
    return array
