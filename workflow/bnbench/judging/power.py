"""How many seeds are needed, and how small an effect a number of seeds can show: the power of the tests that decide.

`effect` is d_z: a mean paired difference over the standard deviation of these differences. Of two independent groups
of as many runs each it is d, the difference of their means over the standard deviation of a run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

_MOST_SEEDS = 1_000_000
_QUANTILES = (np.arange(200) + 0.5) / 200  # of the spread that is seen, over which the power of equivalence is averaged


class Seeds(NamedTuple):
    """Seeds that a test needs, at the observed spread and at both ends of its interval."""

    at_spread: float
    fewest: float
    most: float


def power_of_t(effect: float, seeds: int, alpha: float) -> float:
    """Power of a two-sided paired t test of two or more seeds at `alpha` for a true d_z of `effect`.

    As that of F = t², since SciPy's non-central t is NaN here and there.
    """
    return _power_of_t(effect**2 * seeds, seeds - 1, alpha)


def smallest_effect(seeds: int, alpha: float, power: float) -> float:
    """The d_z for which a two-sided paired t test of that many seeds has `power`; infinity for fewer than two."""
    if seeds < 2:
        return math.inf
    # In logarithms: of two seeds it may be a thousand, of a million a thousandth.
    log = optimize.brentq(
        lambda log: power_of_t(math.exp(log), seeds, alpha) - power, math.log(1e-4), math.log(1e4), xtol=1e-10
    )
    return math.exp(log)


def seeds_needed(effect: float, alpha: float, power: float) -> float:
    """Seeds at which a two-sided paired t test at `alpha` has `power` for a true d_z of ± `effect`.

    Never so few that the smallest p of a sign flip, 2/2^n, is not below `alpha`. Infinity above a million; NaN for an
    effect of NaN.
    """
    return _fewest(lambda seeds: power_of_t(abs(effect), seeds, alpha), effect, _least_pairs(alpha), power)


def power_of_equivalence(margin: float, seeds: int, alpha: float) -> float:
    """Power of two one-sided t tests of `seeds` pairs at `alpha`, where the arms are equal indeed.

    The mean of the chance that the mean difference lies far enough inside the margin, over the spreads that may be
    seen: 2 Φ(margin √n − t s) − 1, with (n − 1) s² ~ χ² of n − 1 degrees of freedom (Schuirmann 1987).

    Args:
        margin: in standard deviations of the differences.
        seeds: two or more.
        alpha: of each one-sided test.
    """
    return _power_of_equivalence(margin * math.sqrt(seeds), seeds - 1, alpha)


def seeds_for_equivalence(margin: float, alpha: float, power: float) -> float:
    """Seeds at which equal arms are shown to be equivalent with `power`; see `power_of_equivalence`.

    Never so few that nothing is decided over them. Infinity above a million; NaN for a margin of NaN.
    """
    return _fewest(lambda seeds: power_of_equivalence(margin, seeds, alpha), margin, _least_pairs(alpha), power)


def runs_needed(effect: float, alpha: float, power: float) -> float:
    """Runs of each arm at which a two-sided t test of independent groups has `power` for a true d of ± `effect`.

    Never so few that no permutation's p is below `alpha`; infinity and NaN as in `seeds_needed`.
    """

    def power_at(runs: int) -> float:
        return _power_of_t(effect**2 * runs / 2, 2 * runs - 2, alpha)

    return _fewest(power_at, effect, _least_runs(alpha), power)


def runs_for_equivalence(margin: float, alpha: float, power: float) -> float:
    """Runs of each arm at which independent groups that are equal indeed are shown to be equivalent with `power`.

    Args:
        margin: in standard deviations of a run.
        alpha: of each one-sided test.
        power: that is wanted.
    """

    def power_at(runs: int) -> float:
        return _power_of_equivalence(margin * math.sqrt(runs / 2), 2 * runs - 2, alpha)

    return _fewest(power_at, margin, _least_runs(alpha), power)


def at_spread(needed: Callable[[float], float], effect: float, spread: float, seeds: float, level: float) -> Seeds:
    """Seeds for a difference of `effect`, at the spread of `seeds` differences and over its interval at `level`.

    The interval is that of a standard deviation of normal values, by the χ² distribution, with `seeds` − 1 degrees of
    freedom. NaN without spread.
    """
    freedom = seeds - 1
    if not (freedom > 0 and spread > 0):
        return Seeds(math.nan, math.nan, math.nan)
    low, high = (math.sqrt(stats.chi2.ppf((1 + side * level) / 2, freedom) / freedom) for side in (-1, 1))
    return Seeds(*(needed(effect / spread * factor) for factor in (1.0, high, low)))


def _power_of_t(noncentrality: float, freedom: int, alpha: float) -> float:
    """As that of F = t², of which `noncentrality` is that of F."""
    critical = stats.t.isf(alpha / 2, freedom) ** 2
    return float(stats.ncf.sf(critical, 1, freedom, min(noncentrality, _MOST_SEEDS)))


def _power_of_equivalence(margin: float, freedom: int, alpha: float) -> float:
    """Of a margin in standard errors of the mean difference."""
    seen = np.sqrt(stats.chi2.ppf(_QUANTILES, freedom) / freedom)
    inside = special.ndtr(margin - special.stdtrit(freedom, 1 - alpha) * seen)
    return float(np.maximum(2 * inside - 1, 0.0).mean())


def _least_pairs(alpha: float) -> int:
    return math.floor(1 - math.log2(alpha)) + 1


def _least_runs(alpha: float) -> int:
    """The fewest runs of each arm whose 2 of all choices make a p below `alpha`."""
    runs = 2
    while 2 / math.comb(2 * runs, runs) >= alpha:
        runs += 1
    return runs


def _fewest(power_at: Callable[[int], float], effect: float, least: int, power: float) -> float:
    """The least number of seeds with `power`, which rises with them."""
    if math.isnan(effect):
        return math.nan
    few = many = least
    while many <= _MOST_SEEDS and power_at(many) < power:
        few, many = many + 1, 2 * many
    while few < many:
        middle = (few + many) // 2
        few, many = (few, middle) if power_at(middle) >= power else (middle + 1, many)
    return float(few) if few <= _MOST_SEEDS else math.inf
