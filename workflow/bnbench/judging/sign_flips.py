"""Sign flips: the randomization tests and simultaneous intervals of paired differences.

Under the hypothesis of no difference a seed's paired differences are as likely with the other sign, in all contexts at
once. So all tests of a seed are flipped together, which preserves any correlation between them. SciPy's permutation
test flips one sample; the joint flips, their step-down maxima and the intervals are here (Westfall & Young 1993; Romano
& Wolf 2005). `values` are [seeds, tests] throughout; NaN is a gap, where a seed has no pair in a test. What is flipped
are seeds, so a flip is as valid with gaps as without.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

DRAWS = 19_999
"""Random sign flips where all of them are too many, for p-values and for critical values alike."""

EXACT = 16
"""Up to this number of seeds, all flips are used."""

_BLOCK = 1_000  # random flips that are drawn at a time, whatever is then done with them
_CELLS = 1_500_000  # statistics that are in memory at a time: 12 MB, and a few times that while they are worked on
_FLIPS_BEYOND = 10  # of a quantile, that it takes to estimate it: 9 seeds at 95 %
_FINER = 20  # times the smallest p of random flips goes into the error rate


class PValues(NamedTuple):
    """Two-sided p-values, [tests]: of each test by itself, and of all of them by step-down maxT; NaN without pairs."""

    alone: Array
    adjusted: Array


class Limits(NamedTuple):
    """Limits of means, [tests]; NaN where a test has fewer than two pairs."""

    low: Array
    high: Array
    methods: NDArray[np.str_]
    """What gives them: `flips`, `Bonferroni`, or `Student` for one test alone; empty where there are none."""


def draws(alpha: float) -> int:
    """How many random flips are needed for p-values well below `alpha`."""
    return max(DRAWS, math.ceil(_FINER / alpha) - 1)


def aligned(seeds: Sequence[NDArray[np.int64]], values: Sequence[Array]) -> Array:
    """Values of own seeds, [own seeds] or [own seeds, some tests] each, over the seeds of all: [seeds, tests].

    Seeds ascend; NaN where a seed is not there.
    """
    union = reduce(np.union1d, seeds, np.empty(0, np.int64))
    parts = [np.atleast_2d(part.T).T for part in values]
    ends = np.cumsum([part.shape[1] for part in parts], dtype=np.int64)
    table = np.full((len(union), ends[-1] if parts else 0), np.nan)
    for end, own, part in zip(ends, seeds, parts, strict=True):
        table[np.searchsorted(union, own), end - part.shape[1] : end] = part
    return table


def max_t(values: Array, draws: int = DRAWS) -> PValues:
    """P of the mean of each column against 0, alone and adjusted for all columns by Westfall & Young's (1993) maxima.

    The statistic is |t|, or what rises with it for equal numbers of seeds: the sum over the root of the sum of squares
    of a column's own pairs, which no flip changes. Exact over all 2^n flips for n ≤ 16 seeds, else (b + 1)/(m + 1) over
    m = `draws` random ones (Phipson & Smyth 2010). A column alone is judged by flips of its own seeds, so that its p
    does not depend on what else is tested.
    """
    pairs = ~np.isnan(values)
    unit = _unit(np.where(pairs, values, 0.0))
    alone, adjusted = np.full((2, pairs.shape[1]), np.nan)
    tests, seeds = np.flatnonzero(pairs.any(0)), np.flatnonzero(pairs.any(1))
    if not len(tests):
        return PValues(alone, adjusted)
    alone[tests], adjusted[tests] = _judged(unit[np.ix_(seeds, tests)], draws)
    if len(seeds) > EXACT:
        for some, own in _by_gaps(pairs[seeds][:, tests]):
            alone[tests[some]], _ = _judged(unit[np.ix_(seeds[own], tests[some])], draws)
    return PValues(alone, np.maximum(adjusted, alone))


def sign_flip(differences: Array, draws: int = DRAWS) -> float:
    """P of one test alone, of differences [seeds]: Fisher's (1935) randomization test on the mean."""
    return float(max_t(differences[:, None], draws).alone[0])


