"""The targets of a table: numbers, classes, or flags, and why they are treated as such."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bnbench import texts
from bnbench.catalogue import kinds, spoilt, suspects
from bnbench.catalogue.about import Counts, Reason, Target
from bnbench.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Column = pd.Series[Any]

AUTO = "auto"

MOST_CLASSES, ROWS_EACH = 10, 5
"""Whole numbers are classes where there are two of them, or at most ten with five rows to each on average."""

LONGEST_NAMES = 5000
"""Characters of the names of all classes together, which the rules pass to every job."""


class Targets(NamedTuple):
    """The targets of a table."""

    values: Array
    """[rows, outputs]: numbers; a one in the column of the right class; or flags."""
    labels: tuple[str, ...]
    """Names of the classes, by outputs; of flags, the value that counts as 1; of numbers, nothing."""
    told: tuple[Target, ...]
    """Facts about each column."""


def of(path: str, columns: pd.DataFrame, classes: bool | str) -> Targets:
    """How these columns of a file are treated, and their values.

    Args:
        path: the file, for messages.
        columns: without missing values; the index counts the rows of the file from 0.
        classes: what the config says: true, false or auto.

    Raises:
        UserError: a column is constant, is not what it is to be, has an infinite value, or does not fit the others.
    """
    reasons = {str(name): _reason(path, column, classes) for name, column in columns.items()}
    taken = [name for name, (is_classes, _) in reasons.items() if is_classes]
    if len(reasons) > 1 and taken:
        if all(reasons[name][1] == "few" for name in taken) and not _all_of_two(columns, taken):
            taken = []
            reasons = {name: (False, "others" if why == "few" else why) for name, (_, why) in reasons.items()}
        else:
            _refuse_mixed(path, columns, taken)
    if not taken:
        return _numbers(path, columns, {name: why for name, (_, why) in reasons.items()})
    coded = {name: _coded(path, columns[name]) for name in taken}
    told = tuple(
        Target(name, reasons[name][1], classes=_counts(codes, names)) for name, (codes, names) in coded.items()
    )
    if len(taken) > 1:
        flags = np.stack([codes for codes, _ in coded.values()], axis=1).astype(np.float64)
        return Targets(flags, tuple(names[1] for _, names in coded.values()), told)
    ((codes, names),) = coded.values()
    return Targets(np.eye(len(names))[codes], tuple(names), told)


def is_true_or_false(column: Column) -> bool:
    """Whether a column holds booleans, also where missing values made objects of them."""
    from pandas.api import types  # noqa: PLC0415 - the trainer imports this module and most tasks need no pandas

    return types.infer_dtype(column) == "boolean"


def _reason(path: str, column: Column, classes: bool | str) -> tuple[bool, Reason]:
    """Whether a column is treated as classes, and why."""
    from pandas.api import types  # noqa: PLC0415

    kinds.refuse_others(path, column, "target", "classes", "")
    boolean = is_true_or_false(column)
    numeric = boolean or types.is_numeric_dtype(column)
    if column.nunique() == 1:
        raise UserError(f"{path}: target '{column.name}' is constant; there is nothing to learn")
    if classes is not True and (large := kinds.beyond_64_bits(column)):
        raise UserError(f"{path}: target '{column.name}' holds {large}; write smaller ones, or set 'classes: true'")
    if classes is not True and not boolean:
        _refuse_spoilt_numbers(path, column)
    if classes is False:
        if not numeric:
            where = kinds.cell(column.iloc[0], column.index[0])
            raise UserError(f"{path}: target '{column.name}' is not numeric, {where}; a regression needs numbers")
        return False, "asked"
    if numeric and not boolean and classes == AUTO:
        return _of_numbers(column)
    if classes == AUTO and not boolean:
        _refuse_dates(path, column)
    if 2 * column.nunique() > len(column):
        raise UserError(
            f"{path}: target '{column.name}' has {column.nunique()} different values in {len(column)} rows; "
            "classes must recur, with two rows each on average"
        )
    return True, "asked" if classes is True else "boolean" if boolean else "text"


def _of_numbers(column: Column) -> tuple[bool, Reason]:
    values = column.to_numpy(dtype="float64")
    if not np.isfinite(values).all():
        return False, "many"  # `_numbers` refuses it
    if not np.array_equal(values, np.round(values)):
        return False, "fractions"
    most = max(2, min(MOST_CLASSES, len(values) // ROWS_EACH))
    return (True, "few") if column.nunique() <= most else (False, "many")


def _refuse_spoilt_numbers(path: str, column: Column) -> None:
    """Refuse text that is numbers, except in some rows or in their way of writing, such as a price of "?"."""
    if found := spoilt.numbers(column):
        raise UserError(
            f"{path}: target '{column.name}' holds {found.what}, {found.cell}; {found.remedy}, or set 'classes: true'"
        )


def _refuse_dates(path: str, column: Column) -> None:
    """Refuse dates, which hardly anybody means as classes."""
    if kinds.is_text(column) and suspects.are_dates(column.astype("str").drop_duplicates()):
        where = kinds.cell(column.iloc[0], column.index[0])
        raise UserError(
            f"{path}: target '{column.name}' holds dates, {where}; write a number, such as the year or the days since "
            "some day, or set 'classes: true'"
        )


def _all_of_two(columns: pd.DataFrame, taken: list[str]) -> bool:
    return len(taken) == columns.shape[1] and all(columns[name].nunique() == 2 for name in taken)


def _refuse_mixed(path: str, columns: pd.DataFrame, taken: list[str]) -> None:
    """Refuse several targets that are neither all numbers nor all of two values."""
    allowed = "several targets must all be numbers, or must each have two values"
    if others := [str(name) for name in columns if name not in taken]:
        raise UserError(f"{path}: target '{taken[0]}' holds classes, and '{others[0]}' numbers; {allowed}")
    for name in taken:
        if (count := columns[name].nunique()) > 2:
            raise UserError(f"{path}: target '{name}' has {count} classes; {allowed}")


def _coded(path: str, column: Column) -> tuple[NDArray[np.intp], list[str]]:
    """The class of each row by its place, and the names of the classes in the order of their values."""
    import pandas as pd  # noqa: PLC0415

    codes, values = pd.factorize(column.infer_objects(), sort=True)
    names = [_name(value) for value in values]
    if (length := sum(map(len, names))) > LONGEST_NAMES:
        raise UserError(
            f"{path}: target '{column.name}' has {len(names)} classes, whose names have {length:,} characters; "
            f"allowed: {LONGEST_NAMES:,}, so give them shorter names"
        )
    return codes, names


def _name(value: Any) -> str:
    """A class as messages have it: whole numbers as such, also where missing values made 1.0 of 1."""
    return str(int(value)) if isinstance(value, float | np.floating) and value.is_integer() else texts.shown(str(value))


def _counts(codes: NDArray[np.intp], names: list[str]) -> Counts:
    return tuple(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True))


def _numbers(path: str, columns: pd.DataFrame, reasons: dict[str, Reason]) -> Targets:
    values = columns.to_numpy(dtype="float64")
    for place, name in enumerate(columns):
        if not (finite := np.isfinite(values[:, place])).all():
            row = int(finite.argmin())
            where = kinds.cell(values[row, place], columns.index[row])
            raise UserError(f"{path}: target '{name}' holds an infinite value, {where}; every value must be finite")
    for name, constant in zip(columns, (values == values[0]).all(axis=0), strict=True):
        if constant:  # in the file it is not, see `_reason`
            raise UserError(
                f"{path}: target '{name}' holds numbers near {values[0, 0]:.3g} that are all the same to 16 digits; "
                "subtract what they share, or set 'classes: true'"
            )
    with np.errstate(over="ignore", invalid="ignore"):
        means, deviations = (_finite(each) for each in (values.mean(axis=0), values.std(axis=0)))
    told = (Target(*each) for each in zip(reasons, reasons.values(), means, deviations, strict=True))
    return Targets(values, (), tuple(told))


def _finite(values: Array) -> list[float | None]:
    """As JSON has them, which cannot express infinity."""
    return [value if math.isfinite(value) else None for value in values.tolist()]
