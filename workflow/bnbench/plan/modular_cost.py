"""What training by the modular engine costs, by what is known without running the network.

The arithmetic of the user's network is unknown, so its estimate is a lower bound: the time of a step that has next to
nothing to do. With a measurement of the network (`Probe`), the cost is the time that it really takes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from bnbench.catalogue import networks, tasks
from bnbench.catalogue.networks import Convolutional, Perceptron, Residual
from bnbench.epochs import batch_bounds


class Probe(NamedTuple):
    """What a few steps of a setting have taken."""

    step: float
    """Seconds of a training step."""
    evaluation: float
    """Seconds of an evaluation."""
    mebibytes: float
    """Peak memory of the process."""


FLOOR = {"cpu": 1.0e-3, "cuda": 1.5e-4}
"""Seconds of a step of a small network, by kind of device."""

_MULTIPLICATION = {"cpu": 4e-11, "cuda": 1e-12}  # seconds, in convolutions too
_OWN_MEBIBYTES = 1024  # of a network that nobody has measured


def seconds(spec: Mapping[str, Any], probe: Probe | None = None) -> float:
    """Time that one core, or one GPU, takes to train and evaluate one network of a setting."""
    steps, evaluations = counts(spec)
    if probe is not None:
        return float(steps * probe.step + evaluations * probe.evaluation)
    task = tasks.of(spec)
    per_example: float = multiplications(spec) * _MULTIPLICATION[spec["device"]]
    points, tested, floor = task.train_points(), task.tested_points(), FLOOR[spec["device"]]
    step = floor + 3 * per_example * points * spec["epochs"] / steps
    return float(steps * step + evaluations * (2 * floor + per_example * (2 * points + 2 * tested)))


def counts(spec: Mapping[str, Any]) -> tuple[int, int]:
    """Batches of a training, and evaluations."""
    points = tasks.of(spec).train_points()
    batch = points if spec["batch_size"] == "full" else spec["batch_size"]
    batches = len(batch_bounds(points, batch)) - 1
    return spec["epochs"] * batches, math.ceil(spec["epochs"] / spec["evaluate_every"])


def mebibytes(spec: Mapping[str, Any], probe: Probe | None = None) -> float:
    """Memory of one network on top of what every job takes."""
    if probe is not None:
        return probe.mebibytes
    return 256.0 if multiplications(spec) else _OWN_MEBIBYTES


def multiplications(spec: Mapping[str, Any]) -> int:
    """Operations of one example in a built-in network; 0 for the user's own, about which nothing is known."""
    network, task = networks.of(spec), tasks.of(spec)
    if isinstance(network, Perceptron):
        widths = [task.inputs(), *network.widths(), task.outputs()]
        return sum(before * after for before, after in pairwise(widths))
    if isinstance(network, Convolutional):
        return _convolutions(task.shape(), network.channels, network.kernel**2, task.outputs())
    if isinstance(network, Residual):
        return _stages(task.shape(), network, task.outputs())
    return 0


def _convolutions(shape: tuple[int, ...], channels: tuple[int, ...], area: int, outputs: int) -> int:
    before, height, width = shape
    total = 0
    for after in channels:
        total += before * after * area * height * width
        before = after
        if min(height, width) > 1:
            height, width = height // 2, width // 2
    return total + before * height * width * outputs


def _stages(shape: tuple[int, ...], network: Residual, outputs: int) -> int:
    before, height, width = shape
    total, blocks = before * network.width * 9 * height * width, (network.depth - 2) // 6
    before = network.width
    for stage, after in enumerate(network.widths()):
        if stage:
            height, width = -(-height // 2), -(-width // 2)
        total += 9 * height * width * after * (before + (2 * blocks - 1) * after)
        before = after
    return total + before * outputs
