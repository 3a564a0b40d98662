"""Axes of losses and scores, and of their ratios and differences."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from bnbench.figures import ticks
from bnbench.figures.colours import INK
from bnbench.outcomes import Outcome
from bnbench.plan.study import Study
from bnbench.wording import effects, words

Side = Literal["x", "y"]
"""The axis along the bottom, or the one up the side."""

LINE = 26
"""Characters of a label up the side of an axis that fit in one line."""


def scale(ax: Axes, side: Side, form: Callable[[float], str], *, log: bool, most: int, line: float | None) -> None:
    """Make an axis logarithmic or linear, with about `most` numbers, and draw a line across at `line`."""
    axis: Axis = ax.yaxis if side == "y" else ax.xaxis
    (ax.set_yscale if side == "y" else ax.set_xscale)("log" if log else "linear")
    axis.set_minor_locator(NullLocator())
    axis.set_major_locator(ticks.Ticks(log=log, most=most, line=line))
    axis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))
    ax.grid(axis=side)
    if line is not None:
        (ax.axhline if side == "y" else ax.axvline)(line, color=INK, lw=0.9, zorder=1)


def value_axis(ax: Axes, outcome: Outcome, side: Side = "y", most: int = 5) -> None:
    """An axis of what was measured."""
    if outcome.is_ratio:
        loss_axis(ax, side, most)
    else:
        scale(ax, side, partial(effects.round_value, outcome), log=False, most=most, line=None)


def loss_axis(ax: Axes, side: Side = "y", most: int = 5) -> None:
    """A logarithmic axis of losses."""
    scale(ax, side, ticks.label, log=True, most=most, line=None)


def effect_axis(ax: Axes, outcome: Outcome, side: Side = "y", most: int = 5) -> None:
    """An axis of effects, with a line where there is none."""
    form = ticks.label if outcome.is_ratio else partial(effects.plain, outcome)
    scale(ax, side, form, log=outcome.is_ratio, most=most, line=outcome.no_effect)


def shown_epochs(study: Study, epochs: pd.Series[int]) -> pd.Series[int]:
    """Where epochs are on their axis: those that are trained here by how many there were, others by their number."""
    return epochs + 1 if study.trained_here else epochs


def epoch_axis(study: Study, ax: Axes, most: int = 4) -> None:
    """An axis of epochs along the bottom: logarithmic, marked in the same way; one of the user's column, as it is."""
    ax.xaxis.set_minor_locator(NullLocator())
    if study.trained_here:
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_locator(ticks.Ticks(log=True, most=most))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(most, integer=True, min_n_ticks=2))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: ticks.label(value)))


def epoch_label(study: Study) -> str:
    """The label of an axis of epochs."""
    return "epochs of training" if study.trained_here else words.of(study).epoch


def named_places(axis: Axis, names: list[str]) -> None:
    """An axis of things: a name at each whole number."""
    axis.set_major_locator(FixedLocator(range(len(names))))
    axis.set_major_formatter(FixedFormatter(names))


def without_numbers(axis: Axis) -> None:
    """Leave the ticks alone; what is not shown is not to be measured either."""
    axis.set_tick_params(label1On=False)
    axis.set_major_formatter(NullFormatter())


def beside(ax: Axes, y: float, text: str, points: float, **style: Any) -> None:
    """Write a text this far to the right of the axes, at the height of a row."""
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
    ax.annotate(text, (1, y), (points, 0), annotation_clip=False, **where, **style)
