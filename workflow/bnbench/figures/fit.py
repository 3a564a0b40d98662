"""The fitted functions and their errors, for tasks of one input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bnbench.figures import legends, ticks
from bnbench.figures.axes import scale
from bnbench.figures.colours import INK
from bnbench.figures.panels import add_legend, finish, label, panels, share_across
from bnbench.figures.sheets import Panel, thinned
from bnbench.figures.style import WIDE, Room, palette
from bnbench.plan.study import Study

_HEIGHTS = (1.45, 1.1)  # inches, of the functions and of their errors
_TARGET: Mapping[str, Any] = {"lw": 1.1, "ls": (0, (3, 1.5))}


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """Above, the target and the fitted functions; below, the fits minus the target. Medians, and 5 % to 95 % of seeds.

    A context is above its errors, so that one look finds where an arm misses the target, and by how much.
    """
    sheet = panels(study, table, room, stacked=_HEIGHTS)
    for panel in sheet.panels:
        fits, errors = panel.axes
        scale(fits, "y", ticks.label, log=False, most=4, line=None)
        scale(errors, "y", ticks.label, log=False, most=4, line=0.0)
        for arm, own in panel.rows.sort_values("x").groupby(study.report.factor, sort=False):
            for level, off in ((0, 0.0), (1, own["y"])):
                _band(panel, level, own[["x"]].assign(**_lines(own, off)), palette(study)[str(arm)])
        target = panel.rows.drop_duplicates("x").sort_values("x")
        some = target.iloc[thinned(fits, target["x"])]
        fits.plot(some["x"], some["y"], color=INK, zorder=3, **_TARGET)
        panel.show(target["x"], target["y"], INK)
        _across(fits)
        _across(errors)
    share_across(sheet)
    finish(sheet, log=False)
    finish(sheet, log=False, line=0.0, level=1)
    label(sheet, "x", "y")
    label(sheet, "", "fit minus\ntarget", level=1)
    return add_legend(sheet, {**legends.of_arms(study), "target": _TARGET})


def _lines(own: pd.DataFrame, off: pd.Series[float] | float) -> dict[str, pd.Series[float]]:
    return {name: own[column] - off for name, column in (("low", "fit_low"), ("mid", "fit"), ("high", "fit_high"))}


def _band(panel: Panel, level: int, lines: pd.DataFrame, colour: str) -> None:
    """A median with its band."""
    ax = panel.axes[level]
    some = lines.iloc[thinned(ax, lines["x"])]
    ax.plot(some["x"], some["mid"], color=colour, lw=1.5)
    ax.fill_between(some["x"], some["low"], some["high"], color=colour, alpha=0.22, lw=0)
    for name in ("low", "mid", "high"):
        panel.show(lines["x"], lines[name], colour, level)


def _across(ax: Axes) -> None:
    """A linear axis of inputs."""
    ax.xaxis.set_major_locator(ticks.Ticks(log=False, most=3))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: ticks.label(value)))
