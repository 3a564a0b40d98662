"""Sign flips: the randomization tests and simultaneous intervals of paired differences.

Under the hypothesis of no difference a seed's paired differences are as likely with the other sign, in all contexts at
once. So all tests of a seed are flipped together, which keeps whatever correlation they have. SciPy's permutation test
flips one sample; the joint flips, their step-down maxima and the intervals stand here (Westfall & Young 1993; Romano &
Wolf 2005). `values` are [seeds, tests] throughout, without gaps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

DRAWS = 19_999
"""Random sign flips where all of them are too many."""

QUANTILE_DRAWS = 1_999
"""The same for a critical value, which needs fewer than a small p."""

EXACT = 16
"""Seeds up to which all flips are gone through."""

_FLIPS_AT_ONCE = 1_000
_FLIPS_BEYOND = 10  # of a quantile, that it takes to estimate it: 9 seeds at 95 %


class PValues(NamedTuple):
    """Two-sided p-values, [tests]: of each test by itself, and of all of them by step-down maxT."""

    alone: Array
    adjusted: Array


def max_t(values: Array, draws: int = DRAWS) -> PValues:
    """P of the mean of each column against 0, alone and adjusted for all columns.

    The statistic is |t|, or what rises with it for equal numbers of seeds: the sum over the root of the sum of squares,
    which no flip changes. Exact over all 2^n flips for n ≤ 16 seeds, else (b + 1)/(m + 1) over m = `draws` random ones
    (Phipson & Smyth 2010). Adjusted by Westfall & Young's (1993) step-down maxima. NaN for no seeds.
    """
    seeds, tests = values.shape
    if not seeds:
        return PValues(np.full(tests, np.nan), np.full(tests, np.nan))
    unit = _unit(values)
    total = unit.sum(0)
    return step_down(lambda negative: np.abs(total - 2 * (negative.astype(np.float64) @ unit)), seeds, draws)


def step_down(statistics: Callable[[NDArray[np.uint8]], Array], seeds: int, draws: int = DRAWS) -> PValues:
    """P of tests whose statistics under flips are given, of which larger ones speak against the hypothesis.

    Args:
        statistics: from which seeds are flipped, 0 or 1, [flips, seeds], to the statistics, [flips, tests].
        seeds: how many there are, at least one.
        draws: random flips where all of them are too many.
    """
    (observed,) = statistics(np.zeros((1, seeds), np.uint8))
    tests = len(observed)
    order = np.argsort(-observed, kind="stable")
    reached = observed[order] - 1e-12 * math.sqrt(seeds)
    alone, jointly = np.zeros(tests), np.zeros(tests)
    for negative in _negative(seeds, draws):
        flipped = statistics(negative)[:, order]
        alone += (flipped >= reached).sum(0)
        # Of each test and of those that are less significant: the hypotheses that are still open at its step.
        jointly += (np.maximum.accumulate(flipped[:, ::-1], axis=1)[:, ::-1] >= reached).sum(0)
    back = np.argsort(order)
    return PValues(_share(alone, seeds, draws)[back], np.maximum.accumulate(_share(jointly, seeds, draws))[back])


def sign_flip(differences: Array, draws: int = DRAWS) -> float:
    """P of one test alone, of differences [seeds]: Fisher's (1935) randomization test on the mean."""
    return float(max_t(differences[:, None], draws).alone[0])


def smallest_p(seeds: int, draws: int = DRAWS) -> float:
    """The smallest p that so many seeds can have: 2/2^n, or that of so many random flips."""
    return 2 / 2.0**seeds if seeds <= EXACT else 1 / (draws + 1)


def can_decide(seeds: int, alpha: float) -> bool:
    """Whether the smallest p of so many seeds, 2/2^n, is below `alpha`."""
    return 2 / 2.0**seeds < alpha


