"""Threads of the host beside the one that trains: for numpy's random draws, which release Python's lock."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

_FOR_A_GPU = 4


def workers(device: torch.device) -> int:
    """How many threads may draw at once for a job on this device.

    On a CPU, as many as the job trains with. A GPU must not wait for its host, so such a job takes up to four of the
    cores that it may run on; on a cluster, these are the cores that it was given.
    """
    if device.type == "cpu":
        return torch.get_num_threads()
    # Some systems do not say which cores those are.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(torch.get_num_threads(), min(cores, _FOR_A_GPU))


def each(work: Callable[[Item], Result], items: Sequence[Item], workers: int) -> list[Result]:
    """The results of `work` for each item, in their order, on that many threads; the first exception is raised."""
    if workers == 1 or len(items) == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(workers, thread_name_prefix="drawing") as pool:
        return list(pool.map(work, items))
