"""Three arms or more of independent runs: every arm against every other, and the ranks of all. Exploratory.

The counterpart of `ranks`, for arms that share no seeds. Runs of two arms are independent, so the mean rank of an
arm is the one that it would have on average if a run of each arm were drawn in a context: 1, and for every other arm
the probability that it is better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from bnbench.judging import group_interactions, group_rows, ranks, stats, two_samples, verdict_rows
from bnbench.judging.groups import Groups, Known
from bnbench.judging.stats import Array
from bnbench.judging.two_samples import Estimate
from bnbench.plan.study import Study
from bnbench.vocabulary import SEVERAL

_Arms = dict[str, tuple[Array, Known]]
"""Arm → the costs of its runs in a context, and how each is known."""

_Every = Mapping[tuple[str, str], Sequence[Groups]]
"""Two arms → their runs, context by context."""


def tables(study: Study, contrasts: Sequence[Groups]) -> dict[str, pd.DataFrame]:
    """The tables `all_pairs` and `ranks`, in the columns that pairs have; `pairs` and `seeds` are the fewest runs.

    Over the contexts in which every arm has runs; without rows where the study has fewer than three arms, or no such
    context.
    """
    found = _by_context(study, contrasts)
    contexts = [arms for arms in found if all(arm in arms and len(arms[arm][0]) for arm in study.arms)]
    if len(study.arms) < SEVERAL or not contexts:
        return ranks.empty()
    every = {names: [_groups(arms, *names) for arms in contexts] for names in combinations(study.arms, 2)}
    places = dict.fromkeys(study.arms, 1.0)
    for (one, other), of_contexts in every.items():
        better = float(np.mean([two_samples.superiority(*each.bounds(), 0.95).mean for each in of_contexts]))
        places[one] += better
        places[other] += 1 - better
    pairs = pd.DataFrame(_pairs(study, every, places)).assign(contexts=len(contexts))
    runs = [min(len(arms[arm][0]) for arms in contexts) for arm in study.arms]
    ranked = {"contexts": len(contexts), "seeds": runs, "mean_rank": [places[arm] for arm in study.arms]}
    return ranks.told(study, pairs, pd.DataFrame(ranked, [*study.arms]))


def _by_context(study: Study, contrasts: Sequence[Groups]) -> list[_Arms]:
    """All arms of each context, from the comparisons with the study's baseline."""
    found: dict[tuple[str, ...], _Arms] = {}
    for contrast in contrasts:
        if contrast.arms[0] == study.report.baseline:
            context = tuple(label for name, label in contrast.labels.items() if name not in ("baseline", "treatment"))
            both = zip(contrast.arms, (contrast.baseline, contrast.treated), contrast.known, strict=True)
            found.setdefault(context, {}).update({arm: (costs, known) for arm, costs, known in both})
    return list(found.values())


def _groups(arms: _Arms, one: str, other: str) -> Groups:
    """Two arms of a context."""
    (first, first_known), (second, second_known) = arms[one], arms[other]
    return Groups({}, first, second, first, second, censored=(first_known, second_known))


def _pairs(study: Study, every: _Every, places: Mapping[str, float]) -> list[dict[str, Any]]:
    """All pairs of arms over all contexts together, judged as one family by Welch's t, with Holm and Bonferroni."""
    values = {names: _tested(of_contexts) for names, of_contexts in every.items()}
    tested = {names: _mean(of_contexts) for names, of_contexts in values.items()}
    smallest = map(group_interactions.smallest_p, values.values())
    p_values = [
        math.nan if math.isnan(estimate.error) else max(estimate.p, least)
        for estimate, least in zip(tested.values(), smallest, strict=True)
    ]
    adjusted = stats.holm(p_values).tolist()
    family = sum(not math.isnan(p) for p in p_values)
    rows: list[dict[str, Any]] = []
    for (names, of_contexts), p, p_adjusted in zip(every.items(), p_values, adjusted, strict=True):
        test = _test(of_contexts)
        costs = _mean([each.values for each in of_contexts]).interval(1 - study.report.alpha / max(family, 1))
        apart = places[names[1]] - places[names[0]]
        row = {
            **dict(zip(("baseline", "treatment"), names, strict=True)),
            "pairs": min(min(each.runs) for each in of_contexts),
            "finite_pairs": min(len(values) for each in of_contexts for values in each.values),
            **dict(zip(("effect", "low", "high"), verdict_rows.shown(study.outcome, costs), strict=True)),
            "test": test,
            "p": p,
            "p_adjusted": p_adjusted,
            "adjustment": group_rows.ADJUSTMENT,
            "limits": None if math.isnan(costs.low) else "Bonferroni",
            "family": family,
            "rank_difference": apart,
        }
        sides = (np.sign(tested[names].mean), ranks.side_of(costs.low, costs.high), np.sign(apart))
        rows.append({**row, "told_apart": bool(p_adjusted < study.report.alpha and ranks.agree(test, *sides))})
    return rows


def _test(of_contexts: Sequence[Groups]) -> str:
    """What is tested, as in the verdicts: the mean, or ranks where runs diverged or were not measured."""
    tests = {each.test for each in of_contexts}
    return next(test for test in ("worst-rank", "rank", "mean") if test in tests)


def _tested(of_contexts: Sequence[Groups]) -> list[tuple[Array, Array]]:
    """What is compared in each context: costs, or scores as shares of the runs."""
    if _test(of_contexts) == "mean":
        return [each.values for each in of_contexts]
    return [(each.scores[0] / sum(each.runs), each.scores[1] / sum(each.runs)) for each in of_contexts]


def _mean(of_contexts: Sequence[tuple[Array, Array]]) -> Estimate:
    """The mean over the contexts of the difference of two arms."""
    weight = 1 / len(of_contexts)
    return two_samples.combined([part for one, other in of_contexts for part in ((-weight, one), (weight, other))])
