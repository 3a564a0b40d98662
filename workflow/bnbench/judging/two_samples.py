"""The statistics of two independent groups of runs: arrays in, numbers out. No tables, no files, no global state.

Values are costs, of which lower ones are better, [runs of the baseline] and [runs of the treatment]; a difference is
treatment − baseline. Own code is used only where SciPy has nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

from bnbench.judging.stats import Array, Interval

_MOST_DIFFERENCES = 12_500_000  # 100 MB
_MOST_EXACT = 50  # runs together, whose choices a float counts without rounding
_ROUNDING = 1e-9  # of a margin: a spread so small is that of logarithms that were rounded

Bounds = tuple[Array, Array]
"""Lower and upper bounds of costs, [runs] each: equal where a cost was measured, both infinite of a diverged run."""


class Estimate(NamedTuple):
    """A mean with its standard error and the degrees of freedom of the latter, by Welch (1938) and Satterthwaite."""

    mean: float
    error: float
    freedom: float

    def interval(self, level: float) -> Interval:
        """Student's interval; NaN limits where there is no error, a point where it is 0."""
        half = float(special.stdtrit(self.freedom, (1 + level) / 2)) * self.error
        return Interval(self.mean, self.mean - half, self.mean + half)

    @property
    def p(self) -> float:
        """Two-sided, against a mean of 0; NaN without error."""
        if self.error == 0:
            return 0.0 if self.mean else 1.0
        return float(2 * special.stdtr(self.freedom, -abs(self.mean) / self.error))


def welch(baseline: Array, treatment: Array) -> Estimate:
    """The difference of the means; without error where a group has fewer than two runs, NaN where one has none."""
    return combined([(-1.0, baseline), (1.0, treatment)])


def combined(parts: list[tuple[float, Array]]) -> Estimate:
    """The sum of weights times the means of independent groups, with Welch's and Satterthwaite's degrees of freedom.

    Args:
        parts: weight and values of each group.
    """
    if any(not len(values) for _, values in parts):
        return Estimate(math.nan, math.nan, math.nan)
    mean = float(sum(weight * values.mean() for weight, values in parts))
    if any(len(values) < 2 for _, values in parts):
        return Estimate(mean, math.nan, math.nan)
    freedoms = [len(values) - 1 for _, values in parts]
    errors = np.array([weight * values.std(ddof=1) / math.sqrt(len(values)) for weight, values in parts])
    error = float(np.linalg.norm(errors))
    if error == 0:
        return Estimate(mean, 0.0, float(sum(freedoms)))
    return Estimate(mean, error, float(1 / ((errors / error) ** 4 / freedoms).sum()))


def equivalence(baseline: Array, treatment: Array, margin: float) -> float:
    """P of two one-sided Welch tests (Schuirmann 1987) that the difference of the means lies within ± `margin`.

    NaN where a group has fewer than two runs. Groups without spread, up to rounding, count as no more than one
    of all the ways to choose them.
    """
    mean, error, freedom = welch(baseline, treatment)
    if math.isnan(error):
        return math.nan
    room = margin - abs(mean)
    if error <= _ROUNDING * margin:
        runs = (len(baseline), len(treatment))
        return 1 / math.comb(sum(runs), runs[0]) if room > 0 else 1.0
    return float(special.stdtr(freedom, -room / error))


def hodges_lehmann(baseline: Array, treatment: Array, level: float) -> Interval:
    """Median of all differences (Hodges & Lehmann 1963), and the interval that inverts the rank-sum test.

    The limits are differences by the exact null distribution of Mann & Whitney's U up to 50 runs, by its normal
    approximation above (Hollander & Wolfe 1999, section 4.3). NaN limits where no interval of this level is that short
    of runs; NaN for none, or for more differences than the memory should hold.
    """
    sizes = (len(baseline), len(treatment))
    if not 0 < sizes[0] * sizes[1] <= _MOST_DIFFERENCES:
        return Interval(math.nan, math.nan, math.nan)
    differences = np.sort((treatment[:, None] - baseline).ravel())
    outside = _rank_sum_quantile(*sizes, (1 - level) / 2)
    middle = float(np.median(differences))
    if outside < 0:
        return Interval(middle, math.nan, math.nan)
    return Interval(middle, float(differences[outside]), float(differences[len(differences) - 1 - outside]))


def mann_whitney(baseline: Array, treatment: Array) -> float:
    """Two-sided p of the rank-sum test (Wilcoxon 1945; Mann & Whitney 1947); NaN for no runs, 1 where all are equal."""
    if not (len(baseline) and len(treatment)):
        return math.nan
    if np.ptp(np.concatenate([baseline, treatment])) == 0:
        return 1.0
    return float(stats.mannwhitneyu(treatment, baseline).pvalue)


