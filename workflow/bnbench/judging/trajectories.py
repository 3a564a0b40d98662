"""The course of a difference over the epochs, with a band that holds for all contexts and epochs of a study together.

A direction is read from a band only where the verdict of its context has that direction: what a band
shows about a context is not a second verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench.judging import finals, sign_flips, stats, summaries
from bnbench.judging.pairing import Pairs
from bnbench.judging.stats import Array
from bnbench.judging.verdicts import Decision
from bnbench.plan.study import Study

_SIDES = {"helps": -1, "hurts": 1}
"""Verdict → the side of no effect on which its band must lie."""


class Trajectory(NamedTuple):
    """The differences of one contrast at up to 200 epochs, of the pairs that stay finite to the end.

    Up to the last epoch at which none of their runs has stopped: behind it a difference would be one of other runs.
    """

    labels: Mapping[str, str]
    epochs: NDArray[np.int64]
    """[epochs]"""
    seeds: NDArray[np.int64]
    """Of these pairs, [pairs]."""
    differences: Array
    """Of the costs, treatment − baseline, [pairs, epochs]; see `Outcome.cost`."""


def trajectory(study: Study, pairs: Pairs) -> Trajectory:
    """What is kept of one contrast until all of them are judged."""
    outcome = study.report.outcome
    arms = (pairs.baseline, pairs.treated)
    every = [finals.scaled(arm, outcome) for arm in arms]
    finite = np.logical_and(*(np.isfinite(values[-1]) for values in every))
    ends = np.minimum(*(arm.last(outcome) for arm in arms))[finite]
    epochs = pairs.baseline.epochs[outcome][: ends.min(initial=len(every[0]) - 1) + 1]
    begun = min(max(arm.begun(outcome) for arm in arms), len(epochs) - 1)
    chosen = begun + summaries.shown(epochs[begun:])
    baseline, treated = (study.outcome.cost(values[chosen]) for values in every)
    differences = (treated - baseline).T
    finite &= np.isfinite(differences).all(1)
    return Trajectory(pairs.labels, epochs[chosen], pairs.seeds[finite], differences[finite])


def table(study: Study, trajectories: Sequence[Trajectory], decisions: Sequence[Decision]) -> pd.DataFrame:
    """The effect on the outcome that decides, epoch by epoch, with its band; one part a contrast, in their order.

    The band is that of joint flips over all contrasts and epochs, or Bonferroni's where pairs are too few.
    `decided_from` is the first epoch from which on the band lies on the side of the verdict, `helps` or `hurts`; NaN
    where it does not at the last, and for any other verdict.
    """
    seeds, values = [one.seeds for one in trajectories], [one.differences for one in trajectories]
    level, draws = 1 - study.report.alpha, sign_flips.draws(study.report.alpha)
    limits = sign_flips.simultaneous(sign_flips.aligned(seeds, values), level, draws)
    ends = np.cumsum([len(one.epochs) for one in trajectories])[:-1]
    bands = zip(*(np.split(part, ends) for part in limits), strict=True)
    parts = [
        _part(study, one, sign_flips.Limits(*band), decision)
        for one, band, decision in zip(trajectories, bands, decisions, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _part(study: Study, one: Trajectory, band: sign_flips.Limits, decision: Decision) -> pd.DataFrame:
    mean = one.differences.mean(0) if len(one.seeds) else np.full(len(one.epochs), np.nan)
    decides = sign_flips.can_decide(len(one.seeds), study.report.alpha)
    effect, *limits = (study.outcome.shown(part) for part in (mean, band.low, band.high))
    low, high = np.minimum(*limits), np.maximum(*limits)
    return pd.DataFrame(
        {
            **one.labels,
            "epoch": one.epochs,
            "pairs": len(one.seeds),
            "effect": effect,
            "low": low,
            "high": high,
            "limits": band.methods,
            "decided_from": _decided_from(one.epochs, band, decision.verdict) if decides else np.nan,
        }
    )


def _decided_from(epochs: NDArray[np.int64], band: sign_flips.Limits, verdict: stats.Verdict) -> float:
    """The first epoch of the last run of those whose band lies on the side of the verdict."""
    if verdict not in _SIDES:
        return np.nan
    side = np.where(band.low > 0, 1, 0) - np.where(band.high < 0, 1, 0)
    others = np.flatnonzero(side != _SIDES[verdict])
    first = others[-1] + 1 if len(others) else 0
    return float(epochs[first]) if first < len(epochs) else np.nan
