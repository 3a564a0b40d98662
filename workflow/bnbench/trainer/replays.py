"""CUDA graphs of epochs and evaluations: a replay costs the host one launch, in place of one for every kernel."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

import torch

Found = TypeVar("Found")
Graph = torch.cuda.CUDAGraph


class Replayed(Generic[Found]):
    """A function of the epoch that gives tensors; where `wanted`, on CUDA, it is captured in a graph.

    The first call runs without a graph, which loads kernels and allocates lasting memory. The second call captures the
    graph, and it and all later ones replay it. The tensors found lie in the same memory every time.
    """

    def __init__(self, function: Callable[[int], Found], *, wanted: bool) -> None:
        self._function, self._wanted = function, wanted
        self._calls = 0
        self._captured: tuple[Graph, Found] | None = None

    def __call__(self, epoch: int) -> Found:
        """What the function gives for this epoch."""
        self._calls += 1
        if self._wanted and self._calls == 2:
            captured = capture(partial(self._function, epoch))
            if isinstance(captured, str):
                print(f"training continues without a CUDA graph, more slowly: {captured}", file=sys.stderr)
            else:
                self._captured = captured
        if self._captured is None:
            return self._function(epoch)
        graph, found = self._captured
        graph.replay()
        return found


def capture(function: Callable[[], Found], stream: torch.cuda.Stream | None = None) -> tuple[Graph, Found] | str:
    """The graph of a call and the tensors that its replays fill, or why there is none; the call itself is not made.

    Raises:
        OutOfMemoryError: there is too little memory.
    """
    graph = torch.cuda.CUDAGraph()
    gc.disable()  # a graph of earlier networks that is collected meanwhile would end the capture
    try:
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            found = function()
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # whatever cannot be captured
        torch.cuda.synchronize()
        return str(error).partition("\n")[0] or type(error).__name__
    finally:
        gc.enable()
    return graph, found
