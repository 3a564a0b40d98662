"""Where the networks of the modular engine train: one after another on a CPU, side by side on a GPU.

On a GPU each network has a lane: a stream, so that the kernels of several run at once, and a generator, since those who
share one would draw each other's numbers.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor

_Worker = TypeVar("_Worker")
_Found = TypeVar("_Found")


class Lanes:
    """The lanes of `count` networks on a device."""

    def __init__(self, device: torch.device, count: int) -> None:
        on_gpu = device.type == "cuda"
        if on_gpu:
            gc.collect()  # the graphs of earlier networks, and their memory
        self._lanes = [_Lane(device) for _ in range(count)] if on_gpu else []

    def each(self, work: Callable[[_Worker], _Found], workers: Sequence[_Worker]) -> list[_Found]:
        """The result of `work` for each network, each on its lane; earlier work is done by then."""
        if not self._lanes:
            return [work(worker) for worker in workers]
        main = torch.cuda.current_stream()
        for lane in self._lanes:
            lane.stream.wait_stream(main)
        found = []
        for lane, worker in zip(self._lanes, workers, strict=True):
            with lane.taken():
                found.append(work(worker))
        for lane, own in zip(self._lanes, found, strict=True):
            main.wait_stream(lane.stream)
            for tensor in _tensors(own):
                tensor.record_stream(main)  # so that its memory is not used again before it has been read
        return found


class _Lane:
    """A stream and a generator."""

    def __init__(self, device: torch.device) -> None:
        self.stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._default = torch.cuda.default_generators[device.index or 0]
        self._generator = torch.Generator(device)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Use both in place of the default ones; graphs that are captured here keep this generator."""
        before = self._default.graphsafe_get_state()
        self._default.graphsafe_set_state(self._generator.graphsafe_get_state())
        try:
            with torch.cuda.stream(self.stream):
                yield
        finally:
            self._default.graphsafe_set_state(before)


def _tensors(found: Any) -> list[Tensor]:
    if isinstance(found, Mapping):
        return [*found.values()]
    return [found] if isinstance(found, Tensor) else []
