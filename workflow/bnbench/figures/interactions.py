"""How the effect depends on the context."""

from __future__ import annotations

import math
from collections.abc import Mapping
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures import legends, rows
from bnbench.figures.colours import PAPER, of_verdict
from bnbench.figures.differences import side
from bnbench.figures.style import LETTER, WIDE, Room
from bnbench.plan.study import Study
from bnbench.vocabulary import DOUBLING, MAIN_EFFECT
from bnbench.wording import effects, titles
from bnbench.wording.together import decided

_LIMITS = ("low", "effect", "high")


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """How the effect changes from level to level, with intervals; the main effect on top."""
    found, outcome = table.to_dict("records"), study.outcome
    colours = [of_verdict(side(outcome, row["low"], row["high"]) if decided(study, row) else "") for row in found]
    named = [rows.Row(_contrast_label(study, row), _said(study, row), heading=_heading(study, row)) for row in found]
    made = rows.frame(named, room)
    ax = made.ax
    beyond = rows.effects_across(made, outcome, table[[*_LIMITS]].to_numpy(float).ravel(), room)
    for row, colour, y in zip(found, colours, made.places, strict=True):
        ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=2.4, solid_capstyle="butt")
        ax.plot(
            row["effect"],
            y,
            "o",
            ms=9 if row["factor"] == MAIN_EFFECT else 6,
            color=colour,
            mfc=colour if decided(study, row) else PAPER,
            mew=1.8,
        )
        rows.mark_beyond(made, y, [row[name] for name in _LIMITS], colour)
    width = ax.get_position().width * room.width
    said = f"{'multiplies' if outcome.is_ratio else 'is added to'} the {effects.named(outcome)}"
    ax.set_xlabel(fill(said, round(width / LETTER)))
    verdicts = [*legends.of_verdicts().values()]
    texts = ("makes the arm better", "makes it worse", "undecided")
    return rows.add_legend(made, dict(zip(texts, verdicts, strict=True)), beyond=beyond, above=0.08)


def _said(study: Study, row: Mapping[Any, Any]) -> str:
    """A row in numbers, or why it has none."""
    if math.isnan(row["effect"]):
        if study.paired and not row["pairs"]:
            return f"no seed is {'finite' if row['diverged'] else 'measured'} in all contexts"
        return "not known"
    said = effects.interval(study.outcome, row["effect"], row["low"], row["high"])
    return f"× {said}" if study.outcome.is_ratio else said


def _heading(study: Study, row: Mapping[Any, Any]) -> str:
    return titles.comparison(study, row) if len(study.comparisons) > 1 else ""


def _contrast_label(study: Study, row: Mapping[Any, Any]) -> str:
    """What a row of the table of interactions is called."""
    if row["factor"] == MAIN_EFFECT:
        return "all contexts"
    if row["level"] == DOUBLING:
        return "a doubling of the batch"
    return " instead of ".join(titles.context_level(study, row["factor"], row[end]) for end in ("level", "against"))