def simultaneous(values: Array, level: float, draws: int = QUANTILE_DRAWS) -> tuple[Array, Array]:
    """Limits of the columns' means, [tests] each, that hold for all columns together with probability `level`.

    Mean ± q standard errors, where q is the `level` quantile of the largest |t| of all columns when the residuals of
    each seed are flipped together, and at least Student's for one column. Bonferroni's q where there are too few seeds
    to flip for a quantile. One column has Student's interval; NaN for fewer than two seeds.
    """
    seeds, tests = values.shape
    mean = values.mean(0) if seeds else np.full(tests, np.nan)
    if seeds < 2 or not tests:
        return np.full(tests, np.nan), np.full(tests, np.nan)
    # Columns whose values are equal but for rounding have no width, and no say in that of the others.
    varies = np.ptp(values, axis=0) > 1e-14 * np.abs(values).max(0)
    residuals = np.where(varies, values - mean, 0.0)
    half = np.zeros(tests)
    half[varies] = critical_value(residuals, level, draws) * values[:, varies].std(0, ddof=1) / math.sqrt(seeds)
    return mean - half, mean + half


def critical_value(residuals: Array, level: float, draws: int = QUANTILE_DRAWS) -> float:
    """The q of `simultaneous`, of residuals whose columns have mean 0."""
    seeds, tests = residuals.shape
    if tests == 1 or 2 ** (seeds - 1) * (1 - level) < _FLIPS_BEYOND:
        return bonferroni(seeds, tests, level)
    largest = []
    for flipped in _flipped(_unit(residuals), draws):
        squares = np.minimum(flipped.max(1) ** 2, seeds)
        with np.errstate(divide="ignore"):
            largest.append(np.sqrt(squares * (seeds - 1) / (seeds - squares)))
    quantile = float(np.quantile(np.concatenate(largest), level, method="higher"))
    return max(quantile, bonferroni(seeds, 1, level))


def bonferroni(seeds: int, tests: int, level: float) -> float:
    """Student's two-sided critical value for `tests` means at once."""
    return float(special.stdtrit(seeds - 1, 1 - (1 - level) / 2 / tests))


def _unit(values: Array) -> Array:
    """Columns of length 1; of length 0 where all values are 0."""
    largest = np.abs(values).max(0)
    scaled = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)  # so that no square overflows
    length = np.sqrt((scaled**2).sum(0))
    unit: Array = np.divide(scaled, length, out=scaled, where=length > 0)
    return unit


def _flipped(unit: Array, draws: int) -> Iterator[Array]:
    """The absolute sums of columns of length 1 under flips of the seeds, a thousand flips at a time: [flips, tests]."""
    total = unit.sum(0)
    for negative in _negative(len(unit), draws):
        yield np.abs(total - 2 * (negative.astype(np.float64) @ unit))


def _negative(seeds: int, draws: int) -> Iterator[NDArray[np.uint8]]:
    """Which seeds are flipped, a thousand flips at a time: 0 or 1, [flips, seeds].

    All flips that leave the last seed as it is, which stand for all of them since |t| knows no sign; or random ones,
    from a stream of their own, so that the same table has the same p.
    """
    if seeds <= EXACT:
        numbers, places = np.arange(2 ** (seeds - 1)), np.arange(seeds)
        for start in range(0, len(numbers), _FLIPS_AT_ONCE):
            yield (numbers[start : start + _FLIPS_AT_ONCE, None] >> places & 1).astype(np.uint8)
        return
    generator = np.random.default_rng(0)
    for start in range(0, draws, _FLIPS_AT_ONCE):
        count = min(_FLIPS_AT_ONCE, draws - start)
        bits = np.unpackbits(np.frombuffer(generator.bytes(-(-count * seeds // 8)), np.uint8))
        yield bits[: count * seeds].reshape(count, seeds)


def _share(counts: Array, seeds: int, draws: int) -> Array:
    """p-values from how many flips reached what was observed."""
    return counts / 2 ** (seeds - 1) if seeds <= EXACT else (counts + 1) / (draws + 1)
