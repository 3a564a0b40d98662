"""A chunk: its seeds trained in stacks, and their rows.

What comes in are a setting, seeds and their points, what goes out are losses, fits and rows of the three tables. A
trial's rows depend on its setting and its seed alone: not on the other seeds of the chunk, on the number of threads, or
on what was interrupted before.
"""

import ctypes
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from bnbench.catalogue import tasks
from bnbench.catalogue.task import Data
from bnbench.epochs import evaluated_epochs
from bnbench.plan import engines
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files, provenance
from bnbench.trainer import arithmetic, denormals, dry_run, own_metrics
from bnbench.trainer.checkpoints import Checkpoints
from bnbench.trainer.classes import Counts
from bnbench.trainer.loop import Array
from bnbench.trainer.points import Points, tested_variance
from bnbench.trainer.stacks import Stack, train_in_stacks
from bnbench.vocabulary import CAN_DIVERGE, MAE, MEASURED, TARGET_SCALE, TARGET_VARIANCE, VALIDATION


class Trained(NamedTuple):
    """A trained chunk."""

    losses: dict[str, Array]
    """By what was measured, [epochs, seeds]; NaN where it was not, and from a seed's divergence on."""
    diverged_at: list[int | None]
    """Per seed, the first epoch with a loss that is not finite."""
    fit: Array
    """Outputs at the test points, [seeds, points]."""
    hashes: list[str]
    """Per seed, the hash of the initial weights that all arms share."""
    seconds: float
    """Wall time of training and evaluating all seeds."""
    classes: Counts | None = None
    """How many test points of each class are classified as each, [seeds, classes, classes]; None if not counted."""


def train(
    spec: Mapping[str, Any],
    seeds: range,
    data: Sequence[Points],
    device: torch.device,
    checkpoints: Checkpoints | None = None,
) -> Trained:
    """Train the networks of `seeds`, in stacks, under the setting `spec`, each on its own points in `data`.

    Raises:
        UserError: not even one network fits into the memory, or the user's own code does not work.
    """
    with denormals.flushed(wanted=denormals.come_of_decay(spec)):
        own_metrics.check(spec, seeds[0], data[0])
        if engines.engine(spec) == "modular":
            dry_run.check(spec, seeds[0], data[0])
        measured = train_in_stacks(Stack(spec, seeds, data), device, checkpoints)
    losses, diverged_at = _mark_divergence(spec, measured.losses)
    return Trained(losses, diverged_at, measured.fit, measured.hashes, measured.seconds, measured.classes)


def _mark_divergence(spec: Mapping[str, Any], losses: Mapping[str, Array]) -> tuple[dict[str, Array], list[int | None]]:
    """The losses, NaN from each seed's first bad epoch on; and that epoch, or None."""
    evaluated = evaluated_epochs(spec["epochs"], spec["evaluate_every"])

    def from_the_first_bad(names: Sequence[str]) -> NDArray[np.bool_]:
        bad = ~np.isfinite(losses["train_loss"])
        for name in names:
            bad[evaluated] |= ~np.isfinite(losses[name][evaluated])
        found: NDArray[np.bool_] = np.logical_or.accumulate(bad, axis=0)
        return found

    diverged = from_the_first_bad([name for name in CAN_DIVERGE[1:] if name in losses])
    first = [int(column.argmax()) if column.any() else None for column in diverged.T]
    marked = {name: np.where(diverged, np.nan, values) for name, values in losses.items()}
    if VALIDATION in losses:  # choices must not depend on test data
        marked[VALIDATION] = np.where(from_the_first_bad(["eval_loss", VALIDATION]), np.nan, losses[VALIDATION])
    return marked, first


