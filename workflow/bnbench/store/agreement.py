"""Whether the tables of one chunk agree: the last epoch of the losses with the trials, and both with the predictions.

This holds for tables of every version, so it finds a table that was exchanged or changed where no hash does.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bnbench.catalogue import own, tasks
from bnbench.catalogue.task import Task
from bnbench.epochs import evaluated_epochs
from bnbench.outcomes import OUTCOMES
from bnbench.plan.settings import Setting
from bnbench.vocabulary import ACCURACY, AUC, LOSSES, MAE, MEASURED, VALIDATION

Array = NDArray[np.float64]

_SHARES = (ACCURACY, AUC)
"""Between 0 and 1."""


class Course(NamedTuple):
    """What the losses of a chunk say of each trial, in the order of the seeds."""

    names: list[str]
    """What was measured."""
    last: Array
    """The values after the last epoch, [names, seeds]."""
    finite: dict[str, NDArray[np.int64]]
    """By loss, at how many epochs it was measured before it was no number; −1 where it was one again, [seeds]."""


def course(setting: Setting, losses: pa.Table) -> Course:
    """What is kept of the table of losses until that of the trials is read; it has each epoch of each seed once."""
    epochs = int(setting.spec["epochs"])
    losses = _sorted(losses, losses["seed"].to_numpy() * epochs + losses["epoch"].to_numpy())
    names = [name for name in (*MEASURED, *setting.own_metrics) if name in losses.column_names]
    evaluated = _evaluated(setting)
    ends = losses.select(names).take(pa.array(np.arange(epochs - 1, len(losses), epochs)))
    finite = {}
    for name in (*LOSSES, VALIDATION):
        column = losses[name]
        if column.null_count < len(column) or name != VALIDATION:
            by_seed = column.to_numpy().reshape(-1, epochs)
            finite[name] = _first(np.isfinite(by_seed if name == LOSSES[0] else by_seed[:, evaluated]))
    return Course(names, _values(ends), finite)


def are_one_training(setting: Setting, found: Course, trials: pa.Table) -> bool:
    """Whether trials end at the losses of the last epoch, and diverged where the losses cease to be numbers."""
    trials = _sorted(trials, trials["seed"].to_numpy())
    if not np.array_equal(found.last, _values(trials.select(found.names)), equal_nan=True):
        return False
    until = pc.fill_null(trials["diverged_at"], int(setting.spec["epochs"])).to_numpy()
    evaluated = np.searchsorted(_evaluated(setting), until)
    agree = [found.finite[LOSSES[0]] == until, *(found.finite[name] == evaluated for name in LOSSES[1:])]
    if VALIDATION in found.finite:  # what is chosen by it does not depend on a test loss that diverged
        agree.append(found.finite[VALIDATION] >= evaluated)
    return bool(np.all(agree))


def have_all_points(setting: Setting, predictions: pa.Table, trials: pa.Table) -> bool:
    """Whether there is each test point of each trial.

    Where classes are counted, trials that diverged have none, and neither need those that an earlier version trained.
    """
    task = tasks.of(setting.spec)
    counted = predictions["points"].null_count < len(predictions)
    if not len(predictions):
        return not _drawn(task)
    tested = task.tested_points() - (task.held_points() if isinstance(task, tasks.HeldOut) else 0)
    seed = predictions["seed"].to_numpy()
    points = predictions["points"].to_numpy() if counted else np.ones(len(seed))
    seeds, places = np.unique(seed, return_inverse=True)
    due = np.sort(trials["seed"].filter(pc.is_null(trials["diverged_at"])) if counted else trials["seed"])
    are_due = bool(np.isin(seeds, due).all()) if counted else np.array_equal(seeds, due)
    return are_due and bool((np.bincount(places, points) == tested).all())


def are_possible(setting: Setting, table: pa.Table) -> bool:
    """Whether no loss is negative that cannot be, and no share is less than nothing or more than all."""
    with_loss = setting.spec.get("loss", {}).get("name") != own.NAME
    ratios = [name for name in MEASURED if OUTCOMES[name].is_ratio and with_loss]
    least = {**dict.fromkeys((*ratios, MAE, *_SHARES), 0.0)}
    bounds = {name: pc.min_max(table[name]) for name in least if name in table.column_names}
    return all(_within(found, least[name], 1.0 if name in _SHARES else np.inf) for name, found in bounds.items())


def _within(found: Any, least: float, most: float) -> bool:
    low, high = found["min"].as_py(), found["max"].as_py()
    return low is None or (not low < least and not high > most)


def _drawn(task: Task) -> bool:
    """Whether the fitted functions of a task are kept whatever becomes of its trials."""
    inner = task.task if isinstance(task, tasks.HeldOut) else task
    return task.is_curve() and not inner.held_once and not tasks.counted_classes(task)


def _first(finite: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many of the first values of each row are finite, −1 where others follow those that are not, [rows]."""
    count = np.count_nonzero(finite, axis=1)
    first = np.where(count == finite.shape[1], count, finite.argmin(1))
    return np.where(count == first, count, -1).astype(np.int64)


def _evaluated(setting: Setting) -> NDArray[np.int64]:
    return _evaluated_of(int(setting.spec["epochs"]), int(setting.spec["evaluate_every"]))


@cache
def _evaluated_of(epochs: int, every: int) -> NDArray[np.int64]:
    return np.array(evaluated_epochs(epochs, every), np.int64)


def _sorted(table: pa.Table, places: NDArray[np.int64]) -> pa.Table:
    """The rows in the order of their places, in which they nearly always are."""
    return table if bool((places[1:] > places[:-1]).all()) else table.take(pa.array(np.argsort(places)))


def _values(table: pa.Table) -> Array:
    """Numbers as an array, [columns, rows]; NaN for null."""
    return np.array([column.to_numpy() for column in table.columns], np.float64)
