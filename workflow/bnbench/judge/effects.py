"""From mean differences of costs to effects on the scale of the outcome.

A cost is what a trial is judged by, turned so that lower is better: the logarithm of a loss, or a score, with the other
sign where a higher one is better.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bnbench.judge.stats import Array, Interval
from bnbench.outcomes import Outcome


def effect_of(outcome: Outcome, cost_difference: ArrayLike) -> Array:
    """The effect of a difference of costs, treatment − baseline, of any shape: a ratio, or a difference of scores."""
    difference = np.asarray(cost_difference, np.float64)
    if outcome.is_ratio:
        with np.errstate(over="ignore"):
            return np.exp(difference)
    return difference if outcome.lower_is_better else 0.0 - difference


def interval_of(outcome: Outcome, mean: float, low: float, high: float) -> Interval:
    """The effect of a mean difference of costs, with its limits in rising order."""
    effect, *limits = effect_of(outcome, [mean, low, high]).tolist()
    return Interval(effect, *(limits if outcome.is_ratio or outcome.lower_is_better else limits[::-1]))
