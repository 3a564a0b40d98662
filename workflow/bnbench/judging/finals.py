"""The final value of a trial over a window of the last measured epochs, on the scale on which trials are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench.epochs import window_length
from bnbench.judging import stats
from bnbench.judging.stats import Array
from bnbench.plan.settings import Setting
from bnbench.store.trials import Trials
from bnbench.vocabulary import GAP

AT_MOST, AT_LEAST = 1, 2
"""How a value is bounded if its parts are below their resolution; with both flags it may be anything."""


def scaled(trials: Trials, outcome: str, at: NDArray[np.int64] | None = None) -> Array:
    """What was measured, on the scale of the outcome, [epochs, seeds]; NaN where it is not finite.

    Losses as their logarithms, raised to their resolution first; scores and the generalization gap as they are. At all
    measured epochs, or at the places `at` among them.
    """
    values = trials.losses[outcome] if at is None else trials.losses[outcome][at]
    if trials.setting.outcomes[outcome].is_ratio:
        return stats.log_losses(values, trials.setting.resolution(outcome))
    return np.where(np.isfinite(values), values, np.nan)


def final(trials: Trials, outcome: str, share: float) -> pd.Series[float]:
    """Mean of `scaled` over the last `share` of the measured epochs (0: the last alone), by seed; NaN if diverged.

    Of what a trial has one value of, that value.
    """
    return pd.Series(_over_window(trials, outcome, scaled(trials, outcome), share, np.mean), trials.rows.index)


def censored(trials: Trials, outcome: str, share: float) -> pd.Series[int]:
    """How the final value is known, by seed: 0 measured, else a sum of `AT_MOST` and `AT_LEAST`.

    A loss below its resolution is known to be at most that. So is the gap where the test loss lies below its
    resolution; it is at least what was found where the train loss does.
    """
    known = pd.Series(0, trials.rows.index)
    for part, bound in _parts(trials.setting, outcome):
        low = trials.losses[part] < trials.setting.resolution(part)
        known += bound * _over_window(trials, outcome, low, share, np.any)
    return known


def resolution(setting: Setting, outcome: str) -> float:
    """A value of the outcome (for the gap, a train loss) below this cannot be distinguished from 0; NaN for scores."""
    part = "eval_loss" if outcome == GAP else outcome
    return setting.resolution(part) if setting.outcomes[part].is_ratio else np.nan


def _over_window(
    trials: Trials, outcome: str, values: NDArray[Any], share: float, reduced: Callable[..., Any]
) -> NDArray[Any]:
    """The mean of the values over the window, [seeds]; for a run with its own epochs, over the last of those."""
    share = _share(trials, outcome, share)
    there = trials.measured.get(outcome)
    if there is None:
        return np.asarray(reduced(window(values, share), axis=0))
    own = [reduced(window(values[there[:, run], run], share)) for run in range(values.shape[1])]
    return np.array(own, np.float64 if values.dtype.kind == "f" else np.bool_)


def _share(trials: Trials, outcome: str, share: float) -> float:
    return 0.0 if trials.setting.outcomes[outcome].of_trial else share


def _parts(setting: Setting, outcome: str) -> tuple[tuple[str, int], ...]:
    """The losses that an outcome is made of, and its bounds if one is below its resolution."""
    if outcome == GAP:
        return (("test_loss", AT_MOST), ("eval_loss", AT_LEAST))
    judged = setting.outcomes[outcome]
    return ((outcome, AT_MOST),) if judged.is_ratio and judged.lower_is_better else ()


def window(values: NDArray[Any], share: float) -> NDArray[Any]:
    """The values at the last `share` of the measured epochs (0: the last alone), [epochs, …]."""
    return values[len(values) - window_length(len(values), share) :]
