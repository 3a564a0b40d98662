"""The inputs of a table: numbers as they are, text and categories as one-hot columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bnbench.catalogue import kinds, spoilt
from bnbench.catalogue.about import Counts
from bnbench.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Column = pd.Series[Any]

_SURE, _MOST_VALUES = 0.9, 1000
"""A text column is refused as an id if its different values exceed both this share of the rows and this number."""

_MOST_NUMBERS = 2**30
"""Rows times the inputs that categories become: 8 GiB in double precision."""


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
        UserError: a column holds neither numbers nor categories, numbers in disguise, an id of very many values, or a
            value that is not finite; or there are too many inputs.
    """
    import pandas as pd  # noqa: PLC0415 - the trainer imports this module and most tasks need no pandas

    for name, column in frame.items():
        kinds.refuse_others(path, column, "column", "categories", f", or set drop: [{name}]")
        if name not in categories:
            _refuse_disguised(path, column)
    frame = frame.astype(dict.fromkeys(categories, "category"))
    _refuse_large(path, frame)
    numbers = pd.get_dummies(frame).astype("float64")
    values = numbers.to_numpy()
    if not (finite := np.isfinite(values)).all():
        row, place = np.argwhere(~finite)[0]
        where = kinds.cell(values[row, place], frame.index[row])
        raise UserError(
            f"{path}: column '{numbers.columns[place]}' holds an infinite value, {where}; every value must be finite"
        )
    return Encoded(values, tuple((str(name), _levels(frame[name])) for name in frame if _is_one_hot(frame[name])))


def _refuse_disguised(path: str, column: Column) -> None:
    """Refuse a column that would become categories, though it is hardly meant so."""
    name = column.name
    insist = f"set drop: [{name}] or categories: [{name}]"
    if large := kinds.beyond_64_bits(column):
        raise UserError(f"{path}: column '{name}' holds {large}; write smaller ones, or {insist}")
    if found := spoilt.numbers(column):
        raise UserError(f"{path}: column '{name}' holds {found.what}, {found.cell}; {found.remedy}, or {insist}")
    different = _levels(column) if _is_one_hot(column) else 0
    if different > max(_MOST_VALUES, _SURE * len(column)):
        raise UserError(
            f"{path}: column '{name}' holds {different:,} different texts in {len(column):,} rows, such as "
            f"{kinds.cell(column.iloc[0], column.index[0])}, each of which would become an input; {insist}"
        )


def _refuse_large(path: str, frame: pd.DataFrame) -> None:
    """Refuse categories that no memory holds."""
    widths = {name: _levels(column) for name, column in frame.items() if _is_one_hot(column)}
    if len(frame) * sum(widths.values()) > _MOST_NUMBERS:
        widest = max(widths, key=widths.__getitem__)
        raise UserError(
            f"{path}: column '{widest}' holds {widths[widest]:,} categories in {len(frame):,} rows, each of which "
            f"would become an input; allowed: {_MOST_NUMBERS:,} rows times categories, so set drop: [{widest}]"
        )


def _is_one_hot(column: Column) -> bool:
    """Whether `pandas.get_dummies` makes several columns of it."""
    from pandas.api import types  # noqa: PLC0415

    return not (types.is_numeric_dtype(column) or types.is_bool_dtype(column))


def _levels(column: Column) -> int:
    """How many: also the categories that are declared and do not occur have a column."""
    categories = getattr(column.dtype, "categories", None)
    return len(categories) if categories is not None else int(column.nunique())
