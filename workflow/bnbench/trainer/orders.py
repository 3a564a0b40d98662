"""Orders of examples, the same for every arm and engine."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnbench.streams import stream

_DRAWN = 2**20  # places of examples drawn ahead, for all epochs and seeds together: 8 MiB


def orders(
    seeds: list[int], count: int, epochs: int, device: torch.device, drawn_ahead: int = _DRAWN
) -> Iterator[Tensor]:
    """An order of the examples for every seed, [seeds, points], epoch after epoch, each seed's from its own stream.

    Many epochs are drawn in one call, which gives the same numbers as a call for each in a third of the time.
    """
    streams = [stream(seed, "order") for seed in seeds]
    at_once = min(epochs, max(1, drawn_ahead // (len(seeds) * count)))
    unordered = np.tile(np.arange(count), (at_once, 1))
    while True:
        drawn = np.stack([generator.permuted(unordered, axis=1) for generator in streams], axis=1)
        yield from torch.from_numpy(drawn).to(device)


def of_blocks(seed: int, points: str, count: int) -> NDArray[np.int64]:
    """The order in which points are evaluated in batches with statistics of their own, always the same, [points].

    Drawn, as that of the training is: points may lie in an order, as of their inputs.

    Args:
        seed: of the source `order`.
        points: which, such as `test_x`.
        count: how many there are.
    """
    return stream(seed, f"forward.blocks.{points}").permutation(count)
