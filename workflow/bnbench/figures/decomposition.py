"""Where a difference comes from: the weights, stale running averages, and batch noise."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures import legends
from bnbench.figures.axes import effect_axis, named_places
from bnbench.figures.colours import INK, PAPER, UNDECIDED, of_verdict
from bnbench.figures.differences import side
from bnbench.figures.panels import add_legend, finish, label, panels
from bnbench.figures.style import WIDE, Room, unique
from bnbench.outcomes import OUTCOMES
from bnbench.plan.study import Study
from bnbench.wording import titles

_DOT: Mapping[str, Any] = {"marker": "o", "lw": 2, "mew": 1.6}
_MARKERS = ("o", "s", "D", "^")


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The factors whose product a difference is, with their intervals; the total is hollow.

    The table has the contrasts in which an arm keeps statistics alone. Coloured is what the adjusted test
    and the interval decide.
    """
    treatments = [arm for arm in study.arms if arm in set(table["treatment"])]
    sheet = panels(study, table, room, left=1.15, arms_apart=len(treatments) > 2, numbers=True)
    losses, places = OUTCOMES["test_loss"], {name: y for y, name in enumerate(unique(table["component"]))}
    for panel in sheet.panels:
        ax = panel.axes[0]
        effect_axis(ax, losses, "x", most=2 if room.narrow or sheet.columns > 3 else 4)
        here = [arm for arm in treatments if arm in set(panel.rows["treatment"])]
        for index, treatment in enumerate(here):
            own = panel.rows[panel.rows["treatment"] == treatment]
            for row in own.to_dict("records"):
                y = places[row["component"]] + 0.26 * (index - (len(here) - 1) / 2)
                colour = _colour(study, row)
                ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=2.4, solid_capstyle="butt")
                inside = PAPER if row["component"] == "total" else colour
                marker = _MARKERS[treatments.index(treatment) % len(_MARKERS)] if len(here) > 1 else "o"
                ax.plot(row["effect"], y, marker, ms=6, color=colour, mfc=inside, mew=1.6)
                panel.show([y] * 3, [row[name] for name in ("low", "effect", "high")], colour)
        ax.set_ylim(len(places) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        named_places(ax.yaxis, [fill(name, 10) for name in places] if panel.first else [""] * len(places))
    finish(sheet, log=True, side="x", line=1.0)
    label(sheet, "factor")
    shapes = {
        titles.arm(study, arm): {"marker": _MARKERS[index], "ls": "", "ms": 6} for index, arm in enumerate(treatments)
    }
    verdicts = legends.of_verdicts()
    said = {text: verdicts[text] for text in ("helps", "hurts")}
    said |= {"undecided": {**_DOT, "color": UNDECIDED}, "total": {**_DOT, "color": INK, "mfc": PAPER, "ls": ""}}
    return add_legend(sheet, said | (shapes if len(treatments) == 2 else {}))


def _colour(study: Study, row: Mapping[Any, Any]) -> str:
    """The colour of a factor: grey unless its adjusted test and its interval both decide, as in the sentences."""
    if not row["p_adjusted"] < study.report.alpha:
        return UNDECIDED
    return of_verdict(side(OUTCOMES["test_loss"], row["low"], row["high"]))
