"""All contexts taken together, in the manner of Agarwal et al. (2021): descriptions, which decide nothing.

The contexts are fixed strata and share their seeds, so the bootstrap draws seeds and takes each with all its contexts.
What it says holds for these contexts, not for others. The library of that paper resamples each context separately,
which would take what a seed does to all contexts alike for independent evidence; so these few lines are written here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from bnbench.judging import heterogeneity, interactions, verdict_rows
from bnbench.judging.stats import Array, Interval
from bnbench.judging.verdicts import Contrast
from bnbench.plan.study import Study
from bnbench.vocabulary import SEVERAL

DRAWS = 2_000
"""Bootstrap samples of the seeds."""

THRESHOLDS = 101
"""Effects at which a performance profile is taken, at most, apart from no effect."""

_AT_ONCE = 100  # samples that are in memory together
_CUT = 0.25  # of the runs at either end, of an interquartile mean

AGGREGATE = [
    *("baseline", "treatment", "contexts", *interactions.COUNTED, "contexts_undecided", "pairs"),
    *("iqm", "low", "high", "improvement", "improvement_low", "improvement_high"),
    *("effect_lowest", "effect_highest", "tau", "i_squared"),
]
PROFILE = ["baseline", "treatment", "threshold", "reached", "low", "high"]
"""Of the two tables."""


def tables(study: Study, contrasts: Sequence[Contrast], verdicts: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The tables `aggregate` and `profile`; without rows of comparisons that occur in fewer than three contexts.

    Args:
        study: the study.
        contrasts: of all comparisons in all contexts.
        verdicts: those on the contrasts.
    """
    rows: list[dict[str, Any]] = []
    profiles: list[pd.DataFrame] = []
    for arms in study.comparisons:
        places = interactions.of_arms(contrasts, arms)
        if len(places) < SEVERAL:
            continue
        own, judged = [contrasts[index] for index in places], [verdicts[index] for index in places]
        drawn, ordered = _runs(own)
        arms_of = dict(zip(("baseline", "treatment"), arms, strict=True))
        rows.append(
            {
                **arms_of,
                **interactions.counts(judged),
                "pairs": drawn.shape[1],
                **_numbers(study, own, drawn, ordered=ordered),
            }
        )
        profiles.append(_profile(study, drawn).assign(**arms_of))
    profile = pd.concat(profiles, ignore_index=True)[PROFILE] if profiles else pd.DataFrame(columns=PROFILE)
    return {"aggregate": pd.DataFrame(rows, columns=AGGREGATE), "profile": profile}


def interquartile_mean(runs: Array) -> Array:
    """Mean of the middle half of all runs, of [..., contexts, seeds]: a quarter of them is cut off at either end."""
    flat = runs.reshape(*runs.shape[:-2], -1)
    with np.errstate(invalid="ignore"):  # of runs that are infinitely good and others that are infinitely bad
        return np.asarray(stats.trim_mean(flat, _CUT, axis=-1), np.float64)


def improvement(runs: Array) -> Array:
    """Share of the runs in which the treatment is better, ties counting half, of [..., contexts, seeds]."""
    return np.asarray(((runs < 0) + 0.5 * (runs == 0)).mean((-2, -1)), np.float64)


