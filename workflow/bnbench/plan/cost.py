"""What training costs, by the setting's arithmetic alone: time and memory, and from them the sizes of jobs and stacks.

Pure, without torch, files or clock: the same setting is cut into the same jobs on a laptop, a head node and a compute
node. The time is a sum of amounts (arithmetic, memory traffic, calls) times prices, those of a CPU here, those of a GPU
in `cuda_cost`. The prices were fitted to times measured on one core and on one GPU, see `prices`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from bnbench.catalogue import networks, tasks
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.catalogue.parameters import build
from bnbench.epochs import batch_bounds
from bnbench.plan import cuda_cost, modular_cost, prices
from bnbench.plan.engines import engine
from bnbench.plan.layout import aligned, weights
from bnbench.plan.modular_cost import Probe


def amounts(spec: Mapping[str, Any], seeds: int) -> dict[str, float]:
    """The work of a CPU in an epoch of `seeds` networks, by what has a price in `prices.CPU`."""
    seeds = max(2, seeds)  # a lone one trains beside a copy of itself
    task, norm, optimizer = tasks.of(spec), build(NORMS, spec["norm"]), build(OPTIMIZERS, spec["optimizer"])
    points, tested = task.train_points(), task.tested_points()
    perceptron = networks.of(spec)
    hidden = perceptron.hidden
    units, layers = sum(hidden), len(hidden)
    unaligned = sum(aligned(width) for width in hidden if aligned(width) > width)
    # A lone input or output takes no matrix: it is part of a pass over units.
    ends = [[width] if width > 1 else [] for width in (task.inputs(), task.outputs())]
    matrices = sum(aligned(before) * aligned(after) for before, after in pairwise([*ends[0], *hidden, *ends[1]]))
    batch = points if spec["batch_size"] == "full" else spec["batch_size"]
    steps = len(batch_bounds(points, batch)) - 1
    stacks = math.ceil(seeds / stack_size(spec))
    wide = 2 if spec["dtype"] == "float64" else 1
    evaluations = math.ceil(spec["epochs"] / spec["evaluate_every"]) / spec["epochs"]
    evaluated = evaluations * (points + tested) * (2 if norm.buffers() else 1)
    # A refresh passes over the training points for the statistics, and back and forth for what else is measured.
    refreshes = steps / every if (every := norm.refreshed_every()) else 0.0
    measured = (task.outputs() + 1) * norm.measures
    evaluated += refreshes * points * ((layers + 1) / 2 + 3 * measured)
    trips = steps + refreshes * (0.3 + 2 * measured)  # to evaluate is less than a third of a step
    normed = units if norm.parameters() or norm.buffers() else 0
    curved = units if perceptron.activation not in ("relu", "identity") else 0
    return {
        "calls": trips * stacks * (1 + layers),
        "calls of a norm": trips * stacks * layers * bool(normed) * norm.blocks(min(batch, points)),
        "matrices of a seed": seeds * steps * layers,
        "multiplications": seeds * wide * matrices * (3 * points + evaluated),
        "units": seeds * wide * units * (points + evaluated / 3),
        "normalized units": seeds * wide * normed * (points + evaluated / 3),
        "unaligned units": seeds * wide * unaligned * (points + evaluated / 3),
        "curved units": seeds * wide * curved * (points + evaluated / 2),
        "weights": seeds * wide * steps * weights(spec) * optimizer.passes,
        "orders": seeds * points * (spec["batch_size"] != "full" or norm.blocks(points) > 1),
        "evaluations": evaluations * stacks * layers,
    }


JOB_SECONDS = 300.0
"""What a job of automatic size takes at most, unless one seed takes longer: minutes, beside the 11 s of a SLURM job."""

_STACK_BYTES = 5 * 2**20  # of weights, gradients and optimizer states that are worked on at once: what caches hold
_DEVICE_BYTES = 12 * 2**30  # of a GPU, which a job of automatic size uses at most, see `seeds_per_job`
_HOST_MIB = {"cpu": 2048, "cuda": 6144}  # of the host's memory besides the imports, in the same way
_IMPORTS_MIB = {"cpu": 330, "cuda": 3000}  # of a job that has trained nothing yet
_UNKNOWN_MINUTES = 60  # of a job whose network nobody has measured
_OWN_SHARE = 5  # how much longer a job of the user's networks may take than the estimate
_MODULES_AT_ONCE = 16  # on a GPU, each on a stream of its own: more gain next to nothing
_HEADROOM = {"cpu": 3.0, "cuda": 10.0}  # on the time, for other machines than the prices were measured on:
# cards differ more than cores, and that one is among the fastest
_MEMORY_HEADROOM = 1.5


def seconds(spec: Mapping[str, Any], seeds: int, probe: Probe | None = None) -> float:
    """Time that one core, or one GPU, takes to train and evaluate `seeds` networks of a setting.

    A `probe` is what was measured of one that the modular engine trains.
    """
    if engine(spec) == "modular":
        return seeds * modular_cost.seconds(spec, probe)
    if spec["device"] == "cpu":
        found, price = amounts(spec, seeds), prices.CPU
    else:
        found, price = cuda_cost.amounts(spec, seeds), prices.CUDA
    return float(spec["epochs"] * sum(amount * price[name] for name, amount in found.items()))


def seconds_setting_up(spec: Mapping[str, Any], seeds: int) -> float:
    """Time that a job takes before its networks train, for data and initial weights; known only for stacks on a GPU.

    Elsewhere it is negligible. What trials took does not contain it, so neither does `seconds`.
    """
    if spec["device"] == "cpu" or engine(spec) == "modular":
        return 0.0
    found = cuda_cost.of_setting_up(spec, seeds)
    return sum(amount * prices.CUDA_SETTING_UP[name] for name, amount in found.items())


def memory(spec: Mapping[str, Any], seeds: int, probe: Probe | None = None) -> float:
    """Memory of the host that a job of `seeds` networks takes, in MiB."""
    rows: int = 340 * spec["epochs"] * seeds
    if engine(spec) == "modular":
        return _IMPORTS_MIB[spec["device"]] + rows / 2**20 + modular_cost.mebibytes(spec, probe)
    stack = min(seeds, stack_size(spec)) * _bytes(spec) if spec["device"] == "cpu" else 0
    return _IMPORTS_MIB[spec["device"]] + (rows + 12 * weights(spec) * seeds + stack) / 2**20


def seeds_per_job(spec: Mapping[str, Any]) -> int:
    """How many seeds one job of automatic size trains: 1, 2, 5, 10, 20 or so on, within what is set above.

    It never depends on a measurement, so that the same setting is cut into the same jobs everywhere. A network of the
    user's counts as the smallest possible one; its jobs are cut shorter, so that a larger one still takes minutes.

    A job may take 12 GiB of a GPU, so a card of 16 GB trains it whole; a smaller one does in halves, see
    `trainer.stacks`. More would not fill a larger card better: a step passes over those bytes more than once, which
    takes milliseconds, while its launches take tenths of one. Most jobs on GPUs end before, by the host's memory: the
    rows of all epochs are kept there.
    """
    device = spec["device"]
    allowed, most_on_host = 1, _IMPORTS_MIB[device] + _HOST_MIB[device]
    modular = engine(spec) == "modular"
    longest = JOB_SECONDS / (_OWN_SHARE if modular and not modular_cost.multiplications(spec) else 1)
    for size in (digit * 10**power for power in range(6) for digit in (1, 2, 5)):
        on_device = size * cuda_cost.bytes_per_network(spec) if device != "cpu" and not modular else 0
        if seconds(spec, size) > longest or memory(spec, size) > most_on_host or on_device > _DEVICE_BYTES:
            break
        allowed = size
    return allowed


class Asked(NamedTuple):
    """What a job requests from a cluster."""

    minutes: int
    mebibytes: int


def asked(spec: Mapping[str, Any], seeds: int, attempt: int, probe: Probe | None = None) -> Asked:
    """What a job of `seeds` networks requests, with headroom; a further `attempt`, counted from 1, requests more.

    A network of the user's that has not been measured gets at least an hour.
    """
    all_of_it = seconds(spec, seeds, probe) + seconds_setting_up(spec, seeds)
    minutes = math.ceil((120 + _HEADROOM[spec["device"]] * all_of_it) / 60)
    if engine(spec) == "modular" and probe is None:
        minutes = max(minutes, _UNKNOWN_MINUTES)
    # A job of Snakemake on a cluster is two more Pythons that wait for it.
    held = tasks.of(spec).held_mebibytes()
    mebibytes = math.ceil(_MEMORY_HEADROOM * (memory(spec, seeds, probe) + 330) + held)
    return Asked(minutes * attempt, mebibytes * attempt)


def stack_size(spec: Mapping[str, Any]) -> int:
    """How many seeds train side by side.

    Perceptrons: on a CPU as many as its caches hold, on a GPU all of a job. Other networks: on a CPU one at a time.
    """
    if engine(spec) == "modular":
        return 1 if spec["device"] == "cpu" else _MODULES_AT_ONCE
    if spec["device"] != "cpu":
        return 2**31
    return max(2, _STACK_BYTES // (16 * weights(spec)))


def _bytes(spec: Mapping[str, Any]) -> int:
    """Memory of one network on a CPU while it trains: weights, gradients, states, and arrays of [examples, units]."""
    wide = 8 if spec["dtype"] == "float64" else 4
    task = tasks.of(spec)
    points = max(task.train_points(), task.tested_points())
    units = sum(aligned(width) for width in networks.of(spec).hidden)
    return int(wide * (4 * weights(spec) + 6 * points * units))
