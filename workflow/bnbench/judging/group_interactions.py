"""Does the effect on independent groups of runs depend on the context? Weighted sums of means that share no run.

The rows, their weights and the columns are those of `interactions`. A seed has no contrast here, so each row
is judged by Welch's t with Satterthwaite's degrees of freedom for a sum of independent means. Permutations would test
another hypothesis: that no context has an effect, not that effects are equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bnbench.judging import (
    edges,
    group_rows,
    heterogeneity,
    interactions,
    permutations,
    stats,
    two_samples,
    verdict_rows,
)
from bnbench.judging.groups import Groups
from bnbench.judging.stats import Array, Interval
from bnbench.judging.two_samples import Estimate
from bnbench.plan.study import Study
from bnbench.vocabulary import MAIN_EFFECT


@dataclass(frozen=True)
class _Row:
    """A row before it is judged."""

    names: Mapping[str, Any]
    runs: int
    """The fewest runs that were measured of an arm in a context."""
    estimate: Estimate
    """Of differences of costs."""
    smallest_p: float
    more: Mapping[str, Any]


def table(study: Study, contrasts: Sequence[Groups], verdicts: Sequence[str]) -> pd.DataFrame:
    """The main effect of each comparison, and how its effect depends on every other factor that has several levels.

    As `interactions.table` has it, over the measured runs of all contexts; `pairs` is the fewest of them in an arm of a
    context. All rows are one family, adjusted by Holm, with Bonferroni's limits.

    Args:
        study: the study.
        contrasts: of all comparisons in all contexts.
        verdicts: those on the contrasts.
    """
    rows: list[_Row] = []
    for arms in study.comparisons:
        own = [index for index, contrast in enumerate(contrasts) if contrast.arms == arms]
        rows += _rows(study, [contrasts[index] for index in own], [verdicts[index] for index in own])
    found = [
        {**row.names, "pairs": row.runs, **judged, **row.more}
        for row, judged in zip(rows, _judged(study, rows), strict=True)
    ]
    return interactions.widened(pd.DataFrame(found, columns=interactions.COLUMNS))


def smallest_p(groups: Sequence[tuple[Array, Array]]) -> float:
    """No p is reported below the smallest that all permutations within the contexts could give.

    Args:
        groups: what is compared in each context.
    """
    shares = [permutations.smallest_p(len(baseline), len(treated)) for baseline, treated in groups]
    return max(math.prod(shares), float(np.finfo(np.float64).tiny))


def _rows(study: Study, contrasts: Sequence[Groups], verdicts: Sequence[str]) -> list[_Row]:
    if len(contrasts) < 2:
        return []
    contexts = [contrast.labels for contrast in contrasts]
    arms = {name: contexts[0][name] for name in ("baseline", "treatment")}
    means, errors = np.array([contrast.difference[:2] for contrast in contrasts], np.float64).T
    new = heterogeneity.of_means(means, errors, 1 - study.report.alpha)
    _, low, high = verdict_rows.shown(study.outcome, Interval(np.nan, new.low, new.high))
    diverged = {"diverged": sum(sum(contrast.diverged) for contrast in contrasts)}
    of_all = {**diverged, **interactions.counts(verdicts), "prediction_low": low, "prediction_high": high}
    runs = min(len(values) for contrast in contrasts for values in contrast.values)
    return [
        _Row(
            {**arms, **names},
            runs,
            _summed(contrasts, weights),
            smallest_p([each.values for each, weight in zip(contrasts, weights, strict=True) if weight]),
            of_all if names["factor"] == MAIN_EFFECT else diverged,
        )
        for names, weights in interactions.weights(study, contexts)
    ]


def _summed(contrasts: Sequence[Groups], weights: Array) -> Estimate:
    """The weighted sum of the contexts' differences."""
    parts = [
        (sign * float(weight), values)
        for contrast, weight in zip(contrasts, weights, strict=True)
        if weight
        for sign, values in zip((-1.0, 1.0), contrast.values, strict=True)
    ]
    return two_samples.combined(parts)


def _judged(study: Study, rows: Sequence[_Row]) -> list[dict[str, Any]]:
    """The numbers of all rows as one family."""
    p_values = [max(row.estimate.p, row.smallest_p) if row.runs > 1 else math.nan for row in rows]
    adjusted = stats.holm(p_values).tolist()
    family = sum(not math.isnan(p) for p in p_values)
    found = []
    for row, p, p_adjusted in zip(rows, p_values, adjusted, strict=True):
        costs = row.estimate.interval(1 - study.report.alpha / max(family, 1))
        effect = dict(zip(("effect", "low", "high"), verdict_rows.shown(study.outcome, costs), strict=True))
        numbers = {"p": p, "p_adjusted": p_adjusted, "family": family, "adjustment": group_rows.ADJUSTMENT}
        half = (costs.high - costs.low) / 2
        test = edges.MeanTest(*row.estimate[:2], row.estimate.freedom + 1, p, p_adjusted, half, row.smallest_p)
        found.append({**effect, **numbers, "edge_effect": edges.of_effect(test, study.report.alpha)})
    return found
