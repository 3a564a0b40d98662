"""Which classes are confused: the difference of the arms, treatment − baseline, in percentage points.

Of up to twelve classes a matrix for each comparison; of more, its largest differences as a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from bnbench.catalogue import tasks
from bnbench.catalogue.parameters import build
from bnbench.figures.colours import GREY, INK, PAPER, of_verdict
from bnbench.figures.style import TITLE_SIZE, WIDE, Room
from bnbench.plan.study import Study
from bnbench.wording import titles
from bnbench.wording.classes import LISTED, MOST_IN_A_MATRIX, PANELS, in_points, largest, named

_FAINTEST, _DEEPEST = 0.12, 0.62  # of a decided cell's colour, so that its number can be read on it
_UNDECIDED = 0.22
_LEGEND = {"helps": "more points right", "hurts": "fewer points right", "undecided": "undecided"}
_LONGEST = 12  # characters of a class's name that fit beside a matrix


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The first comparisons of the table; blue where more points are classified rightly, red where fewer are."""
    held = [name for name in table if name in (*study.factors, "baseline", "treatment")]
    groups = [group for _, group in table.groupby(held, sort=False)]
    shown = groups[:PANELS]
    names = _classes(study, shown)
    matrices = max(map(len, names)) <= MOST_IN_A_MATRIX
    columns = 1 if len(shown) == 1 or room.narrow else 2
    rows = -(-len(shown) // columns)
    height = _height(names, columns) if matrices else 0.24 * LISTED
    gap = 0.25 + 0.065 * _widest(shown, names, matrices)
    figure, axes = _axes(room, (rows, columns), height, gap if columns > 1 else 0.18, numbers=0.45 if matrices else 0.3)
    most = max((abs(group["effect"]).max() for group in shown), default=1.0)
    for ax, group, classes in zip(axes.flat, shown, names, strict=False):
        if matrices:
            _matrix(ax, group, classes, most)
        else:
            _list(ax, group)
        ax.set_title(titles.contrast_name(study, group.iloc[0].to_dict()), y=1, fontsize=TITLE_SIZE)
    for ax in axes.flat[len(shown) :]:
        ax.remove()
    if columns == 1 and matrices:
        _narrow(axes[0, 0], len(names[0]), room)
    return _with_legend(figure, len(groups) - len(shown))


def _axes(room: Room, shape: tuple[int, int], height: float, gap: float, numbers: float) -> tuple[Figure, Any]:
    """Axes of this height and gap between columns, in inches, and `numbers` more between rows: [rows, columns]."""
    rows, columns = shape
    left, right, top, bottom = 1.0, 0.05, 0.6, 0.6
    between = numbers + 0.42
    whole = top + rows * height + (rows - 1) * between + bottom
    width = (room.width - left - right - (columns - 1) * gap) / columns
    figure, axes = plt.subplots(rows, columns, figsize=(room.width, whole), squeeze=False)
    figure.subplots_adjust(
        left=left / room.width,
        right=1 - right / room.width,
        top=1 - top / whole,
        bottom=bottom / whole,
        wspace=gap / width,
        hspace=between / height,
    )
    return figure, axes


def _classes(study: Study, groups: Sequence[pd.DataFrame]) -> list[list[str]]:
    """The classes of each comparison, in the order of the data."""
    found = []
    for group in groups:
        label = group["task"].iloc[0] if "task" in group else next(iter(study.levels["task"]))
        ordered = tasks.class_names(build(tasks.TASKS, study.level("task", label).entry))
        there = {*group["class"], *group["predicted"]}
        found.append([name for name in ordered if name in there])
    return found


def _height(names: Sequence[Sequence[str]], columns: int) -> float:
    """Inches of a matrix: a row is as high as a number needs."""
    return max(map(len, names)) * (0.34 if columns == 1 else 0.27)


def _widest(groups: Sequence[pd.DataFrame], names: Sequence[Sequence[str]], matrices: bool) -> float:
    """Characters of the longest label up the side."""
    texts = [_short(name) for each in names for name in each]
    if not matrices:
        texts = [named(row) for group in groups for row in largest(group)]
    return max(map(len, texts))


def _matrix(ax: Axes, group: pd.DataFrame, classes: Sequence[str], most: float) -> None:
    """A cell for each pair of classes: its colour is the verdict's, deeper the larger the difference."""
    places = {name: place for place, name in enumerate(classes)}
    size = len(classes)
    for row in group.to_dict("records"):
        x, y = places[row["predicted"]], places[row["class"]]
        decided = row["verdict"] != "undecided"
        depth = _FAINTEST + (_DEEPEST - _FAINTEST) * abs(row["effect"]) / most if decided else _UNDECIDED
        ax.add_patch(Rectangle((x, y), 1, 1, facecolor=of_verdict(row["verdict"]), alpha=depth, edgecolor="none"))
        text = in_points(row["effect"])
        weight = "bold" if decided else "normal"
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=7.5 if size > 6 else 9, weight=weight)
    for place in range(size + 1):
        ax.axhline(place, color=PAPER, lw=1.5)
        ax.axvline(place, color=PAPER, lw=1.5)
    for place in range(size):  # the diagonal, where a class is recognized
        ax.add_patch(Rectangle((place, place), 1, 1, facecolor="none", edgecolor=INK, lw=0.9, zorder=3))
    labels = [_short(name) for name in classes]
    long = max(map(len, labels)) > 4 and size > 3
    ax.set(xlim=(0, size), ylim=(size, 0), ylabel="true class", xlabel="predicted class")
    ax.set_xticks(np.arange(size) + 0.5, labels)
    if long:
        ax.tick_params(axis="x", labelrotation=40)
    ax.set_yticks(np.arange(size) + 0.5, labels)
    ax.tick_params(length=0)
    sns.despine(ax=ax, left=True, bottom=True)


def _list(ax: Axes, group: pd.DataFrame) -> None:
    """The largest differences with their intervals, those that are decided first."""
    rows = largest(group)
    for y, row in enumerate(rows):
        colour = of_verdict(row["verdict"])
        ax.hlines(y, 100 * row["low"], 100 * row["high"], color=colour, lw=1.6)
        ax.plot(100 * row["effect"], y, "o", ms=5, color=colour)
    ax.axvline(0, color=INK, lw=0.9, zorder=1)
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlabel="difference in percentage points")
    ax.set_yticks(range(len(rows)), [named(row) for row in rows])
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.grid(axis="x")
    sns.despine(ax=ax, left=True)


def _narrow(ax: Axes, size: int, room: Room) -> None:
    """A lone matrix is no wider than its numbers need."""
    wanted = min(1.0, (0.62 * size) / (room.width - 1.05))
    place = ax.get_position()
    ax.set_position((place.x0, place.y0, place.width * wanted, place.height))


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _with_legend(figure: Figure, left: int) -> Figure:
    """What the colours mean, above the panels; and how many comparisons are not shown."""
    handles = [
        Patch(facecolor=of_verdict(verdict), alpha=_UNDECIDED if verdict == "undecided" else _DEEPEST, label=text)
        for verdict, text in _LEGEND.items()
    ]
    above = 0.26 / figure.get_figheight()
    where = (figure.subplotpars.left, figure.subplotpars.top + above)
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=where, ncols=3, borderaxespad=0)
    if left:
        said = f"{left} more comparison{'s are' if left > 1 else ' is'} in confusion.csv."
        figure.text(figure.subplotpars.left, 0.01, said, color=GREY, fontsize=9)
    return figure
