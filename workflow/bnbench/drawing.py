"""What all figures share: style, colours, panels, legends, axes of ratios and the writing of files.

Each arm has one colour everywhere. In pictures of ratios the colour is that of the arm with the lower loss, and grey
where nothing is decided.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from bnbench import sentences, tables
from bnbench.study import Study
from bnbench.tables import FACTORS

INK, GRID, GREY, PAPER = "#222222", "#d9d9d9", "#808080", "#fffffe"
"""Colours of text and axes, of lines behind the data, of what is not decided, and of what is left blank."""

WIDTH = 8.0
"""Inches: figures are as wide as the page."""

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


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write `<name>.svg` and `<name>.png`, the same bytes for the same figure, and close it.

    Raises:
        UserError: a file cannot be written.
    """
    figure.draw_without_rendering()  # lays it out, once for both
    figure.set_layout_engine("none")
    with tables.atomic(folder / f"{name}.svg") as path:
        figure.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
    with tables.atomic(folder / f"{name}.png") as path:
        options: dict[str, Any] = {"facecolor": "white", "metadata": {"Software": None}}
        figure.savefig(path, format="png", bbox_inches="tight", dpi=160, **options)
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
    named["context"] = [sentences.context_name(study, row) for row in named.to_dict("records")]
    return list(table[held].merge(named, on=held)["context"])


def panels(study: Study, table: pd.DataFrame) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A panel per context, each with its rows of `table`; all share the axis of losses, which is logarithmic.

    Panels stand in the order of the grid, as many in a row as the last factor with several levels has.
    """
    varied = [len(levels) for factor, levels in study.levels.items() if factor != study.report.factor]
    columns = min(next((levels for levels in reversed(varied) if levels > 1), 1), 4)
    named = table.assign(context=context_names(study, table))
    wide = {1: (3.4, 2.2), 2: (2.7, 1.45), 3: (2.4, 1.1), 4: (2.2, 0.9)}
    height, aspect = wide[columns]
    grid = sns.FacetGrid(named, col="context", col_wrap=columns, height=height, aspect=aspect, sharey=True)
    grid.figure.set_layout_engine("constrained")
    grid.set_titles("{col_name}")
    found = [(grid.axes_dict[name], part) for name, part in named.groupby("context", sort=False)]
    for ax, _ in found:
        loss_axis(ax)
    return grid.figure, found


def add_legend(study: Study, figure: Figure, lines: Mapping[str, Mapping[str, Any]] | None = None) -> Figure:
    """The arms' colours above the panels, then `lines`: text → style."""
    colours = {sentences.arm(study.report.factor, arm): colour for arm, colour in palette(study).items()}
    handles = [Line2D([], [], marker="o", lw=2, color=colour, label=text) for text, colour in colours.items()]
    handles += [Line2D([], [], **{"color": INK, **style}, label=text) for text, style in (lines or {}).items()]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
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


def empty(text: str) -> Figure:
    """A figure that says why there is nothing to see."""
    figure, ax = plt.subplots(figsize=(WIDTH, 1))
    ax.text(0, 0.5, text, va="center")
    ax.axis("off")
    return figure


def unique(values: Iterable[str]) -> list[str]:
    """The values in the order of their first appearance."""
    return list(dict.fromkeys(values))