def smallest_p(seeds: int, draws: int = DRAWS) -> float:
    """The smallest p that a number of seeds can have: 2/2^n, or the smallest that the random flips allow."""
    return 2 / 2.0**seeds if seeds <= EXACT else 1 / (draws + 1)


def can_decide(seeds: int, alpha: float) -> bool:
    """Whether the smallest p of a number of seeds, 2/2^n, is below `alpha`."""
    return float(2.0 ** (1 - seeds)) < alpha


def simultaneous(values: Array, level: float, draws: int = DRAWS) -> Limits:
    """Limits of the columns' means that hold for all columns together with probability `level`.

    Mean ± q standard errors, each of a column's own pairs. q is the quantile of the largest |t| of all columns when the
    residuals of each seed are flipped together, and at least Student's for one column. Columns of too few pairs to flip
    for a quantile have Bonferroni's q, and the others share the error that these leave. One column has Student's.
    """
    seeds = (~np.isnan(values)).sum(0)
    some = np.flatnonzero(seeds > 1)
    low, high, methods = np.full(len(seeds), np.nan), np.full(len(seeds), np.nan), np.full(len(seeds), "", "<U10")
    if not len(some):
        return Limits(low, high, methods)
    mean, error, residuals = _residuals(values[:, some])
    critical = bonferroni(seeds[some], len(some), level)
    flipped = _flippable(residuals, 1 - level, draws)
    if flipped.any():
        jointly = critical_value(residuals[:, flipped], 1 - (1 - level) * flipped.mean(), draws)
        critical[flipped] = np.maximum(jointly, bonferroni(seeds[some][flipped], 1, level))
    low[some], high[some] = mean - critical * error, mean + critical * error
    methods[some] = np.where(flipped, "flips", "Bonferroni") if len(some) > 1 else "Student"
    return Limits(low, high, methods)


