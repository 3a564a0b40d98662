"""Does the effect depend on the context? Each seed's own contrast of its contexts, then one test over the seeds.

Exact for a balanced grid, without an assumption on how contexts are correlated. Two contexts are never called different
because one has a verdict and the other has not (Gelman & Stern 2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench.judging import edges, heterogeneity, sign_flips, verdict_rows
from bnbench.judging.stats import Array, Interval
from bnbench.judging.verdicts import Contrast
from bnbench.plan.study import Study
from bnbench.vocabulary import DOUBLING, MAIN_EFFECT

COUNTED = {"contexts_helped": "helps", "contexts_hurt": "hurts", "contexts_equivalent": "equivalent"}
"""Column → the verdict that it counts; contexts with any other are undecided."""

_NAMES = ["baseline", "treatment", "factor", "level", "against"]
_COUNTS = ["contexts", *COUNTED, "contexts_undecided"]
_JUDGED = ["effect", "low", "high", "p", "p_adjusted", "adjustment", "family", "edge_effect"]
COLUMNS = [*_NAMES, "pairs", "diverged", *_JUDGED, *_COUNTS, "prediction_low", "prediction_high"]
"""Of the table."""


@dataclass(frozen=True)
class _Row:
    """A row before it is judged."""

    names: Mapping[str, Any]
    seeds: NDArray[np.int64]
    """Those that were measured in all contexts of the comparison."""
    values: Array
    """Each seed's own contrast of its contexts, [seeds]: of differences of costs."""
    more: Mapping[str, Any]


def table(study: Study, contrasts: Sequence[Contrast], verdicts: Sequence[str]) -> pd.DataFrame:
    """The main effect of each comparison, and how its effect depends on every other factor that has several levels.

    `effect` is that on the outcome for the main effect; else what multiplies a ratio, or is added to a difference, per
    doubling of the batch, or from the first level of a factor to another. It is over the seeds that were measured in
    all contexts; `diverged` counts the trials whose seeds are left out for that. All rows are one family. With the main
    effect come the number of contexts by their verdicts, and where there are three or more the interval in which the
    effect in a further context would lie, at least as wide as that of the mean.

    Args:
        study: the study.
        contrasts: of all comparisons in all contexts.
        verdicts: those on the contrasts.
    """
    rows: list[_Row] = []
    for arms in study.comparisons:
        own = of_arms(contrasts, arms)
        rows += _rows(study, [contrasts[index] for index in own], [verdicts[index] for index in own])
    judged = _judged(study, rows)
    found = [{**row.names, "pairs": len(row.seeds), **its, **row.more} for row, its in zip(rows, judged, strict=True)]
    return widened(pd.DataFrame(found, columns=COLUMNS))


def widened(table: pd.DataFrame) -> pd.DataFrame:
    """The table; what a further context may show in it is no more certain than the mean of those that there are."""
    return table.assign(
        prediction_low=table[["prediction_low", "low"]].min(axis=1, skipna=False),
        prediction_high=table[["prediction_high", "high"]].max(axis=1, skipna=False),
    )


def counts(verdicts: Sequence[str]) -> dict[str, int]:
    """How many contexts there are, and how many of each verdict."""
    counted = {name: verdicts.count(verdict) for name, verdict in COUNTED.items()}
    return {"contexts": len(verdicts), **counted, "contexts_undecided": len(verdicts) - sum(counted.values())}


def of_arms(contrasts: Sequence[Contrast], arms: tuple[str, str]) -> list[int]:
    """Places of the contrasts between two arms, in an order that follows from their labels alone.

    So no sum over contexts depends on the order of factors and levels in a study, not even in its last digit.
    """
    own = [index for index, contrast in enumerate(contrasts) if contrast.arms == arms]
    return sorted(own, key=lambda index: sorted(contrasts[index].labels.items()))


def shared(contrasts: Sequence[Contrast]) -> tuple[NDArray[np.int64], Array]:
    """The seeds that were measured in all contexts, and their differences of costs, [contexts, seeds]."""
    measured = [contrast.seeds[contrast.measured] for contrast in contrasts]
    seeds = reduce(np.intersect1d, measured)
    values = [
        contrast.differences[np.searchsorted(own, seeds)] for contrast, own in zip(contrasts, measured, strict=True)
    ]
    return seeds, np.stack(values)


