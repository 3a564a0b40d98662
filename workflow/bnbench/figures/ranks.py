"""The arms at their mean ranks, a row each, and bars that join those that cannot be distinguished (Demšar 2006)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from bnbench.figures.axes import beside
from bnbench.figures.colours import INK
from bnbench.figures.style import LETTER, WIDE, Room, palette
from bnbench.plan.study import Study
from bnbench.wording import titles

_BESIDE = 40  # points from the axes to the first bar, which leave room for the numbers
_APART = 14  # points between bars


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """Mean ranks from the best arm down; to their right, a bar for each group, with a dot at each of its arms."""
    rows = table.to_dict("records")
    names = [fill(titles.arm(study, row["arm"]), 16 if room.narrow else 30) for row in rows]
    groups = _groups(rows)
    left = 0.2 + LETTER * 1.06 * max(len(line) for name in names for line in name.splitlines())
    width = min(room.width - left - 0.2 - (_BESIDE + _APART * len(groups)) / 72, 4.5)
    high = 0.3 * len(rows)
    figure = plt.figure(figsize=(room.width, high))
    ax = figure.add_axes((left / room.width, 0, width / room.width, 1))
    for y, row in enumerate(rows):
        ax.plot([1, row["mean_rank"]], [y, y], color=palette(study)[row["arm"]], lw=1.6)
        ax.plot(row["mean_rank"], y, "o", color=palette(study)[row["arm"]], ms=8, clip_on=False)
        beside(ax, y, f"{row['mean_rank']:.2f}", 9)
    ax.set_yticks(range(len(rows)), names)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(1, len(rows))
    ax.set_xticks(range(1, len(rows) + 1))
    said = f"mean rank by {titles.outcome(study, study.report.outcome)} (1 is best)"
    ax.set_xlabel(fill(said, max(18, round(width / LETTER))))
    ax.grid(axis="x")
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    for place, members in enumerate(groups):
        _bar(figure, ax, members, _BESIDE + _APART * place)
    return figure


def _groups(rows: Sequence[Mapping[Any, Any]]) -> list[list[int]]:
    """The rows of each group of several arms that cannot be distinguished."""
    letters = dict.fromkeys(letter for row in rows for letter in row["groups"].split())
    groups = [[y for y, row in enumerate(rows) if letter in row["groups"].split()] for letter in letters]
    return [group for group in groups if len(group) > 1]


def _bar(figure: Figure, ax: Axes, members: Sequence[int], points: float) -> None:
    """A line this far to the right of the axes, from the first to the last of its rows, with a dot at each of them."""
    beside_axes = blended_transform_factory(ax.transAxes, ax.transData)
    where = beside_axes + ScaledTranslation(points / 72, 0, figure.dpi_scale_trans)
    ax.plot([1, 1], [members[0], members[-1]], color=INK, lw=2, transform=where, clip_on=False)
    ax.plot([1] * len(members), members, "o", color=INK, ms=5, transform=where, clip_on=False)
