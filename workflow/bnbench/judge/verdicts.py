"""Contrasts and their verdicts: all contrasts of a study are one family, judged together.

Arrays in, verdicts out, and a row of numbers for each. The A/A control runs through `decide` as the study itself does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench.judge import finals, pairing, sign_flips, stats
from bnbench.judge.pairing import Pairs
from bnbench.judge.stats import Array, Interval
from bnbench.plan.study import ReportOptions, Study
from bnbench.vocabulary import POWER


@dataclass(frozen=True)
class Contrast:
    """A treatment against the baseline in one context: the pairs, as arrays over the seeds that both arms have."""

    labels: Mapping[str, str]
    seeds: NDArray[np.int64]
    baseline: Array
    """Mean log loss of the baseline over the window, [pairs]; NaN where the trial diverged.

    The next three arrays are like this one.
    """
    treated: Array
    baseline_last: Array
    treated_last: Array
    floored: int
    """Losses of the pairs that were raised to `FLOOR`, of both arms."""
    mixed: pairing.Mixed

    @property
    def arms(self) -> tuple[str, str]:
        """Labels of the baseline and of the treatment."""
        return self.labels["baseline"], self.labels["treatment"]

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """Pairs of which neither trial diverged."""
        return ~np.isnan(self.treated - self.baseline)

    @cached_property
    def differences(self) -> Array:
        """Log differences, treatment − baseline, of the finite pairs."""
        return (self.treated - self.baseline)[self.finite]

    @cached_property
    def diverged(self) -> tuple[int, int]:
        """Diverged trials among the pairs: of the baseline, of the treatment."""
        return int(np.isnan(self.baseline).sum()), int(np.isnan(self.treated).sum())

    @property
    def discordant(self) -> tuple[int, int]:
        """Pairs of which the baseline alone diverged, or the treatment alone."""
        both = int((np.isnan(self.baseline) & np.isnan(self.treated)).sum())
        return self.diverged[0] - both, self.diverged[1] - both

    @property
    def tested(self) -> Array:
        """What is tested to have mean 0, [pairs]: the differences, or where a trial diverged the worst ranks.

        A diverged trial has no finite difference, so a mean cannot include it.
        """
        return stats.worst_ranks(self.baseline, self.treated) if any(self.diverged) else self.differences


class Decision(NamedTuple):
    """What is decided of one contrast."""

    verdict: stats.Verdict
    p: float
    """Of the sign flips, by itself."""
    p_max_t: float
    """Adjusted for the family by step-down maxT; NaN where its contrasts may not be flipped together."""
    p_holm: float
    adjustment: str
    """Which of the two adjusted p-values decides: `maxT`, or `Holm` where contrasts may not be flipped together."""
    p_equivalence: float
    """Of two one-sided tests on the margin, adjusted by Holm; NaN where a trial diverged."""
    low: float
    """Limits of the mean log difference that hold for the whole family at 1 − α."""
    high: float
    limits: str
    """What gives them: `flips` or `Bonferroni`, or `Student` where no other has any; empty where there are none."""

    @property
    def p_adjusted(self) -> float:
        """The adjusted p-value that decides."""
        return self.p_max_t if self.adjustment == "maxT" else self.p_holm


def contrast(options: ReportOptions, pairs: Pairs) -> Contrast:
    """The arrays of the outcome that decides."""
    arms = (pairs.baseline, pairs.treated)
    return Contrast(
        pairs.labels,
        pairs.seeds,
        *pairs.final(options.outcome, options.window),
        *pairs.final(options.outcome, 0.0),
        sum(int(finals.floored(arm, options.outcome, options.window).sum()) for arm in arms),
        pairing.mixed(options.factor, *(arm.rows for arm in arms)),
    )


Test = Callable[[Sequence[int], int], sign_flips.PValues]
"""From places of contrasts and the number of random flips to the p-values of these contrasts, judged together."""


def decide(
    options: ReportOptions,
    contrasts: Sequence[Contrast],
    draws: int | None = None,
    test: Test | None = None,
    *,
    joint: bool = True,
) -> list[Decision]:
    """Judge all contrasts as one family.

    Args:
        options: error rate, margin.
        contrasts: the family; their seeds may differ.
        draws: of sign flips; as many as α and the number of contrasts ask for, unless given.
        test: replaces the sign-flip test if the data chose the contrasts. No verdict is then `equivalent`, because the
            equivalence test ignores that choice.
        joint: whether the contrasts of a seed may be flipped together; else p is adjusted by Holm.
    """
    family, places = sum(bool(len(contrast.seeds)) for contrast in contrasts), range(len(contrasts))
    if draws is None:
        draws = sign_flips.draws(options.alpha, 1 if joint else family)

    def flip(places: Sequence[int], draws: int) -> sign_flips.PValues:
        seeds, tested = zip(*((contrasts[place].seeds, contrasts[place].tested) for place in places), strict=True)
        return sign_flips.max_t(sign_flips.aligned(seeds, tested), draws)

    by_test = test or flip
    p_values, max_t = np.full((2, len(contrasts)), np.nan)
    if joint and contrasts:
        p_values, max_t = by_test(places, draws)
    elif contrasts:
        p_values = np.array([float(by_test([place], draws).alone[0]) for place in places])
    holm = stats.holm(p_values)
    equivalence = stats.holm([np.nan if test else _equivalence(options, contrast) for contrast in contrasts])
    limits = _limits(options, contrasts, draws)
    decisions = []
    for index, contrast in enumerate(contrasts):
        alone, jointly, plain = (float(values[index]) for values in (p_values, max_t, holm))
        low, high, method = float(limits.low[index]), float(limits.high[index]), str(limits.methods[index])
        adjusted = (alone, jointly, plain, "maxT" if joint else "Holm", float(equivalence[index]))
        decision = Decision("no data", *adjusted, low, high, method)
        decisions.append(decision._replace(verdict=_verdict(options, contrast, decision)))
    return decisions


def table(study: Study, contrasts: Sequence[Contrast], decisions: Sequence[Decision]) -> pd.DataFrame:
    """One row per contrast: everything that is said of it."""
    family = sum(bool(len(contrast.seeds)) for contrast in contrasts)
    rows = [_row(study.report, *judged, family) for judged in zip(contrasts, decisions, strict=True)]
    of_batches = study.report.factor == "batch_size"
    examples = [np.nan if of_batches else study.examples(contrast.labels) for contrast in contrasts]
    return pd.DataFrame(rows).assign(examples=examples)


def _equivalence(options: ReportOptions, contrast: Contrast) -> float:
    return np.nan if any(contrast.diverged) else stats.equivalence(contrast.differences, options.margin)


def _limits(options: ReportOptions, contrasts: Sequence[Contrast], draws: int) -> sign_flips.Limits:
    """Simultaneous limits of the mean log differences, over the finite pairs."""
    seeds = [contrast.seeds[contrast.finite] for contrast in contrasts]
    values = sign_flips.aligned(seeds, [contrast.differences for contrast in contrasts])
    return sign_flips.simultaneous(values, 1 - options.alpha, draws)


def _verdict(options: ReportOptions, contrast: Contrast, decision: Decision) -> stats.Verdict:
    if not len(contrast.seeds):
        return "no data"
    ratio = _ratio(contrast, decision)
    if any(contrast.diverged):
        return stats.worst_rank_verdict(decision.p_adjusted, contrast.tested, ratio, options.alpha)
    return stats.verdict(decision.p_adjusted, ratio, decision.p_equivalence, options.alpha)


def _ratio(contrast: Contrast, decision: Decision) -> Interval:
    """The geometric-mean ratio with the limits that hold for the family."""
    mean = contrast.differences.mean() if contrast.finite.any() else np.nan
    with np.errstate(over="ignore"):
        return Interval(*np.exp([mean, decision.low, decision.high]).tolist())


def _row(options: ReportOptions, contrast: Contrast, decision: Decision, family: int) -> dict[str, Any]:
    return {
        **contrast.labels,
        "outcome": options.outcome,
        **_decided(options, contrast, decision, family),
        **_described(options, contrast),
        "seeds_needed": _seeds_needed(options, contrast, family) if decision.verdict == "undecided" else np.nan,
        "floored": contrast.floored,
        "mixed": contrast.mixed,
    }


def _decided(options: ReportOptions, contrast: Contrast, decision: Decision, family: int) -> dict[str, Any]:
    """The verdict and what it rests on."""
    finite, level = contrast.finite, 1 - options.alpha
    ratio, own = _ratio(contrast, decision), stats.geometric_interval(contrast.differences, level)
    narrow = stats.geometric_interval(contrast.differences, level - options.alpha)
    return {
        "pairs": len(contrast.seeds),
        "finite_pairs": int(finite.sum()),
        "baseline_value": _geometric_mean(contrast.baseline[finite]),
        "treatment_value": _geometric_mean(contrast.treated[finite]),
        "effect": own.mean,
        "effect_low": ratio.low,
        "effect_high": ratio.high,
        "confidence": level,
        "family": family,
        "verdict": decision.verdict,
        "test": "worst-rank" if any(contrast.diverged) else "mean",
        "p": decision.p,
        "p_max_t": decision.p_max_t,
        "p_holm": decision.p_holm,
        "p_adjusted": decision.p_adjusted,
        "adjustment": decision.adjustment,
        "limits": decision.limits,
        "p_equivalence": decision.p_equivalence,
        "within_margin": bool(decision.p_equivalence < options.alpha),
        "own_low": own.low,
        "own_high": own.high,
        "narrow_low": narrow.low,
        "narrow_high": narrow.high,
    }


def _described(options: ReportOptions, contrast: Contrast) -> dict[str, Any]:
    """Other statistics of the same pairs, which decide nothing."""
    level, differences = 1 - options.alpha, contrast.differences
    arms = (contrast.baseline[contrast.finite], contrast.treated[contrast.finite])
    robust = Interval(*np.exp(stats.hodges_lehmann(differences, level)).tolist())
    spread, p_spread = stats.pitman_morgan(*arms)
    wins = stats.win_rate(np.sign(stats.worst_ranks(contrast.baseline, contrast.treated)), level)
    last_differences = contrast.treated_last - contrast.baseline_last
    last = stats.geometric_interval(last_differences[np.isfinite(last_differences)], level)
    diverged = contrast.diverged
    return {
        "hl_effect": robust.mean,
        "hl_low": robust.low,
        "hl_high": robust.high,
        "p_wilcoxon": stats.wilcoxon(differences),
        "hedges_dz": stats.hedges_dz(differences),
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


def _seeds_needed(options: ReportOptions, contrast: Contrast, family: int) -> float:
    """Seeds that would show a ratio as small as the margin, at the observed spread and the α of one of all."""
    if any(contrast.diverged) or len(contrast.seeds) < 2:
        return np.nan
    spread = float(contrast.differences.std(ddof=1))
    effect = np.log(options.margin) / spread if spread > 0 else np.nan
    return stats.seeds_needed(float(effect), options.alpha / family, POWER)


def _geometric_mean(log_losses: Array) -> float:
    return float(np.exp(log_losses.mean())) if len(log_losses) else np.nan
