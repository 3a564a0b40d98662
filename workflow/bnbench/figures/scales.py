"""The axis of effects, on the scale of the outcome."""

from __future__ import annotations

import math
from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bnbench.figures.axes import ratio_axis
from bnbench.outcomes import OUTCOMES
from bnbench.plan.study import Study


def effect_axis(ax: Axes, study: Study, values: Iterable[float]) -> None:
    """An axis along the bottom that shows `values` and the margin: logarithmic for ratios, linear for differences."""
    margin = study.report.margin
    if OUTCOMES[study.report.outcome].is_ratio:
        ratio_axis(ax, values, margin)
        return
    shown = [value for value in values if math.isfinite(value)] + [-2 * margin, 2 * margin]
    room = 0.06 * (max(shown) - min(shown))
    ax.set_xlim(min(shown) - room, max(shown) + room)
    ax.xaxis.set_major_locator(MaxNLocator(6))
