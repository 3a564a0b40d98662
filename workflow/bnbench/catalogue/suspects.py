"""Columns that may not be meant as inputs, of which warnings speak: ids, dates, and an index that counts rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bnbench.catalogue.about import Suspect

if TYPE_CHECKING:
    import pandas as pd

    Column = pd.Series[Any]

_ID = 0.5
"""A text column counts as an id if it has more different values than this share of the rows."""

_SHOWN = 40
"""Characters, at most, of a value that a warning shows."""

_LOOKED_AT = 1000
"""Different values, at most, that are tried as dates."""

_MOSTLY = 0.5
"""Text counts as dates if a larger share of its different values are dates."""

_DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y"),
    *("%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%Y"),
)


def among(frame: pd.DataFrame) -> Iterator[Suspect]:
    """The columns among inputs that look like an id, hold dates, or have no name and count the rows."""
    from pandas.api import types  # noqa: PLC0415 - the trainer imports this module and most tasks need no pandas

    for name, column in frame.items():
        if str(name).startswith("Unnamed: ") and _counts_rows(column):
            yield Suspect(str(name), "index", 1, str(column.iloc[0]))
        if types.infer_dtype(column) != "string":
            continue
        values = column.drop_duplicates()
        if are_dates(values):
            yield Suspect(str(name), "date", len(values), str(values.iloc[0])[:_SHOWN])
        elif len(values) > _ID * len(column):
            yield Suspect(str(name), "id", len(values), str(values.iloc[0])[:_SHOWN])


def are_dates(values: Column) -> bool:
    """Whether most of these texts are dates in one format, with or without a time; only the first are looked at."""
    import pandas as pd  # noqa: PLC0415

    texts = values.head(_LOOKED_AT).str.strip()
    for each in _DATES:
        days = texts if " " in each else texts.str.split(r"[T ]", n=1, regex=True).str[0]
        if pd.to_datetime(days, format=each, errors="coerce").notna().mean() > _MOSTLY:
            return True
    return False


def _counts_rows(column: Column) -> bool:
    """Whether each value is one above that of the row before, as in an index that pandas wrote."""
    from pandas.api import types  # noqa: PLC0415

    return bool(types.is_integer_dtype(column) and len(column) > 1 and (column.diff().iloc[1:] == 1).all())
