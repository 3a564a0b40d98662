"""All contexts of independent groups taken together: descriptions, which decide nothing.

What `aggregate` says about pairs, this says about all differences between a run of the treatment and one of the
baseline in the same context; each context counts alike, whatever its number of runs. The probability of improvement is
that of Agarwal et al. (2021): the mean of the contexts' probabilities of superiority.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from bnbench.judging import aggregate, heterogeneity, interactions, permutations, two_samples, verdict_rows
from bnbench.judging.groups import Groups
from bnbench.judging.stats import Array, Interval
from bnbench.plan.study import Study
from bnbench.vocabulary import SEVERAL

_CELLS = 10_000  # differences of a bootstrap sample, above which groups are stood for by their quantiles
_AT_ONCE = 100  # samples that are in memory together
_CUT = 0.25  # at either end, of an interquartile mean


def tables(study: Study, contrasts: Sequence[Groups], verdicts: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The tables `aggregate` and `profile`, in the columns that pairs have; `pairs` is the fewest runs of an arm.

    Without rows of comparisons that occur in fewer than three contexts.

    Args:
        study: the study.
        contrasts: of all comparisons in all contexts.
        verdicts: those on the contrasts.
    """
    rows: list[dict[str, Any]] = []
    profiles: list[pd.DataFrame] = []
    for arms in study.comparisons:
        places = [index for index, contrast in enumerate(contrasts) if contrast.arms == arms]
        if len(places) < SEVERAL:
            continue
        own, judged = [contrasts[index] for index in places], [verdicts[index] for index in places]
        arms_of = dict(zip(("baseline", "treatment"), arms, strict=True))
        fewest = min(min(contrast.runs) for contrast in own)
        rows.append({**arms_of, **interactions.counts(judged), "pairs": fewest, **_numbers(study, own)})
        profiles.append(_profile(study, own).assign(**arms_of))
    profile = pd.concat(profiles, ignore_index=True)[aggregate.PROFILE] if profiles else None
    return {
        "aggregate": pd.DataFrame(rows, columns=aggregate.AGGREGATE),
        "profile": pd.DataFrame(columns=aggregate.PROFILE) if profile is None else profile,
    }


def interquartile_mean(differences: Sequence[Array]) -> Array:
    """Mean of the middle half of the differences of all contexts, of [..., differences] each: [...].

    Each context has the same weight, shared by its differences; of those at the ends of the half counts what is in it.
    """
    values = np.concatenate(differences, axis=-1)
    weights = np.concatenate([np.full(part.shape, 1 / part.shape[-1] / len(differences)) for part in differences], -1)
    order = np.argsort(values, axis=-1)
    values = np.take_along_axis(values, order, -1)
    ends = np.cumsum(np.take_along_axis(weights, order, -1), axis=-1)
    inside = np.diff(ends.clip(_CUT, 1 - _CUT), axis=-1, prepend=_CUT)
    with np.errstate(invalid="ignore"):  # of runs that are infinitely good and others that are infinitely bad
        return np.asarray(np.where(inside > 1e-12, values * inside, 0.0).sum(-1) / inside.sum(-1), np.float64)


def share(flags: Sequence[Array], level: float) -> Interval:
    """The mean over contexts of the share of pairs of runs of which something holds, with its interval.

    By the shares of each run, which are Brunner & Munzel's (2000) placements, with Satterthwaite's degrees of freedom.

    Args:
        flags: of each context, [runs of the treatment, runs of the baseline]: 1 where it holds, or a part of that.
        level: of the interval.
    """
    mean = float(np.mean([each.mean() for each in flags]))
    parts = [(1 / len(flags), each.mean(axis)) for each in flags for axis in (0, 1)]
    _, low, high = two_samples.combined(parts)._replace(mean=mean).interval(level)
    return Interval(mean, max(low, 0.0), min(high, 1.0))


def _numbers(study: Study, contrasts: Sequence[Groups]) -> dict[str, float]:
    """The statistics of one comparison."""
    level = 1 - study.report.alpha
    whole = all(all(contrast.runs) for contrast in contrasts)
    iqm = verdict_rows.shown(study.outcome, _middle(contrasts, level) if whole else _NOTHING)
    better = share([(each < 0) + 0.5 * (each == 0) for each in map(_certain, contrasts)], level) if whole else _NOTHING
    if better.low == better.high:  # all runs say the same, from which no sample of them can differ
        better = better._replace(low=math.nan, high=math.nan)
    means, errors = np.array([contrast.difference[:2] for contrast in contrasts], np.float64).T
    known = means[~np.isnan(means)].tolist() or [math.nan]
    extremes = sorted(study.outcome.shown(mean) for mean in (min(known), max(known)))
    found = heterogeneity.of_means(means, errors, level)
    return {
        **dict(zip(("iqm", "low", "high"), iqm, strict=True)),
        **dict(zip(("improvement", "improvement_low", "improvement_high"), better, strict=True)),
        "effect_lowest": extremes[0],
        "effect_highest": extremes[1],
        "tau": found.tau,
        "i_squared": found.i_squared,
    }


