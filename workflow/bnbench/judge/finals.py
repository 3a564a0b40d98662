"""What a trial ended at: its log loss over a window of the last measured epochs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bnbench.judge import stats
from bnbench.judge.stats import Array
from bnbench.store.trials import Trials
from bnbench.vocabulary import FLOOR, GAP


def final(trials: Trials, outcome: str, share: float) -> pd.Series[float]:
    """Mean log loss over the last `share` of the measured epochs (0: the last alone), by seed; NaN if diverged."""
    return pd.Series(stats.log_losses(window(trials, outcome, share)).mean(0), trials.rows.index)


def floored(trials: Trials, outcome: str, share: float) -> pd.Series[int]:
    """How many losses of that window were raised to `FLOOR` before the logarithm, by seed."""
    parts = ("test_loss", "eval_loss") if outcome == GAP else (outcome,)
    low = np.stack([window(trials, part, share) < FLOOR for part in parts])
    return pd.Series(low.sum((0, 1)), trials.rows.index)


def window(trials: Trials, outcome: str, share: float) -> Array:
    """What was measured over the last `share` of the measured epochs (0: the last alone), [epochs, seeds]."""
    losses = trials.losses[outcome]
    return losses[len(losses) - stats.window_length(len(losses), share) :]
