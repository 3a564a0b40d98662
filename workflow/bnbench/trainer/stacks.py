"""Stacks: consecutive seeds that train side by side, in halves where the device's memory is too small for all.

What comes in are settings, weights and points of every seed, what goes out is what the loop measures. A seed's numbers
do not depend on its stack, so how a chunk is cut changes no number. On CUDA, both hold only up to rounding.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch

from bnbench.catalogue import tasks
from bnbench.catalogue.losses import LOSSES
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import Data
from bnbench.errors import UserError, first_line
from bnbench.plan import cost
from bnbench.trainer.checkpoints import Checkpoints
from bnbench.trainer.initialization import Layers
from bnbench.trainer.loop import Measured, Points, train_network
from bnbench.trainer.network import Network
from bnbench.trainer.snapshot import State


class Stack(NamedTuple):
    """Consecutive seeds of one setting."""

    spec: Mapping[str, Any]
    seeds: range
    data: Sequence[Data]
    weights: Sequence[Layers]

    def part(self, rows: range) -> Stack:
        """The seeds at these places."""
        places = slice(rows.start, rows.stop)
        return Stack(self.spec, self.seeds[places], self.data[places], self.weights[places])


def train_in_stacks(stack: Stack, device: torch.device, checkpoints: Checkpoints | None) -> Measured:
    """Train consecutive seeds, as many side by side as is fastest.

    Raises:
        UserError: not even one network fits into the memory.
    """
    count = len(stack.seeds)
    parts = math.ceil(count / cost.stack_size(stack.spec))
    ends = [count * part // parts for part in range(parts + 1)]
    return _train_in_turn(stack, [range(*both) for both in pairwise(ends)], device, checkpoints, None)


def _train_in_turn(
    stack: Stack, parts: Sequence[range], device: torch.device, checkpoints: Checkpoints | None, start: State | None
) -> Measured:
    """Train the parts of a stack, told by their places, one after the other, and join what they give."""
    trained = [
        _train_stack(stack.part(rows), device, checkpoints, _share(start, rows, len(stack.seeds))) for rows in parts
    ]
    losses = {name: np.concatenate([part.losses[name] for part in trained], axis=1) for name in trained[0].losses}
    return Measured(losses, np.concatenate([part.fit for part in trained]), sum(part.seconds for part in trained))


def _train_stack(stack: Stack, device: torch.device, checkpoints: Checkpoints | None, start: State | None) -> Measured:
    """Train a stack from its checkpoint, or else from `start`; in halves where it does not fit into the memory."""
    count = len(stack.seeds)
    start = _latest(stack, checkpoints, start)
    try:
        return _train_whole(stack, device, checkpoints, start)
    except RuntimeError as error:
        if not _out_of_memory(error):
            raise
        if count == 1:
            raise UserError(f"one network is too much for the memory: {first_line(error)}") from error
    # By now the exception is gone, and with it what its frames held on the device.
    torch.cuda.empty_cache()
    halves = [range(count // 2), range(count // 2, count)]
    said = " and ".join(str(len(rows)) for rows in halves)
    print(f"out of memory with {count} seeds side by side; training {said} one after the other", file=sys.stderr)
    return _train_in_turn(stack, halves, device, checkpoints, _latest(stack, checkpoints, start))


def _latest(stack: Stack, checkpoints: Checkpoints | None, start: State | None) -> State | None:
    """The further one of the stack's checkpoint and `start`."""
    stored = checkpoints.latest(stack.seeds) if checkpoints else None
    return max((state for state in (stored, start) if state), key=lambda state: state.epochs, default=None)


def _share(state: State | None, rows: range, count: int) -> State | None:
    """What belongs to some of `count` seeds, of the time too."""
    return state and state.of(rows)._replace(seconds=state.seconds * len(rows) / count)


def _train_whole(stack: Stack, device: torch.device, checkpoints: Checkpoints | None, start: State | None) -> Measured:
    """Train all seeds of a stack at once."""
    spec, count = stack.spec, len(stack.seeds)
    # A lone seed could take another matrix kernel than a stacked one and differ in the last bit: it trains beside
    # a copy of itself.
    rows = [0, 0] if count == 1 else [*range(count)]
    dtype = getattr(torch, spec["dtype"])
    weights = [stack.weights[row] for row in rows]
    network = Network(weights, build(NORMS, spec["norm"]), spec["activation"], dtype, device)
    points = _points([stack.data[row] for row in rows], dtype, device)
    measured = train_network(
        network,
        spec,
        [stack.seeds[row] for row in rows],
        points,
        LOSSES[tasks.of(spec).loss()](),
        start=start and start.of(rows),
        after_epoch=checkpoints.watch(stack.seeds, spec["epochs"]) if checkpoints else None,
    )
    losses = {name: values[:, :count] for name, values in measured.losses.items()}
    return Measured(losses, measured.fit[:count], measured.seconds)


def _points(data: Sequence[Data], dtype: torch.dtype, device: torch.device) -> Points:
    parts = {name: [getattr(of_seed, name) for of_seed in data] for name in Points._fields}
    tensors = {
        name: torch.from_numpy(np.stack(part)).to(device, dtype) for name, part in parts.items() if part[0] is not None
    }
    return Points(**tensors)


def _out_of_memory(error: BaseException | None) -> bool:
    """Whether `error` says so, or came while one was handled that did, as happens where a CUDA graph is captured."""
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError):
            return True
        error = error.__context__
    return False
