"""What training by the stacked engine costs on a GPU: amounts of work, whose prices are in `prices`, and memory.

A GPU spends its time differently from a CPU. A kernel of a small network takes microseconds however little it does, so
launches are counted. Products go by tiles, so small matrices count as large ones. And the GPU waits for the host if no
graph contains the launches. The sum of these parts describes measured times as well as their maximum does, within a
factor of 1.5 for nine of ten settings: tests/benchmarks/cuda_cost_model.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple, Self

from bnbench.catalogue import networks, tasks
from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS, Optimizer
from bnbench.catalogue.parameters import build
from bnbench.epochs import batch_bounds
from bnbench.plan import engines, prices
from bnbench.plan.layout import aligned, weights

_TILE = 64
"""Rows and columns of a tile of a product: the fewest that the kernels of the matrix library work on."""

_LEAST_BLOCK = 16
"""The same of fused kernels' tiles."""

# Kernels in a step, about as many as the stacked engine launches; the prices are fitted to these:
_OF_A_STEP = 10  # of the output layer and the loss, forward and back
_OF_A_LAYER = 6  # a product and an activation, and back: those two, another product and a sum
_OF_A_NORM = 25  # BN's, forward and back; other norms' are about as many
_OF_FUSED_STEP, _OF_FUSED_LAYER = 3, 2  # the same by fused kernels, whatever the norm

_ORDERED_AT_ONCE = 64
"""Seeds whose orders a GPU draws in the time of one's; those of fewer, the host draws: see `trainer.orders`."""

_NEVER_CAPTURED = {"adagrad"}
"""Optimizers whose steps torch cannot capture in a CUDA graph."""


class _Work(NamedTuple):
    """What a setting consists of, in the terms of this module."""

    norm: Norm
    optimizer: Optimizer
    points: int
    tested: int
    batch: int
    steps: int
    """In an epoch."""
    widths: list[int]
    """Between which matrices lie: a lone input or output takes none, it is part of a pass over units."""
    layers: int
    units: int
    outputs: int
    wide: int
    """Of a number, in units of four bytes."""
    evaluations: float
    """In an epoch."""

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Self:
        """Of a setting that the stacked engine trains."""
        task, hidden = tasks.of(spec), networks.of(spec).hidden
        inputs, outputs = ([width] if width > 1 else [] for width in (task.inputs(), task.outputs()))
        points = task.train_points()
        batch = points if spec["batch_size"] == "full" else min(points, spec["batch_size"])
        return cls(
            norm=build(NORMS, spec["norm"]),
            optimizer=build(OPTIMIZERS, spec["optimizer"]),
            points=points,
            tested=task.tested_points(),
            batch=batch,
            steps=len(batch_bounds(points, batch)) - 1,
            widths=[*inputs, *hidden, *outputs],
            layers=len(hidden),
            units=sum(map(aligned, hidden)),
            outputs=task.outputs(),
            wide=2 if spec["dtype"] == "float64" else 1,
            evaluations=math.ceil(spec["epochs"] / spec["evaluate_every"]) / spec["epochs"],
        )

    def multiplications(self, examples: int, *, fused: bool = False) -> int:
        """The cost of one pass of `examples` through the network, by whole tiles."""
        tiled = _in_blocks if fused else _tiled
        return tiled(examples) * sum(tiled(before) * tiled(after) for before, after in pairwise(self.widths))

    def normalizes(self) -> bool:
        """Whether the norm does anything."""
        return bool(self.norm.parameters() or self.norm.buffers())

    def refreshes(self) -> float:
        """How often in an epoch the norm measures its statistics on all points."""
        every = self.norm.refreshed_every()
        return self.steps / every if every else 0.0

    def measured(self) -> int:
        """Ways back through the network at each refresh."""
        return (self.outputs + 1) * self.norm.measures


