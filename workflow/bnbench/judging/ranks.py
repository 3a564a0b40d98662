"""Three arms or more: every arm against every other, and the ranks of all of them. Exploratory, in a separate family.

Each pair is judged by the differences of its own two arms. Tests of mean ranks, such as Nemenyi's, would let a third
arm decide on two others (Benavoli, Corani & Mangili 2016), and they take all blocks for independent, which contexts
that share their seeds are not. So ranks place the arms, and joint sign flips by seed say which differ, where
the ranks point the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from bnbench.judging import sign_flips, stats, verdict_rows
from bnbench.judging.stats import Array, Interval
from bnbench.judging.verdicts import Contrast
from bnbench.plan import folded
from bnbench.plan.study import Study
from bnbench.vocabulary import SEVERAL

_PAIRS = [
    *("baseline", "treatment", "contexts", "pairs", "finite_pairs", "effect", "low", "high"),
    *("test", "p", "p_adjusted", "adjustment", "limits", "family", "rank_difference", "told_apart"),
]
_RANKS = ["arm", "contexts", "seeds", "mean_rank", "groups"]


class _Arms(NamedTuple):
    """What trials cost, [contexts, arms, seeds], or of one arm [contexts, seeds]; and its known bounds.

    See `stats.signed_ranks`.
    """

    costs: Array
    low: Array
    high: Array

    def of(self, arm: int) -> _Arms:
        """One arm."""
        return _Arms(self.costs[:, arm], self.low[:, arm], self.high[:, arm])

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Seeds of one arm that were measured in all contexts, [seeds]."""
        return np.asarray((np.isfinite(self.costs) & (self.low == self.high)).all(0))


def tables(study: Study, contrasts: Sequence[Contrast]) -> dict[str, pd.DataFrame]:
    """The tables `all_pairs` and `ranks`; without rows where the study has fewer than three arms."""
    if len(study.arms) < SEVERAL:
        return empty()
    arms = _arms(study, contrasts)
    contexts, _, seeds = arms.costs.shape
    places = mean_ranks(arms.costs) if seeds else np.full(len(study.arms), math.nan)
    pairs = _pairs(study, arms, places).assign(contexts=contexts)
    return told(study, pairs, pd.DataFrame({"contexts": contexts, "seeds": seeds, "mean_rank": places}, [*study.arms]))


def empty() -> dict[str, pd.DataFrame]:
    """Both tables without rows."""
    return {"all_pairs": pd.DataFrame(columns=_PAIRS), "ranks": pd.DataFrame(columns=_RANKS)}


