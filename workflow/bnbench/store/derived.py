"""Outcomes that are derived from measurements: they are not columns of any file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bnbench.epochs import window_length
from bnbench.plan.settings import Setting
from bnbench.vocabulary import ACCURACY, BEST, ERROR, GAP, SWING, VALIDATION

Array = NDArray[np.float64]


def parts(outcome: str) -> tuple[str, ...]:
    """The measurements that an outcome is derived from; itself if it is measured."""
    made = {
        GAP: ("test_loss", "eval_loss"),
        SWING: ("test_loss",),
        ERROR: (ACCURACY,),
        BEST: ("test_loss", VALIDATION),
    }
    return made.get(outcome, (outcome,))


def of(setting: Setting, losses: Mapping[str, Array], window: float) -> dict[str, Array]:
    """The outcomes that can be derived from the measurements of a setting's trials.

    Args:
        setting: knows below which size a loss cannot be distinguished from 0.
        losses: name → [epochs at which it is measured, seeds]; not finite from a trial's divergence on.
        window: share of the measured epochs, from the end, that `swing` is over.

    Returns:
        Name → [epochs at which the test loss is measured, seeds].
    """
    test, train = (np.log(np.maximum(losses[name], setting.resolution(name))) for name in ("test_loss", "eval_loss"))
    made = {GAP: test - train}
    if len(test) > 1:
        made[SWING] = _swings(test, window_length(len(test), window))
    if ACCURACY in losses:
        made[ERROR] = 1 - losses[ACCURACY]
    if VALIDATION in losses:
        made[BEST] = _at_best(losses["test_loss"], losses[VALIDATION])
    return made


def _swings(logs: Array, window: int) -> Array:
    """Root mean square of the changes from one measurement to the next, over the `window` measurements up to each.

    Over at least two; 0 at the first one.
    """
    squares = np.diff(logs, axis=0) ** 2
    changes = min(max(1, window - 1), len(squares))
    first = np.cumsum(squares[: changes - 1], axis=0) / np.arange(1, changes)[:, None]
    later = sliding_window_view(squares, changes, axis=0).mean(-1)
    swings: Array = np.sqrt(np.concatenate([np.zeros_like(logs[:1]), first, later]))
    return swings


def _at_best(test: Array, validation: Array) -> Array:
    """The test loss at the epoch of the lowest validation loss so far, the first of equal ones; NaN from NaN on."""
    epochs = np.arange(len(test))[:, None]
    lowest = np.minimum.accumulate(validation, axis=0)
    is_new = np.concatenate([np.ones_like(validation[:1], bool), validation[1:] < lowest[:-1]])
    at = np.maximum.accumulate(np.where(is_new, epochs, 0), axis=0)
    best: Array = np.where(np.isnan(lowest + test), np.nan, np.take_along_axis(test, at, axis=0))
    return best
