"""Independent groups of runs and their verdicts: where the runs of two arms share nothing by design.

What `verdicts` is to pairs: arrays in, verdicts out. The difference of the mean costs is judged by Welch's t, its p by
permutations between the groups. How the contexts depend on one another is not known, so Holm and Bonferroni, which
need not know it, make the family's error rate hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnbench.judging import finals, pairing, permutations, sign_flips, stats, two_samples
from bnbench.judging.pairing import Mixed
from bnbench.judging.stats import Array
from bnbench.judging.two_samples import Bounds, Estimate
from bnbench.judging.verdicts import Decision
from bnbench.plan.study import ReportOptions
from bnbench.store.trials import Trials

Known = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Arms:
    """A treatment and the baseline in one context, with all runs of each."""

    context: Mapping[str, str]
    """Factor → label of what is held fixed."""
    arms: tuple[str, str]
    """Labels of the baseline and of the treatment."""
    baseline: Trials
    treated: Trials

    @property
    def labels(self) -> dict[str, str]:
        """What names a contrast in every table: the context, the baseline and the treatment."""
        return {**self.context, "baseline": self.arms[0], "treatment": self.arms[1]}

    @property
    def both(self) -> tuple[Trials, Trials]:
        """The runs of the baseline and of the treatment."""
        return self.baseline, self.treated


@dataclass(frozen=True)
class Groups:
    """A treatment against the baseline in one context: the runs of both, as arrays."""

    labels: Mapping[str, str]
    baseline: Array
    """What the baseline's runs cost over the window, [runs]: lower is better, see `Outcome.cost`; NaN if diverged."""
    treated: Array
    """The same of the treatment, [its runs]."""
    baseline_last: Array
    """The same at the last epoch, [runs]."""
    treated_last: Array
    """[runs of the treatment]"""
    censored: tuple[Known | int, Known | int] = (0, 0)
    """How each cost of the baseline and of the treatment is known, [runs], or 0 for all: see `finals.censored`."""
    mixed: Mixed = ()
    resolution: float = np.nan
    """What losses below this were raised to; NaN of scores."""
    seeds: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    """What tells the runs of each arm apart, [runs], ascending; None where nothing does, so that none are in common."""

    @property
    def arms(self) -> tuple[str, str]:
        """Labels of the baseline and of the treatment."""
        return self.labels["baseline"], self.labels["treatment"]

    @property
    def runs(self) -> tuple[int, int]:
        """Runs of the baseline and of the treatment."""
        return len(self.baseline), len(self.treated)

    @cached_property
    def known(self) -> tuple[Known, Known]:
        """How each cost is known, [runs] of both arms."""
        of_baseline, of_treated = (
            np.broadcast_to(known, runs) for known, runs in zip(self.censored, self.runs, strict=True)
        )
        return of_baseline, of_treated

    @cached_property
    def finite(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Runs that did not diverge, [runs] of both arms."""
        return ~np.isnan(self.baseline), ~np.isnan(self.treated)

    @cached_property
    def measured(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Finite runs whose cost was measured, [runs] of both arms."""
        of_baseline, of_treated = (finite & (known == 0) for finite, known in zip(self.finite, self.known, strict=True))
        return of_baseline, of_treated

    @cached_property
    def values(self) -> tuple[Array, Array]:
        """The costs of the measured runs, of both arms."""
        return self.baseline[self.measured[0]], self.treated[self.measured[1]]

    @cached_property
    def difference(self) -> Estimate:
        """Difference of the mean costs, treatment − baseline, of the measured runs."""
        return two_samples.welch(*self.values)

    @cached_property
    def diverged(self) -> tuple[int, int]:
        """Diverged runs of the baseline and of the treatment."""
        return int((~self.finite[0]).sum()), int((~self.finite[1]).sum())

    @property
    def test(self) -> str:
        """What is tested to be equal: `mean`, or ranks, `worst-rank` where runs diverged, else `rank`."""
        if any(self.diverged):
            return "worst-rank"
        return "mean" if self.measured[0].all() and self.measured[1].all() else "rank"

    @property
    def tested(self) -> tuple[Array, Array]:
        """The values of the test, [runs] of both arms: the costs, or scores where some are not known."""
        return self.values if self.test == "mean" else self.scores

    @cached_property
    def scores(self) -> tuple[Array, Array]:
        """What replaces ranks, [runs] of both arms, see `two_samples.scores`."""
        return two_samples.scores(*self.bounds())

    def bounds(self) -> tuple[Bounds, Bounds]:
        """Lower and upper bounds of the costs of both arms, see `two_samples.Bounds`."""
        most = np.finfo(np.float64).max
        found = []
        for costs, known in zip((self.baseline, self.treated), self.known, strict=True):
            worst = np.isnan(costs)
            low = np.where(known & finals.AT_MOST, -most, costs)
            high = np.where(known & finals.AT_LEAST, most, costs)
            found.append((np.where(worst, np.inf, low), np.where(worst, np.inf, high)))
        return found[0], found[1]

    def common(self) -> tuple[Array, Array]:
        """The costs of the runs whose seeds both arms have measured, [common seeds] of both: as if they were pairs."""
        if self.seeds is None:
            return np.empty(0), np.empty(0)
        own = [seeds[measured] for seeds, measured in zip(self.seeds, self.measured, strict=True)]
        _, *places = np.intersect1d(own[0], own[1], assume_unique=True, return_indices=True)
        return self.values[0][places[0]], self.values[1][places[1]]


def groups(options: ReportOptions, arms: Arms) -> Groups:
    """The arrays of the outcome that decides."""
    return of_outcome(options, arms, options.outcome)


def of_outcome(options: ReportOptions, arms: Arms, name: str) -> Groups:
    """The arrays of an outcome; all runs that both arms have of it."""
    outcome = arms.baseline.setting.outcomes[name]
    at_window, at_last = (
        [outcome.cost(np.asarray(finals.final(arm, name, share), np.float64)) for arm in arms.both]
        for share in (options.window, 0.0)
    )
    known = [finals.censored(arm, name, options.window).to_numpy() for arm in arms.both]
    return Groups(
        arms.labels,
        baseline=at_window[0],
        treated=at_window[1],
        baseline_last=at_last[0],
        treated_last=at_last[1],
        censored=(known[0], known[1]),
        mixed=pairing.mixed(options.factor, *(arm.rows for arm in arms.both)),
        resolution=finals.resolution(arms.baseline.setting, name),
        seeds=(arms.baseline.seeds, arms.treated.seeds),
    )


def decide(options: ReportOptions, contrasts: Sequence[Groups], draws: int | None = None) -> list[Decision]:
    """Judge all contrasts as one family.

    Args:
        options: error rate, margin.
        contrasts: the family.
        draws: random permutations; as many as α asks for, unless given.

    Returns:
        decisions like those on pairs, but without maxT: `p_holm` is what decides.
    """
    draws = sign_flips.draws(options.alpha) if draws is None else draws
    p_values = tests(contrasts, draws)
    holm = stats.holm(p_values)
    equivalent = stats.holm([_equivalence(options, contrast) for contrast in contrasts])
    family = size(contrasts)
    decisions = []
    for contrast, alone, plain, within in zip(contrasts, p_values, holm, equivalent, strict=True):
        _, low, high = contrast.difference.interval(1 - options.alpha / max(family, 1))
        method = "" if np.isnan(low) else "Bonferroni" if family > 1 else "Student"
        decision = Decision("no data", float(alone), np.nan, float(plain), float(within), low, high, method)
        decisions.append(decision._replace(verdict=_verdict(options, contrast, decision)))
    return decisions


def tests(contrasts: Sequence[Groups], draws: int) -> Array:
    """P of each contrast by itself, [contrasts]: of means or of ranks; NaN where an arm has fewer than two runs.

    Ranks are studentized as well: their plain sum errs where arms differ in spread and in the number of runs, though
    neither is better.
    """
    return permutations.studentized([contrast.tested for contrast in contrasts], draws)


def size(contrasts: Sequence[Groups]) -> int:
    """Contrasts in the family: those of which both arms have runs enough."""
    return sum(not permutations.too_few(*contrast.runs) for contrast in contrasts)


def _equivalence(options: ReportOptions, contrast: Groups) -> float:
    """Of two one-sided tests; not of runs over which nothing else could be decided, however alike they are."""
    if contrast.test != "mean" or not permutations.can_decide(*contrast.runs, options.alpha):
        return np.nan
    return two_samples.equivalence(*contrast.values, options.judged.cost_margin(options.margin))


def _verdict(options: ReportOptions, contrast: Groups, decision: Decision) -> stats.Verdict:
    if not all(contrast.runs):
        return "no data"
    difference = stats.Interval(contrast.difference.mean, decision.low, decision.high)
    if contrast.test != "mean":
        # The scores of both arms together sum to 0, so those of the treatment alone point the way.
        return stats.verdict_of_ranks(decision.p_holm, contrast.scores[1], difference, options.alpha)
    return stats.verdict(decision.p_holm, difference, decision.p_equivalence, options.alpha)
