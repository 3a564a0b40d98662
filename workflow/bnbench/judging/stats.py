"""The statistics of a comparison: arrays in, numbers out. No tables, no files, no clock, no global state.

`differences` are paired log differences, treatment − baseline, one a seed: [pairs]. Lower loss is better, so a negative
difference favours the treatment. Own code is used only where SciPy has nothing.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

Array = NDArray[np.float64]
Verdict = Literal["helps", "hurts", "equivalent", "undecided", "no data"]

_MOST_WALSH = 5_000
_ROUNDING = 1e-9  # of a margin: a spread so small is that of logarithms that were rounded


class Interval(NamedTuple):
    """A mean and its two-sided confidence interval."""

    mean: float
    low: float
    high: float


def log_losses(losses: ArrayLike, floor: float) -> Array:
    """Natural logarithm of losses of any shape, raised to `floor` first; NaN where a loss is not finite."""
    values = np.asarray(losses, dtype=np.float64)
    return np.log(np.maximum(np.where(np.isfinite(values), values, np.nan), floor))


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


def corrected_interval(differences: Array, level: float, test_per_train: float) -> Interval:
    """`t_interval` of [n] differences over n random splits of one data set, corrected to hold for its population.

    The splits share their rows, so their differences are correlated, by about n_test / (n_test + n_train) (Nadeau &
    Bengio 2003): the variance of their mean is (1/n + n_test/n_train) s², however many splits there are.

    Args:
        differences: paired, one a split.
        level: of the interval.
        test_per_train: n_test/n_train.
    """
    plain, n = t_interval(differences, level), len(differences)
    half = (plain.high - plain.mean) * math.sqrt(1 + n * test_per_train)
    return Interval(plain.mean, plain.mean - half, plain.mean + half)


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


def holm(p_values: ArrayLike) -> Array:
    """Holm's (1979) adjusted p-values, [tests]; NaN (nothing to test) stays NaN and counts as no test.

    Not statsmodels', which collects garbage at every call: the A/A control adjusts some thousand times.
    """
    adjusted = np.array(p_values, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(adjusted))
    order = tested[np.argsort(adjusted[tested], kind="stable")]
    steps = adjusted[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.maximum.accumulate(steps).clip(max=1)
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> Array:
    """Benjamini & Hochberg's (1995) adjusted p-values, [tests], which bound the rate of false discoveries."""
    adjusted = np.array(p_values, dtype=np.float64)
    tested = ~np.isnan(adjusted)
    adjusted[tested] = stats.false_discovery_control(adjusted[tested]) if tested.any() else np.nan
    return adjusted


def equivalence(differences: Array, margin: float) -> float:
    """P of two one-sided t tests (Schuirmann 1987) that the mean difference lies within ± `margin`.

    NaN for n < 2. Below α where the 1 − 2α interval lies inside the margin; but differences that are all equal, up to
    rounding, show no spread, and count as no more than that many fair coins on the same side, 1/2^n.
    """
    n = len(differences)
    if n < 2:
        return math.nan
    mean, error = float(differences.mean()), float(differences.std(ddof=1)) / math.sqrt(n)
    room = margin - abs(mean)
    if error <= _ROUNDING * margin:
        return 0.5**n if room > 0 else 1.0
    return float(special.stdtr(n - 1, -room / error))


def hodges_lehmann(differences: Array, level: float) -> Interval:
    """Median of the Walsh averages (Hodges & Lehmann 1963), and the interval that inverts the signed-rank test.

    The limits are Walsh averages by the exact null distribution of the statistic up to 50 pairs, by its normal
    approximation above (Hollander & Wolfe 1999, section 3.2). NaN limits where no interval of this level is that
    short of pairs; NaN for none, or for more than 5,000, whose averages would fill the memory.
    """
    n = len(differences)
    if not 0 < n <= _MOST_WALSH:
        return Interval(math.nan, math.nan, math.nan)
    first, second = np.triu_indices(n)
    walsh = np.sort((differences[first] + differences[second]) / 2)
    outside = _signed_rank_quantile(n, (1 - level) / 2)
    middle = float(np.median(walsh))
    if outside < 0:
        return Interval(middle, math.nan, math.nan)
    return Interval(middle, float(walsh[outside]), float(walsh[len(walsh) - 1 - outside]))


def wilcoxon(differences: Array) -> float:
    """Two-sided p of Wilcoxon's (1945) signed-rank test; NaN for no pairs, 1 where all differences are 0."""
    if not len(differences):
        return math.nan
    return float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0


def pitman_morgan(baseline: Array, treatment: Array) -> tuple[float, float]:
    """Ratio of the arms' standard deviations, treatment to baseline, and the p of their equality in paired samples.

    The test is that of the correlation of sums and differences (Pitman 1939; Morgan 1939). NaN for n < 3, and no p
    where sums or differences do not vary.
    """
    if len(baseline) < 3 or not _varies(baseline):
        return math.nan, math.nan
    ratio = float(treatment.std(ddof=1) / baseline.std(ddof=1))
    sums, differences = treatment + baseline, treatment - baseline
    if not (_varies(sums) and _varies(differences)):
        return ratio, math.nan
    return ratio, float(stats.pearsonr(sums, differences).pvalue)


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


