"""What a trial ended at, on the scale of its outcome, over a window of the last measured epochs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bnbench.judge import stats
from bnbench.judge.stats import Array
from bnbench.outcomes import OUTCOMES
from bnbench.store.trials import Trials
from bnbench.vocabulary import FLOOR, GAP


def final(trials: Trials, outcome: str, share: float) -> pd.Series[float]:
    """The trial's outcome over the last `share` of the measured epochs (0: the last alone), by seed; NaN if diverged.

    Mean log loss where losses are compared by their ratio, and the mean of a score itself; of the gap, the mean
    difference of the two log losses.
    """
    values = _window(trials, outcome, share)
    score = not OUTCOMES[outcome].is_ratio and outcome != GAP
    on_scale = np.where(np.isfinite(values), values, np.nan) if score else stats.log_losses(values)
    return pd.Series(on_scale.mean(0), trials.rows.index)


def floored(trials: Trials, outcome: str, share: float) -> pd.Series[int]:
    """How many losses of that window were raised to `FLOOR` before the logarithm, by seed."""
    parts = ("test_loss", "eval_loss") if outcome == GAP else (outcome,)
    low = np.stack([_window(trials, part, share) < FLOOR for part in parts])
    return pd.Series(low.sum((0, 1)), trials.rows.index)


def _window(trials: Trials, outcome: str, share: float) -> Array:
    losses = trials.losses[outcome]
    return losses[len(losses) - stats.window_length(len(losses), share) :]
