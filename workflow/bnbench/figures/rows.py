"""Figures of rows: a name, an interval, and what it says in words, under headings where there are many rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnbench.figures import legends
from bnbench.figures.axes import beside, effect_axis
from bnbench.figures.colours import PAPER
from bnbench.figures.limits import for_panels
from bnbench.figures.style import LETTER, Room
from bnbench.outcomes import Outcome

_LONGEST = 32  # letters of a name in one line
_SAID = 27  # letters beside a row in one line
_VERDICT = 0.95  # inches
_LINE = 0.165  # inches of a line of text
_MANY = 8  # rows, from which on they are closer together


@dataclass(frozen=True)
class Row:
    """What is written beside an interval."""

    name: str
    said: str
    verdict: str = ""
    colour: str = ""
    heading: str = ""
    """Rows of one heading follow each other."""


@dataclass
class Frame:
    """Axes of effects with a place for each row."""

    figure: Figure
    ax: Axes
    places: list[float]
    """Inches from the top, one a row."""
    left: float
    """Inches to the left of the axes."""
    height: float
    """Inches of the axes."""


def frame(rows: Sequence[Row], room: Room) -> Frame:
    """The axes, the names and the words: beside the axes where there is room, otherwise above each interval."""
    verdicts = any(row.verdict for row in rows)
    names = [fill(row.name, 44 if room.narrow else _LONGEST) for row in rows]
    said = [fill(row.said, (30 if verdicts else 44) if room.narrow else _SAID) for row in rows]
    longest = max((len(line) for name in names for line in name.splitlines()), default=1)
    left = 0.25 if room.narrow else min(0.2 + LETTER * 1.06 * longest, 2.75)
    right = 0.2 if room.narrow else 0.2 + (_VERDICT if verdicts else 0) + LETTER * (_SAID if any(said) else 2)
    places, headings, height = _places(rows, names, said, room)
    figure = plt.figure(figsize=(room.width, height))
    ax = figure.add_axes((left / room.width, 0, (room.width - left - right) / room.width, 1))
    ax.set_ylim(height, 0)
    ax.set_yticks(places, [""] * len(rows) if room.narrow else names)
    for row, name, words, place in zip(rows, names, said, places, strict=True):
        if room.narrow:
            _above(figure, row, name, words, place, height)
            continue
        if row.verdict:
            beside(ax, place, row.verdict, 9, color=row.colour, weight="bold")
        beside(ax, place, words, 9 + (72 * _VERDICT if verdicts else 0))
    for text, place in headings:
        figure.text(0.06 / room.width, 1 - place / height, text, weight="bold", va="center", fontsize=10.5)
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return Frame(figure, ax, places, left, height)


def _places(
    rows: Sequence[Row], names: Sequence[str], said: Sequence[str], room: Room
) -> tuple[list[float], list[tuple[str, float]], float]:
    """Where each row and each heading is, in inches from the top, and how high all are."""
    down, places, headings, heading = 0.1, [], [], ""
    for row, name, words in zip(rows, names, said, strict=True):
        if row.heading != heading:
            heading = row.heading
            down += 0.12
            headings.append((heading, down + 0.1))
            down += 0.28
        lines = 1 + max(name.count("\n"), words.count("\n"))
        if room.narrow:
            texts = 1 + name.count("\n") + 1 + words.count("\n")
            places.append(down + _LINE * texts + 0.12)
            down += _LINE * texts + 0.3
        else:
            high = max(0.3 if len(rows) > _MANY else 0.46, _LINE * lines + 0.08)
            places.append(down + high / 2)
            down += high
    return places, headings, down + 0.05


def _above(figure: Figure, row: Row, name: str, words: str, place: float, height: float) -> None:
    """The name of a row and its words, above its interval."""
    lines = 1 + name.count("\n") + 1 + words.count("\n")
    top = place - 0.12 - _LINE * lines
    width = figure.get_figwidth()
    behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6}  # so that no line crosses a word
    style: dict[str, Any] = {"va": "top", "fontsize": 9, "bbox": behind}
    figure.text(0.06 / width, 1 - top / height, name, **style)
    below = 1 - (top + _LINE * (1 + name.count("\n"))) / height
    if row.verdict:
        figure.text(0.06 / width, below, row.verdict, color=row.colour, weight="bold", **style)
    figure.text((0.06 + (0.85 if row.verdict else 0)) / width, below, words, **style)


def effects_across(made: Frame, outcome: Outcome, values: np.ndarray, room: Room) -> bool:
    """An axis of effects that shows the values except outliers; whether there are any beyond it."""
    effect_axis(made.ax, outcome, "x", most=5 if room.narrow else 7)
    limits, _ = for_panels([values], log=outcome.is_ratio, line=outcome.no_effect)
    made.ax.set_xlim(*limits[0])
    shown = values[np.isfinite(values)]
    return bool(((shown < limits[0][0]) | (shown > limits[0][1])).any())


def mark_beyond(made: Frame, place: float, values: Sequence[float], colour: str) -> None:
    """Carets at the edges that a row goes on beyond."""
    low, high = made.ax.get_xlim()
    where: dict[str, Any] = {"transform": made.ax.get_yaxis_transform(), "clip_on": False, "color": colour, "ms": 6}
    if any(value > high for value in values if np.isfinite(value)):
        made.ax.plot(1, place, ">", **where)
    if any(value < low for value in values if np.isfinite(value)):
        made.ax.plot(0, place, "<", **where)


def add_legend(made: Frame, entries: legends.Entries, *, beyond: bool, above: float) -> Figure:
    """Say above the rows what the colours mean, this many inches above the axes."""
    more = {text: {**style, "marker": ">"} for text, style in legends.BEYOND.items()} if beyond else {}
    legends.add(made.figure, {**entries, **more}, 0.06, made.height + above)
    return made.figure
