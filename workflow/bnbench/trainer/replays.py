"""CUDA graphs of what is done the same way again and again: a replay spares the host all launches but one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Generic, TypeVar

import torch

Found = TypeVar("Found")


class Replayed(Generic[Found]):
    """A function of the epoch that gives tensors, and on CUDA, where that is `wanted`, is captured in a graph.

    The first call runs as it is, so that kernels are loaded and memory that is kept exists by then. The second one
    captures it in a graph that it and all later calls replay. What is found lies in the same memory every time.
    """

    def __init__(self, function: Callable[[int], Found], *, wanted: bool) -> None:
        self._function, self._wanted = function, wanted
        self._calls = 0
        self._captured: tuple[torch.cuda.CUDAGraph, Found] | None = None

    def __call__(self, epoch: int) -> Found:
        """What the function gives for this epoch."""
        self._calls += 1
        if self._wanted and self._calls == 2:
            self._captured = self._capture(epoch)
        if self._captured is None:
            return self._function(epoch)
        graph, found = self._captured
        graph.replay()
        return found

    def _capture(self, epoch: int) -> tuple[torch.cuda.CUDAGraph, Found] | None:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                found = self._function(epoch)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # what no graph takes
            torch.cuda.synchronize()
            print(f"training goes on without a CUDA graph: {str(error).partition(chr(10))[0]}", file=sys.stderr)
            return None
        return graph, found
