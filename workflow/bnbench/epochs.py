"""What an epoch consists of: its batches, and whether losses in evaluation mode are measured after it. Pure."""

import math
from itertools import pairwise


def batch_bounds(points: int, batch_size: int) -> list[int]:
    """Where the batches of an epoch start, and where the last one ends.

    A last batch of fewer than two examples is merged into the one before it, for all arms alike: batch statistics need
    two examples.
    """
    bounds = [*range(0, points, batch_size), points]
    if len(bounds) > 2 and bounds[-1] - bounds[-2] < 2:
        del bounds[-2]
    return bounds


def batch_blocks(points: int, batch_size: int, at_once: int) -> list[tuple[int, int, int]]:
    """The batches of `batch_bounds` in blocks of equal ones: where each starts, where it ends, and the batches' size.

    A block holds at most `at_once` points, unless a batch does not.
    """
    bounds = batch_bounds(points, batch_size)
    equal = [start for start, stop in pairwise(bounds) if stop - start == batch_size]
    together = max(1, at_once // batch_size)
    blocks = [equal[place : place + together] for place in range(0, len(equal), together)]
    last = [(bounds[-2], points, points - bounds[-2])] if points - bounds[-2] != batch_size else []
    return [(block[0], block[-1] + batch_size, batch_size) for block in blocks] + last


def evaluated_epochs(epochs: int, every: int) -> list[int]:
    """Epochs, counted from 0, after whose last step the losses in evaluation mode are measured."""
    return [epoch for epoch in range(epochs) if (epoch + 1) % every == 0 or epoch == epochs - 1]


def window_length(measured: int, share: float) -> int:
    """How many of the last `measured` epochs a window of `share` holds: rounded up, at least the last one."""
    return max(1, math.ceil(round(share * measured, 9)))
