"""Columns of text that should be numbers: a few cells are something else, or all are written in another notation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from bnbench import notations
from bnbench.catalogue import kinds

if TYPE_CHECKING:
    import pandas as pd

    Column = pd.Series[Any]

_MOSTLY = 0.5
"""Text is spoilt numbers, and no categories, if a larger share of its cells reads as numbers."""

_CODE = re.compile(r"[+-]?[0-9]+")


class Spoilt(NamedTuple):
    """Why a column of text is no column of numbers."""

    what: str
    """`text among numbers`, or what else it holds."""
    cell: str
    """The first cell that shows it, in quotes, with its row."""
    remedy: str
    """How to write it."""


def numbers(column: Column) -> Spoilt | None:
    """How a column of text is spoilt; None where it is not numbers in the first place.

    Args:
        column: without missing values; the index counts the rows of the file from 0.
    """
    if not kinds.is_text(column):
        return None
    texts = column.astype("str")
    counts = {str(text): int(count) for text, count in texts.value_counts().items()}
    plain = {text for text in counts if notations.is_plain(text)}
    other = {text for text in counts if notations.is_other(text)}
    of_plain, of_other = (sum(counts[text] for text in found) for found in (plain, other))
    if of_plain + of_other <= _MOSTLY * len(column):
        return None
    if of_plain == len(column):
        meant = kinds.is_declared(column) or _are_codes(counts)
        return None if meant else Spoilt("numbers as text", _first(texts, plain), "store it as numbers")
    if of_plain + of_other == len(column) or of_other > of_plain:
        return Spoilt("numbers in another notation", _first(texts, other), "write digits and a decimal point alone")
    return Spoilt("text among numbers", _first(texts, {*counts} - plain), "correct it, leave the cell empty")


def _are_codes(counts: dict[str, int]) -> bool:
    """Whether digits stand for categories: each a whole number that recurs, such as a postal code stored as text."""
    return all(_CODE.fullmatch(text) for text in counts) and 2 * len(counts) <= sum(counts.values())


def _first(texts: Column, among: set[str]) -> str:
    """The first cell that is one of these texts."""
    there = texts[texts.isin(among)]
    return kinds.cell(there.iloc[0], there.index[0])
