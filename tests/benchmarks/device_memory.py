"""The memory of a GPU that one network takes while it trains beside others: measured, for the cost model to keep to.

Twice as many seeds take twice as much of what each of them has, and the same of all else: CUDA's context, the workspace
of the matrix library, the orders that are drawn ahead. So the difference is what so many networks take.
"""

import gc
import math
from typing import Any

import torch

from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS
from bnbench.trainer.chunk import train

_EPOCHS = 12
"""Enough for a step as it is, a CUDA graph captured, its replays, and two evaluations."""


def bytes_per_network(spec: dict[str, Any], seeds: int, device: torch.device) -> float:
    """Bytes that one more network takes of the device, at the most at any moment; NaN on a CPU.

    Args:
        spec: the setting; only its first epochs are trained.
        seeds: the fewer of two numbers that are trained, whose difference counts; at least 2.
        device: where.
    """
    if device.type != "cuda":
        return math.nan
    torch.cuda.init()  # without which there are no statistics to reset
    short = {**spec, "epochs": _EPOCHS, "evaluate_every": 10}
    peak(short, seeds, device)  # what stays for good is there from now on
    return (peak(short, 2 * seeds, device) - peak(short, seeds, device)) / seeds


def peak(spec: dict[str, Any], seeds: int, device: torch.device) -> int:
    """The most bytes that tensors take of a GPU while some networks train, beyond what is taken before."""
    task = build(TASKS, spec["task"])
    data = [task.data(seed) for seed in range(seeds)]
    _free()
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    train(spec, range(seeds), data, device)
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


def _free() -> None:
    """Give back what the last training held: its graphs hold memory until they are collected."""
    gc.collect()
    torch.cuda.empty_cache()
