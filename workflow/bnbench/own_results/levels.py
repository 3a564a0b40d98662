"""The levels of a factor: their labels, their order, and which of them is the baseline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from bnbench import texts
from bnbench.errors import UserError, nearest
from bnbench.own_results.columns import Codes, Columns, listed

BASELINES = ("none", "baseline", "control", "vanilla", "default", "off", "no", "false", "0", "identity", "reference")
"""Names of a baseline, in the order in which they are looked for."""


def label(value: Any) -> str:
    """A level as text: 0.5, 100000, batch."""
    if isinstance(value, float | np.floating):
        number = float(value)
        if number.is_integer() and abs(number) < 1e15:
            return str(int(number))
        return f"{number:g}" if float(f"{number:g}") == number else repr(number)
    return texts.shown(" ".join(str(value).split()))


def in_order(labels: Iterable[str]) -> list[str]:
    """Labels in a natural order: numbers by size, texts by the alphabet, and numbers within them by size."""

    def key(text: str) -> tuple[int, float, list[tuple[int, float, str]]]:
        try:
            number = float(text)
        except ValueError:
            number = np.nan
        if np.isfinite(number):
            return (0, number, [])
        parts = re.split(r"([0-9]+)", text)
        return (1, 0.0, [(0, float(part), "") if part.isdecimal() else (1, 0.0, part) for part in parts])

    return sorted(labels, key=lambda text: (key(text), text))


def of_column(columns: Columns, name: str) -> tuple[Codes, list[str]]:
    """Codes of the rows, and the labels that they stand for, in their order.

    Raises:
        UserError: a row has none.
    """
    codes, values = columns.codes(name)
    if (codes < 0).any():
        where = columns.long.where(int(np.argmax(codes < 0)))
        raise UserError(f"{where}, column {name}: found nothing, allowed: a level in every row, such as none")
    labels = [label(value) for value in values]
    ordered = in_order({*labels})
    places = {text: place for place, text in enumerate(ordered)}
    return np.array([places[text] for text in labels], np.int64)[codes], ordered


def alike(columns: Columns, name: str) -> list[str]:
    """Notes on levels that differ only slightly, a sentence each."""
    written = [str(value) for value in columns.levels(name)] if not columns.is_number(name) else []
    texts = in_order({label(value) for value in written})
    said = []
    if len(texts) < len({*written}):
        said.append(f"Levels of '{name}' that differ only by blanks count as one.")
    by_letters: dict[str, list[str]] = {}
    for text in texts:
        by_letters.setdefault(text.casefold(), []).append(text)
    several = [listed(same) for same in by_letters.values() if len(same) > 1]
    return [*said, *(f"Levels of '{name}' that differ only in case stay separate: {same}." for same in several)]


def baseline(columns: Columns, factor: str, levels: Sequence[str], asked: Any) -> str:
    """The level that all others are compared with.

    Raises:
        UserError: there is no such level, or none with the name of a baseline.
    """
    if len(levels) < 2:
        raise UserError(
            f"{columns.source}, column {factor}: found one level, {levels[0]}, allowed: at least two, to compare"
        )
    by_letters = {level.lower(): level for level in reversed(levels)}
    if asked is None:
        if called := next((by_letters[name] for name in BASELINES if name in by_letters), None):
            return called
        raise UserError(
            f"{columns.source}: which level of '{factor}' is the baseline? allowed: --baseline with one of "
            f"{listed(levels)}"
        )
    text = label(float(asked) if isinstance(asked, int) and not isinstance(asked, bool) else asked)
    for written in (text, _as_number(text)):
        if written in levels:
            return written
    if text.lower() in by_letters:
        return by_letters[text.lower()]
    raise UserError(
        f"{columns.source}: --baseline: found no level '{text}' of '{factor}'{nearest(text, levels)}, allowed: one of "
        f"{listed(levels)}"
    )


def _as_number(text: str) -> str:
    try:
        return label(float(text))
    except ValueError:
        return text
