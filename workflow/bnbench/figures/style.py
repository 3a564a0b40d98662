"""What all figures share: style, colours, panels, legends, axes of ratios and the writing of files.

Each arm has one colour everywhere. In pictures of ratios the colour is that of the arm with the lower loss, and grey
where nothing is decided.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from bnbench.figures.colours import GREY, GRID, INK
from bnbench.plan.study import Study
from bnbench.store import files
from bnbench.vocabulary import FACTORS
from bnbench.wording import titles

WIDTH = 8.0
"""Inches: figures are as wide as the page."""

_DPI = 160  # of the PNG, and of what is a picture in the SVG

_HEIGHTS = {1: 2.1, 2: 1.8, 3: 1.6, 4: 1.4, 5: 1.25}
"""Inches of a panel, by the panels in a row."""

_NARROW = 4  # in a row, from which on titles are smaller

_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9.5,
    "axes.linewidth": 1.0,
    "xtick.major.width": 1.0,
    "ytick.major.width": 1.0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "axes.titleweight": "bold",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.hashsalt": "bnbench",  # the same picture has the same bytes
}


class _Powers(LogLocator):
    """Ticks at powers of ten; over less than a decade and a half also at 2 and 5 times each."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        self.set_params(subs=(1.0, 2.0, 5.0) if vmax < 30 * vmin else (1.0,))
        return super().tick_values(vmin, vmax)


def set_style() -> None:
    """Draw without a screen, in seaborn's style and the project's colours."""
    mpl.use("agg")
    sns.set_theme(style="ticks", rc=_STYLE)


_SAVED: dict[str, dict[str, Any]] = {
    "svg": {"metadata": {"Date": None}},
    "png": {"metadata": {"Software": None}, "facecolor": "white"},
}
"""How a figure is written in each format, without what would differ from one time to the next."""


def save(figure: Figure, folder: Path, name: str, formats: Sequence[str]) -> None:
    """Write `<name>.<format>` for each of `formats`, the same bytes for the same figure, and close it.

    Raises:
        UserError: a file cannot be written.
    """
    if figure.get_layout_engine():
        figure.draw_without_rendering()  # lays it out, once for all formats
        figure.set_layout_engine("none")
    options: dict[str, Any] = {"bbox_inches": figure.get_tightbbox().padded(0.1)}
    for ending in formats:
        with files.atomic(folder / f"{name}.{ending}") as path:
            figure.savefig(path, format=ending, dpi=_DPI, **_SAVED[ending], **options)
    plt.close(figure)


def palette(study: Study) -> dict[str, Any]:
    """The colour of each arm, the baseline first; they stay apart for the colour-blind."""
    colours = sns.color_palette("colorblind", 10)
    chosen = [colours[i] for i in (0, 3, 2, 4, 1, 9, 8, 6)]
    return {arm: chosen[index % len(chosen)] for index, arm in enumerate(study.arms)}


def winner(study: Study, row: Mapping[Any, Any]) -> Any:
    """The colour of the arm that the verdict of a row of `contexts` favours; grey where it favours none."""
    better = {"helps": row["treatment"], "hurts": row["baseline"]}.get(row["verdict"])
    return palette(study)[better] if better else GREY


def context_names(study: Study, table: pd.DataFrame) -> list[str]:
    """The context of each row, in words."""
    held = [factor for factor in FACTORS if factor in table.columns and factor != study.report.factor]
    named = table[held].drop_duplicates()
    named["context"] = [titles.context_name(study, row) for row in named.to_dict("records")]
    return list(table[held].merge(named, on=held)["context"])


def panels(
    study: Study, table: pd.DataFrame, axis: Callable[[Axes], None] | None = None
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A panel per context, each with its rows of `table`, on an axis of losses or what `axis` makes of it.

    Panels stand in the order of the grid, a row of them for the levels of the last factor that has several, or for an
    even part of its levels. Once they are drawn, `align` gives them the same limits: axes that Matplotlib shares take
    quadratic time in their number.
    """
    varied = [len(levels) for factor, levels in study.levels.items() if factor != study.report.factor]
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
        ax.set_title(fill(name, 80 // columns), y=1, fontsize=_STYLE["axes.titlesize"] if columns < _NARROW else 9)
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


def without_numbers(axis: Axis) -> None:
    """Leave the ticks alone; what is not shown is not to be measured either."""
    axis.set_tick_params(label1On=False)
    axis.set_major_formatter(NullFormatter())
    axis.set_label_text("")
    axis.set_label_coords(0, 0)


def _apart(ax: Axes, low: float, high: float) -> tuple[float, float]:
    """Limits of an axis up the side with room between them, also where all values are equal but for rounding."""
    equal = ax.get_yscale() == "log" and high < low * (1 + 1e-9)
    return (low / 2, high * 2) if equal else (low, high)


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


def loss_axis(ax: Axes) -> None:
    """A logarithmic axis of losses, marked at powers of ten, and between them where it shows few."""
    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(_Powers())
    ax.grid(axis="y")


def ratio_axis(ax: Axes, values: Iterable[float], margin: float) -> None:
    """A logarithmic axis of ratios that shows `values` and the margin, with ticks such as 0.5, 1, 2."""
    shown = [value for value in values if math.isfinite(value) and value > 0] + [margin**2, margin**-2]
    room = (max(shown) / min(shown)) ** 0.06
    low, high = min(shown) / room, max(shown) * room
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.xaxis.set_minor_locator(NullLocator())
    steps = (1.0,) if high / low > 300 else (1.0, 2.0, 5.0)
    ax.xaxis.set_major_locator(MaxNLocator(6) if high / low < 4 else LogLocator(subs=steps, numticks=9))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def ratio_levels(ax: Axes) -> None:
    """A logarithmic axis of ratios up the side, with a line where they are 1."""
    loss_axis(ax)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.axhline(1, color=INK, lw=0.9, zorder=1)


def plain_axis(ax: Axes) -> None:
    """An axis that stays as it is."""
    ax.grid(axis="x")


def empty(text: str) -> Figure:
    """A figure that says why there is nothing to see."""
    figure, ax = plt.subplots(figsize=(WIDTH, 1))
    ax.text(0, 0.5, text, va="center")
    ax.axis("off")
    return figure


def unique(values: Iterable[str]) -> list[str]:
    """The values in the order of their first appearance."""
    return list(dict.fromkeys(values))
