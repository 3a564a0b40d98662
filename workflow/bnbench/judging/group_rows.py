"""The table of verdicts on independent groups of runs: the columns of `verdict_rows`, and what they say of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from bnbench.judging import edges, finals, groups, permutations, power, stats, two_samples, verdict_rows
from bnbench.judging.groups import Groups
from bnbench.judging.stats import Array, Interval
from bnbench.judging.two_samples import Estimate
from bnbench.judging.verdict_rows import shown
from bnbench.judging.verdicts import Decision
from bnbench.outcomes import Outcome
from bnbench.plan.study import ReportOptions, Study
from bnbench.vocabulary import POWER

ADJUSTMENT = "Holm"
"""How the p-values of every family of independent groups are adjusted."""


def table(study: Study, contrasts: Sequence[Groups], decisions: Sequence[Decision]) -> pd.DataFrame:
    """One row per contrast: everything about it.

    `pairs` and `finite_pairs` count the runs of the arm that has fewer. What only pairs have is NaN; `correlation` and
    `variance_ratio` are of the seeds that both arms happen to have, and say what pairing by them would have gained.
    """
    family = groups.size(contrasts)
    rows = [_row(study.report, *judged, family) for judged in zip(contrasts, decisions, strict=True)]
    of_batches = study.report.factor == "batch_size"
    examples = [np.nan if of_batches else study.examples(contrast.labels) for contrast in contrasts]
    return pd.DataFrame(rows).assign(examples=examples, corrected_low=np.nan, corrected_high=np.nan)


def runs(study: Study, contrast: Groups) -> pd.DataFrame:
    """One row per run, in the columns of `verdict_rows.pairs`: what the other arm has there is empty, and the effect.

    `seed` is what tells the runs of an arm apart, or their place. Whether a loss of the other arm lies below the
    resolution is empty too, which tells a run that is not there from one that diverged.
    """
    shown_as = study.outcome.shown
    parts = []
    arms = (
        ("baseline", contrast.baseline, contrast.baseline_last),
        ("treatment", contrast.treated, contrast.treated_last),
    )
    for place, (arm, costs, last) in enumerate(arms):
        own = {
            "seed": np.arange(len(costs)) if contrast.seeds is None else contrast.seeds[place],
            f"{arm}_value": shown_as(costs),
            f"{arm}_last": shown_as(last),
            f"{arm}_floored": contrast.known[place] > 0,
        }
        parts.append(pd.DataFrame(_NOTHING, index=range(len(costs))).assign(**own))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(**contrast.labels)[[*contrast.labels, *_NOTHING]]


def mean_test(
    estimate: Estimate, sizes: tuple[int, int], p: tuple[float, float], half: float = np.nan
) -> edges.MeanTest:
    """What `edges` needs to know of a test of two groups: its own p and the adjusted one, and what else there is."""
    smallest = permutations.smallest_p(*sizes)
    return edges.MeanTest(estimate.mean, estimate.error, estimate.freedom + 1, *p, half, smallest)


_NOTHING: dict[str, Any] = {
    "seed": 0,
    **dict.fromkeys(("baseline_value", "treatment_value", "effect", "baseline_last", "treatment_last"), np.nan),
    **dict.fromkeys(("baseline_floored", "treatment_floored"), None),
}


def _row(options: ReportOptions, contrast: Groups, decision: Decision, family: int) -> dict[str, Any]:
    undecided = decision.verdict == "undecided" and contrast.test == "mean"
    return {
        **contrast.labels,
        "outcome": options.outcome,
        "pairs": min(contrast.runs),
        "finite_pairs": min(int(finite.sum()) for finite in contrast.finite),
        "runs_baseline": contrast.runs[0],
        "runs_treatment": contrast.runs[1],
        **_estimated(options.judged, contrast, decision, options.alpha),
        **verdict_rows.decided(options, contrast.test, decision, family, decision.p_holm, ADJUSTMENT),
        **_edges(options, contrast, decision),
        **_described(options.judged, contrast, 1 - options.alpha),
        **_floored(options.judged, contrast, 1 - options.alpha),
        **_runs_needed(options, contrast.values if undecided else (np.empty(0), np.empty(0)), family),
        "mixed": contrast.mixed,
    }


def _estimated(outcome: Outcome, contrast: Groups, decision: Decision, alpha: float) -> dict[str, float]:
    """Both arms, and the effect with its intervals, over the measured runs."""
    level = 1 - alpha
    together = shown(outcome, Interval(contrast.difference.mean, decision.low, decision.high))
    own, narrow = (shown(outcome, contrast.difference.interval(at)) for at in (level, level - alpha))
    values = [outcome.shown(_mean(costs)) for costs in contrast.values]
    return verdict_rows.estimated(values, together, own, narrow)


def _edges(options: ReportOptions, contrast: Groups, decision: Decision) -> dict[str, float]:
    """How far what decides lies beyond the edge of each verdict, see `edges`."""
    by_mean = contrast.test == "mean"
    half = (decision.high - decision.low) / 2 if by_mean else np.nan
    tested = contrast.difference if by_mean else two_samples.welch(*contrast.scores)
    test = mean_test(tested, contrast.runs, (decision.p, decision.p_holm), half)
    margin = options.judged.cost_margin(options.margin)
    return {
        "edge_effect": edges.of_effect(test, options.alpha),
        "edge_equivalence": edges.of_equivalence(decision.p_equivalence, test.pairs, options.alpha),
        "edge_not_worse": edges.of_not_worse(test, margin) if by_mean else np.nan,
    }


def _described(outcome: Outcome, contrast: Groups, level: float) -> dict[str, Any]:
    """Other statistics of the same runs, which decide nothing."""
    values, common = contrast.values, contrast.common()
    robust = shown(outcome, two_samples.hodges_lehmann(*values, level))
    spread, p_spread = two_samples.brown_forsythe(*values)
    better = two_samples.superiority(*contrast.bounds(), level)
    ends = (contrast.baseline_last, contrast.treated_last)
    at_end = two_samples.welch(*(end[measured] for end, measured in zip(ends, contrast.measured, strict=True)))
    last = shown(outcome, at_end.interval(level))
    diverged = contrast.diverged
    return {
        "hl_effect": robust.mean,
        "hl_low": robust.low,
        "hl_high": robust.high,
        "p_wilcoxon": two_samples.mann_whitney(*values),
        "hedges_dz": np.nan,
        "hedges_g": outcome.cost(two_samples.hedges_g(*values)),
        "win_rate": better.mean,
        "win_low": better.low,
        "win_high": better.high,
        "spread_ratio": spread,
        "p_spread": p_spread,
        "correlation": stats.correlation(*common),
        "variance_ratio": stats.variance_ratio(*common),
        "effect_last": last.mean,
        "effect_last_low": last.low,
        "effect_last_high": last.high,
        "diverged_baseline": diverged[0],
        "diverged_treatment": diverged[1],
        "p_mcnemar": np.nan,
        "p_fisher": two_samples.fisher_exact(diverged, contrast.runs) if any(diverged) else np.nan,
    }


def _floored(outcome: Outcome, contrast: Groups, level: float) -> dict[str, Any]:
    """Runs whose loss lies below its resolution, and what they say where it is raised to that."""
    floored = [finite & ~measured for finite, measured in zip(contrast.finite, contrast.measured, strict=True)]
    count = sum(int(some.sum()) for some in floored)
    raised = Interval(np.nan, np.nan, np.nan)
    if count:
        costs = contrast.baseline[contrast.finite[0]], contrast.treated[contrast.finite[1]]
        raised = shown(outcome, two_samples.welch(*costs).interval(level))
    baseline, treated = (known[some] for known, some in zip(contrast.known, floored, strict=True))
    at_least = bool((baseline & finals.AT_MOST).any() or (treated & finals.AT_LEAST).any())
    at_most = bool((baseline & finals.AT_LEAST).any() or (treated & finals.AT_MOST).any())
    return {
        "resolution": contrast.resolution,
        "floored": count,
        "raised_effect": raised.mean,
        "raised_low": raised.low,
        "raised_high": raised.high,
        "bound": verdict_rows.BOUNDS[at_least, at_most],
    }


def _runs_needed(options: ReportOptions, values: tuple[Array, Array], family: int) -> Mapping[str, float]:
    """Runs of each arm that would show an effect as small as the margin, or that there is none so large.

    As `verdict_rows` has it for seeds, at the spread of a run: the root of the mean of both arms' variances.
    """
    margin, alpha = options.judged.cost_margin(options.margin), options.alpha / family if family else np.nan
    spread = freedom = np.nan
    if not permutations.too_few(*map(len, values)):
        variances = np.array([arm.var(ddof=1) for arm in values])
        spread = float(np.sqrt(variances.mean()))
        if spread > 0:
            shares = variances / variances.sum()
            freedom = float(1 / sum(share**2 / (len(arm) - 1) for share, arm in zip(shares, values, strict=True)))
    found: dict[str, float] = {}
    for name, needed in (("seeds_needed", power.runs_needed), ("seeds_equivalent", power.runs_for_equivalence)):
        at_alpha = partial(needed, alpha=alpha, power=POWER)
        each = power.at_spread(at_alpha, margin, spread, freedom + 1, 0.95)
        found |= {name: each.at_spread, f"{name}_low": each.fewest, f"{name}_high": each.most}
    return found


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else np.nan
