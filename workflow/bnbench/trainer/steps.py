"""Training steps of one network: as plain PyTorch takes them, or captured in CUDA graphs and replayed.

A step is one update by one or more batches. On a GPU the launches of a small network's kernels take ten times as long
as the kernels, so a step that always does the same is captured once and then replayed by a single launch. What a step
does must then not depend on Python: where anything speaks against that, steps are taken as they are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from bnbench.trainer.examples import Batch, Bounds, Examples
from bnbench.trainer.replays import capture

Batches = Sequence[Batch]

Update = Callable[[Batches], list[Tensor]]
"""One update by some batches; gives the mean loss of each."""


class Steps(Protocol):
    """The steps of one network."""

    def begin(self, order: Tensor | None, role: str) -> None:
        """Begin an epoch, whose examples come in this order, [examples]; None: as they lie.

        What examples draw at random when they are loaded depends on `role`.
        """
        ...

    def step(self, bounds: Bounds) -> None:
        """Take one step by the batches that lie at these places of the order."""
        ...

    def losses(self) -> Tensor:
        """Mean losses of the epoch's batches so far, [batches]."""
        ...


class PlainSteps:
    """Steps as plain PyTorch takes them.

    Args:
        examples: for training.
        bounds: where all batches of an epoch lie in its order.
        update: makes an update by some batches.
    """

    def __init__(self, examples: Examples, bounds: Bounds, update: Update) -> None:
        self._examples, self._bounds, self._update = examples, bounds, update
        self._batches: Iterator[Batch] = iter(())
        self._losses: list[Tensor] = []

    def begin(self, order: Tensor | None, role: str) -> None:
        """See `Steps`."""
        self._batches, self._losses = self._examples.batches(self._bounds, order, role), []

    def step(self, bounds: Bounds) -> None:
        """See `Steps`."""
        self._losses += self._update([*islice(self._batches, len(bounds))])

    def losses(self) -> Tensor:
        """See `Steps`."""
        return torch.stack(self._losses)


class CapturedSteps:
    """Steps that are captured in a CUDA graph for each combination of batch sizes.

    A graph finds its batches by a counter on the device, so a replay needs nothing from the host. The first step of
    each combination is taken as it is, the second is captured.

    Args:
        examples: for training, on the GPU.
        update: makes an update by some batches.
        module: the network.
        losses: room for those of an epoch's batches, on the GPU.
        refused: called with the reason when steps cannot be captured.
    """

    def __init__(
        self,
        examples: Examples,
        update: Update,
        module: nn.Module,
        losses: Tensor,
        refused: Callable[[str], None],
    ) -> None:
        self._examples, self._update, self._module, self._refused = examples, update, module, refused
        device = losses.device
        self._order = torch.arange(len(examples), device=device)
        self._at = torch.zeros((), dtype=torch.int64, device=device)
        self._batch = torch.zeros(1, dtype=torch.int64, device=device)
        self._losses = losses
        self._places = torch.arange(len(examples), device=device)
        self._graphs: dict[tuple[int, ...], torch.cuda.CUDAGraph | None] = {}
        self._is_refused = False

    def begin(self, order: Tensor | None, role: str) -> None:  # noqa: ARG002 - what is captured draws nothing
        """See `Steps`."""
        if order is not None:
            self._order.copy_(order)
        self._at.zero_()
        self._batch.zero_()

    def step(self, bounds: Bounds) -> None:
        """See `Steps`."""
        sizes = tuple(stop - start for start, stop in bounds)
        if self._is_refused:
            self._take(sizes)
        elif sizes not in self._graphs:
            self._graphs[sizes] = None
            self._take_first(sizes)
        elif graph := self._graphs[sizes] or self._captured(sizes):
            graph.replay()
        else:
            self._take(sizes)

    def losses(self) -> Tensor:
        """See `Steps`."""
        return self._losses

    def _take(self, sizes: tuple[int, ...]) -> None:
        batches = []
        for size in sizes:
            rows = self._order[self._places[:size] + self._at]
            batches.append(self._examples.pick(rows, ""))
            self._at += size
        for loss in self._update(batches):
            self._losses.index_copy_(0, self._batch, loss.reshape(1))
            self._batch += 1

    def _take_first(self, sizes: tuple[int, ...]) -> None:
        """Take a step as it is, and see whether Python's part of it is always the same."""
        before = _python_state(self._module)
        self._take(sizes)
        if _python_state(self._module) != before:
            self._refuse("the network's Python code draws random numbers or keeps count")

    def _captured(self, sizes: tuple[int, ...]) -> torch.cuda.CUDAGraph | None:
        """The graph of a step, which this does not take; None where it cannot be captured."""
        captured = capture(lambda: self._take(sizes), torch.cuda.current_stream())
        if isinstance(captured, str):
            self._refuse(captured)
            return None
        self._graphs[sizes] = captured[0]
        return captured[0]

    def _refuse(self, reason: str) -> None:
        self._is_refused = True
        self._graphs.clear()
        self._refused(reason)


def _python_state(module: nn.Module) -> list[Any]:
    """What a step would change if it did something else each time: generators of the host, and plain attributes."""
    plain = [
        {name: value for name, value in vars(each).items() if isinstance(value, bool | int | float | str)}
        for each in module.modules()
    ]
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002 - what the user's code may use
    return [plain, random.getstate(), repr(numpy), torch.default_generator.get_state().tolist()]
