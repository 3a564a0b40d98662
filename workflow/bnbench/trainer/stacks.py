"""Stacks: consecutive seeds that train side by side, in halves where the device's memory is too small for all.

What comes in are a setting and the points of every seed, what goes out is what the loop measures. A seed's numbers do
not depend on its stack, so how a chunk is cut changes no number. On CUDA, both hold only up to rounding.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch

from bnbench.catalogue.task import Data
from bnbench.errors import UserError, first_line
from bnbench.plan import cost, engines
from bnbench.trainer.checkpoints import Checkpoints
from bnbench.trainer.classes import Counts
from bnbench.trainer.devices import is_out_of_memory
from bnbench.trainer.engine import Engine
from bnbench.trainer.loop import Measured, misfit, train_networks
from bnbench.trainer.modular import ModularEngine
from bnbench.trainer.points import Points
from bnbench.trainer.snapshot import State
from bnbench.trainer.stacked import StackedEngine


class Stack(NamedTuple):
    """Consecutive seeds of one setting."""

    spec: Mapping[str, Any]
    seeds: range
    data: Sequence[Points]

    def part(self, rows: range) -> Stack:
        """The seeds at these places."""
        places = slice(rows.start, rows.stop)
        return Stack(self.spec, self.seeds[places], self.data[places])


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
    """Train the parts of a stack, given by their places, one after another, and join their results."""
    trained = [
        _train_stack(stack.part(rows), device, checkpoints, _share(start, rows, len(stack.seeds))) for rows in parts
    ]
    losses = {name: np.concatenate([part.losses[name] for part in trained], axis=1) for name in trained[0].losses}
    return Measured(
        losses,
        np.concatenate([part.fit for part in trained]),
        [digest for part in trained for digest in part.hashes],
        sum(part.seconds for part in trained),
        _joined([part.classes for part in trained if part.classes is not None]),
    )


def _joined(parts: Sequence[Counts]) -> Counts | None:
    return np.concatenate(parts) if parts else None


def _train_stack(stack: Stack, device: torch.device, checkpoints: Checkpoints | None, start: State | None) -> Measured:
    """Train a stack from its checkpoint, or else from `start`; in halves where it does not fit into the memory."""
    count = len(stack.seeds)
    start = _latest(stack, checkpoints, start)
    try:
        return _train_whole(stack, device, checkpoints, start)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        if count == 1:
            raise UserError(f"not even one network fits into memory: {first_line(error)}") from error
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
    rows = [*range(count)]
    if count == 1 and engines.engine(spec) == "stacked":
        # A lone seed could take another matrix kernel than a stacked one and differ in the last bit: it trains beside
        # a copy of itself.
        rows = [0, 0]
    seeds, data = [stack.seeds[row] for row in rows], [stack.data[row] for row in rows]
    engine = _engine(spec, seeds, data, device)
    start = start and start.of(rows)
    if start and checkpoints:
        start = checkpoints.taken_up(stack.seeds, start, misfit(engine, spec, start))
    watch = checkpoints.watch(stack.seeds, spec["epochs"]) if checkpoints else None
    measured = train_networks(engine, spec, start, watch)
    losses = {name: values[:, :count] for name, values in measured.losses.items()}
    classes = None if measured.classes is None else measured.classes[:count]
    return measured._replace(losses=losses, fit=measured.fit[:count], hashes=measured.hashes[:count], classes=classes)


def _engine(spec: Mapping[str, Any], seeds: list[int], data: Sequence[Points], device: torch.device) -> Engine:
    """The engine of a setting, with the initial weights of its networks."""
    if engines.engine(spec) == "stacked":
        return StackedEngine.of(spec, seeds, [each for each in data if isinstance(each, Data)], device)
    return ModularEngine.of(spec, seeds, data, device)
