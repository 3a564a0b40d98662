"""The statistics of a comparison: arrays in, numbers out. No tables, no files, no clock, no global state.

`differences` are paired log differences, treatment − baseline, one a seed: [pairs]. Lower loss is better, so a negative
difference favours the treatment. Own code stands only where SciPy and statsmodels have nothing.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

Array = NDArray[np.float64]
Verdict = Literal["helps", "hurts", "equivalent", "undecided", "no data"]

FLOOR = float(np.finfo(np.float32).tiny)
"""Losses below this smallest normal number of float32 are raised to it before the logarithm."""

DRAWS = 19_999
"""Random sign flips where all of them are too many."""

_EXACT = 16
_FLIPS_AT_ONCE = 2_000
_MOST_SEEDS = 1_000_000


class Interval(NamedTuple):
    """A mean and its two-sided confidence interval."""

    mean: float
    low: float
    high: float


def log_losses(losses: ArrayLike) -> Array:
    """Natural logarithm of losses of any shape, raised to `FLOOR` first; NaN where a loss is not finite."""
    values = np.asarray(losses, dtype=np.float64)
    return np.log(np.maximum(np.where(np.isfinite(values), values, np.nan), FLOOR))


def window_length(measured: int, share: float) -> int:
    """How many of the last `measured` epochs a window of `share` holds: rounded up, at least the last one."""
    return max(1, math.ceil(round(share * measured, 9)))


def t_interval(values: Array, level: float) -> Interval:
    """Mean of [n] values with Student's t interval; NaN limits for n < 2, a point where all values are equal."""
    n = len(values)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan)
    mean = float(values.mean())
    if n == 1:
        return Interval(mean, math.nan, math.nan)
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / math.sqrt(n))
    return Interval(mean, mean - half, mean + half)


def geometric_interval(log_values: Array, level: float) -> Interval:
    """Geometric mean with its interval: `t_interval` of the logarithms, [n], exponentiated."""
    with np.errstate(over="ignore"):
        return Interval(*np.exp(t_interval(log_values, level)).tolist())


def column_intervals(values: Array, level: float) -> tuple[Array, Array, Array, Array]:
    """`t_interval` of each row of [rows, n] over its values that are not NaN: counts, means, lows and highs, [rows]."""
    present = ~np.isnan(values)
    counts = present.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(present, values, 0.0).sum(1) / counts
        squares = (np.where(present, values - means[:, None], 0.0) ** 2).sum(1)
        half = stats.t.ppf((1 + level) / 2, counts - 1) * np.sqrt(squares / (counts - 1) / counts)
    return counts.astype(np.float64), means, means - half, means + half


def sign_flip(differences: Array, seed: int = 0) -> float:
    """Two-sided p of the sign-flip randomization test on the mean (Fisher 1935; Phipson & Smyth 2010).

    Exact over all 2^n flips for n ≤ 16, else (b + 1)/(m + 1) over m = `DRAWS` flips drawn from `seed`. NaN for n = 0.
    Neither the order of the seeds nor exchanging the arms changes p.
    """
    n = len(differences)
    if n == 0:
        return math.nan
    if n == 1:
        return 1.0
    # One order and one orientation for all, so that the drawn flips fall on the same differences.
    oriented = np.sort(differences * np.sign(math.fsum(differences)))
    result = stats.permutation_test(
        (oriented,),
        lambda x, axis: np.abs(np.mean(x, axis=axis)),
        permutation_type="samples",
        alternative="greater",
        n_resamples=2**n if n <= _EXACT else DRAWS,
        batch=_FLIPS_AT_ONCE,
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def holm(p_values: ArrayLike) -> Array:
    """Holm's (1979) adjusted p-values, [tests]; NaN (nothing to test) stays NaN and counts as no test."""
    adjusted = np.array(p_values, dtype=np.float64)
    tested = ~np.isnan(adjusted)
    if tested.any():
        adjusted[tested] = multipletests(adjusted[tested], method="holm")[1]
    return adjusted


def hedges_dz(differences: Array) -> float:
    """Mean of the differences over their own spread, d_z (Lakens 2013), with Hedges' (1981) exact correction.

    NaN for n < 3, where d_z has no expectation that could be corrected, or where all differences are equal.
    """
    freedom = len(differences) - 1
    if freedom < 2 or not _varies(differences):
        return math.nan
    gammas = special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2)
    correction = math.exp(gammas) / math.sqrt(freedom / 2)
    return float(differences.mean() / differences.std(ddof=1) * correction)


def win_rate(differences: Array, level: float) -> Interval:
    """Share of pairs in which the treatment's loss is lower, ties counting half, with Wilson's (1927) interval."""
    n = len(differences)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan)
    wins = float((differences < 0).sum() + (differences == 0).sum() / 2)
    low, high = proportion_confint(wins, n, alpha=1 - level, method="wilson")
    return Interval(wins / n, float(low), float(high))


