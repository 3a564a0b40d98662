"""The table of verdicts: a row of numbers for each contrast, with everything about it.

Costs, of which lower ones are better, become effects here: ratios of losses, or differences of scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from bnbench.judging import edges, finals, power, splits, stats
from bnbench.judging.stats import Array, Interval
from bnbench.judging.verdicts import Contrast, Decision
from bnbench.outcomes import Outcome
from bnbench.plan.study import ReportOptions, Study
from bnbench.vocabulary import POWER

ADJUSTMENT = "maxT"
"""How the p-values of every family are adjusted that has a column for it."""

OF_GROUPS = dict.fromkeys(("runs_baseline", "runs_treatment", "hedges_g", "p_fisher"), np.nan)
"""Columns that pairs leave empty: columns of independent groups only, see `group_rows`."""

BOUNDS = {(False, False): None, (True, False): "at least", (False, True): "at most", (True, True): "restricted"}
"""Whether an effect is one from below, from above → the word for it."""


def table(study: Study, contrasts: Sequence[Contrast], decisions: Sequence[Decision]) -> pd.DataFrame:
    """One row per contrast: everything about it."""
    family = sum(bool(len(contrast.seeds)) for contrast in contrasts)
    rows = [_row(study.report, *judged, family) for judged in zip(contrasts, decisions, strict=True)]
    of_batches = study.report.factor == "batch_size"
    examples = [np.nan if of_batches else study.examples(contrast.labels) for contrast in contrasts]
    corrected = splits.corrected(study, [(contrast.labels, contrast.differences) for contrast in contrasts])
    return pd.DataFrame(rows).assign(examples=examples, **corrected)


def pairs(study: Study, contrast: Contrast) -> pd.DataFrame:
    """One row per pair: both arms over the window and at the last epoch, and the effect where both are measured."""
    outcome = study.outcome
    effect = outcome.shown(contrast.treated - contrast.baseline)
    table = pd.DataFrame(
        {
            "seed": contrast.seeds,
            "baseline_value": outcome.shown(contrast.baseline),
            "treatment_value": outcome.shown(contrast.treated),
            "effect": np.where(contrast.measured, effect, np.nan),
            "baseline_last": outcome.shown(contrast.baseline_last),
            "treatment_last": outcome.shown(contrast.treated_last),
            "baseline_floored": contrast.known[0] > 0,
            "treatment_floored": contrast.known[1] > 0,
        }
    )
    return table.assign(**contrast.labels)[[*contrast.labels, *table.columns]]


def shown(outcome: Outcome, costs: Interval) -> Interval:
    """A mean difference of costs with its limits, as the effect that is shown."""
    mean, *limits = (outcome.shown(cost) for cost in costs)
    return Interval(mean, *(limits if outcome.shown(1.0) > outcome.shown(0.0) else limits[::-1]))


def _row(options: ReportOptions, contrast: Contrast, decision: Decision, family: int) -> dict[str, Any]:
    outcome, level = options.judged, 1 - options.alpha
    undecided = decision.verdict == "undecided" and contrast.test == "mean"
    return {
        **contrast.labels,
        "outcome": options.outcome,
        "pairs": len(contrast.seeds),
        "finite_pairs": int(contrast.finite.sum()),
        **OF_GROUPS,
        **_estimated(outcome, contrast, decision, options.alpha),
        **decided(options, contrast.test, decision, family, decision.p_max_t, ADJUSTMENT),
        **_edges(options, contrast, decision),
        **_described(outcome, contrast, level),
        **_floored(outcome, contrast, level),
        **_seeds_needed(options, contrast.differences if undecided else np.empty(0), family),
        "mixed": contrast.mixed,
    }


def _estimated(outcome: Outcome, contrast: Contrast, decision: Decision, alpha: float) -> dict[str, float]:
    """Both arms, and the effect with its intervals, over the measured pairs."""
    measured, level = contrast.measured, 1 - alpha
    mean = _mean(contrast.differences)
    together = shown(outcome, Interval(mean, decision.low, decision.high))
    own, narrow = (shown(outcome, stats.t_interval(contrast.differences, at)) for at in (level, level - alpha))
    values = [outcome.shown(_mean(arm[measured])) for arm in (contrast.baseline, contrast.treated)]
    return estimated(values, together, own, narrow)


def estimated(values: Sequence[float], together: Interval, own: Interval, narrow: Interval) -> dict[str, float]:
    """The columns of an estimate.

    Args:
        values: what the baseline and the treatment came to.
        together: the effect, with limits that hold for the whole family.
        own: the same, with limits for the context by itself.
        narrow: the same, at 1 − 2α.
    """
    return {
        "baseline_value": values[0],
        "treatment_value": values[1],
        "effect": together.mean,
        "effect_low": together.low,
        "effect_high": together.high,
        "own_low": own.low,
        "own_high": own.high,
        "narrow_low": narrow.low,
        "narrow_high": narrow.high,
    }


def decided(
    options: ReportOptions, test: str, decision: Decision, family: int, adjusted: float, adjustment: str
) -> dict[str, Any]:
    """The columns of a verdict and of what it rests on.

    Args:
        options: error rate.
        test: what is tested.
        decision: the verdict.
        family: comparisons that are judged together.
        adjusted: the p-value that decides.
        adjustment: how it is adjusted.
    """
    return {
        "confidence": 1 - options.alpha,
        "family": family,
        "verdict": decision.verdict,
        "test": test,
        "p": decision.p,
        "p_max_t": decision.p_max_t,
        "p_holm": decision.p_holm,
        "p_adjusted": adjusted,
        "adjustment": adjustment,
        "limits": decision.limits,
        "p_equivalence": decision.p_equivalence,
        "within_margin": bool(decision.p_equivalence < options.alpha),
    }


def _edges(options: ReportOptions, contrast: Contrast, decision: Decision) -> dict[str, float]:
    """How far what decides lies beyond the edge of each verdict, see `edges`."""
    half = (decision.high - decision.low) / 2 if contrast.test == "mean" else np.nan
    test = edges.mean_test(contrast.tested, decision.p, decision.p_max_t, half)
    margin = options.judged.cost_margin(options.margin)
    return {
        "edge_effect": edges.of_effect(test, options.alpha),
        "edge_equivalence": edges.of_equivalence(decision.p_equivalence, test.pairs, options.alpha),
        "edge_not_worse": edges.of_not_worse(test, margin) if contrast.test == "mean" else np.nan,
    }


def _described(outcome: Outcome, contrast: Contrast, level: float) -> dict[str, Any]:
    """Other statistics of the same pairs, which decide nothing."""
    differences = contrast.differences
    arms = (contrast.baseline[contrast.measured], contrast.treated[contrast.measured])
    robust = shown(outcome, stats.hodges_lehmann(differences, level))
    spread, p_spread = stats.pitman_morgan(*arms)
    wins = stats.win_rate(np.sign(contrast.ranks), level)
    # Of the same pairs: what is measured over the window, whose end that is, is measured there.
    last_differences = (contrast.treated_last - contrast.baseline_last)[contrast.measured]
    last = shown(outcome, stats.t_interval(last_differences, level))
    diverged = contrast.diverged
    return {
        "hl_effect": robust.mean,
        "hl_low": robust.low,
        "hl_high": robust.high,
        "p_wilcoxon": stats.wilcoxon(differences),
        "hedges_dz": outcome.cost(stats.hedges_dz(differences)),
        "win_rate": wins.mean,
        "win_low": wins.low,
        "win_high": wins.high,
        "spread_ratio": spread,
        "p_spread": p_spread,
        "correlation": stats.correlation(*arms),
        "variance_ratio": stats.variance_ratio(*arms),
        "effect_last": last.mean,
        "effect_last_low": last.low,
        "effect_last_high": last.high,
        "diverged_baseline": diverged[0],
        "diverged_treatment": diverged[1],
        "p_mcnemar": stats.mcnemar_exact(*contrast.discordant) if any(diverged) else np.nan,
    }


def _floored(outcome: Outcome, contrast: Contrast, level: float) -> dict[str, Any]:
    """Pairs of which a loss lies below its resolution, and what they say where it is raised to that.

    The effect over all finite pairs is then a bound if every such pair leans to the same side.
    """
    floored = contrast.finite & ~contrast.measured
    differences = (contrast.treated - contrast.baseline)[contrast.finite] if floored.any() else np.empty(0)
    raised = shown(outcome, stats.t_interval(differences, level))
    baseline, treated = contrast.known[:, floored]
    at_least = ((baseline & finals.AT_MOST) | (treated & finals.AT_LEAST)).any()
    at_most = ((baseline & finals.AT_LEAST) | (treated & finals.AT_MOST)).any()
    return {
        "resolution": contrast.resolution,
        "floored": int(floored.sum()),
        "raised_effect": raised.mean,
        "raised_low": raised.low,
        "raised_high": raised.high,
        "bound": BOUNDS[bool(at_least), bool(at_most)],
    }


def _seeds_needed(options: ReportOptions, differences: Array, family: int) -> Mapping[str, float]:
    """Seeds that would show an effect as small as the margin, or that there is none so large; NaN without differences.

    At the α of one comparison of all, at the spread of these differences and at both ends of its 95 % interval.
    """
    margin, alpha = options.judged.cost_margin(options.margin), options.alpha / family if family else np.nan
    spread = float(differences.std(ddof=1)) if len(differences) > 1 else np.nan
    found: dict[str, float] = {}
    for name, needed in (("seeds_needed", power.seeds_needed), ("seeds_equivalent", power.seeds_for_equivalence)):
        at_alpha = partial(needed, alpha=alpha, power=POWER)
        seeds = power.at_spread(at_alpha, margin, spread, len(differences), 0.95)
        found |= {name: seeds.at_spread, f"{name}_low": seeds.fewest, f"{name}_high": seeds.most}
    return found


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else np.nan
