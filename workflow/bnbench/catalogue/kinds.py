"""What the columns of a table may hold: numbers and texts, and neither lists nor dates nor numbers without end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bnbench.errors import UserError, quoted

if TYPE_CHECKING:
    import pandas as pd

    Column = pd.Series[Any]

_KINDS = ("integer", "floating", "boolean", "string", "categorical", "bytes")
"""What columns may hold, as pandas infers it."""

_INSTEAD = {
    **dict.fromkeys(("datetime64", "datetime", "date"), "a number, such as the year or the days since some day"),
    **dict.fromkeys(("timedelta64", "timedelta", "time"), "a number of seconds"),
}
"""What to write in place of what is no number: pandas' kind → words."""


def refuse_others(path: str, column: Column, called: str, either: str, allowed: str) -> None:
    """Refuse lists, dates, durations and whatever else is neither a number nor a text.

    Args:
        path: the file, for messages.
        column: without missing values.
        called: `column` or `target`.
        either: `categories` or `classes`.
        allowed: what else to do about it.

    Raises:
        UserError: the column holds such things.
    """
    import pandas as pd  # noqa: PLC0415 - the trainer imports this module and most tasks need no pandas

    if (kind := pd.api.types.infer_dtype(column)) in _KINDS:
        return
    first = column.iloc[0]
    instead = "a column for each number" if pd.api.types.is_list_like(first) else _INSTEAD.get(kind, "numbers or text")
    raise UserError(
        f"{path}: {called} '{column.name}' holds neither numbers nor {either}, but {type(first).__name__}, "
        f"{cell(first, column.index[0])}; write {instead}{allowed}"
    )


def is_text(column: Column) -> bool:
    """Whether a column holds text, or categories that are text."""
    from pandas.api import types  # noqa: PLC0415

    values = column.cat.categories if is_declared(column) else column
    return types.infer_dtype(values) in ("string", "mixed-integer")


def is_declared(column: Column) -> bool:
    """Whether the file itself says that these are categories."""
    return hasattr(column.dtype, "categories")


def beyond_64_bits(column: Column) -> str:
    """What a message says of a column of numbers that are too large; empty of others."""
    from pandas.api import types  # noqa: PLC0415

    # pandas had to leave them as Python's, and would take them for categories.
    if column.dtype != object or types.infer_dtype(column) not in ("integer", "floating"):
        return ""
    largest = max(range(len(column)), key=lambda place: abs(column.iloc[place]))
    return f"numbers beyond 64 bits, {cell(column.iloc[largest], column.index[largest])}"


def cell(value: object, row: int) -> str:
    """A cell in a message: `'?' in row 4 (the first row under the header is 1)`; `row` counts from 0."""
    return f"{quoted(value)} in row {row + 1} (the first row under the header is 1)"