def correlation(baseline: Array, treatment: Array) -> float:
    """Pearson correlation of the arms' log losses over the seeds; NaN for n < 3 or an arm without spread."""
    if len(baseline) < 3 or not (_varies(baseline) and _varies(treatment)):
        return math.nan
    return float(np.corrcoef(baseline, treatment)[0, 1])


def variance_ratio(baseline: Array, treatment: Array) -> float:
    """Variance of the paired difference over that of an unpaired one: below 1 where pairing by seed helps.

    NaN for n < 2 or where neither arm has spread.
    """
    if len(baseline) < 2 or not (_varies(baseline) or _varies(treatment)):
        return math.nan
    unpaired = baseline.var(ddof=1) + treatment.var(ddof=1)
    return float((treatment - baseline).var(ddof=1) / unpaired)


def seeds_needed(differences: Array, alpha: float, power: float) -> float:
    """Seeds at which a two-sided paired t test at `alpha` has `power`, were the observed d_z the true one.

    Never so few that the smallest p of `sign_flip`, 2/2^n, is not below `alpha`. Infinity above a million; NaN for
    n < 3 or where all differences are equal.
    """
    effect = abs(hedges_dz(differences))
    if math.isnan(effect):
        return math.nan
    solver: Any = TTestPower()

    def enough(seeds: int) -> bool:
        # SciPy's non-central t is NaN here and there far out, where the power is 1 but for rounding.
        return not solver.power(effect, seeds, alpha) < power

    few = many = math.floor(1 - math.log2(alpha)) + 1
    while many <= _MOST_SEEDS and not enough(many):
        few, many = many + 1, 2 * many
    while few < many:  # power rises with the seeds
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle + 1, many)
    return float(few) if few <= _MOST_SEEDS else math.inf


def mcnemar_exact(baseline_alone: int, treatment_alone: int) -> float:
    """Exact two-sided p of McNemar's (1947) test on the counts of the discordant pairs."""
    return float(mcnemar([[0, baseline_alone], [treatment_alone, 0]], exact=True).pvalue)


def worst_ranks(baseline: Array, treatment: Array) -> Array:
    """Signed ranks of the pairs' differences, where a diverged trial (NaN) is worse than any that is finite.

    Ranks are of the absolute differences, tied ones sharing their mean; two diverged trials of a pair tie at 0.
    The worst-rank analysis of Lachin (1999), for pairs. Arguments are log losses, [pairs]; so is the result.
    """
    with np.errstate(invalid="ignore"):
        differences = np.nan_to_num(treatment, nan=math.inf) - np.nan_to_num(baseline, nan=math.inf)
    differences = np.where(np.isnan(differences), 0.0, differences)
    ranks: Array = np.sign(differences) * stats.rankdata(np.abs(differences))
    return ranks


def verdict(adjusted_p: float, ratio: Interval, narrow: Interval, margin: float, alpha: float) -> Verdict:
    """Helps, hurts, equivalent or undecided.

    Args:
        adjusted_p: of the family of contexts.
        ratio: ratio of the losses, treatment to baseline, with its 1 − α interval.
        narrow: the same with its 1 − 2α interval; inside the margin, it is two one-sided tests (Schuirmann 1987).
        margin: ratio that is too small to matter.
        alpha: error rate.
    """
    if adjusted_p < alpha and ratio.high < 1:
        return "helps"
    if adjusted_p < alpha and ratio.low > 1:
        return "hurts"
    if 1 / margin < narrow.low and narrow.high < margin:
        return "equivalent"
    return "undecided"


def worst_rank_verdict(adjusted_p: float, ranks: Array, ratio: Interval, alpha: float) -> Verdict:
    """The verdict where trials diverged: `adjusted_p` is of the mean of `ranks`, see `worst_ranks`.

    `ratio` is conditional on the pairs that are finite in both arms. Where it points clearly the other way, nothing is
    decided: one arm diverges more, the other is worse when it does not. Nothing is equivalent where arms diverge.
    """
    direction = float(ranks.sum())
    if adjusted_p < alpha and direction < 0 and not ratio.low > 1:
        return "helps"
    if adjusted_p < alpha and direction > 0 and not ratio.high < 1:
        return "hurts"
    return "undecided"


def percentile(values: Array, value: float) -> float:
    """Where `value` lies among `values`, 0 to 100; equal ones count half."""
    return float(stats.percentileofscore(values, value, kind="mean"))


def _varies(values: Array) -> bool:
    """Whether the values differ by more than rounding."""
    return bool(values.std() > 1e-14 * np.abs(values).max())
