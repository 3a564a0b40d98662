"""Figures of many panels, one for each context, and their legends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bnbench.figures.axes import loss_axis, without_numbers
from bnbench.figures.colours import INK
from bnbench.figures.style import TITLE_SIZE, WIDTH, palette
from bnbench.plan.study import Study
from bnbench.wording import titles

_HEIGHTS = {1: 2.1, 2: 1.8, 3: 1.6, 4: 1.4, 5: 1.25}
"""Inches of a panel, by the panels in a row."""

_NARROW = 4  # in a row, from which on titles are smaller


def context_names(study: Study, table: pd.DataFrame) -> list[str]:
    """The context of each row, in words."""
    held = [factor for factor in study.factors if factor in table.columns and factor != study.report.factor]
    if not held:
        return [titles.context_name(study, {})] * len(table)
    named = table[held].drop_duplicates()
    named["context"] = [titles.context_name(study, row) for row in named.to_dict("records")]
    return list(table[held].merge(named, on=held)["context"])


def panels(
    study: Study, table: pd.DataFrame, axis: Callable[[Axes], None] | None = None
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A panel per context, each with its rows of `table`, on an axis of losses or what `axis` makes of it.

    Panels stand in the order of the grid, a row of them for the levels of the last factor that has several in the
    table, or for an even part of its levels. Once they are drawn, `align` gives them the same limits: axes that
    Matplotlib shares take quadratic time in their number.
    """
    varied = [table[factor].nunique() for factor in study.levels if factor != study.report.factor]
    columns = _columns(next((levels for levels in reversed(varied) if levels > 1), 1))
    named = table.assign(context=context_names(study, table))
    parts = [(str(name), part) for name, part in named.groupby("context", sort=False)]
    rows = -(-len(parts) // columns)
    figure, axes = grid_of_axes(rows, columns, height=_HEIGHTS[columns])
    for ax in axes.flat[len(parts) :]:
        ax.remove()
    found = []
    for ax, (name, part) in zip(axes.flat, parts, strict=False):
        # At a fixed place: to look for one above the labels takes longer than to draw the panel.
        ax.set_title(fill(name, 80 // columns), y=1, fontsize=TITLE_SIZE if columns < _NARROW else 9)
        (axis or loss_axis)(ax)
        sns.despine(ax=ax)
        found.append((ax, part))
    return figure, found


def _columns(levels: int) -> int:
    """The most panels in a row that part the levels evenly; 4 where nothing does."""
    even = [columns for columns in _HEIGHTS if levels % columns == 0]
    return max(even) if levels == 1 or max(even) > 1 else 4


def grid_of_axes(rows: int, columns: int, height: float, gap: float = 0.18, numbers: float = 0.0) -> tuple[Figure, Any]:
    """Axes of this height and gap between columns, in inches, on a figure of the page's width: [rows, columns].

    `numbers` are inches between rows that are left for numbers under each of them.

    The margins are fixed, since a layout that measures every label takes a minute for a hundred axes; what is left of
    them is cut off when the figure is saved.
    """
    left, right, top, bottom = 1.0, 0.05, 0.6, 0.6
    between = numbers + (0.42 if columns < _NARROW else 0.56)  # for titles of two lines
    whole = top + rows * height + (rows - 1) * between + bottom
    width = (WIDTH - left - right - (columns - 1) * gap) / columns
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, whole), squeeze=False)
    figure.subplots_adjust(
        left=left / WIDTH,
        right=1 - right / WIDTH,
        top=1 - top / whole,
        bottom=bottom / whole,
        wspace=gap / width,
        hspace=between / height,
    )
    return figure, axes


def align(found: Sequence[tuple[Axes, Any]]) -> None:
    """Give drawn panels the same limits, and leave the numbers to those on the left and at the bottom."""
    axes = [ax for ax, _ in found]
    drawn = [ax for ax in axes if np.isfinite(ax.dataLim.get_points()).all()] or axes
    across, up = (np.array([limits(ax) for ax in drawn]) for limits in (Axes.get_xlim, Axes.get_ylim))
    upside_down = up[0, 0] > up[0, 1]
    columns = len({round(ax.get_position().x0, 6) for ax in axes})
    for index, ax in enumerate(axes):
        ax.set_xlim(across.min(), across.max())
        low, high = _apart(ax, up.min(), up.max())
        ax.set_ylim(*(high, low) if upside_down else (low, high))
        if index % columns:
            without_numbers(ax.yaxis)
        if index + columns < len(axes):
            without_numbers(ax.xaxis)
        inside = columns <= index < len(axes) - columns and 0 < index % columns < columns - 1
        ax.set_in_layout(not inside)


def _apart(ax: Axes, low: float, high: float) -> tuple[float, float]:
    """Limits of an axis up the side with room between them, also where all values are equal but for rounding."""
    if ax.get_yscale() != "log":
        return low, high
    # A panel that spans little has next to no room of its own; a dot at its edge would be cut.
    room = 2.0 if high < low * (1 + 1e-9) else high**0.04 / low**0.04
    return max(low / room, sys.float_info.min), min(high * room, sys.float_info.max)


def add_legend(
    study: Study, figure: Figure, lines: Mapping[str, Mapping[str, Any]] | None = None, arms: Sequence[str] = ()
) -> Figure:
    """The colours of the arms (all of them, if none are named) above the panels, then `lines`: text → style."""
    shown = {arm: colour for arm, colour in palette(study).items() if arm in (arms or study.arms)}
    colours = {titles.arm(study, arm): colour for arm, colour in shown.items()}
    handles = [Line2D([], [], marker="o", lw=2, color=colour, label=text) for text, colour in colours.items()]
    handles += [Line2D([], [], **{"color": INK, **style}, label=text) for text, style in (lines or {}).items()]
    lines_of_titles = 1 + max(ax.get_title().count("\n") for ax in figure.axes)
    above = (0.1 + 0.16 * lines_of_titles) / figure.get_figheight()
    where = (figure.subplotpars.left, figure.subplotpars.top + above)
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=where, ncols=len(handles), borderaxespad=0)
    return figure