def share(count: float, total: int, level: float) -> Interval:
    """A share with Wilson's (1927) interval; NaN for a total of 0.

    Not SciPy's, which takes whole counts alone: a tie is half a win.
    """
    if total == 0:
        return Interval(math.nan, math.nan, math.nan)
    mean, z = float(count / total), float(stats.norm.isf((1 - level) / 2))
    shrunk = 1 + z**2 / total
    centre = (mean + z**2 / (2 * total)) / shrunk
    half = z * math.sqrt(mean * (1 - mean) / total + z**2 / (4 * total**2)) / shrunk
    # Except for rounding, the limits lie within 0 and 1, and on either side of the share.
    return Interval(mean, min(max(centre - half, 0.0), mean), max(min(centre + half, 1.0), mean))


def win_rate(differences: Array, level: float) -> Interval:
    """Share of pairs in which the treatment's loss is lower, ties counting half, with its interval."""
    wins = (differences < 0).sum() + (differences == 0).sum() / 2
    return share(float(wins), len(differences), level)


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


def mcnemar_exact(baseline_alone: int, treatment_alone: int) -> float:
    """Exact two-sided p of McNemar's (1947) test on the counts of the discordant pairs."""
    fewer, discordant = min(baseline_alone, treatment_alone), baseline_alone + treatment_alone
    return min(1.0, float(2 * stats.binom.cdf(fewer, discordant, 0.5)))


def signed_ranks(baseline: tuple[Array, Array], treatment: tuple[Array, Array]) -> Array:
    """Signed ranks of the pairs' differences where some costs are known by bounds alone, [pairs].

    Of each pair counts the smallest difference that is certain, 0 where either trial may be the better one; ranks are
    of the absolute differences, tied ones sharing their mean. A diverged trial is worse than any other (the worst-rank
    analysis of Lachin 1999, for pairs), and two diverged trials tie.

    Args:
        baseline: lower and upper bounds of its costs, [pairs] each: equal where a cost was measured, infinite where
            nothing bounds it, both infinite of a diverged trial.
        treatment: the same.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        least, most = treatment[0] - baseline[1], treatment[1] - baseline[0]
    certain = np.where(least > 0, least, np.where(most < 0, most, 0.0))
    ranks: Array = np.sign(certain) * stats.rankdata(np.abs(certain))
    return ranks


def verdict(adjusted_p: float, difference: Interval, equivalence_p: float, alpha: float) -> Verdict:
    """Helps, hurts, equivalent or undecided.

    Args:
        adjusted_p: of the family of contexts.
        difference: mean difference of the costs, treatment − baseline, with the 1 − α interval that holds for the whole
            family. Lower costs are better.
        equivalence_p: of two one-sided tests on the margin, adjusted for the family.
        alpha: error rate.
    """
    if adjusted_p < alpha and difference.high < 0:
        return "helps"
    if adjusted_p < alpha and difference.low > 0:
        return "hurts"
    return "equivalent" if equivalence_p < alpha else "undecided"


def verdict_of_ranks(adjusted_p: float, ranks: Array, difference: Interval, alpha: float) -> Verdict:
    """The verdict where trials diverged or were not measured: `adjusted_p` is of the mean of `signed_ranks`.

    `difference` is conditional on the pairs that were measured in both arms. Where it points clearly the other way,
    nothing is decided: one arm diverges more, the other is worse when it does not. Nothing is equivalent by ranks.
    """
    direction = float(ranks.sum())
    if adjusted_p < alpha and direction < 0 and not difference.low > 0:
        return "helps"
    if adjusted_p < alpha and direction > 0 and not difference.high < 0:
        return "hurts"
    return "undecided"


def percentile(values: Array, value: float) -> float:
    """Where `value` lies among `values`, 0 to 100; equal ones count half."""
    return float(stats.percentileofscore(values, value, kind="mean"))


def _varies(values: Array) -> bool:
    """Whether the values differ by more than rounding."""
    return bool(values.std() > 1e-12 * np.abs(values).max())


def _signed_rank_quantile(n: int, tail: float) -> int:
    """How many Walsh averages may lie outside at each end: the largest k with P(W ≤ k) ≤ `tail`, else −1."""
    if n > 50:
        mean, spread = n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return math.floor(mean + float(stats.norm.ppf(tail)) * spread - 0.5)
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1  # of no rank being positive; then each rank is or is not
    for rank in range(1, n + 1):
        ways[rank:] += ways[:-rank].copy()
    return int(np.searchsorted(np.cumsum(ways) / 2.0**n, tail, side="right")) - 1
