"""Train one chunk, all its seeds as one stacked model, and write its three tables.

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

from bnbench import tables
from bnbench.errors import UserError
from bnbench.initialization import initial_weights, weights_hash
from bnbench.loop import Array, Measured, Points, train_network
from bnbench.networks import Network
from bnbench.norms import NORMS
from bnbench.parameters import build
from bnbench.study import Chunk, evaluated_epochs
from bnbench.tables import OUTCOMES
from bnbench.tasks import TASKS, Data


class Trained(NamedTuple):
    """A trained chunk."""

    losses: dict[str, Array]
    """By outcome, [epochs, seeds]; NaN where it was not measured, and from a seed's divergence on."""
    diverged_at: list[int | None]
    """Per seed, the first epoch with a loss that is not finite."""
    fit: Array
    """Outputs at the test points, [seeds, points]."""
    hashes: list[str]
    """Per seed, the hash of the initial weights that all arms share."""
    seconds: float
    """Wall time of training and evaluating all seeds."""


def run(chunk: Chunk, results: Path, threads: int) -> str:
    """Train `chunk`, write its tables under `results`, and say in one line what was done and how fast.

    Raises:
        UserError: the setting's device is absent, or a file cannot be read or written.
    """
    spec = chunk.setting.spec
    device = _device(spec["device"], chunk.setting.address)
    torch.set_num_threads(threads)
    _keep_freed_memory()
    seeds = range(chunk.first, chunk.first + chunk.count)
    task = build(TASKS, spec["task"])
    data = [task.data(seed) for seed in seeds]
    trained = train(spec, seeds, data, device)
    footer = {"address": chunk.setting.address, "setting": dict(spec), "provenance": tables.provenance()}
    for kind, table in _tables(chunk, seeds, data, trained, _device_name(device), threads).items():
        tables.write_parquet(results / kind / chunk.setting.address / f"{chunk.stem}.parquet", table, footer)
    pace = trained.seconds / len(seeds) / spec["epochs"] * 1e6
    diverged = sum(epoch is not None for epoch in trained.diverged_at)
    return (
        f"{chunk.setting.address}: trained seeds {seeds[0]} to {seeds[-1]} for {spec['epochs']} epochs in "
        f"{trained.seconds:.1f} s ({pace:.0f} µs per network and epoch); {diverged} diverged"
    )


def train(spec: Mapping[str, Any], seeds: Sequence[int], data: Sequence[Data], device: torch.device) -> Trained:
    """Train the networks of `seeds` side by side under the setting `spec`, each on its own points in `data`."""
    # A lone seed could take another matrix kernel than a stacked one and differ in the last bit: it trains beside
    # a copy of itself.
    copies = 2 if len(seeds) == 1 else 1
    norm = build(NORMS, spec["norm"])
    widths = [data[0].train_x.shape[1], *spec["hidden"], 1]
    weights = [initial_weights(widths, norm, spec["init"], seed) for seed in seeds]
    dtype = getattr(torch, spec["dtype"])
    network = Network(weights * copies, norm, spec["activation"], dtype, device)
    measured = train_network(network, spec, [*seeds] * copies, _stack([*data] * copies, dtype, device))
    losses, diverged_at = _mark_divergence(spec, measured, len(seeds))
    hashes = [weights_hash(layers) for layers in weights]
    return Trained(losses, diverged_at, measured.fit[: len(seeds)], hashes, measured.seconds)


def _mark_divergence(
    spec: Mapping[str, Any], measured: Measured, seeds: int
) -> tuple[dict[str, Array], list[int | None]]:
    """The losses of the first `seeds` seeds, NaN from each one's first bad epoch on; and that epoch, or None."""
    losses = {name: values[:, :seeds] for name, values in measured.losses.items()}
    evaluated = evaluated_epochs(spec["epochs"], spec["evaluate_every"])
    bad = ~np.isfinite(losses["train_loss"])
    for name in OUTCOMES[1:]:
        bad[evaluated] |= ~np.isfinite(losses[name][evaluated])
    diverged = np.logical_or.accumulate(bad, axis=0)
    first = [int(column.argmax()) if column.any() else None for column in diverged.T]
    return {name: np.where(diverged, np.nan, values) for name, values in losses.items()}, first


def _tables(
    chunk: Chunk, seeds: Sequence[int], data: Sequence[Data], trained: Trained, device_name: str, threads: int
) -> dict[str, pa.Table]:
    """The chunk's rows, seed after seed, in the columns of `tables.SCHEMAS`."""
    spec, epochs, count = chunk.setting.spec, chunk.setting.spec["epochs"], len(seeds)
    versions = tables.provenance()
    losses = {
        "seed": np.repeat(seeds, epochs),
        "epoch": np.tile(np.arange(epochs), count),
        **{name: pa.array(values.T.ravel(), from_pandas=True) for name, values in trained.losses.items()},
    }
    trials = {
        "seed": seeds,
        **{name: values[-1] for name, values in trained.losses.items()},
        "diverged_at": trained.diverged_at,
        "seconds": [trained.seconds / count] * count,
        "threads": [threads] * count,
        "device_name": [device_name] * count,
        **{name: [version] * count for name, version in versions.items()},
        "numerics": [spec["numerics"]] * count,
        "weights_hash": trained.hashes,
    }
    # A curve can be drawn over one input alone.
    drawn = data if data[0].test_x.shape[1] == 1 else []
    points = len(data[0].test_x) if drawn else 0
    predictions = {
        "seed": np.repeat(seeds, points),
        "x": np.concatenate([np.empty(0), *(d.test_x[:, 0] for d in drawn)]),
        "y": np.concatenate([np.empty(0), *(d.test_y[:, 0] for d in drawn)]),
        "y_fit": trained.fit[:, :points].ravel(),
    }
    columns: dict[str, dict[str, Any]] = {"losses": losses, "trials": trials, "predictions": predictions}
    return {kind: _table(kind, chunk, values) for kind, values in columns.items()}


def _table(kind: str, chunk: Chunk, columns: dict[str, Any]) -> pa.Table:
    rows = len(columns["seed"])
    same = {**chunk.setting.labels, "setting": chunk.setting.address}
    columns = {**{name: [value] * rows for name, value in same.items()}, **columns}
    schema = tables.SCHEMAS[kind]
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def _stack(data: Sequence[Data], dtype: torch.dtype, device: torch.device) -> Points:
    parts = zip(*data, strict=True)
    return Points(*(torch.from_numpy(np.stack(part)).to(device, dtype) for part in parts))


def _device(kind: str, address: str) -> torch.device:
    if kind == "cuda":
        # cuBLAS repeats its bits only with a workspace of fixed size.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        if not torch.cuda.is_available():
            raise UserError(
                f"{address}: the setting asks for device 'cuda', but torch {torch.__version__} finds no CUDA device "
                "here; run it where there is one, or take 'cuda' out of 'device' in the config"
            )
    return torch.device(kind)


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else tables.processor()


def _keep_freed_memory() -> None:
    """Let glibc keep freed blocks.

    By default every array above 128 KiB goes back to the kernel when it is freed and comes back by page faults, which
    took up to a third of the training time.
    """
    if os.name == "posix" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_threshold, largest = -1, -3, 2**31 - 1
        libc.mallopt(trim_threshold, largest)
        libc.mallopt(mmap_threshold, largest)
