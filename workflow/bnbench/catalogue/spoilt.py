"""Columns of text that should be numbers: a few cells are something else, or all are written in another notation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bnbench.catalogue import kinds

if TYPE_CHECKING:
    import pandas as pd

    Column = pd.Series[Any]

_MOSTLY = 0.5
"""Text is spoilt numbers, and no categories, if a larger share of its cells reads as numbers."""

_LONGEST = 64
"""Characters of a number in another notation."""

_PLAIN = r"[ \t]*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:nan|inf|infinity))[ \t]*"
_CODE = r"[+-]?[0-9]+"

_MONEY = r"[$€£¥₹₽₩₺₫฿¢]|(?i:EUR|USD|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|BRL|kr|zł)"
_GROUPED = r"[0-9]{1,3}(?:[.,'’_\s][0-9]{3})+|[0-9_]*[0-9]"
_WRITTEN = (
    rf"\s*\(?[+\-−–]?\s*(?:{_MONEY})?\s*[+\-−–]?(?:{_GROUPED})?(?:[.,][0-9]*)?(?:[eE][+\-−–]?[0-9]+)?"
    rf"\s*(?:[%‰]|{_MONEY})?\)?\s*|\s*0[xX][0-9a-fA-F]+\s*"
)
"""Numbers as people and spreadsheets write them: 1,5 and 1'234 and 12 % and €5 and (5.20) and −1."""

_UNSEEN = r"[\x00-\x08\x0e-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
"""Characters that show nothing, and that no blank is."""


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
    counts = texts.value_counts()
    values = counts.index.to_series()
    plain = values.str.fullmatch(_PLAIN)
    bare = values.str.replace(_UNSEEN, "", regex=True)
    written = ~plain & bare.str.len().le(_LONGEST) & bare.str.contains("[0-9]")
    written[written] = bare[written].str.fullmatch(_WRITTEN)
    if counts[plain | written].sum() <= _MOSTLY * len(column):
        return None
    if plain.all():
        meant = kinds.is_declared(column) or _are_codes(values, counts)
        return None if meant else Spoilt("numbers as text", _first(texts), "store it as numbers")
    if (plain | written).all() or counts[written].sum() > counts[plain].sum():
        cell = _first(texts, values[written])
        return Spoilt("numbers in another notation", cell, "write digits and a decimal point alone")
    return Spoilt("text among numbers", _first(texts, values[~plain]), "correct it, leave the cell empty")


def _are_codes(values: Column, counts: Column) -> bool:
    """Whether digits stand for categories: each a whole number that recurs, such as a postal code stored as text."""
    return bool(values.str.fullmatch(_CODE).all() and 2 * len(counts) <= counts.sum())


def _first(texts: Column, among: Column | None = None) -> str:
    """The first cell that is one of these texts."""
    there = texts if among is None else texts[texts.isin(among)]
    return kinds.cell(there.iloc[0], there.index[0])
