"""What does not decide: the other losses, epochs to a target, seconds, and where a difference comes from.

All of it is exploratory: pairs and tests are those of the verdicts, p-values are adjusted for false discoveries only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bnbench.judging import edges, finals, permutations, sign_flips, stats, time_to_target, training_time
from bnbench.judging.pairing import Pairs
from bnbench.judging.stats import Array, Interval
from bnbench.judging.verdicts import Contrast
from bnbench.outcomes import Outcome
from bnbench.plan.study import Study
from bnbench.store.trials import Trials
from bnbench.vocabulary import (
    BATCH,
    COMPONENTS,
    EPOCHS_TO_TARGET,
    EXPLORED,
    LOSSES,
    PRECISE,
    SECONDS,
)

PRIMARY, EXPLORATORY, DESCRIPTIVE = "primary", "exploratory", "descriptive"
"""Roles of outcomes: it decides; it is tested too, in the family of all such rows; it is not tested."""


class Explored(NamedTuple):
    """One outcome of a contrast."""

    row: Mapping[str, Any]
    """The columns that are this outcome's own."""
    tested: Array | None
    """What is tested to have mean 0, [pairs], treatment − baseline in the outcome's own direction; None for no test."""


def outcomes(study: Study, pairs: Pairs) -> pd.DataFrame:
    """One row per outcome: means, effect with the interval for this context alone, and sign-flip p.

    `role` says which outcome decides. A trial that diverged counts as the worst in the test and is not in the effect,
    `finite_pairs` being those that are; so `direction` says which way the test points, and `adjusted` compares the two.
    `test` is for that.
    """
    found = [_final(study, pairs, outcome) for outcome in measured(study, pairs.baseline, pairs.treated)]
    if study.has_target:
        found.append(_soon(study, pairs))
    tested = [each.tested for each in found if each.tested is not None]
    draws = sign_flips.draws(study.report.alpha)  # as many as decide, so that one test has one p
    p_values = iter(sign_flips.max_t(np.stack(tested, axis=1), draws).alone.tolist() if tested else ())
    rows = []
    for row, values in [*found, *([_seconds(study, pairs)] if study.trained_here else [])]:
        role = {SECONDS: DESCRIPTIVE, study.report.outcome: PRIMARY}.get(row["outcome"], EXPLORATORY)
        p, total = (np.nan, 0.0) if values is None else (next(p_values), float(values.sum()))
        common = {**pairs.labels, "role": role, "pairs": len(pairs.seeds), "p": p, "direction": int(np.sign(total))}
        common["test"] = edges.mean_test(np.empty(0) if values is None else values, p, p)
        rows.append({**LACKING, **common, **row})
    return pd.DataFrame(rows)


def measured(study: Study, baseline: Trials, treated: Trials) -> Iterator[str]:
    """The outcomes that a trial of either arm ends at."""
    keep_statistics = baseline.setting.keeps_statistics or treated.setting.keeps_statistics
    for outcome in dict.fromkeys((*EXPLORED, *baseline.setting.own_metrics, study.report.outcome)):
        if (
            study.trained_here
            and outcome in (PRECISE, BATCH)
            and not (keep_statistics or outcome == study.report.outcome)
        ):
            continue  # it is the test loss once more
        if outcome in baseline.losses and outcome in treated.losses:
            yield outcome


def described(outcome: Outcome, arms: Sequence[Array], effect: Interval) -> dict[str, Any]:
    """Means of the arms and the effect, which come as logarithms where the effect is a ratio."""
    means = [float(arm.mean()) if len(arm) else np.nan for arm in arms]
    numbers = np.array([*means, *effect])
    if outcome.is_ratio:
        with np.errstate(over="ignore"):
            numbers = np.exp(numbers)
    columns = ("baseline_value", "treatment_value", "effect", "low", "high")
    return {"outcome": outcome.name, **dict(zip(columns, numbers.tolist(), strict=True))}