_NOTHING = Interval(math.nan, math.nan, math.nan)


def _certain(contrast: Groups) -> Array:
    """Differences of costs that are certain, [runs of the treatment, runs of the baseline]; 0 of those that are not.

    A treatment's run that diverged is worse than any other, +∞; a baseline's, better, −∞; two diverged ones tie.
    """
    (base_low, base_high), (low, high) = contrast.bounds()
    baseline, treated = _worst(contrast.baseline), _worst(contrast.treated)
    with np.errstate(invalid="ignore"):
        differences = treated[:, None] - baseline
    certain = (low[:, None] > base_high) | (high[:, None] < base_low)
    return np.where(certain, differences, 0.0)


def _middle(contrasts: Sequence[Groups], level: float) -> Interval:
    """The interquartile mean, and its limits by the bootstrap over the runs within each context and arm.

    None where differences are not in order: if bounds are among them, or diverged runs of both arms. Percentiles,
    expanded for few runs as those of `aggregate` are, with the degrees of freedom of all runs together.
    """
    if any(all(contrast.diverged) or contrast.known[0].any() or contrast.known[1].any() for contrast in contrasts):
        return _NOTHING
    arms = [(_worst(contrast.baseline), _worst(contrast.treated)) for contrast in contrasts]
    middle = float(interquartile_mean([_differences(*pair) for pair in arms]))
    sizes = [contrast.runs for contrast in contrasts]
    if any(permutations.too_few(*runs) for runs in sizes):
        return Interval(middle, math.nan, math.nan)
    fewest, freedom = min(map(min, sizes)), sum(map(sum, sizes)) - 2 * len(sizes)
    most = math.isqrt(_CELLS // len(arms))
    generator = np.random.default_rng(0)  # the same runs have the same limits
    drawn = np.concatenate(
        [
            interquartile_mean([_differences(*(_drawn(arm, most, generator) for arm in pair)) for pair in arms])
            for _ in range(aggregate.DRAWS // _AT_ONCE)
        ]
    )
    quantile = math.sqrt(fewest / (fewest - 1)) * float(special.stdtrit(freedom, (1 + level) / 2))
    tail = float(special.ndtr(-quantile))
    # Without interpolation: there is nothing between a run that diverged and others.
    low, high = np.quantile(drawn, [tail, 1 - tail], method="inverted_cdf").tolist()
    return Interval(middle, low, high)


def _drawn(costs: Array, most: int, generator: np.random.Generator) -> Array:
    """Samples of the runs with replacement, [samples, runs], or as many quantiles of each as a sample may have."""
    runs = len(costs)
    drawn = costs[generator.integers(runs, size=(_AT_ONCE, runs))]
    if runs <= most:
        return drawn
    return np.sort(drawn, axis=1)[:, ((np.arange(most) + 0.5) * runs / most).astype(np.intp)]


def _differences(baseline: Array, treated: Array) -> Array:
    """All differences of the runs of two arms, of [..., runs] each: [..., differences]."""
    found = treated[..., :, None] - baseline[..., None, :]
    return found.reshape(*found.shape[:-2], -1)


def _worst(costs: Array) -> Array:
    return np.asarray(np.nan_to_num(costs, nan=math.inf), np.float64)


def _profile(study: Study, contrasts: Sequence[Groups]) -> pd.DataFrame:
    """The performance profile (Dolan & Moré 2002): the share of pairs of runs with at most a difference of costs.

    At quantiles of the differences, and at no difference.
    """
    found = [_certain(contrast) for contrast in contrasts]
    every = np.concatenate([differences.ravel() for differences in found])
    finite = every[np.isfinite(every)]
    if not all(all(contrast.runs) for contrast in contrasts) or not len(finite):
        return pd.DataFrame(columns=aggregate.PROFILE)
    count = min(aggregate.THRESHOLDS, len(finite))
    thresholds = np.unique(np.append(np.quantile(finite, np.linspace(0, 1, count), method="inverted_cdf"), 0.0))
    level = 1 - study.report.alpha
    shares = np.array([share([each <= at for each in found], level) for at in thresholds], np.float64)
    reached, low, high = shares.T
    columns = {"threshold": study.outcome.shown(thresholds), "reached": reached, "low": low, "high": high}
    return pd.DataFrame(columns).sort_values("threshold", ignore_index=True)
