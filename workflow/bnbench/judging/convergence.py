"""Does the outcome that decides still change at the end of the training? If so, another budget may answer otherwise.

Over the window in which the outcome is judged, a straight line is fitted to each seed's own measurements: of the log
loss, or of an accuracy, by the epoch. The change of
the line from the first to the last of these epochs is one number per seed, however the loss bounces between them, and
Student's interval of its mean holds for all settings of the study
together (Bonferroni). It describes this period and extrapolates nothing.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench.epochs import window_length
from bnbench.judging import finals, stats
from bnbench.judging.stats import Array, Interval
from bnbench.plan.study import Study
from bnbench.store.trials import Trials

Trend = Literal["falls", "rises", "unclear", "no data"]

FEWEST = 5
"""Measurements from which on a line says more than a bounce between two of them."""


def of_arm(study: Study, arm: Trials) -> pd.DataFrame:
    """The row of one setting, over its trials that stay finite; no limits for fewer than two of them."""
    outcome = study.outcome
    epochs = arm.epochs[outcome.name]
    chosen = last(len(epochs), study.report.window)
    values = measured(arm, outcome.name)[chosen]
    changes = fitted_changes(epochs[chosen], values)
    changes = changes[np.isfinite(changes)] if enough(len(epochs), study.report.window) else changes[:0]
    interval = stats.t_interval(changes, 1 - study.report.alpha / len(study.settings))
    change = Interval(*(outcome.unscaled(end) for end in interval))
    row: dict[str, Any] = {
        **arm.setting.labels,
        "outcome": outcome.name,
        "seeds": len(changes),
        "first_epoch": int(epochs[chosen][0]),
        "last_epoch": int(epochs[-1]),
        "measurements": len(values),
        "change": change.mean,
        "change_low": change.low,
        "change_high": change.high,
        "trend": trend(interval),
    }
    return pd.DataFrame([row])


def at_chosen_rates(study: Study, tuned: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the settings at which most seeds of the arms of `tuned` are judged; all where nothing is tuned."""
    if tuned.empty:
        return rows
    chosen = {
        tuple(study.at_chosen(row, arm)[name] for name in study.factors)
        for row in tuned[tuned["pairs"] > 0].to_dict("records")
        for arm in ("baseline", "treatment")
    }
    return rows[[labels in chosen for labels in rows[[*study.factors]].itertuples(index=False, name=None)]]


def stretch(measurements: int, share: float) -> int:
    """How many of the last measurements are looked at: those of the window, and at least `FEWEST` where there are."""
    return max(window_length(measurements, share), min(measurements, FEWEST))


def enough(measurements: int, share: float) -> bool:
    """Whether a trend can be told: from `FEWEST` measurements, which are no more than half of all or the window."""
    looked_at = stretch(measurements, share)
    return looked_at >= FEWEST and (2 * looked_at <= measurements or looked_at == window_length(measurements, share))


def last(measurements: int, share: float) -> slice:
    """Where the measurements that are looked at lie."""
    return slice(measurements - stretch(measurements, share), None)


def measured(arm: Trials, outcome: str) -> Array:
    """What was measured, on the scale of the outcome, [epochs, seeds]; NaN of what a run did not measure to its end."""
    values = finals.scaled(arm, outcome)
    if outcome not in arm.measured:
        return values
    return np.where(arm.measured[outcome], values, np.nan)


def fitted_changes(epochs: NDArray[np.int64], values: Array) -> Array:
    """What the least-squares line through each column of `values`, [epochs, seeds], changes by, [seeds].

    From the first of the epochs to the last; NaN for a column with a NaN, and for a single epoch.
    """
    if len(epochs) < 2:
        return np.full(values.shape[1], np.nan)
    centred = epochs - epochs.mean()
    # From the first value on, so that a column of equal values has a slope of exactly 0.
    slopes: Array = centred @ (values - values[0]) / (centred**2).sum()
    return slopes * float(epochs[-1] - epochs[0])


def trend(change: Interval) -> Trend:
    """What the limits of a change on the scale of differences (0: no change) say of its direction."""
    if np.isnan(change.low):
        return "no data"
    if change.high < 0:
        return "falls"
    return "rises" if change.low > 0 else "unclear"
