"""Contrasts and their verdicts: all contrasts of a study are one family, judged together.

Arrays in, verdicts out, and a row of numbers for each. The A/A control runs through `decide` as the study itself does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Adjusted for the family by step-down maxT; NaN where its contrasts have different seeds."""
    p_holm: float
    adjustment: str
    """Which of the two adjusted p-values decides: `maxT`, or `Holm` where contrasts have different seeds."""
    p_equivalence: float
    """Of two one-sided tests on the margin, adjusted by Holm; NaN where a trial diverged."""
    low: float
    """Limits of the mean log difference that hold for the whole family at 1 − α."""
    high: float
    limits: str
    """What makes them hold for all: `flips`, or `Bonferroni` where contrasts have different finite pairs."""

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


def decide(options: ReportOptions, contrasts: Sequence[Contrast], draws: int = sign_flips.DRAWS) -> list[Decision]:
    """Judge all contrasts as one family.

    Args:
        options: error rate, margin.
        contrasts: the family.
        draws: of sign flips.
    """

    def flip(places: Sequence[int]) -> sign_flips.PValues:
        return sign_flips.max_t(np.stack([contrasts[place].tested for place in places], axis=1), draws)

    with_pairs = [index for index, contrast in enumerate(contrasts) if len(contrast.seeds)]
    p_values, max_t = np.full((2, len(contrasts)), np.nan)
    same = len({contrasts[index].seeds.tobytes() for index in with_pairs}) == 1
    if same:
        p_values[with_pairs], max_t[with_pairs] = flip(with_pairs)
    else:
        p_values = np.array([float(flip([place]).alone[0]) for place in range(len(contrasts))])
    holm = stats.holm(p_values)
    equivalence = stats.holm([_equivalence(options, contrast) for contrast in contrasts])
    adjustment = "maxT" if same else "Holm"
    decisions = []
    limits, method = _limits(options, contrasts, min(draws, sign_flips.QUANTILE_DRAWS))
    for index, (low, high) in enumerate(limits):
        alone, jointly, plain = (float(values[index]) for values in (p_values, max_t, holm))
        decision = Decision("no data", alone, jointly, plain, adjustment, float(equivalence[index]), low, high, method)
        decisions.append(decision._replace(verdict=_verdict(options, contrasts[index], decision)))
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


def _limits(options: ReportOptions, contrasts: Sequence[Contrast], draws: int) -> tuple[list[tuple[float, float]], str]:
    """Simultaneous limits of the mean log differences, over the finite pairs, and by which method."""
    level = 1 - options.alpha
    shown = [index for index, contrast in enumerate(contrasts) if contrast.finite.any()]
    pairs = {contrasts[index].seeds[contrasts[index].finite].tobytes() for index in shown}
    if len(pairs) == 1:
        low, high = sign_flips.simultaneous(np.stack([contrasts[i].differences for i in shown], axis=1), level, draws)
        limits = dict(zip(shown, zip(low.tolist(), high.tolist(), strict=True), strict=True))
    else:
        apart = 1 - options.alpha / max(len(shown), 1)
        limits = {index: stats.t_interval(contrasts[index].differences, apart)[1:] for index in shown}
    method = "flips" if len(pairs) == 1 else "Bonferroni"
    return [limits.get(index, (np.nan, np.nan)) for index in range(len(contrasts))], method


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
