"""Contrasts and their verdicts: all contrasts of a study are one family, judged together.

Arrays in, verdicts out. The A/A control runs through `decide` as the study itself does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bnbench.judging import finals, pairing, sign_flips, stats
from bnbench.judging.pairing import Pairs
from bnbench.judging.stats import Array, Interval
from bnbench.plan.study import ReportOptions


@dataclass(frozen=True)
class Contrast:
    """A treatment against the baseline in one context: the pairs, as arrays over the seeds that both arms have."""

    labels: Mapping[str, str]
    seeds: NDArray[np.int64]
    baseline: Array
    """What the baseline's trials cost over the window, [pairs]: lower is better, see `Outcome.cost`; NaN if diverged.

    The next three arrays are like this one.
    """
    treated: Array
    baseline_last: Array
    treated_last: Array
    censored: NDArray[np.integer[Any]] | int
    """How each cost is known, [2, pairs], the baseline's first; or 0 for all: see `finals.censored`."""
    mixed: pairing.Mixed
    resolution: float = np.nan
    """What losses below this were raised to; NaN of scores."""

    @property
    def arms(self) -> tuple[str, str]:
        """Labels of the baseline and of the treatment."""
        return self.labels["baseline"], self.labels["treatment"]

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """Pairs of which neither trial diverged."""
        return ~np.isnan(self.treated - self.baseline)

    @cached_property
    def known(self) -> NDArray[np.integer[Any]]:
        """How each cost is known, [2, pairs]."""
        return np.broadcast_to(self.censored, (2, len(self.seeds)))

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """Finite pairs of which both costs were measured: those that have a difference."""
        return self.finite & ~self.known.any(0)

    @cached_property
    def differences(self) -> Array:
        """Differences of the costs, treatment − baseline, of the measured pairs."""
        return (self.treated - self.baseline)[self.measured]

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
    def test(self) -> str:
        """What is tested to have mean 0: `mean`, or ranks, `worst-rank` where trials diverged, else `rank`."""
        if any(self.diverged):
            return "worst-rank"
        return "mean" if self.measured.all() else "rank"

    @property
    def tested(self) -> Array:
        """The values of the test, [pairs]: the differences, or signed ranks where some pairs have none."""
        return self.differences if self.test == "mean" else self.ranks

    @cached_property
    def ranks(self) -> Array:
        """Signed ranks of the differences, [pairs], see `stats.signed_ranks`."""
        return stats.signed_ranks(*self.bounds())

    def bounds(self) -> list[tuple[Array, Array]]:
        """Lower and upper bounds of the costs of both arms, [pairs] each, see `stats.signed_ranks`."""
        most = np.finfo(np.float64).max
        found = []
        for costs, known in zip((self.baseline, self.treated), self.known, strict=True):
            low = np.where(known & finals.AT_MOST, -most, costs)
            high = np.where(known & finals.AT_LEAST, most, costs)
            worst = np.isnan(costs)
            found.append((np.where(worst, np.inf, low), np.where(worst, np.inf, high)))
        return found


class Decision(NamedTuple):
    """What is decided of one contrast."""

    verdict: stats.Verdict
    p: float
    """Of the sign flips, by itself."""
    p_max_t: float
    """Adjusted for the family by step-down maxT: the one that decides."""
    p_holm: float
    """Adjusted by Holm, beside it."""
    p_equivalence: float
    """Of two one-sided tests on the margin, adjusted by Holm; NaN where not all pairs were measured, or too few."""
    low: float
    """Limits of the mean difference of the costs that hold for the whole family at 1 − α."""
    high: float
    limits: str
    """What gives them: `flips` or `Bonferroni`, or `Student` where no other has any; empty where there are none."""


def contrast(options: ReportOptions, pairs: Pairs) -> Contrast:
    """The arrays of the outcome that decides."""
    arms, cost = (pairs.baseline, pairs.treated), options.judged.cost
    baseline, treated = map(cost, pairs.final(options.outcome, options.window))
    baseline_last, treated_last = map(cost, pairs.final(options.outcome, 0.0))
    return Contrast(
        pairs.labels,
        pairs.seeds,
        baseline,
        treated,
        baseline_last,
        treated_last,
        np.stack([finals.censored(arm, options.outcome, options.window) for arm in arms]),
        pairing.mixed(options.factor, *(arm.rows for arm in arms)),
        finals.resolution(pairs.baseline.setting, options.outcome),
    )


def decide(options: ReportOptions, contrasts: Sequence[Contrast], draws: int | None = None) -> list[Decision]:
    """Judge all contrasts as one family.

    Args:
        options: error rate, margin.
        contrasts: the family; their seeds may differ.
        draws: of sign flips; as many as α asks for, unless given.
    """
    if not contrasts:
        return []
    draws = sign_flips.draws(options.alpha) if draws is None else draws
    seeds, tested = zip(*((contrast.seeds, contrast.tested) for contrast in contrasts), strict=True)
    p_values, max_t = sign_flips.max_t(sign_flips.aligned(seeds, tested), draws)
    holm = stats.holm(p_values)
    equivalence = stats.holm([_equivalence(options, contrast) for contrast in contrasts])
    limits = _limits(options, contrasts, draws)
    decisions = []
    for index, contrast in enumerate(contrasts):
        alone, jointly, plain = (float(values[index]) for values in (p_values, max_t, holm))
        low, high, method = float(limits.low[index]), float(limits.high[index]), str(limits.methods[index])
        decision = Decision("no data", alone, jointly, plain, float(equivalence[index]), low, high, method)
        decisions.append(decision._replace(verdict=_verdict(options, contrast, decision)))
    return decisions


def _equivalence(options: ReportOptions, contrast: Contrast) -> float:
    """Of two one-sided tests; not of seeds over which nothing else could be decided, however alike they are."""
    if contrast.test != "mean" or not sign_flips.can_decide(len(contrast.seeds), options.alpha):
        return np.nan
    return stats.equivalence(contrast.differences, options.judged.cost_margin(options.margin))


def _limits(options: ReportOptions, contrasts: Sequence[Contrast], draws: int) -> sign_flips.Limits:
    """Simultaneous limits of the mean differences, over the measured pairs."""
    seeds = [contrast.seeds[contrast.measured] for contrast in contrasts]
    values = sign_flips.aligned(seeds, [contrast.differences for contrast in contrasts])
    return sign_flips.simultaneous(values, 1 - options.alpha, draws)


def _verdict(options: ReportOptions, contrast: Contrast, decision: Decision) -> stats.Verdict:
    if not len(contrast.seeds):
        return "no data"
    difference = Interval(_mean(contrast.differences), decision.low, decision.high)
    if contrast.test != "mean":
        return stats.verdict_of_ranks(decision.p_max_t, contrast.tested, difference, options.alpha)
    return stats.verdict(decision.p_max_t, difference, decision.p_equivalence, options.alpha)


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else np.nan
