"""What remains to be trained of a study, and how long that takes: the cost model, corrected by what was timed here.

What comes in are a study and the folder of its results, what goes out are its jobs with their seconds. Reads at most
the timings of earlier trials.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from bnbench.plan import cost, prices, wall_time
from bnbench.plan.chunks import Chunk, all_chunks
from bnbench.plan.own_study import OwnStudy
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study
from bnbench.plan.wall_time import Load, WallTime
from bnbench.store import probes, reuse, stamps, timings
from bnbench.store.chunk_files import is_there
from bnbench.wording import formats


class Job(NamedTuple):
    """A job that is to be run."""

    chunk: Chunk
    trials: int
    """How many have not been trained yet."""

    @property
    def setting(self) -> Setting:
        """What it trains."""
        return self.chunk.setting

    @property
    def device(self) -> str:
        """What it trains on: cpu or cuda."""
        return str(self.setting.spec["device"])


class Estimate(NamedTuple):
    """How long jobs of one kind of device train."""

    seconds: list[float]
    """Of a core, or of a GPU, job by job; setting up included."""
    how: str
    """What is known, in words."""


def jobs(study: Study, results: Path) -> Iterator[Job]:
    """The jobs that are to be run, with the trials that none has trained."""
    for _, group in groupby(all_chunks(study, cost.seeds_per_job), key=lambda chunk: chunk.setting.address):
        missing = [chunk for chunk in group if not is_there(chunk, results)]
        if missing:
            there = {seed for other in reuse.trained(missing[0].setting, results) for seed in other.seeds}
            yield from (Job(chunk, len({*chunk.seeds} - there)) for chunk in missing)


def estimate(todo: Sequence[Job], results: Path) -> Estimate:
    """Estimated time of jobs of one kind of device, corrected by what was timed or measured of their settings."""
    device = todo[0].device
    specs = {job.setting.address: job.setting.spec for job in todo}
    measured = {address: probes.read(address, results) for address in specs}
    paces = timings.paces(device, results, specs)
    if any(math.isnan(paces.own(address)) and measured[address] is None for address in specs):
        paces = timings.paces(device, results)  # a shared folder may have those of very many others
    factors = {address: paces.own(address) for address in specs}
    new = [address for address, factor in factors.items() if math.isnan(factor)]
    guessed = [address for address in new if measured[address] is None]
    factors |= dict.fromkeys(new, 1.0)
    if paces.known():
        factors |= {address: paces.nearest(specs[address]) for address in guessed}
    seconds = [
        factors[job.setting.address] * cost.seconds(job.setting.spec, job.trials, measured[job.setting.address])
        + cost.seconds_setting_up(job.setting.spec, job.trials)
        for job in todo
    ]
    if guessed and not paces.known():
        how = f"by {_prices(device, some_measured=len(guessed) < len(new))}: nothing has been timed here yet"
    else:
        how = _how_known(len(specs), len(new), len(guessed))
        by_times = guessed or len(new) < len(specs)
        how += f" ({paces.card})" if device == "cuda" and by_times and paces.card else ""
    return Estimate(seconds, how)


class Timed(NamedTuple):
    """A job with its time."""

    job: Job
    load: Load
    """By the clock, on its own threads or the GPU; 0 s where it only gathers seeds that are trained."""


def estimates(todo: Sequence[Job], results: Path) -> dict[str, Estimate]:
    """How long the jobs that have something to train take, by kind of device."""
    found = {}
    for device in dict.fromkeys(job.device for job in todo if job.trials):
        found[device] = estimate([job for job in todo if job.trials and job.device == device], results)
    return found


def timed(study: Study, todo: Sequence[Job], found: Mapping[str, Estimate]) -> list[Timed]:
    """Jobs of a study with their times as `estimates` found them, in the same order."""
    seconds = {device: iter(each.seconds) for device, each in found.items()}
    shared = {"cpu": threads(study), "cuda": 1}
    return [
        Timed(job, Load(next(seconds[job.device]) / shared[job.device] if job.trials else 0.0, job.device == "cuda"))
        for job in todo
    ]


def threads(study: Study) -> int:
    """Of each job."""
    return int(study.config["threads"]) if study.trained_here else 1


def report_seconds(study: Study) -> dict[str, float]:
    """Step after the training → its seconds."""
    if isinstance(study, OwnStudy):  # whose runs and epochs are not counted before they are read
        return wall_time.report_seconds(len(study.settings), 0)
    rows = sum(setting.spec["epochs"] for setting in study.settings) * len(study.seeds)
    return wall_time.report_seconds(len(study.settings), rows)


def wall(study: Study, todo: Sequence[Timed], cores: int, reports: Path) -> WallTime:
    """How long the study takes by the clock on `cores` cores, with its report unless that is in `reports` already."""
    report = 0.0 if not todo and _is_reported(study, reports / study.name) else sum(report_seconds(study).values())
    return wall_time.wall_time([each.load for each in todo], cores, threads(study), report)


def _is_reported(study: Study, folder: Path) -> bool:
    """Whether the page in `folder` is there and its tables are of this config."""
    marks = (stamps.collected(study), stamps.compared(study))
    return (folder / "index.html").exists() and all((folder / "data" / mark.name).exists() for mark in marks)


def _prices(device: str, *, some_measured: bool) -> str:
    """What an estimate comes from where nothing has been timed."""
    alone = "" if some_measured else " alone"
    said = f"prices measured on an {prices.CARD}" if device == "cuda" else f"arithmetic{alone}"
    return f"{said} and a few steps of some networks" if some_measured else said


def _how_known(settings: int, new: int, guessed: int) -> str:
    """The basis of an estimate of `settings` settings, some of which have no trials yet, and some no probe either."""
    if not new:
        return "from earlier trials of the same settings"
    if not guessed:
        return f"by a few steps of {'each network' if new == settings else 'the networks that have no trials yet'}"
    return f"for {guessed} of {formats.count(settings, 'setting')} scaled by arithmetic from others"
