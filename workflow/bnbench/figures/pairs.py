"""The final losses, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnbench.figures.axes import value_levels
from bnbench.figures.colours import GREY
from bnbench.figures.panels import align, panels
from bnbench.figures.style import palette
from bnbench.plan.study import Study
from bnbench.wording import titles

_LETTERS = 95  # that fit across a figure
_MANY = 100  # seeds, from which on points are a picture in the SVG


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """The final loss of every trial; a cross at the top is a diverged trial.

    A line joins the two of a seed, where they are compared with each other.
    """
    figure, found = panels(study, table, value_levels(study.outcome))
    axis = titles.axis(study)
    axis = f"final {axis}" if axis == "loss" else axis
    places = {arm: x for x, arm in enumerate(study.arms)}
    for ax, part in found:
        each = [
            part.loc[part[f"{arm}_floored"].notna(), ["seed", arm, f"{arm}_value"]].set_axis(
                ["seed", "arm", "loss"], axis=1
            )
            for arm in ("baseline", "treatment")
        ]
        shown = pd.concat(each).drop_duplicates(["seed", "arm"])
        wide = shown.pivot(index="seed", columns="arm", values="loss")
        wide = wide[[arm for arm in places if arm in wide]]
        # One line with gaps; as a picture where there are more than can be told apart.
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
            if losses.isna().any():
                top = ax.get_xaxis_transform()
                ax.plot(x, 0.97, "x", color=colour, transform=top)
                ax.text(x + 0.06, 0.97, f"{losses.isna().sum()} diverged", transform=top, va="center", color=colour)
        ax.set(
            ylabel=axis,
            xlabel="",
            xlim=(-0.5, len(places) - 0.5),
        )
        _name_arms(ax, [titles.arm(study, arm) for arm in places])
    align(found)
    return figure


def _name_arms(ax: Axes, names: Sequence[str]) -> None:
    """Write the arms below their points: straight where there is room, else in two lines, else aslant."""
    room = int(ax.get_position().width * _LETTERS / len(names))
    folded = [fill(name, room, break_long_words=False) for name in names]
    straight = max(len(line) for name in folded for line in name.splitlines()) <= room
    aslant: dict[str, Any] = {} if straight else {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    ax.set_xticks(range(len(names)), folded if straight else names, **aslant)
