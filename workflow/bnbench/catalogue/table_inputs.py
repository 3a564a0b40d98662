"""The inputs of a table: numbers as they are, text and categories as one-hot columns, and which of these look wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bnbench.catalogue.about import Counts, Suspect
from bnbench.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Column = pd.Series[Any]

_ID = 0.5
"""A text column counts as an id if it has more different values than this share of the rows."""

_LOOKED_AT = 1000
"""Different values, at most, that are tried as dates."""

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y")

_KINDS = ("integer", "floating", "boolean", "string", "categorical", "bytes")
"""What columns may hold, as pandas infers it."""


class Encoded(NamedTuple):
    """Inputs as numbers."""

    values: Array
    """[rows, features]."""
    categories: Counts
    """Columns that are one-hot with how many inputs they became."""


def encoded(path: str, frame: pd.DataFrame, categories: Sequence[str] = ()) -> Encoded:
    """The inputs of a file as numbers.

    Args:
        path: the file, for messages.
        frame: its inputs, without missing values.
        categories: columns that are to be one-hot, whatever they hold.

    Raises:
        UserError: a column holds neither numbers nor categories, or a value that is not finite.
    """
    import pandas as pd  # noqa: PLC0415 - the trainer imports this module and most tasks need no pandas

    for name, column in frame.items():
        kind = pd.api.types.infer_dtype(column)
        if kind not in _KINDS:
            raise UserError(f"{path}: column '{name}' holds neither numbers nor categories (found {kind}); convert it")
        if name not in categories and is_beyond_64_bits(column):
            raise UserError(
                f"{path}: column '{name}' holds numbers beyond 64 bits, such as {column.iloc[0]}; allowed: smaller "
                f"ones, drop: [{name}], or categories: [{name}]"
            )
    frame = frame.astype(dict.fromkeys(categories, "category"))
    numbers = pd.get_dummies(frame).astype("float64")
    values = numbers.to_numpy()
    finite = np.isfinite(values).all(axis=0)
    if not finite.all():
        raise UserError(
            f"{path}: column '{numbers.columns[~finite][0]}' holds an infinite value; every value must be finite"
        )
    return Encoded(values, tuple((str(name), _levels(frame[name])) for name in frame if _is_one_hot(frame[name])))


def suspects(frame: pd.DataFrame) -> Iterator[Suspect]:
    """The columns of text among inputs that look like an id, or hold dates."""
    from pandas.api import types  # noqa: PLC0415

    for name, column in frame.items():
        if types.infer_dtype(column) != "string":
            continue
        values = column.drop_duplicates()
        if are_dates(values.head(_LOOKED_AT)):
            yield Suspect(str(name), "date", len(values))
        elif len(values) > _ID * len(column):
            yield Suspect(str(name), "id", len(values))


def are_dates(values: Column) -> bool:
    """Whether texts are dates, all of them in one format, each with or without a time."""
    import pandas as pd  # noqa: PLC0415

    days = values.str.strip().str.split(r"[T ]", n=1, regex=True).str[0]
    return any(pd.to_datetime(days, format=each, errors="coerce").notna().all() for each in _DATES)


def is_beyond_64_bits(column: Column) -> bool:
    """Whether a column holds numbers that pandas had to leave as Python's, which it would take for categories."""
    from pandas.api import types  # noqa: PLC0415

    return bool(column.dtype == object) and types.infer_dtype(column) in ("integer", "floating")


def _is_one_hot(column: Column) -> bool:
    """Whether `pandas.get_dummies` makes several columns of it."""
    from pandas.api import types  # noqa: PLC0415

    return not (types.is_numeric_dtype(column) or types.is_bool_dtype(column))


def _levels(column: Column) -> int:
    """How many: also the categories that are declared and do not occur have a column."""
    categories = getattr(column.dtype, "categories", None)
    return len(categories) if categories is not None else int(column.nunique())
