"""Time by the clock in words: how long a study takes, how far it is, and how much is left."""

from __future__ import annotations

from bnbench.plan.wall_time import WallTime
from bnbench.wording import formats


def lasting(found: WallTime, jobs: int, cores: int) -> str:
    """How long a study takes, and what of it: `about 3 min on 2 cores (training 2 min, …)`."""
    if not (found.training or found.report or jobs):
        return f"about {rounded(found.total)}: everything is there"
    starts = f"starts of Snakemake and {formats.count(jobs, 'job')} {rounded(found.starts)}"
    training = [f"training {rounded(found.training)}"] if found.training else []
    parts = [*training, starts, f"report {rounded(found.report)}"]
    return f"about {rounded(found.total)} on {formats.count(cores, 'core')} ({', '.join(parts)})"


def busy(load: float, cores: int) -> str:
    """That other work slows a run down, if it does; `load` is how many processes want a core now."""
    if load < cores / 2:
        return ""
    times = 1 + load / cores
    return (
        f"note: this machine is busy now ({load:.1f} processes for {formats.count(cores, 'core')}), so it may take "
        + (f"up to {formats.number(times)} times as long")
    )


def rounded(seconds: float) -> str:
    """A duration as a person says it: 0.4 s, 8 s, 25 s, 6.5 min, 42 min, 1 h 40 min, 3 days."""
    if seconds < 10:
        return f"{seconds:.1g} s" if seconds < 1 else f"{seconds:.0f} s"
    if seconds < 57.5:
        return f"{5 * round(seconds / 5)} s"
    minutes = seconds / 60
    if minutes < 9.75:
        return f"{round(2 * minutes) / 2:g} min"
    if minutes < 59.5:
        return f"{minutes:.0f} min"
    if minutes < 48 * 60:
        hours, rest = divmod(10 * round(minutes / 10), 60)
        return f"{hours} h {rest} min" if rest and hours < 10 else f"{round(minutes / 60)} h"
    return f"{minutes / 60 / 24:,.0f} days"


def left(seconds: float) -> str:
    """The time that remains: `about 3 min left`."""
    return "a few seconds left" if seconds < 8 else f"about {rounded(seconds)} left"


def training(share: float, seconds: float) -> str:
    """How far the training is, by work: `training 37 %, about 3 min left`."""
    return f"training {int(100 * share)} %, {left(seconds)}"


def epoch(done: int, of: int, share: float, seconds: float) -> str:
    """How far a job is: `epoch 740 of 2,000, 37 %, about 2 min left`; `share` is of all its seeds."""
    return f"epoch {done:,} of {of:,}, {int(100 * share)} %, {left(seconds)}"
