"""The outcomes: what a trial can be judged by, and on which scale two trials are compared by it. Pure.

Losses are compared by their ratio, so by the difference of their logarithms. Scores, and the generalization gap, which
is such a difference already, are compared by their difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = TypeVar("Numbers", float, Array)

Scale = Literal["ratio", "difference"]


@dataclass(frozen=True)
class Outcome:
    """What is measured of a trial, and how two trials are compared by it."""

    name: str
    scale: Scale
    lower_is_better: bool
    margin: float | None
    """An effect smaller than this does not matter, unless the study says otherwise: on the scale, such as 1.05.

    None where a study must say it, since it depends on the units.
    """
    of_trial: bool = False
    """Whether a trial has one value of it, stored at its last epoch, so that there is nothing to average."""
    per_cent: bool = False
    """Whether it is a share, which people read in per cent, and whose differences in percentage points."""
    unit: str = ""
    """What it is measured in, where that is known and no share."""
    title: str = ""
    """The user's name for it, if nothing else is known; empty for outcomes that are measured here."""

    @property
    def is_ratio(self) -> bool:
        """Whether an effect is a ratio, and not a difference."""
        return self.scale == "ratio"

    @property
    def no_effect(self) -> float:
        """The effect of an arm that changes nothing."""
        return 1.0 if self.is_ratio else 0.0

    def unscaled(self, scaled: Numbers) -> Numbers:
        """From values on the scale to values as they are measured; from a difference of two to how they compare."""
        if not self.is_ratio:
            return scaled
        with np.errstate(over="ignore"):
            return np.exp(scaled)  # type: ignore[no-any-return]

    def cost(self, scaled: Numbers) -> Numbers:
        """From values on the scale (logarithms of losses, or scores) to costs, of which lower ones are better."""
        return scaled if self.lower_is_better else -scaled

    def shown(self, cost: Numbers) -> Numbers:
        """From a mean cost to the value that is shown, and from a difference of two costs to the effect."""
        return self.unscaled(self.cost(cost))

    def cost_margin(self, margin: float) -> float:
        """A margin as a difference of costs."""
        return float(np.log(margin)) if self.is_ratio else margin


def _losses(*names: str) -> tuple[Outcome, ...]:
    return tuple(Outcome(name, "ratio", lower_is_better=True, margin=1.05) for name in names)


OUTCOMES = {
    outcome.name: outcome
    for outcome in (
        *_losses("train_loss", "eval_loss", "test_loss", "test_loss_precise", "test_loss_batch", "validation_loss"),
        Outcome("best_test_loss", "ratio", lower_is_better=True, margin=1.05, of_trial=True),
        Outcome("generalization_gap", "difference", lower_is_better=True, margin=0.05),
        Outcome("swing", "difference", lower_is_better=True, margin=0.05, of_trial=True),
        Outcome("test_accuracy", "difference", lower_is_better=False, margin=0.01, per_cent=True),
        Outcome("test_error", "difference", lower_is_better=True, margin=0.01, per_cent=True),
        Outcome("auc", "difference", lower_is_better=False, margin=0.01),
        Outcome("r2", "difference", lower_is_better=False, margin=0.01),
        Outcome("mae", "difference", lower_is_better=True, margin=None),
        *_losses("epochs_to_target", "seconds"),
    )
}
"""Name → outcome, in the order of a table of all of them."""