def trial_tables(
    setting: Setting,
    seeds: Sequence[int],
    data: Sequence[Points],
    trained: Trained,
    device_name: str,
    threads: int,
) -> dict[str, pa.Table]:
    """The rows of `seeds`, one after another, in the columns of `schemas.SCHEMAS` without the labels."""
    spec = setting.spec
    epochs, count = spec["epochs"], len(seeds)
    versions = provenance.provenance() | {"arithmetic": arithmetic.description()}
    names = (*MEASURED, *setting.own_metrics)
    measured = {name: trained.losses.get(name, np.full((epochs, count), np.nan)) for name in names}
    measured[MAE] = measured[MAE] * [1.0 if each.target_scale is None else each.target_scale for each in data]
    losses = {
        "seed": np.repeat(seeds, epochs),
        "epoch": np.tile(np.arange(epochs), count),
        **{name: pa.array(values.T.ravel(), from_pandas=True) for name, values in measured.items()},
    }
    trials = {
        "seed": seeds,
        **{name: values[-1] for name, values in measured.items()},
        "diverged_at": trained.diverged_at,
        "seconds": [trained.seconds / count] * count,
        "threads": [threads] * count,
        "device_name": [device_name] * count,
        **{name: [version] * count for name, version in versions.items()},
        "numerics": [spec["numerics"]] * count,
        "weights_hash": trained.hashes,
        **_target_sizes(spec, data),
    }
    predictions = (
        _fits(spec, seeds, data, trained)
        if trained.classes is None
        else _taken(seeds, trained.diverged_at, trained.classes)
    )
    columns: dict[str, dict[str, Any]] = {"losses": losses, "trials": trials, "predictions": predictions}
    return {kind: pa.table(values, schema=chunk_files.unlabelled(setting, kind)) for kind, values in columns.items()}


def _fits(spec: Mapping[str, Any], seeds: Sequence[int], data: Sequence[Points], trained: Trained) -> dict[str, Any]:
    """The fitted functions as columns: only for a single input, since only then can a curve be drawn."""
    drawn = [each for each in data if isinstance(each, Data)] if tasks.of(spec).is_curve() else []
    points = len(drawn[0].test_x) if drawn else 0
    return {
        "seed": np.repeat(seeds, points),
        "x": np.concatenate([np.empty(0), *(d.test_x[:, 0] for d in drawn)]),
        "y": np.concatenate([np.empty(0), *(d.test_y[:, 0] for d in drawn)]),
        "y_fit": trained.fit[:, :points].ravel(),
        "points": pa.nulls(len(seeds) * points, pa.int64()),
    }


def _taken(seeds: Sequence[int], diverged_at: Sequence[int | None], classes: Counts) -> dict[str, Any]:
    """Which class is predicted for which, as columns: a row for each pair that occurs in a finished trial."""
    finished = np.array([at is None for at in diverged_at], np.bool_)
    counts = classes * finished[:, None, None]
    place, true, predicted = np.nonzero(counts)
    return {
        "seed": np.asarray(seeds)[place],
        "x": pa.nulls(len(place), pa.float64()),
        "y": true.astype(np.float64),
        "y_fit": predicted.astype(np.float64),
        "points": counts[place, true, predicted],
    }


def _target_sizes(spec: Mapping[str, Any], data: Sequence[Points]) -> dict[str, list[float | None]]:
    """Per seed, by what a squared test error is read as a share of a variance, and in the target's own units."""
    squared = tasks.loss_of(spec) == "squared"
    with np.errstate(invalid="ignore"):  # of targets that are not finite
        variances = [tested_variance(each, tasks.of(spec).shape()) if squared else None for each in data]
    return {TARGET_VARIANCE: variances, TARGET_SCALE: [each.target_scale for each in data]}


def keep_freed_memory() -> None:
    """Let glibc keep freed blocks.

    By default every array above 128 KiB goes back to the kernel when it is freed and comes back by page faults, which
    took up to a third of the training time.
    """
    if os.name == "posix" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_threshold, largest = -1, -3, 2**31 - 1
        libc.mallopt(trim_threshold, largest)
        libc.mallopt(mmap_threshold, largest)
