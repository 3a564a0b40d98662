"""Orders of examples, the same for every arm and engine."""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from functools import cache, partial
from itertools import chain, cycle
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnbench.streams import stream
from bnbench.trainer import threads, triton_builds
from bnbench.trainer.devices import is_out_of_memory

_DRAWN = 2**20  # places of examples drawn in one go, for all epochs and seeds together: 8 MiB
_WORTH_A_THREAD = 2**16  # of such places: to draw them takes longer than to start a thread
_MORE = 4  # times as many are drawn by a GPU in one go: more epochs keep more of its lanes busy
_WORTH_A_GPU = 64  # seeds: a GPU takes as long for one as for all, and for few the host's threads draw in time

Int64s = NDArray[np.int64]


def orders(
    seeds: Sequence[int],
    count: int,
    epochs: int,
    device: torch.device,
    workers: int = 1,
    *,
    ahead: bool = False,
    at_once: int = _DRAWN,
) -> Iterator[Tensor]:
    """An order of the examples for every seed, [seeds, points], epoch after epoch, each seed's from its own stream.

    Many epochs are drawn in one go, which gives the same numbers as a call for each in a third of the time.

    Args:
        seeds: of the source `order`.
        count: how many examples there are.
        epochs: how many are needed; the orders go on after that.
        device: where the orders are wanted.
        workers: threads that draw, each for some of the seeds.
        ahead: they draw the next orders while the present ones are used. This is for a GPU, which would wait for its
            host; on a CPU, the same threads train. Where it can, the GPU draws the orders of many seeds itself.
        at_once: places of examples that the host draws in one go, at least an epoch's.
    """
    streams = [stream(seed, "order") for seed in seeds]
    shape = _shape(len(seeds), count, epochs, at_once)
    parts = np.array_split(np.arange(len(seeds)), min(workers, len(seeds), 1 + math.prod(shape) // _WORTH_A_THREAD))
    draw = partial(_draw, streams)
    if ahead and _is_gpu(device) and count > 1 and len(seeds) >= _WORTH_A_GPU:
        yield from _by_the_gpu(streams, parts, _shape(len(seeds), count, epochs, _MORE * at_once), device)
    if ahead:
        yield from _ahead(draw, parts, shape, device)
    while True:
        drawn = torch.empty(shape, dtype=torch.int64)
        threads.each(partial(draw, drawn.numpy()), parts, len(parts))
        yield from drawn.to(device)


def _shape(seeds: int, count: int, epochs: int, at_once: int) -> tuple[int, int, int]:
    """Epochs, seeds and points of one go; all goes are alike, so that little is drawn for nothing."""
    goes = math.ceil(epochs / max(1, at_once // (seeds * count)))
    return math.ceil(epochs / goes), seeds, count


def _draw(streams: Sequence[np.random.Generator], orders: NDArray[np.signedinteger], places: Int64s) -> None:
    """Fill `orders`, [epochs, seeds, points], for the seeds at some places.

    They are shuffled as numbers of 64 bits, which numpy does in half the time that it takes for shorter ones.
    """
    ordered = np.broadcast_to(np.arange(orders.shape[2]), orders[:, 0].shape)
    drawn = np.empty(ordered.shape, ordered.dtype)
    for place in places:
        orders[:, place] = streams[place].permuted(ordered, axis=1, out=drawn)


def _is_gpu(device: torch.device) -> bool:
    return device.type == "cuda"


def _by_the_gpu(
    streams: Sequence[np.random.Generator], parts: Sequence[Int64s], shape: tuple[int, int, int], device: torch.device
) -> Iterator[Tensor]:
    """Orders that a GPU draws from fresh streams; none, and one line says why, if it cannot or draws other ones.

    Those of the first epoch are compared with the host's.
    """
    if (kernel := _kernel(device)) is None:
        return
    drawn: Iterator[Tensor] = kernel.draw(streams, shape, device)
    first = next(drawn)
    expected = torch.empty((1, *shape[1:]), dtype=torch.int64)
    copies = [deepcopy(each) for each in streams]
    threads.each(partial(_draw, copies, expected.numpy()), parts, len(parts))
    if torch.equal(first[:1].cpu(), expected):
        yield from chain(first, chain.from_iterable(drawn))
    _say_that_the_host_draws(f"draws others than this numpy ({np.__version__})")


@cache
def _kernel(device: torch.device) -> ModuleType | None:
    """The module `order_kernel`, where Triton can build its kernels for a device and run them there.

    Raises:
        RuntimeError: there is too little memory.
    """
    try:
        triton_builds.prepare()
        from bnbench.trainer import order_kernel  # noqa: PLC0415 - Triton comes with torch's builds for CUDA alone

        next(order_kernel.draw([stream(0, "order")], (1, 1, 2), device))
    except Exception as error:  # whatever is missing: Triton, a compiler for C, a GPU that it knows
        if is_out_of_memory(error):
            raise
        _say_that_the_host_draws(f"cannot be built here: {triton_builds.reason(error)}")
        return None
    return order_kernel


def _say_that_the_host_draws(why: str) -> None:
    print(f"orders of examples are drawn by the host, since Triton's kernel {why}", file=sys.stderr)


def _ahead(
    draw: Callable[[NDArray[np.signedinteger], Int64s], None],
    parts: Sequence[Int64s],
    shape: tuple[int, int, int],
    device: torch.device,
) -> Iterator[Tensor]:
    """Orders on a device, drawn by threads while those before them are used.

    Two places in the host's memory take turns: one is drawn into while the other is copied, as short numbers that only
    the device widens. The threads touch nothing of the GPU: that would break a graph which is captured meanwhile.
    """
    cuda, short = device.type == "cuda", torch.int16 if shape[2] <= 2**15 else torch.int32
    rooms = [torch.empty(shape, dtype=short, pin_memory=cuda) for _ in range(2)]
    copied = [torch.cuda.Event(blocking=True) if cuda else None for _ in rooms]  # type: ignore[no-untyped-call]
    pool = ThreadPoolExecutor(len(parts), thread_name_prefix="orders")

    def begin(turn: int) -> list[Future[None]]:
        last = copied[turn]
        if last is not None:
            last.synchronize()  # returns at once before the first copy
        return [pool.submit(draw, rooms[turn].numpy(), part) for part in parts]

    try:
        drawing = begin(0)
        for turn in cycle((0, 1)):
            for part in drawing:
                part.result()
            drawn = rooms[turn].to(device, non_blocking=True, copy=True).long()
            last = copied[turn]
            if last is not None:
                last.record(torch.cuda.current_stream(device))
            drawing = begin(1 - turn)
            yield from drawn
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def of_blocks(seed: int, points: str, count: int) -> Int64s:
    """The order in which points are evaluated in batches with statistics of their own, always the same, [points].

    Drawn, as that of the training is: points may lie in an order, as of their inputs.

    Args:
        seed: of the source `order`.
        points: which, such as `test_x`.
        count: how many there are.
    """
    return stream(seed, f"forward.blocks.{points}").permutation(count)
