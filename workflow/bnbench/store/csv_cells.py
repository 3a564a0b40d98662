"""Texts in CSV files that a spreadsheet program would run as formulas, and how they are written instead.

A text that begins with =, +, -, @, a tab or the end of a line gets a single quote in front, as OWASP advises. Numbers
keep their sign, also where they are labels. `plain` gives back what `guarded` was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

_BEGINS = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_RUN = re.compile(rf"'*{_BEGINS}")
_GUARDED = re.compile(rf"'+{_BEGINS}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def guarded(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table with its texts, and the names of its columns, as they are written."""
    return _mapped(frame, lambda text: f"'{text}" if _RUN.match(text) and not _NUMBER.fullmatch(text) else text)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The table as it was before `guarded`."""
    return _mapped(frame, lambda text: text[1:] if _GUARDED.match(text) else text)


def _mapped(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """The table with `change` made to each text; a text that occurs often is changed once."""
    columns = {name: _changed(frame[name], change) for name in frame.columns}
    return pd.DataFrame(columns, index=frame.index).rename(columns={name: change(str(name)) for name in columns})


def _changed(column: pd.Series[Any], change: Callable[[str], str]) -> pd.Series[Any]:
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column
    texts = {text: change(text) for text in column.unique() if isinstance(text, str)}
    changed = {text: new for text, new in texts.items() if new != text}
    return column.replace(changed) if changed else column
