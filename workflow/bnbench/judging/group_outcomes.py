"""What does not decide between independent groups of runs: the other outcomes, and epochs to a target.

The table is that of `exploratory.outcomes`, whose `adjusted` goes on from here. Seconds are not compared: they are
those of jobs, of which runs that were made elsewhere tell nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bnbench.judging import exploratory, group_rows, groups, permutations, sign_flips, time_to_target, two_samples
from bnbench.judging.groups import Arms
from bnbench.judging.stats import Array, Interval
from bnbench.judging.time_to_target import Times
from bnbench.plan.study import Study
from bnbench.vocabulary import EPOCHS_TO_TARGET

_UPPER = 0.75  # of the final losses: where the arms lie apart, the middle of the worse one


class _Explored(NamedTuple):
    """One outcome of a contrast."""

    row: Mapping[str, Any]
    tested: tuple[Array, Array]
    """What is tested to have equal means, [runs] of both arms, in the outcome's own direction."""
    p: float


def outcomes(study: Study, arms: Arms) -> pd.DataFrame:
    """One row per outcome: means, effect with Welch's interval for this context alone, and the permutations' p.

    As `exploratory.outcomes` has it, with the runs of both arms in columns of their own; `pairs` and `finite_pairs`
    count those of the arm that has fewer.
    """
    draws = sign_flips.draws(study.report.alpha)
    found = [_final(study, arms, name, draws) for name in exploratory.measured(study, *arms.both)]
    if study.has_target:
        found.append(_soon(study, arms, draws))
    sizes = len(arms.baseline.seeds), len(arms.treated.seeds)
    counts = {"pairs": min(sizes), "runs_baseline": sizes[0], "runs_treatment": sizes[1]}
    rows = []
    for row, tested, p in found:
        role = exploratory.PRIMARY if row["outcome"] == study.report.outcome else exploratory.EXPLORATORY
        difference = two_samples.welch(*tested)
        direction = 0 if math.isnan(p) else int(np.sign(difference.mean))
        test = group_rows.mean_test(difference, sizes, (p, p))
        common = {**arms.labels, **counts, "role": role, "p": p, "direction": direction, "test": test}
        rows.append({**exploratory.LACKING, **common, **row})
    return pd.DataFrame(rows)


def target(study: Study, arms: Arms) -> float:
    """The value whose first epoch is compared: the config's, or of a loss twice the upper quartile of the final losses.

    That of both arms together, which does not change when runs are exchanged between them, as permutations do. NaN
    where no run has a finite loss.
    """
    if study.report.target is not None:
        return study.report.target
    found = groups.of_outcome(study.report, arms, study.report.outcome)
    finite = np.concatenate([costs[~np.isnan(costs)] for costs in (found.baseline, found.treated)])
    return 2 * math.exp(np.quantile(finite, _UPPER)) if len(finite) else math.nan


def _final(study: Study, arms: Arms, name: str, draws: int) -> _Explored:
    """What runs ended at, on the outcome's own scale; the effect is over the measured runs of each arm."""
    outcome, found = study.outcomes[name], groups.of_outcome(study.report, arms, name)
    baseline, treated = (outcome.cost(values) for values in found.values)
    effect = two_samples.welch(baseline, treated).interval(1 - study.report.alpha)
    row = exploratory.described(outcome, (baseline, treated), effect)
    finite = {"finite_pairs": min(len(baseline), len(treated))}
    tested = outcome.cost(found.tested[0]), outcome.cost(found.tested[1])
    return _Explored(row | finite, tested, float(groups.tests([found], draws)[0]))


def _soon(study: Study, arms: Arms, draws: int) -> _Explored:
    """Epochs to the target: of all runs, since one that never reaches it is restricted."""
    wanted = target(study, arms)
    both = {
        name: time_to_target.times(arm, study.outcome, wanted)
        for name, arm in zip(("baseline", "treatment"), arms.both, strict=True)
    }
    counts = {f"reached_{name}": int((~arm.never).sum()) for name, arm in both.items()}
    counts |= {f"at_once_{name}": int(arm.at_once.sum()) for name, arm in both.items()}
    baseline, treated = both.values()
    logs = baseline.logs, treated.logs
    known = _known(baseline, treated)
    bound = time_to_target.Compared(baseline, treated).bound
    effect = _log_ratio(logs, bound, 1 - study.report.alpha) if known else Interval(math.nan, math.nan, math.nan)
    row = exploratory.described(study.outcomes[EPOCHS_TO_TARGET], logs, effect)
    row |= {**counts, "finite_pairs": min(map(len, logs)), "bound": bound}
    exact = time_to_target.followed_alike(study.report.outcome, *zip(arms.both, both.values(), strict=True))
    p = float(permutations.studentized([logs], draws)[0]) if known and exact else math.nan
    return _Explored(row, logs, p)


def _known(baseline: Times, treated: Times) -> bool:
    """Whether the ratio is known at all: not if no run ever reaches the target, or all reach it at once."""
    seen = [~(arm.never | arm.at_once) for arm in (baseline, treated)]
    logs = np.concatenate([baseline.logs, treated.logs])
    return bool(len(logs) and (np.ptp(logs) > 0 or seen[0].any() or seen[1].any()))


def _log_ratio(logs: tuple[Array, Array], bound: str | None, level: float) -> Interval:
    """The limits that hold whatever was not seen; none where the spacing of the measurements leaves no spread."""
    difference = two_samples.welch(*logs)
    mean, low, high = difference.interval(level)
    if difference.error == 0:
        return Interval(mean, math.nan, math.nan)
    return Interval(mean, math.nan if bound == "at most" else low, math.nan if bound == "at least" else high)
