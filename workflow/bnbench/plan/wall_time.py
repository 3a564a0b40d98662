"""How long a study takes by the clock: jobs packed on cores, their starts, and the steps of the report.

Pure, like `cost`. What it adds to the seconds of training was measured on two cores of an AMD EPYC and is checked by
tests/benchmarks/wall_time.py.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import NamedTuple

PLANNING = 2.5
"""Seconds until the first job starts: the config is checked, and Snakemake reads it and plans."""

STARTING = 1.7
"""Seconds of a core that a job takes beside its training: Python, torch, its tables, and Snakemake's part in it."""

_SCHEDULED = 0.06  # seconds of Snakemake's one process for each job, however many cores there are
_PLANNED = 0.002  # the same, before the first one starts
_COLLECT = {"once": 0.9, "settings": 0.013, "rows": 4.5e-7}
_COMPARE = {"once": 2.8, "settings": 0.1, "rows": 4e-7}
_PLOT = {"once": 3.0, "settings": 0.1}
_REPORT = {"once": 1.3, "settings": 0.03}
STEPS = {"collect": _COLLECT, "compare": _COMPARE, "plot": _PLOT, "report": _REPORT}
"""Step after the training → seconds once, for each setting, and for each row of the losses."""


class Load(NamedTuple):
    """A job that is to be run."""

    seconds: float
    """Of training, by the clock, on its own threads or the GPU."""
    on_gpu: bool = False


class WallTime(NamedTuple):
    """Seconds by the clock, in the order in which they pass."""

    training: float
    """Of the cores, at work side by side; what the jobs' starts add is not in it."""
    starts: float
    """Of Snakemake and of the jobs."""
    report: float

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self)


def wall_time(loads: Iterable[Load], cores: int, threads: int, report: float) -> WallTime:
    """How long jobs take on `cores`, each on so many `threads`, with the steps of the report (`report_seconds`).

    Jobs on a GPU run one after the other, as if there were one.
    """
    loads = list(loads)
    lanes = max(1, cores // max(1, threads))
    with_starts = max(packed([load.seconds + STARTING for load in loads], lanes), _SCHEDULED * len(loads))
    training = packed([load.seconds for load in loads], lanes)
    if on_gpu := [load.seconds for load in loads if load.on_gpu]:
        training, with_starts = max(training, sum(on_gpu)), max(with_starts, sum(on_gpu) + STARTING)
    starts = PLANNING + _PLANNED * len(loads) + max(0.0, with_starts - training)
    return WallTime(training, starts, report)


def packed(seconds: Iterable[float], lanes: int) -> float:
    """When the last of some jobs ends, if each goes to the lane that is free first, in their order."""
    free = [0.0] * lanes
    for each in seconds:
        heapq.heapreplace(free, free[0] + each)
    return max(free)


def report_seconds(settings: int, rows: int) -> dict[str, float]:
    """What each step after the training takes of a study with so many settings and rows of losses."""
    amounts = {"once": 1, "settings": settings, "rows": rows}
    return {step: sum(price * amounts[name] for name, price in prices.items()) for step, prices in STEPS.items()}
