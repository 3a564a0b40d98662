"""How far a deciding number lies beyond the edge of its verdict, in standard errors.

A verdict is a threshold on a statistic that would differ in another run: over other seeds, or over the same ones on
another processor, whose rounding sends long trainings elsewhere. A statistic that lies d standard errors beyond its
edge comes out on the other side in a repetition with probability Φ(−d/√2), since both are drawn: 24 % at d = 1, 8 % at
d = 2. So `CLOSE` names verdicts that one repetition in four or more would not confirm.

All statistics are t-like: a mean over its standard error. Their own standard error is √(1 + t²/(2(n − 1))), by the
delta method for normal differences: 1 for the mean, the rest for the spread. The error of random flips is a hundredth
of that at p = 0.05, and is left out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy import special

from bnbench.judging import sign_flips
from bnbench.judging.stats import Array

CLOSE = 1.0
"""A number within this many standard errors of its edge is close."""


class MeanTest(NamedTuple):
    """A test of a mean against 0, with what its p-values are and the interval that decides along with them."""

    mean: float
    error: float
    """Standard error of the mean."""
    pairs: float
    """Of two independent groups the degrees of freedom of the error, and 1."""
    p: float
    """Of the test alone, two-sided."""
    p_adjusted: float
    half: float = math.nan
    """Half the width of the interval; NaN where p alone decides."""
    smallest_p: float = math.nan
    """That the test can have; NaN for that of sign flips."""

    def can_decide(self, alpha: float) -> bool:
        """Whether its smallest p is below `alpha`."""
        if math.isnan(self.smallest_p):
            return sign_flips.can_decide(int(self.pairs), alpha)
        return self.smallest_p < alpha


def mean_test(values: Array, p: float, p_adjusted: float, half: float = math.nan) -> MeanTest:
    """Of what is tested, [pairs]: differences of costs, or signed ranks."""
    pairs = len(values)
    mean = float(values.mean()) if pairs else math.nan
    error = float(values.std(ddof=1)) / math.sqrt(pairs) if pairs > 1 else math.nan
    return MeanTest(mean, error, pairs, p, p_adjusted, half)


def room(statistic: float, critical: float, pairs: float) -> float:
    """By how many standard errors a statistic lies beyond its critical value; negative where it falls short of it."""
    if not pairs > 1 or math.isnan(statistic):
        return math.nan
    if math.isinf(statistic):  # the limit
        return math.copysign(math.sqrt(2 * (pairs - 1)), statistic)
    return (statistic - critical) / math.sqrt(1 + statistic**2 / (2 * (pairs - 1)))


def of_effect(test: MeanTest, alpha: float) -> float:
    """Of an effect, which needs an adjusted p below α, and an interval without 0 if it has one: the nearer edge.

    The critical value of p is that of Student's t at the share of α that adjustment leaves to this test.

    Returns:
        NaN where so few seeds can decide nothing.
    """
    if not test.can_decide(alpha) or math.isnan(test.p_adjusted):
        return math.nan
    statistic = _over(abs(test.mean), test.error)
    by_p = room(statistic, _quantile(alpha / 2 * test.p / test.p_adjusted, test.pairs), test.pairs)
    if math.isnan(test.half):
        return by_p
    return min(by_p, room(statistic, _over(test.half, test.error), test.pairs))


def of_equivalence(p_equivalence: float, pairs: float, alpha: float) -> float:
    """Of a mean within the margin, by the p of two one-sided tests; NaN without one."""
    if math.isnan(p_equivalence):
        return math.nan
    return room(_quantile(p_equivalence, pairs), _quantile(alpha, pairs), pairs)


def of_not_worse(test: MeanTest, margin: float) -> float:
    """Of a mean cost that is not worse by more than the margin, by the upper limit of the interval."""
    return room(_over(margin - test.mean, test.error), _over(test.half, test.error), test.pairs)


def _over(size: float, error: float) -> float:
    """In standard errors; infinite without spread."""
    if error == 0:
        return math.copysign(math.inf, size) if size else 0.0
    return size / error


def _quantile(tail: float, pairs: float) -> float:
    """Student's t that leaves `tail` above it."""
    return -float(special.stdtrit(pairs - 1, tail))