def by_seeds(runs: Array, statistic: Callable[[Array], Array], level: float) -> tuple[Array, Array]:
    """Limits of a statistic of the runs, [contexts, seeds] or else by seed, by the bootstrap over seeds.

    Percentiles, expanded so that few seeds do not make them too narrow (Hesterberg 2015): for the mean of n normal
    values, those of the plain bootstrap lack the factor √(n/(n − 1)) and Student's quantile. NaN for fewer than two.
    """
    seeds = runs.shape[1]
    if seeds < 2:
        nothing = np.full(np.shape(statistic(runs)) if seeds else (), math.nan)
        return nothing, nothing
    generator = np.random.default_rng(0)  # the same runs have the same limits
    drawn = np.concatenate(
        [
            statistic(np.moveaxis(runs[:, generator.integers(seeds, size=(_AT_ONCE, seeds))], 1, 0))
            for _ in range(DRAWS // _AT_ONCE)
        ]
    )
    quantile = math.sqrt(seeds / (seeds - 1)) * float(special.stdtrit(seeds - 1, (1 + level) / 2))
    tail = float(special.ndtr(-quantile))
    # Without interpolation: there is nothing between a run that diverged and others.
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
    return low, high


def _runs(contrasts: Sequence[Contrast]) -> tuple[Array, bool]:
    """Differences of costs over the seeds that all contexts have, [contexts, seeds], and whether all are in order.

    A run of which the treatment diverged is worse than any other, +∞; of which the baseline did, better, −∞; of which
    both did, 0. Of costs that are known by bounds alone counts the smallest difference that is certain. Runs are not in
    order if such bounds or two diverged trials are among them: then they have shares, but no mean of the middle.
    """
    seeds = reduce(np.intersect1d, [contrast.seeds for contrast in contrasts])
    rows, ordered = [], True
    for contrast in contrasts:
        place = np.searchsorted(contrast.seeds, seeds)
        baseline, treated = (np.nan_to_num(arm, nan=math.inf)[place] for arm in (contrast.baseline, contrast.treated))
        certain = np.sign(contrast.ranks[place])
        with np.errstate(invalid="ignore"):
            difference = treated - baseline
        rows.append(np.where(np.sign(difference) == certain, difference, 0.0))
        both = np.isinf(baseline) & np.isinf(treated)
        ordered &= not (both | contrast.known[:, place].any(0)).any()
    return np.stack(rows), ordered


def _numbers(study: Study, contrasts: Sequence[Contrast], runs: Array, *, ordered: bool) -> dict[str, float]:
    """The statistics of one comparison."""
    level = 1 - study.report.alpha
    seeds = runs.shape[1]
    whole = seeds > 0 and ordered
    middle = float(interquartile_mean(runs)) if whole else math.nan
    limits = map(float, by_seeds(runs, interquartile_mean, level)) if whole else (math.nan, math.nan)
    iqm = verdict_rows.shown(study.outcome, Interval(middle, *limits))
    better = float(improvement(runs)) if seeds else math.nan
    better_low, better_high = (float(limit) for limit in by_seeds(runs, improvement, level))
    if better_low == better_high:  # all seeds say the same, from which no sample of them can differ
        better_low = better_high = math.nan
    means = [float(contrast.differences.mean()) for contrast in contrasts if len(contrast.differences)] or [math.nan]
    extremes = sorted(study.outcome.shown(mean) for mean in (min(means), max(means)))
    found = heterogeneity.between(interactions.shared(contrasts)[1], level)
    return {
        **dict(zip(("iqm", "low", "high"), iqm, strict=True)),
        "improvement": better,
        "improvement_low": better_low,
        "improvement_high": better_high,
        "effect_lowest": extremes[0],
        "effect_highest": extremes[1],
        "tau": found.tau,
        "i_squared": found.i_squared,
    }


def _profile(study: Study, runs: Array) -> pd.DataFrame:
    """The performance profile (Dolan & Moré 2002): the share of runs with a cost difference of at most a threshold.

    At the runs themselves, or as many of their quantiles as fit, and at no difference.
    """
    level = 1 - study.report.alpha
    finite = runs[np.isfinite(runs)]
    if not len(finite):
        return pd.DataFrame(columns=PROFILE)
    at = np.quantile(finite, np.linspace(0, 1, min(THRESHOLDS, len(finite))), method="inverted_cdf")
    thresholds = np.unique(np.append(at, 0.0))
    # Of each seed the share of its contexts, [thresholds, seeds].
    reached = (runs <= thresholds[:, None, None]).mean(1)
    low, high = by_seeds(reached, lambda drawn: drawn.mean(-1), level)
    columns = {"threshold": study.outcome.shown(thresholds), "reached": reached.mean(1), "low": low, "high": high}
    return pd.DataFrame(columns).sort_values("threshold", ignore_index=True)
