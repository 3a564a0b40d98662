"""What does not decide: the other losses, epochs to a target, seconds, and where a difference comes from.

All of it is exploratory: pairs and tests are those of the verdicts, p-values are adjusted for false discoveries only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from bnbench.judge import sign_flips, stats
from bnbench.judge.pairing import Pairs
from bnbench.judge.stats import Array
from bnbench.judge.verdicts import Contrast
from bnbench.plan.study import Study
from bnbench.vocabulary import ACCURACY, GAP, OUTCOMES, PRECISE

_DRAWS = sign_flips.DRAWS  # as many as decide, so that one test has one p

EPOCHS_TO_TARGET, SECONDS = "epochs_to_target", "seconds"

COMPONENTS = ("what is left", "stale averages", "total", "batch noise")
"""Of a difference: see `decomposition`."""

Arms = tuple[Array, Array]
"""Logarithms of one quantity of the baseline and of the treatment, [pairs]; NaN where there is none."""


def outcomes(study: Study, pairs: Pairs) -> pd.DataFrame:
    """One row per outcome: geometric means, ratio with Student's interval for this context alone, and sign-flip p.

    `role` says which outcome decides. A trial that diverged, or never came to the target, counts as the worst in the
    test, and is not in the ratio.
    """
    level = 1 - study.report.alpha
    rows, tested = [], []
    for name, (baseline_logs, treated_logs) in _measured(study, pairs):
        # Of an accuracy more is better: it is tested by what is lower where it is higher.
        sign = -1.0 if name == ACCURACY else 1.0
        arms = (sign * baseline_logs, sign * treated_logs)
        contrast = Contrast(pairs.labels, pairs.seeds, *arms, *arms, 0, ())
        finite = contrast.finite
        baseline, treated = (np.exp(sign * arm[finite].mean()) if finite.any() else np.nan for arm in arms)
        ratio = stats.geometric_interval(sign * contrast.differences, level)
        role = "primary" if name == study.report.outcome else "exploratory"
        numbers = {"pairs": len(pairs.seeds), "finite_pairs": int(finite.sum())}
        means = {"baseline_value": baseline, "treatment_value": treated}
        interval = {"effect": ratio.mean, "low": ratio.low, "high": ratio.high}
        rows.append({**pairs.labels, "outcome": name, "role": role, **numbers, **means, **interval})
        tested.append(contrast.tested)
    return pd.DataFrame(rows).assign(p=_alone(tested))


def adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """The table of outcomes of all contexts, with Benjamini & Hochberg's p over all of its exploratory rows."""
    exploratory = table["role"].eq("exploratory")
    return table.assign(p_bh=stats.benjamini_hochberg(table["p"].where(exploratory)))


def decomposition(study: Study, pairs: Pairs) -> pd.DataFrame:
    """Where the difference of the test losses comes from, as factors that multiply to it, with Student's intervals.

    Of the same trials, by their losses over the window, treatment to baseline:

    - what is left: the test loss with the statistics of the whole training set;
    - stale averages: the test loss with the running averages to the one before;
    - total: the test loss with the running averages, the product of these two;
    - batch noise: training points in training mode to evaluation mode, without the staleness, which is taken to be the
      same factor on training points as on test points. It acts on the training loss, and is no part of the total. At
      full batch there is none, so there this row shows how far that holds.
    """
    losses = {outcome: pairs.final(outcome, study.report.window) for outcome in OUTCOMES}
    difference = {outcome: treated - baseline for outcome, (baseline, treated) in losses.items()}
    finite = np.isfinite(sum(difference.values(), np.zeros(len(pairs.seeds))))
    train, evaluated, test, precise = (difference[outcome][finite] for outcome in OUTCOMES)
    stale = test - precise
    rows = []
    for name, logs in zip(COMPONENTS, (precise, stale, test, train - evaluated + stale), strict=True):
        ratio = stats.geometric_interval(logs, 1 - study.report.alpha)
        interval = {"effect": ratio.mean, "low": ratio.low, "high": ratio.high}
        rows.append({**pairs.labels, "component": name, "pairs": int(finite.sum()), **interval})
    return pd.DataFrame(rows)


def target(study: Study, pairs: Pairs) -> float:
    """The loss whose first epoch is compared: the config's, or twice the larger final loss of the two arms.

    The latter is seen in the data, but in both arms alike; NaN where an arm has no finite loss.
    """
    if study.report.target is not None:
        return study.report.target
    finals = [arm[np.isfinite(arm)] for arm in pairs.final(study.report.outcome, study.report.window)]
    return 2 * max(math.exp(arm.mean()) for arm in finals) if all(map(len, finals)) else math.nan


def _alone(tested: list[Array]) -> list[float]:
    """The p of each by itself; those of equally many seeds go through the same flips at once."""
    if len({len(values) for values in tested}) > 1:
        return [sign_flips.sign_flip(values, _DRAWS) for values in tested]
    alone: list[float] = sign_flips.max_t(np.stack(tested, axis=1), _DRAWS).alone.tolist()
    return alone


def _measured(study: Study, pairs: Pairs) -> Iterator[tuple[str, Arms]]:
    for outcome in (*OUTCOMES, GAP, ACCURACY):
        if outcome == PRECISE and not (pairs.keep_statistics or outcome == study.report.outcome):
            continue  # it is the test loss once more
        if outcome in pairs.baseline.losses and outcome in pairs.treated.losses:
            yield outcome, pairs.final(outcome, study.report.window)
    if study.report.outcome != GAP:  # which does not fall from a start that is high
        yield EPOCHS_TO_TARGET, _epochs_to(target(study, pairs), study.report.outcome, pairs)
    seconds = (arm.rows["seconds"].to_numpy(np.float64) for arm in (pairs.baseline, pairs.treated))
    baseline, treated = (np.log(np.where(values > 0, values, np.nan)) for values in seconds)
    yield SECONDS, (baseline, treated)


def _epochs_to(loss: float, outcome: str, pairs: Pairs) -> Arms:
    """Logarithm of the number of epochs after which the outcome was first measured at `loss` or below."""
    found = []
    for arm in (pairs.baseline, pairs.treated):
        reached = arm.losses[outcome] <= loss
        first = np.log(arm.epochs[outcome][reached.argmax(0)] + 1.0)
        # A trial that came there and diverged later is no success.
        stays = reached.any(0) & np.isfinite(arm.losses[outcome][-1])
        found.append(np.where(stays, first, np.nan))
    return found[0], found[1]