def _rows(study: Study, contrasts: Sequence[Contrast], verdicts: Sequence[str]) -> list[_Row]:
    if len(contrasts) < 2:
        return []
    seeds, differences = shared(contrasts)
    contexts = [contrast.labels for contrast in contrasts]
    arms = {name: contexts[0][name] for name in ("baseline", "treatment")}
    new = heterogeneity.between(differences, 1 - study.report.alpha)
    _, low, high = verdict_rows.shown(study.outcome, Interval(np.nan, new.low, new.high))
    diverged = {"diverged": sum(sum(contrast.diverged) for contrast in contrasts)}
    of_all = {**diverged, **counts(verdicts), "prediction_low": low, "prediction_high": high}
    return [
        _Row({**arms, **names}, seeds, weight @ differences, of_all if names["factor"] == MAIN_EFFECT else diverged)
        for names, weight in weights(study, contexts)
    ]


def _judged(study: Study, rows: Sequence[_Row]) -> list[dict[str, Any]]:
    """The numbers of all rows as one family, by joint flips; a row may lack seeds that others have."""
    if not rows:
        return []
    values = sign_flips.aligned([row.seeds for row in rows], [row.values for row in rows])
    draws = sign_flips.draws(study.report.alpha)
    p_values = sign_flips.max_t(values, draws)
    limits = sign_flips.simultaneous(values, 1 - study.report.alpha, draws)
    family = sum(bool(len(row.seeds)) for row in rows)
    found = []
    for place, row in enumerate(rows):
        mean = float(row.values.mean()) if len(row.values) else np.nan
        costs = Interval(mean, float(limits.low[place]), float(limits.high[place]))
        numbers = {"p": float(p_values.alone[place]), "p_adjusted": float(p_values.adjusted[place]), "family": family}
        effect = dict(zip(("effect", "low", "high"), verdict_rows.shown(study.outcome, costs), strict=True))
        test = edges.mean_test(row.values, numbers["p"], numbers["p_adjusted"], (costs.high - costs.low) / 2)
        edge = {"edge_effect": edges.of_effect(test, study.report.alpha)}
        found.append({**effect, **numbers, "adjustment": verdict_rows.ADJUSTMENT, **edge})
    return found


def weights(study: Study, contexts: Sequence[Mapping[str, str]]) -> list[tuple[dict[str, str], Array]]:
    """What each row is called, and the weights of the contexts in it, [contexts]."""
    found = [({"factor": MAIN_EFFECT, "level": "", "against": ""}, np.full(len(contexts), 1 / len(contexts)))]
    for factor in study.varied():
        levels = np.array([context[factor] for context in contexts])
        if study.doubles(factor):
            slope = _slope(study, contexts)
            found += [({"factor": factor, "level": DOUBLING, "against": ""}, slope)] if slope.any() else []
            continue
        first, *others = (level for level in study.levels[factor] if level in levels)
        for level in others:
            weights = _between(contexts, factor, first, level)
            found += [({"factor": factor, "level": level, "against": first}, weights)] if weights.any() else []
    return found


def _between(contexts: Sequence[Mapping[str, str]], factor: str, first: str, level: str) -> Array:
    """Weights of the difference between two levels of a factor, over the contexts that have both of them.

    All contexts count, if every comparison occurs in every context.
    """
    others = np.array(["|".join(label for name, label in context.items() if name != factor) for context in contexts])
    levels = np.array([context[factor] for context in contexts])
    both = np.isin(others, np.intersect1d(others[levels == first], others[levels == level]))
    signs = np.where(both, (levels == level) * 1.0 - (levels == first), 0.0)
    return signs / max(1, int((signs > 0).sum()))


def _slope(study: Study, contexts: Sequence[Mapping[str, str]]) -> Array:
    """Weights whose sum with the effects is their least-squares slope over log2 of the batch size.

    Within each combination of the other factors, so that these do not count, then the mean of the slopes; zero where
    all batches are of one size.
    """
    logs = np.log2([study.examples(context) for context in contexts])
    others = ["|".join(label for name, label in context.items() if name != "batch_size") for context in contexts]
    weights, slopes = np.zeros(len(contexts)), 0
    for cell in dict.fromkeys(others):
        members = np.flatnonzero(np.array(others) == cell)
        centred = logs[members] - logs[members].mean()
        if centred.any():
            weights[members] = centred / (centred**2).sum()
            slopes += 1
    return weights / max(slopes, 1)
