"""How soon two arms reach a loss or a score, if some trials never do and others are there at the first measurement.

A trial that never reaches it counts with the last measured epoch, as the restricted mean time of survival analysis has
it (Royston & Parmar 2013), and one that diverges with that of all trials. Where all are followed for equally long, arms
that do not differ can still be exchanged within a seed, and sign flips stay exact. One that stopped early counts with
its own last measurement, so that the bound holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnbench.judging import stats
from bnbench.judging.pairing import Pairs
from bnbench.judging.stats import Array, Interval
from bnbench.outcomes import Outcome
from bnbench.plan.study import Study
from bnbench.store.trials import Trials

_EQUAL = 1e-12  # log differences are measured epochs', so what is closer is the same


@dataclass(frozen=True)
class Times:
    """When each trial of an arm reached the target, and the bounds on it, [seeds]."""

    logs: Array
    """Logarithm of the number of epochs after which it was first measured, or those of the last measurement."""
    never: NDArray[np.bool_]
    """It was not reached, or the trial diverged afterwards: it takes longer than `logs` says, if it ever gets there."""
    at_once: NDArray[np.bool_]
    """It was reached at the first measurement: it may have taken less than `logs` says."""


@dataclass(frozen=True)
class Compared:
    """Two arms of the same seeds."""

    baseline: Times
    treated: Times

    @property
    def differences(self) -> Array:
        """Differences of `logs`, treatment − baseline, [pairs]."""
        return self.treated.logs - self.baseline.logs

    @property
    def known(self) -> bool:
        """Whether the ratio is known at all: not if in every pair no trial reaches it, or both reach it at once."""
        seen = [~(arm.never | arm.at_once) for arm in (self.baseline, self.treated)]
        return bool((self.differences != 0).any() or np.any(seen))

    @property
    def bound(self) -> str | None:
        """What the mean ratio says of that of the true times: `at least` or `at most`.

        `restricted` where some pairs bound it from below and others from above; None where all times were seen.
        """
        low = bool(self.treated.never.any() or self.baseline.at_once.any())
        high = bool(self.baseline.never.any() or self.treated.at_once.any())
        return "restricted" if low and high else "at least" if low else "at most" if high else None

    def log_ratio(self, level: float) -> Interval:
        """Mean of `differences`, with the limits of Student's interval that hold whatever was not seen.

        NaN for a limit that does not, and for both where all pairs have the same difference: the spacing of the
        measurements makes them equal, not a precision without limits.
        """
        if not self.known:
            return Interval(math.nan, math.nan, math.nan)
        mean, low, high = stats.t_interval(self.differences, level)
        if np.ptp(self.differences) < _EQUAL:
            return Interval(mean, math.nan, math.nan)
        bound = self.bound
        return Interval(mean, math.nan if bound == "at most" else low, math.nan if bound == "at least" else high)


def compared(pairs: Pairs, outcome: Outcome, wanted: float) -> Compared:
    """How soon the outcome of both arms is as good as `wanted`, or better; never as good as NaN."""
    return Compared(times(pairs.baseline, outcome, wanted), times(pairs.treated, outcome, wanted))


def followed_alike(outcome: str, *arms: tuple[Trials, Times]) -> bool:
    """Whether runs can be exchanged: all that never reach the target are followed for equally long.

    Args:
        outcome: whose target it is.
        arms: the runs of each, and when they reached it.
    """
    return not (any(outcome in arm.measured for arm, _ in arms) and any(times.never.any() for _, times in arms))


def target(study: Study, pairs: Pairs) -> float:
    """The value whose first epoch is compared: the config's, or of a loss twice the larger final loss of the two arms.

    The latter is the geometric mean over the seeds of the larger one of each pair. It is seen in the data, but does not
    change when the arms of a seed are exchanged, as sign flips do. NaN where no trial has a finite loss.
    """
    if study.report.target is not None:
        return study.report.target
    larger = np.fmax(*pairs.final(study.report.outcome, study.report.window))
    finite = larger[np.isfinite(larger)]
    return 2 * math.exp(finite.mean()) if len(finite) else math.nan


def times(arm: Trials, outcome: Outcome, wanted: float) -> Times:
    """How soon the outcome of each trial of an arm is as good as `wanted`, or better."""
    measured, epochs = arm.losses[outcome.name], arm.epochs[outcome.name]
    there = measured <= wanted if outcome.lower_is_better else measured >= wanted
    # A trial that came there and diverged later is no success.
    finite = np.isfinite(measured[-1])
    never = ~(there.any(0) & finite)
    followed = np.where(finite, arm.last(outcome.name), len(epochs) - 1)
    first = np.where(never, followed, there.argmax(0))
    return Times(np.log(epochs[first] + 1.0), never, ~never & (first == 0))
