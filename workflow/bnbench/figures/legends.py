"""What colours and lines mean, above a figure and no wider than it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bnbench.figures.colours import HELPS, HURTS, INK, PAPER, UNDECIDED
from bnbench.figures.style import LETTER, palette
from bnbench.plan.study import Study
from bnbench.wording import titles

Entries = Mapping[str, Mapping[str, Any]]
"""Text → style of its line."""

VERDICTS: Entries = {
    "helps": {"color": HELPS},
    "hurts": {"color": HURTS},
    "undecided or equivalent": {"color": UNDECIDED, "mfc": PAPER, "mew": 1.6},
}
"""The colours of effects."""

BEYOND: Entries = {"goes on beyond the axis": {"marker": "^", "ls": "", "ms": 5}}
OWN_SCALE: Entries = {"each panel has its own scale": {"ls": ""}}
"""The note on limits, where one is needed."""

_HANDLE = 0.52  # inches, with the gap to its text and to the next one
_DOT: Mapping[str, Any] = {"marker": "o", "lw": 2}


def of_arms(study: Study, arms: Sequence[str] = ()) -> dict[str, Mapping[str, Any]]:
    """The colours of the arms: of all of them, if none are named."""
    colours = palette(study)
    shown = [arm for arm in colours if arm in (arms or study.arms)]
    return {titles.arm(study, arm): {**_DOT, "color": colours[arm]} for arm in shown}


def of_verdicts() -> dict[str, Mapping[str, Any]]:
    """The colours of effects."""
    return {text: {**_DOT, **style} for text, style in VERDICTS.items()}


def add(figure: Figure, entries: Entries, left: float, bottom: float) -> None:
    """Write the entries from this corner on, in inches, in as many rows as they need."""
    width, height = figure.get_size_inches()
    columns = _columns([*entries], width - left)
    ordered = [text for column in range(columns) for text in [*entries][column::columns]]  # column by column
    handles = [Line2D([], [], **{"color": INK, **entries[text]}, label=text) for text in ordered]
    legend = figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(left / width, bottom / height),
        ncols=columns,
        borderaxespad=0,
        borderpad=0.2,
        columnspacing=1.2,
        handlelength=1.8,
        handletextpad=0.6,
        labelspacing=0.35,
    )
    for text in legend.get_texts():
        text.set_linespacing(1.1)


def _columns(texts: Sequence[str], width: float) -> int:
    """The most columns that fit into a width of this many inches."""
    for columns in range(len(texts), 1, -1):
        parts = [texts[column::columns] for column in range(columns)]
        if sum(_HANDLE + LETTER * max(map(len, part)) for part in parts) <= width:
            return columns
    return 1