def scores(baseline: Bounds, treatment: Bounds) -> tuple[Array, Array]:
    """What replaces ranks if only bounds on some costs are known, [runs] of both arms.

    The number of runs of both arms that are surely better, less that of those that are surely worse (Gehan 1965): twice
    the rank about its mean where all costs were measured. A diverged run is worse than any other (the worst-rank
    analysis of Lachin 1999), and two diverged runs tie.
    """
    low, high = (np.concatenate(bounds) for bounds in zip(baseline, treatment, strict=True))
    better, worse = _surely((low, high), (low, high))
    both = better - worse
    return both[: len(baseline[0])], both[len(baseline[0]) :]


def superiority(baseline: Bounds, treatment: Bounds, level: float) -> Interval:
    """The probability that a run of the treatment is better than one of the baseline; what is not certain counts half.

    With Newcombe's (2006) interval, his method 5, which needs no spread and so has limits at 0 and 1 as well. NaN where
    an arm has no run.
    """
    sizes = (len(baseline[0]), len(treatment[0]))
    if not all(sizes):
        return Interval(math.nan, math.nan, math.nan)
    better, worse = _surely(treatment, baseline)
    share = float(0.5 + (worse - better).sum() / 2 / sizes[0] / sizes[1])
    z, extra = float(stats.norm.isf((1 - level) / 2)), sum(sizes) / 2 - 1

    def beyond(at: float) -> float:
        variance = at * (1 - at) * (1 + extra * ((1 - at) / (2 - at) + at / (1 + at))) / sizes[0] / sizes[1]
        return (share - at) ** 2 - z**2 * variance

    inside = min(max(share, 1e-12), 1 - 1e-12)  # the variance is 0 at the ends
    low = float(optimize.brentq(beyond, 0.0, inside)) if share > 0 else 0.0
    high = float(optimize.brentq(beyond, inside, 1.0)) if share < 1 else 1.0
    return Interval(share, low, high)


def hedges_g(baseline: Array, treatment: Array) -> float:
    """Difference of the means over the pooled standard deviation, with Hedges' (1981) exact correction.

    NaN where a group has fewer than two runs, or neither has spread.
    """
    if min(len(baseline), len(treatment)) < 2:
        return math.nan
    freedoms = len(baseline) - 1, len(treatment) - 1
    freedom = sum(freedoms)
    pooled = math.sqrt((freedoms[0] * baseline.var(ddof=1) + freedoms[1] * treatment.var(ddof=1)) / freedom)
    if not (_varies(baseline) or _varies(treatment)):
        return math.nan
    gammas = special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2)
    correction = math.exp(gammas) / math.sqrt(freedom / 2)
    return float((treatment.mean() - baseline.mean()) / pooled * correction)


def brown_forsythe(baseline: Array, treatment: Array) -> tuple[float, float]:
    """Ratio of the standard deviations, treatment to baseline, and the p of their equality (Brown & Forsythe 1974).

    NaN where a group has fewer than three runs or the baseline has no spread, and no p where the treatment has none.
    """
    if min(len(baseline), len(treatment)) < 3 or not _varies(baseline):
        return math.nan, math.nan
    ratio = float(treatment.std(ddof=1) / baseline.std(ddof=1))
    if not _varies(treatment):
        return ratio, math.nan
    return ratio, float(stats.levene(baseline, treatment, center="median").pvalue)


def fisher_exact(diverged: tuple[int, int], runs: tuple[int, int]) -> float:
    """Two-sided p of Fisher's exact test on the diverged runs of both arms; NaN where an arm has no run."""
    if not all(runs):
        return math.nan
    counts = [[some, every - some] for some, every in zip(diverged, runs, strict=True)]
    return float(stats.fisher_exact(counts).pvalue)


def _surely(mine: Bounds, others: Bounds) -> tuple[Array, Array]:
    """How many of the others are surely better, and surely worse, than each of mine, [mine] each."""
    low, high = np.sort(others[0]), np.sort(others[1])
    better = np.searchsorted(high, mine[0], side="left")
    worse = len(low) - np.searchsorted(low, mine[1], side="right")
    return better.astype(np.float64), worse.astype(np.float64)


def _varies(values: Array) -> bool:
    """Whether the values differ by more than rounding."""
    return bool(values.std() > 1e-12 * np.abs(values).max())


def _rank_sum_quantile(first: int, second: int, tail: float) -> int:
    """How many differences may lie outside at each end: the largest k with P(U ≤ k) ≤ `tail`, else −1."""
    total, most = first + second, first * second
    if total > _MOST_EXACT:
        spread = math.sqrt(most * (total + 1) / 12)
        return math.floor(most / 2 + float(stats.norm.ppf(tail)) * spread - 0.5)
    ways = np.zeros(most + 1)
    ways[0] = 1  # the Gaussian binomial coefficient, a factor at a time
    for run in range(1, first + 1):
        up = second + run
        ways[up:] -= ways[:-up].copy() if up <= most else 0.0
        for start in range(run):
            ways[start::run] = np.cumsum(ways[start::run])
    return int(np.searchsorted(np.cumsum(ways) / math.comb(total, first), tail, side="right")) - 1