def critical_value(residuals: Array, level: float, draws: int = DRAWS) -> float:
    """The `level` quantile of the largest |t| of columns of mean 0 when their seeds are flipped together."""
    residuals = residuals[~np.isnan(residuals).all(1)]
    counts = (~np.isnan(residuals)).sum(0)
    # Columns with the same number of pairs are in memory together: the largest sum then has the largest |t|.
    alike = [np.flatnonzero(counts == seeds) for seeds in np.unique(counts)]
    parts = [part for columns in alike for part in np.array_split(columns, -(-len(columns) * _BLOCK // _CELLS))]
    units = [
        (counts[part[0]], 2 * _unit(np.where(np.isnan(residuals[:, part]), 0.0, residuals[:, part]))) for part in parts
    ]
    largest = []
    for negative in _negative(len(residuals), draws):
        flips, found = negative.astype(np.float64), np.zeros(len(negative))
        for seeds, unit in units:
            sums = flips @ unit  # of which a column's own sum, 0, is taken
            squares = np.minimum(np.maximum(sums.max(1), -sums.min(1)) ** 2, seeds)
            with np.errstate(divide="ignore"):
                np.maximum(found, np.sqrt(squares * (seeds - 1) / (seeds - squares)), out=found)
        largest.append(found)
    return float(np.quantile(np.concatenate(largest), level, method="higher"))


def bonferroni(seeds: NDArray[np.integer[Any]], tests: int, level: float) -> Array:
    """Student's two-sided critical values for `tests` means at once, each over its number of seeds."""
    critical: Array = special.stdtrit(seeds - 1, 1 - (1 - level) / 2 / tests)
    return critical


def _judged(unit: Array, draws: int) -> tuple[Array, Array]:
    """P alone and adjusted of columns of length 1, [seeds, tests], under flips of these seeds."""
    (seeds, tests), total = unit.shape, unit.sum(0)
    order = np.argsort(-np.abs(total), kind="stable")
    unit, total = unit[:, order], total[order]
    reached = np.abs(total) - 1e-12 * math.sqrt(seeds)
    alone, jointly = np.zeros(tests), np.zeros(tests)
    for negative in _negative(seeds, draws, tests):
        flipped = np.abs(total - 2 * (negative.astype(np.float64) @ unit))
        alone += (flipped >= reached).sum(0)
        # Of each test and of those that are less significant: the hypotheses that are still open at its step.
        jointly += (np.maximum.accumulate(flipped[:, ::-1], axis=1)[:, ::-1] >= reached).sum(0)
    back = np.argsort(order)
    adjusted = np.maximum.accumulate(_share(jointly, seeds, draws))
    return _share(alone, seeds, draws)[back], adjusted[back]


def _residuals(values: Array) -> tuple[Array, Array, Array]:
    """Means and standard errors of columns with two pairs or more, [tests], and the residuals of the values.

    Columns whose values are equal up to rounding have no width, and no influence on that of the others.
    """
    mean, seeds = np.nanmean(values, axis=0), (~np.isnan(values)).sum(0)
    varies = np.nanmax(values, axis=0) - np.nanmin(values, axis=0) > 1e-14 * np.nanmax(np.abs(values), axis=0)
    error = np.where(varies, np.nanstd(values, axis=0, ddof=1) / np.sqrt(seeds), 0.0)
    return mean, error, (values - mean) * varies


def _flippable(residuals: Array, alpha: float, draws: int) -> Flags:
    """Columns that have enough flips beyond the quantile of all such columns together, [tests]; none of one alone."""
    pairs = ~np.isnan(residuals)
    flips = 2.0 ** np.minimum(pairs.sum(0) - 1, 99)  # more would overflow
    flips = flips if pairs.any(1).sum() <= EXACT else np.minimum(flips, draws + 1)
    found = np.ones(len(flips), np.bool_)
    while (few := found & (flips * alpha * found.mean() < _FLIPS_BEYOND)).any():
        found &= ~few
    found &= found.sum() > 1
    return found


def _unit(values: Array) -> Array:
    """Columns of length 1; of length 0 where all values are 0."""
    largest = np.abs(values).max(0, initial=0.0)
    scaled = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)  # so that no square overflows
    length = np.sqrt((scaled**2).sum(0))
    unit: Array = np.divide(scaled, length, out=scaled, where=length > 0)
    return unit


def _by_gaps(pairs: Flags) -> Iterator[tuple[Places, Places]]:
    """Places of the tests that have pairs of the same seeds, and of these seeds; of those that have gaps alone."""
    with_gaps = np.flatnonzero(~pairs.all(0))
    patterns, which = np.unique(pairs[:, with_gaps], axis=1, return_inverse=True)
    for place, own in enumerate(patterns.T):
        yield with_gaps[which.ravel() == place], np.flatnonzero(own)


def _negative(seeds: int, draws: int, tests: int = 1) -> Iterator[NDArray[np.uint8]]:
    """Which seeds are flipped, with as many flips at a time as memory allows for `tests`: 0 or 1, [flips, seeds].

    All flips that leave the last seed as it is, which represent all of them since |t| has no sign; or random ones,
    from a separate stream, so that the same table has the same p.
    """
    at_once = max(1, min(_BLOCK, _CELLS // tests))
    if seeds <= EXACT:
        numbers, places = np.arange(2 ** (seeds - 1)), np.arange(seeds)
        for start in range(0, len(numbers), at_once):
            yield (numbers[start : start + at_once, None] >> places & 1).astype(np.uint8)
        return
    generator = np.random.default_rng(0)
    for start in range(0, draws, _BLOCK):
        count = min(_BLOCK, draws - start)
        bits = np.unpackbits(np.frombuffer(generator.bytes(-(-count * seeds // 8)), np.uint8))
        flips = bits[: count * seeds].reshape(count, seeds)
        yield from (flips[first : first + at_once] for first in range(0, count, at_once))


def _share(counts: Array, seeds: int, draws: int) -> Array:
    """p-values from how many flips reached what was observed."""
    return counts / 2 ** (seeds - 1) if seeds <= EXACT else (counts + 1) / (draws + 1)
