"""Train one chunk, its seeds side by side in stacks, and write its three tables.

What comes in is a setting and a run of seeds, what goes out are losses, trials and predictions. This step and the
modules below it are the only ones that import torch. A trial's rows depend on its setting and its seed alone: not on
the other seeds of the chunk, on the number of threads, or on what was interrupted before.
"""

import ctypes
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from bnbench import chunks, devices, reuse, tables, tasks
from bnbench.checkpoints import EVERY, Checkpoints
from bnbench.epochs import evaluated_epochs
from bnbench.errors import UserError
from bnbench.initialization import initial_weights, weights_hash
from bnbench.loop import Array
from bnbench.norms import NORMS
from bnbench.parameters import build
from bnbench.stacks import Stack, train_in_stacks
from bnbench.study import NUMERICS, Chunk
from bnbench.tables import VALIDATION
from bnbench.tasks import Data


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


def run(chunk: Chunk, results: Path, threads: int, every: float = EVERY) -> str:
    """Train `chunk`, write its tables under `results`, and say in one line what was done and how fast.

    Seeds that another chunk holds are taken from there; training that was stopped goes on from its checkpoint, one of
    which is written `every` so many seconds. Tables that are there are left as they are: whoever wrote them wrote the
    same.

    Raises:
        UserError: the setting's device is absent, or a file cannot be read or written.
    """
    address, spec = chunk.setting.address, chunk.setting.spec
    if spec["numerics"] != NUMERICS:
        raise UserError(
            f"{address}: planned by version {spec['numerics']} of the arithmetic, and here is version {NUMERICS}; "
            "update the clone, or build the image anew"
        )
    if not chunks.missing(chunk, results):
        return f"{address}: seeds {chunk.first} to {chunk.last} are there already"
    device = devices.acquire(spec["device"], address)
    torch.set_num_threads(threads)
    _keep_freed_memory()
    made, runs = reuse.rows(chunk, results)
    seconds = 0.0
    with Checkpoints(chunk, results, device.name, every) as checkpoints:
        for seeds in runs:
            data = [tasks.of(spec).data(seed) for seed in seeds]
            trained = train(spec, seeds, data, device.torch, checkpoints)
            seconds += trained.seconds
            name = " + ".join(checkpoints.devices)
            for kind, table in trial_tables(spec, seeds, data, trained, name, threads).items():
                made[kind].append(table)
        footer = {"address": address, "setting": dict(spec), "provenance": tables.provenance()}
        for kind, path in chunks.missing(chunk, results).items():
            tables.write_parquet(path, in_order(chunk, kind, made[kind]), footer)
        checkpoints.remove()
    return f"{address}: {_said(chunk, sum(map(len, runs)), seconds, made['trials'])}"


def train(
    spec: Mapping[str, Any],
    seeds: range,
    data: Sequence[Data],
    device: torch.device,
    checkpoints: Checkpoints | None = None,
) -> Trained:
    """Train the networks of `seeds`, in stacks, under the setting `spec`, each on its own points in `data`."""
    norm = build(NORMS, spec["norm"])
    widths = [data[0].train_x.shape[1], *spec["hidden"], data[0].train_y.shape[1]]
    weights = [initial_weights(widths, norm, spec["init"], seed) for seed in seeds]
    measured = train_in_stacks(Stack(spec, seeds, data, weights), device, checkpoints)
    losses, diverged_at = _mark_divergence(spec, measured.losses)
    return Trained(losses, diverged_at, measured.fit, [weights_hash(layers) for layers in weights], measured.seconds)


def _mark_divergence(spec: Mapping[str, Any], losses: Mapping[str, Array]) -> tuple[dict[str, Array], list[int | None]]:
    """The losses, NaN from each seed's first bad epoch on; and that epoch, or None."""
    evaluated = evaluated_epochs(spec["epochs"], spec["evaluate_every"])

    def from_the_first_bad(names: Sequence[str]) -> NDArray[np.bool_]:
        bad = ~np.isfinite(losses["train_loss"])
        for name in names:
            bad[evaluated] |= ~np.isfinite(losses[name][evaluated])
        found: NDArray[np.bool_] = np.logical_or.accumulate(bad, axis=0)
        return found

    diverged = from_the_first_bad([name for name in losses if name != "train_loss"])
    first = [int(column.argmax()) if column.any() else None for column in diverged.T]
    marked = {name: np.where(diverged, np.nan, values) for name, values in losses.items()}
    if VALIDATION in losses:  # what is chosen by knows nothing of test data
        marked[VALIDATION] = np.where(from_the_first_bad(["eval_loss", VALIDATION]), np.nan, losses[VALIDATION])
    return marked, first


def trial_tables(
    spec: Mapping[str, Any],
    seeds: Sequence[int],
    data: Sequence[Data],
    trained: Trained,
    device_name: str,
    threads: int,
) -> dict[str, pa.Table]:
    """The rows of `seeds`, one after the other, in the columns of `tables.SCHEMAS` but for the labels."""
    epochs, count = spec["epochs"], len(seeds)
    versions = tables.provenance()
    measured = {name: trained.losses.get(name, np.full((epochs, count), np.nan)) for name in tables.MEASURED}
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
    }
    # A curve can be drawn over one input alone.
    drawn = data if data[0].test_x.shape[1] == data[0].test_y.shape[1] == 1 else []
    points = len(data[0].test_x) if drawn else 0
    predictions = {
        "seed": np.repeat(seeds, points),
        "x": np.concatenate([np.empty(0), *(d.test_x[:, 0] for d in drawn)]),
        "y": np.concatenate([np.empty(0), *(d.test_y[:, 0] for d in drawn)]),
        "y_fit": trained.fit[:, :points].ravel(),
    }
    columns: dict[str, dict[str, Any]] = {"losses": losses, "trials": trials, "predictions": predictions}
    return {kind: pa.table(values, schema=chunks.unlabelled(kind)) for kind, values in columns.items()}


def in_order(chunk: Chunk, kind: str, parts: Sequence[pa.Table]) -> pa.Table:
    """The rows of all parts, seed after seed, with their labels."""
    table = pa.concat_tables(parts)
    if len(parts) > 1:
        table = table.take(np.argsort(table["seed"].to_numpy(), kind="stable"))
    schema = tables.SCHEMAS[kind]
    return chunks.labelled(chunk.setting, table).select(schema.names).cast(schema)


def _said(chunk: Chunk, new: int, seconds: float, trials: Sequence[pa.Table]) -> str:
    """What was done, and how fast."""
    said = f"seeds {chunk.first} to {chunk.last}"
    if new < chunk.count:
        said += f", {chunk.count - new} of them from other chunks,"
    if not new:
        return said.rstrip(",")
    epochs = chunk.setting.spec["epochs"]
    diverged = sum(part.num_rows - part["diverged_at"].null_count for part in trials)
    pace = seconds / new / epochs * 1e6
    return (
        f"trained {said} for {epochs} epochs in {seconds:.1f} s ({pace:.0f} µs per network and epoch); "
        f"{diverged} diverged"
    )


def _keep_freed_memory() -> None:
    """Let glibc keep freed blocks.

    By default every array above 128 KiB goes back to the kernel when it is freed and comes back by page faults, which
    took up to a third of the training time.
    """
    if os.name == "posix" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_threshold, largest = -1, -3, 2**31 - 1
        libc.mallopt(trim_threshold, largest)
        libc.mallopt(mmap_threshold, largest)