def told(study: Study, pairs: pd.DataFrame, ranks: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Both tables, from all pairs of arms and from `contexts`, `seeds` and `mean_rank` by arm, in the study's order."""
    joined = {*zip(pairs["baseline"], pairs["treatment"], strict=True)} - {
        *zip(pairs["baseline"][pairs["told_apart"]], pairs["treatment"][pairs["told_apart"]], strict=True)
    }
    ranks = ranks.rename_axis("arm").reset_index().sort_values("mean_rank", kind="stable", ignore_index=True)
    groups = cliques([*ranks["arm"]], joined)
    letters = {arm: " ".join(_letter(at) for at, group in enumerate(groups) if arm in group) for arm in study.arms}
    return {"all_pairs": pairs[_PAIRS], "ranks": ranks.assign(groups=ranks["arm"].map(letters))[_RANKS]}


def mean_ranks(costs: Array) -> Array:
    """Mean rank of each arm over all blocks, a block being a context and a seed: of [contexts, arms, seeds], [arms].

    Rank 1 is the lowest cost; equal ones share their mean rank, and so do trials that diverged, which are the worst.
    """
    ranked = scipy_stats.rankdata(np.nan_to_num(costs, nan=math.inf), axis=1)
    return np.asarray(ranked.mean((0, 2)), np.float64)


def cliques(arms: Sequence[str], joined: set[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The largest sets of arms in which no two are found to differ, in the order of their arms.

    Two arms are in one set exactly if they are `joined`: the letters of Piepho (2004). An arm that differs from
    all others is a set of its own. By the algorithm of Bron & Kerbosch (1973).
    """
    near = {arm: {other for other in arms if (arm, other) in joined or (other, arm) in joined} for arm in arms}
    found: list[tuple[str, ...]] = []

    def extend(clique: set[str], candidates: set[str], done: set[str]) -> None:
        if not candidates and not done:
            found.append(tuple(arm for arm in arms if arm in clique))
        for arm in [arm for arm in arms if arm in candidates]:
            extend(clique | {arm}, candidates & near[arm], done & near[arm])
            candidates, done = candidates - {arm}, done | {arm}

    extend(set(), set(arms), set())
    return sorted(found, key=lambda clique: [arms.index(arm) for arm in clique])


def _arms(study: Study, contrasts: Sequence[Contrast]) -> _Arms:
    """All arms over the seeds that every arm has in every context; of equal arms, the one that was trained is all."""
    to_baseline = [contrast for contrast in contrasts if contrast.arms[0] == study.report.baseline]
    seeds = reduce(np.intersect1d, [contrast.seeds for contrast in to_baseline])
    by_context: dict[tuple[str, ...], dict[str, Array]] = {}
    for contrast in to_baseline:
        context = tuple(label for name, label in contrast.labels.items() if name not in ("baseline", "treatment"))
        place = np.searchsorted(contrast.seeds, seeds)
        costs = (contrast.baseline, contrast.treated)
        for arm, own, (low, high) in zip(contrast.arms, costs, contrast.bounds(), strict=True):
            by_context.setdefault(context, {})[arm] = np.stack([own, low, high])[:, place]
    for context, stand_ins in folded.stand_ins(study.grid, study.folds, study.report.factor).items():
        there = by_context.get(context, {})
        there |= {arm: there[other] for arm, other in stand_ins.items() if there}
    # [contexts, arms, kinds, seeds]
    found = np.stack([np.stack([of_arms[arm] for arm in study.arms]) for of_arms in by_context.values()])
    return _Arms(*np.moveaxis(found, 2, 0))


def _pairs(study: Study, arms: _Arms, places: Array) -> pd.DataFrame:
    """All pairs of arms over all contexts together, judged as one family by joint flips of the seeds.

    Args:
        study: the study.
        arms: all of them.
        places: their mean ranks.
    """
    every = [(arms.of(one), arms.of(other)) for one, other in combinations(range(len(study.arms)), 2)]
    tested = np.stack([_tested(*pair) for pair in every], axis=1)
    draws = sign_flips.draws(study.report.alpha)
    p_values = sign_flips.max_t(tested, draws)
    measured = [one.measured & other.measured for one, other in every]
    means = [(b.costs - a.costs)[:, kept].mean(0) for (a, b), kept in zip(every, measured, strict=True)]
    own = [np.flatnonzero(kept) for kept in measured]
    limits = sign_flips.simultaneous(sign_flips.aligned(own, means), 1 - study.report.alpha, draws)
    apart = [other - one for one, other in combinations(places.tolist(), 2)]
    rows: list[dict[str, Any]] = []
    for place, names in enumerate(combinations(study.arms, 2)):
        mean = float(means[place].mean()) if len(means[place]) else math.nan
        low, high = float(limits.low[place]), float(limits.high[place])
        effect = verdict_rows.shown(study.outcome, Interval(mean, low, high))
        row = {
            **dict(zip(("baseline", "treatment"), names, strict=True)),
            "pairs": arms.costs.shape[2],
            "finite_pairs": len(means[place]),
            **dict(zip(("effect", "low", "high"), effect, strict=True)),
            "test": _test(*every[place]),
            "p": float(p_values.alone[place]),
            "p_adjusted": float(p_values.adjusted[place]),
            "adjustment": verdict_rows.ADJUSTMENT,
            "limits": str(limits.methods[place]) or None,
            "family": len(every),
            "rank_difference": apart[place],
        }
        sides = (np.sign(tested[:, place].sum()), side_of(low, high), np.sign(apart[place]))
        rows.append({**row, "told_apart": bool(row["p_adjusted"] < study.report.alpha and agree(row["test"], *sides))})
    return pd.DataFrame(rows)


def _test(baseline: _Arms, treated: _Arms) -> str:
    """What is tested, as in the verdicts: the mean, or ranks where trials diverged or were not measured."""
    if not np.isfinite(baseline.costs + treated.costs).all():
        return "worst-rank"
    return "mean" if (baseline.measured & treated.measured).all() else "rank"


def _tested(baseline: _Arms, treated: _Arms) -> Array:
    """What has mean 0 where two arms do not differ, [seeds]: the mean over the contexts of differences, or of ranks."""
    if _test(baseline, treated) == "mean":
        return np.asarray((treated.costs - baseline.costs).mean(0), np.float64)
    contexts = zip(baseline.low, baseline.high, treated.low, treated.high, strict=True)
    ranks = [stats.signed_ranks((low, high), (least, most)) for low, high, least, most in contexts]
    return np.asarray(np.mean(ranks, axis=0), np.float64)


def side_of(low: float, high: float) -> int:
    """On which side of 0 an interval lies: 1 above, −1 below, 0 where it holds 0 or there is none."""
    return int(low > 0) - int(high < 0)


def agree(test: str, direction: float, side: float, ranks: float) -> bool:
    """Whether the interval and the mean ranks bear out the direction of a test.

    Ranks and means can point to different arms, where contexts disagree. The interval of ranks, which is of the finite
    trials alone, need only not speak against them.
    """
    return direction == ranks != 0 and (side == direction if test == "mean" else side != -direction)


def _letter(place: int) -> str:
    """a, b, … z, then two letters each."""
    return chr(97 + place) if place < 26 else f"{chr(96 + place // 26)}{chr(97 + place % 26)}"