def amounts(spec: Mapping[str, Any], seeds: int, *, fused: bool | None = None) -> dict[str, float]:
    """The amount of work in an epoch of `seeds` networks, by what has a price in `prices.CUDA`.

    Args:
        spec: the setting.
        seeds: that train side by side.
        fused: whether fused kernels take the steps; None where they do so today.
    """
    work, seeds = _Work.of(spec), max(2, seeds)  # a lone one trains beside a copy of itself
    fused = engines.fused(spec) if fused is None else fused
    evaluated = work.evaluations * (work.points + work.tested) * (2 if work.norm.buffers() else 1)
    refreshed = work.refreshes() * work.points
    shuffled = spec["batch_size"] != "full" or work.norm.blocks(work.points) > 1
    numbers = seeds * work.wide
    found = {
        # Forward, and twice back: for the gradients of the weights, and of what came in.
        "multiplications": numbers * 3 * work.steps * work.multiplications(work.batch, fused=fused),
        # Passes over activations: activation, bias, and back.
        "units": numbers * work.units * work.points,
        # The passes that a norm adds.
        "normalized units": numbers * work.units * work.points * work.normalizes(),
        # The optimizer's passes over vectors, and those of the products, which read and write each weight.
        "weights": numbers * work.steps * weights(spec) * (work.optimizer.passes + 3),
    }
    # Fused kernels make fewer passes, at prices of their own.
    own = {f"fused {name}" if fused else name: amount for name, amount in found.items()}
    total = dict.fromkeys(prices.CUDA, 0.0) | own | _launches(spec, work, fused=fused)
    # Evaluations, and refreshes of statistics, which pass over all points layer by layer, are never fused.
    again = work.evaluations * (1 + bool(work.norm.buffers())) * work.multiplications(work.points + work.tested)
    again += work.refreshes() * (1 + 3 * work.measured()) * work.multiplications(work.points)
    passed = evaluated / 3 + refreshed * ((work.layers + 1) / 2 + 3 * work.measured())
    total["multiplications"] += numbers * again
    total["units"] += numbers * work.units * passed
    total["normalized units"] += numbers * work.units * work.normalizes() * evaluated / 3
    # Each goes kernel by kernel from the host, which then reads what was measured.
    total["evaluations"] = work.evaluations * (1 + work.layers)
    # Of many seeds, drawn by the GPU for all at once; of few, by the host, mostly while the GPU trains.
    total["orders"] = float(min(seeds, _ORDERED_AT_ONCE) * work.points * shuffled)
    return total


def of_setting_up(spec: Mapping[str, Any], seeds: int) -> dict[str, float]:
    """The work of a job before `seeds` networks train, by what has a price in `prices.CUDA_SETTING_UP`."""
    task, work = tasks.of(spec), _Work.of(spec)
    return {
        "jobs": 1.0,
        "networks": float(seeds),
        "weights": float(seeds * weights(spec)),
        "examples": float(seeds * (work.points + work.tested) * (task.inputs() + work.outputs)),
    }


def _launches(spec: Mapping[str, Any], work: _Work, *, fused: bool) -> dict[str, float]:
    """Kernels that an epoch launches: by a CUDA graph, by the host one by one where no graph can be, or fused ones."""
    if fused:
        return {"fused launches": work.steps * (_OF_FUSED_STEP + _OF_FUSED_LAYER * work.layers)}
    of_norms = _OF_A_NORM * work.layers * work.normalizes() * work.norm.blocks(work.batch)
    of_update = 1 if work.optimizer.fused else work.optimizer.passes / 2  # most read two vectors and write one
    of_step = _OF_A_STEP + _OF_A_LAYER * work.layers + of_norms + of_update
    changes = bool(work.norm.at(1.0) is not work.norm or work.norm.refreshed_every())
    by_host = changes or spec["optimizer"]["name"] in _NEVER_CAPTURED
    # A refresh evaluates all layers below each layer, and then its moments; to measure more is to go there and back.
    of_refresh = 1.5 * work.layers * (work.layers + 1) + 8 * work.layers + work.measured() * 30 * (1 + work.layers)
    name = "launches from the host" if by_host else "launches"
    return {name: work.steps * of_step + work.refreshes() * of_refresh}


def bytes_per_network(spec: Mapping[str, Any]) -> float:
    """Memory of the GPU that one network takes while it trains beside others."""
    work = _Work.of(spec)
    # Weights, gradients, two states of the optimizer; one that is not fused makes vectors on its way.
    vectors = 4 if work.optimizer.fused else 8
    task, widest = tasks.of(spec), max(map(aligned, networks.of(spec).hidden))
    trained = (3 + 3 * work.normalizes()) * work.batch * work.units  # what the way back needs
    # A layer at a time; test points also as in training, where their batches' statistics count.
    evaluated = max(3 * work.points, (8 if work.norm.batch_statistics else 3) * work.tested) * widest
    examples = 3 * (work.points + work.tested) * (task.inputs() + work.outputs)
    reckoned = 4 * work.wide * (vectors * weights(spec) + trained + evaluated + examples) + 8 * work.points
    losses: int = 4 * work.wide * spec["epochs"]  # they stay there until the end
    return prices.CUDA_MEMORY * reckoned + losses


def _tiled(count: int) -> int:
    return -(-count // _TILE) * _TILE


def _in_blocks(count: int) -> int:
    """The same by fused kernels, whose tiles are as small as a power of 2 can be, see `trainer.tiles`."""
    return max(_LEAST_BLOCK, min(_tiled(count), 1 << (count - 1).bit_length()))