def adjusted(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The table of outcomes of all contexts, with Benjamini & Hochberg's p over all of its exploratory rows.

    `marked` are those of them whose adjusted p is below α and whose effect, as it is shown, points where the test
    does: trials that diverged are in the test alone, and an effect that is a bound may leave its other side open.
    """
    exploratory = table["role"].eq(EXPLORATORY)
    p_bh = stats.benjamini_hochberg(table["p"].where(exploratory))
    nothing = table["outcome"].map({name: outcome.no_effect for name, outcome in study.outcomes.items()})
    agrees = table["direction"].ne(0) & np.sign(table["effect"] - nothing).eq(table["direction"])
    open_side = table["bound"].map({"at least": -1, "at most": 1})
    marked = (p_bh < study.report.alpha) & agrees & table["direction"].ne(open_side)
    tests = [test._replace(p_adjusted=p) for test, p in zip(table["test"], p_bh.tolist(), strict=True)]
    edge = np.array([edges.of_effect(test, study.report.alpha) for test in tests], np.float64)
    return table.drop(columns="test").assign(p_bh=p_bh, marked=marked.astype(bool), edge_effect=edge)


def tested_rows(table: pd.DataFrame) -> int:
    """How many rows the family of the exploratory p-values has."""
    return int((table["role"].eq(EXPLORATORY) & table["p"].notna()).sum())


def fewest_marked(table: pd.DataFrame, alpha: float) -> int:
    """The fewest exploratory rows that can be below `alpha` after adjustment, each at the smallest p of its runs.

    1: a single row can be marked on its own; more: only that many together; 0: no row can ever be.
    """
    rows = table[table["role"].eq(EXPLORATORY) & table["p"].notna()]
    draws = sign_flips.draws(alpha)
    sizes = rows.reindex(columns=["pairs", "runs_baseline", "runs_treatment"]).to_numpy(np.float64)
    smallest = np.sort([_smallest_p(of_row, draws) for of_row in sizes])
    together = np.arange(1, len(rows) + 1)
    enough = together[smallest * len(rows) / together < alpha]
    return int(enough[0]) if len(enough) else 0


def decomposition(study: Study, pairs: Pairs) -> pd.DataFrame:
    """Where the difference of the test losses comes from, as factors that multiply to it, with Student's intervals.

    Of the same trials, by their losses over the window, treatment to baseline:

    - weights: the test loss with the statistics of the whole training set;
    - stale averages: the test loss with the running averages to the one before;
    - total: the test loss with the running averages, the product of these two;
    - batch noise: training points in training mode to evaluation mode, without the staleness, which is taken to be the
      same factor on training points as on test points. It acts on the training loss, and is not part of the total. At
      full batch there is none, so there this row shows how far that holds.

    `logs` are the logarithms that a row is about, by seed, for `decomposed`.
    """
    losses = {outcome: pairs.final(outcome, study.report.window) for outcome in LOSSES}
    difference = {outcome: treated - baseline for outcome, (baseline, treated) in losses.items()}
    finite = np.isfinite(sum(difference.values(), np.zeros(len(pairs.seeds))))
    train, evaluated, test, precise = (difference[outcome][finite] for outcome in LOSSES)
    stale = test - precise
    rows = []
    for name, logs in zip(COMPONENTS, (precise, stale, test, train - evaluated + stale), strict=True):
        ratio = stats.geometric_interval(logs, 1 - study.report.alpha)
        interval = {"effect": ratio.mean, "low": ratio.low, "high": ratio.high}
        by_seed = pd.Series(logs, pairs.seeds[finite])
        rows.append({**pairs.labels, "component": name, "pairs": int(finite.sum()), **interval, "logs": by_seed})
    return pd.DataFrame(rows)


def decomposed(table: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """The components of all contexts as one family: sign-flip p-values, adjusted by maxT, in place of `logs`.

    A family of their own beside the verdicts, for claims about a component. The intervals stay each its own.
    """
    parts = [(logs.index.to_numpy(np.int64), logs.to_numpy(np.float64)) for logs in table["logs"]]
    p_values = sign_flips.max_t(sign_flips.aligned(*zip(*parts, strict=True)), sign_flips.draws(alpha))
    found = []
    for (_, logs), p, p_adjusted in zip(parts, *(values.tolist() for values in p_values), strict=True):
        own = stats.t_interval(logs, 1 - alpha)
        found.append(edges.of_effect(edges.mean_test(logs, p, p_adjusted, (own.high - own.low) / 2), alpha))
    return table.drop(columns="logs").assign(
        p=p_values.alone,
        p_adjusted=p_values.adjusted,
        adjustment="maxT",
        family=sum(bool(len(logs)) for _, logs in parts),
        edge_effect=np.array(found, np.float64),
    )


_COUNTS = tuple(f"{count}_{arm}" for count in ("reached", "at_once", "jobs") for arm in ("baseline", "treatment"))

LACKING = {"bound": None, **dict.fromkeys((*_COUNTS, "runs_baseline", "runs_treatment"), np.nan)}
"""Columns that only some outcomes have."""


def _smallest_p(sizes: Array, draws: int) -> float:
    """The numbers of pairs and of runs of either arm; the latter are NaN if runs are paired: [3]."""
    pairs, baseline, treated = sizes.tolist()
    if np.isnan(baseline):
        return sign_flips.smallest_p(int(pairs), draws)
    return permutations.smallest_p(int(baseline), int(treated), draws)


def _final(study: Study, pairs: Pairs, name: str) -> Explored:
    """What trials ended at, on the outcome's own scale; the effect is over the pairs that both arms have measured."""
    outcome, window = study.outcomes[name], study.report.window
    costs = baseline, treated = [outcome.cost(arm) for arm in pairs.final(name, window)]
    how = np.stack([finals.censored(arm, name, window) for arm in (pairs.baseline, pairs.treated)])
    contrast = Contrast(pairs.labels, pairs.seeds, baseline, treated, baseline, treated, how, ())
    baseline, treated = (outcome.cost(arm[contrast.measured]) for arm in costs)
    effect = stats.t_interval(treated - baseline, 1 - study.report.alpha)
    row = described(outcome, (baseline, treated), effect) | {"finite_pairs": int(contrast.measured.sum())}
    return Explored(row, outcome.cost(contrast.tested))


def _soon(study: Study, pairs: Pairs) -> Explored:
    """Epochs to the target: of all pairs, since a trial that never reaches it is restricted."""
    reached = time_to_target.compared(pairs, study.outcome, time_to_target.target(study, pairs))
    arms = {"baseline": reached.baseline, "treatment": reached.treated}
    counts = {f"reached_{name}": int((~arm.never).sum()) for name, arm in arms.items()}
    counts |= {f"at_once_{name}": int(arm.at_once.sum()) for name, arm in arms.items()}
    effect = reached.log_ratio(1 - study.report.alpha)
    row = described(study.outcomes[EPOCHS_TO_TARGET], (reached.baseline.logs, reached.treated.logs), effect)
    row |= {**counts, "finite_pairs": len(pairs.seeds), "bound": reached.bound}
    exact = time_to_target.followed_alike(
        study.report.outcome, *zip((pairs.baseline, pairs.treated), arms.values(), strict=True)
    )
    return Explored(row, reached.differences if reached.known and exact else None)


def _seconds(study: Study, pairs: Pairs) -> Explored:
    """Seconds of training per network, job by job: no test, since the seeds of a job share one time."""
    jobs = training_time.compared(pairs)
    counts = {"jobs_baseline": len(jobs[0]), "jobs_treatment": len(jobs[1])}
    row = described(study.outcomes[SECONDS], jobs, training_time.log_ratio(*jobs, 1 - study.report.alpha))
    return Explored({**row, **counts, "finite_pairs": len(pairs.seeds)}, None)
