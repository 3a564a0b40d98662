"""Texts that are numbers: as programs write them, and in the notations of people and spreadsheets."""

from __future__ import annotations

import re

_LONGEST = 64
"""Characters of a number in another notation."""

_PLAIN = re.compile(
    r"[ \t]*[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:nan|inf|infinity))[ \t]*", re.ASCII
)
_DIGIT = re.compile(r"[0-9]")
_MONEY = r"[$€£¥₹₽₩₺₫฿¢]|(?i:EUR|USD|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|BRL|kr|zł)"
_GROUPED = r"[0-9]{1,3}(?:[.,'’_\s][0-9]{3})+|[0-9_]*[0-9]"
_OTHER = re.compile(
    rf"\s*\(?[+\-−–]?\s*(?:{_MONEY})?\s*[+\-−–]?(?:{_GROUPED})?(?:[.,][0-9]*)?(?:[eE][+\-−–]?[0-9]+)?"
    rf"\s*(?:[%‰]|{_MONEY})?\)?\s*|\s*0[xX][0-9a-fA-F]+\s*|(?:tensor|np\.float(?:32|64)|array)\([^()]*\)"
)
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that show nothing, and that no blank is."""


def is_plain(text: str) -> bool:
    """Whether any program reads it as a number: `-1.5`, `2e-3`, `nan`."""
    return _PLAIN.fullmatch(text) is not None


def is_other(text: str) -> bool:
    """Whether only people read it as a number: `1,5`, `1'234`, `12 %`, `€5`, `(5.20)`, `−1`, or with a hidden NUL."""
    if len(text) > _LONGEST or not _DIGIT.search(text) or is_plain(text):
        return False
    return _OTHER.fullmatch(_UNSEEN.sub("", text)) is not None
