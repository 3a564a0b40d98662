"""Axes of losses and scores, and of their ratios and differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import (
    FuncFormatter,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from bnbench.figures.colours import INK
from bnbench.outcomes import Outcome
from bnbench.plan.study import Study
from bnbench.wording import effects, words


class _Powers(LogLocator):
    """Ticks at powers of ten; over less than a decade and a half also at 2 and 5 times each."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        self.set_params(subs=(1.0, 2.0, 5.0) if vmax < 30 * vmin else (1.0,))
        return super().tick_values(vmin, vmax)


def loss_axis(ax: Axes) -> None:
    """A logarithmic axis of losses, marked at powers of ten, and between them where it shows few."""
    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(_Powers())
    ax.yaxis.set_major_formatter(LogFormatterSciNotation(minor_thresholds=(math.inf, math.inf)))  # each tick a number
    ax.grid(axis="y")


def shown_epochs(study: Study, epochs: pd.Series[int]) -> pd.Series[int]:
    """Where epochs stand on their axis: those that are trained here by how many there were, others by their number."""
    return epochs + 1 if study.trained_here else epochs


def epoch_axis(study: Study, ax: Axes) -> None:
    """An axis of epochs along the bottom: logarithmic, marked in the same way; one of the user's column, as it is."""
    if not study.trained_here:
        ax.set_xlabel(words.of(study).epoch)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}".replace("-", "−")))
        return
    ax.set(xscale="log", xlabel="epochs of training")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_locator(_Powers())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


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


LINE = 26
"""Characters of a label up the side of an axis that stand in one line."""


def effect_axis(ax: Axes, outcome: Outcome, values: Iterable[float], margin: float) -> None:
    """An axis of effects along the bottom that shows `values` and the margin."""
    if outcome.is_ratio:
        ratio_axis(ax, values, margin)
        return
    shown = [value for value in values if math.isfinite(value)] + [2 * margin, -2 * margin]
    room = 0.06 * (max(shown) - min(shown))
    ax.set_xlim(min(shown) - room, max(shown) + room)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: effects.plain(outcome, value)))


def effect_levels(outcome: Outcome) -> Callable[[Axes], None]:
    """What makes an axis of effects up the side, with a line where there is none."""
    if outcome.is_ratio:
        return ratio_levels

    def levels(ax: Axes) -> None:
        _linear_levels(ax, partial(effects.plain, outcome))
        ax.axhline(0, color=INK, lw=0.9, zorder=1)

    return levels


def value_levels(outcome: Outcome) -> Callable[[Axes], None]:
    """What makes an axis of what was measured up the side."""
    return loss_axis if outcome.is_ratio else partial(_linear_levels, form=partial(effects.round_value, outcome))


def _linear_levels(ax: Axes, form: Callable[[float], str]) -> None:
    """An axis up the side whose numbers are written in the given form."""
    ax.grid(axis="y")
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))


def plain_axis(ax: Axes) -> None:
    """An axis that stays as it is."""
    ax.grid(axis="x")


def without_numbers(axis: Axis) -> None:
    """Leave the ticks alone; what is not shown is not to be measured either."""
    axis.set_tick_params(label1On=False)
    axis.set_major_formatter(NullFormatter())
    axis.set_label_text("")
    axis.set_label_coords(0, 0)


def beside(ax: Axes, y: float, text: str, points: float, **style: Any) -> None:
    """Write a text this far to the right of the axes, at the height of a row."""
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
    ax.annotate(text, (1, y), (points, 0), annotation_clip=False, **where, **style)
