"""The final losses, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnbench.figures import legends
from bnbench.figures.axes import value_axis, without_numbers
from bnbench.figures.colours import GREY
from bnbench.figures.panels import add_legend, finish, label, panels
from bnbench.figures.sheets import Panel, Sheet
from bnbench.figures.style import LETTER, WIDE, Room, palette
from bnbench.plan.study import Study
from bnbench.wording import titles

_CROSSES = 0.12  # of an axis, above its points
_MANY = 100  # seeds, from which on points are a picture in the SVG


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The final loss of every trial; a cross at the top, with their number, is of diverged trials.

    A line joins the two of a seed, where they are compared with each other.
    """
    sheet = panels(study, table, room, arms_apart=False)
    axis = titles.axis(study)
    for panel in sheet.panels:
        value_axis(panel.axes[0], study.outcome)
        _points(study, panel)
        panel.axes[0].set_xlim(-0.5, len(study.arms) - 0.5)
        if panel.last:
            _name_arms(panel.axes[0], [titles.arm(study, arm) for arm in study.arms])
        else:
            panel.axes[0].set_xticks(range(len(study.arms)))
            without_numbers(panel.axes[0].xaxis)
    finish(sheet, log=study.outcome.is_ratio)
    _room_for_crosses(sheet)
    label(sheet, up=f"final {axis}" if axis == "loss" else axis)
    several = len(study.arms) > 2
    return add_legend(sheet, legends.of_arms(study)) if several or sheet.notes else sheet.figure


def _points(study: Study, panel: Panel) -> None:
    """The points of one context, and the lines between them."""
    ax, part = panel.axes[0], panel.rows
    places = {arm: x for x, arm in enumerate(study.arms)}
    each = [
        part.loc[part[f"{arm}_floored"].notna(), ["seed", arm, f"{arm}_value"]].set_axis(
            ["seed", "arm", "loss"], axis=1
        )
        for arm in ("baseline", "treatment")
    ]
    shown = pd.concat(each).drop_duplicates(["seed", "arm"])
    wide = shown.pivot(index="seed", columns="arm", values="loss")
    wide = wide[[arm for arm in places if arm in wide]]
    # One line with gaps; as a picture where there are more than the eye can distinguish.
    gaps = np.full((len(wide), 1), np.nan)
    x_of_arms = np.tile([*(places[str(arm)] for arm in wide), np.nan], len(wide))
    style: dict[str, Any] = {"rasterized": len(wide) > _MANY}
    if study.paired:
        lines = np.hstack([wide.to_numpy(), gaps]).ravel()
        ax.plot(x_of_arms, lines, color=GREY, lw=0.7, alpha=0.6, zorder=1, **style)
    for arm, of_seeds in wide.items():
        x, colour = places[str(arm)], palette(study)[str(arm)]
        losses = of_seeds if study.paired else of_seeds.loc[shown.loc[shown["arm"] == arm, "seed"]]
        ax.plot([x] * len(losses), losses, "o", ms=4.5, color=colour, alpha=0.75, mew=0, zorder=2, **style)
        panel.show([x] * len(losses), losses, colour)
        if losses.isna().any():
            top: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "color": colour}
            ax.plot(x, 0.96, "x", **top)
            ax.text(x + 0.12, 0.96, f"{losses.isna().sum()}", va="center", fontsize=8.5, **top)


def _room_for_crosses(sheet: Sheet) -> None:
    """Let the axes go on above their points where there are crosses."""
    if not any(panel.axes[0].texts for panel in sheet.panels):
        return
    for panel in sheet.panels:
        ax = panel.axes[0]
        low, high = ax.get_ylim()
        ax.set_ylim(
            low, high * (high / low) ** _CROSSES if ax.get_yscale() == "log" else high + _CROSSES * (high - low)
        )


def _name_arms(ax: Axes, names: Sequence[str]) -> None:
    """Write the arms below their points: straight where there is room, else in two lines, else aslant."""
    inches = ax.get_position().width * ax.figure.get_figwidth()  # type: ignore[union-attr]
    room = max(1, int(inches / LETTER / len(names)))
    folded = [fill(name, room, break_long_words=False) for name in names]
    straight = max(len(line) for name in folded for line in name.splitlines()) <= room
    aslant: dict[str, Any] = {} if straight else {"rotation": 90, "ha": "center", "va": "top", "fontsize": 8.5}
    ax.set_xticks(range(len(names)), folded if straight else [fill(name, 18) for name in names], **aslant)
