"""Follow the jobs of a run: find out which have ended, and how, and say what the others wait for.

A run must end, or say what it waits for. So a job that SLURM has forgotten counts as ended, and one that SLURM will
never start is cancelled. While SLURM does not answer, all jobs count as they were.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bnbench.cluster import jobs as slurm
from bnbench.cluster import reasons
from bnbench.cluster.jobs import Said
from bnbench.cluster.profile import Found
from bnbench.errors import UserError

Place = Callable[[str, str], Found | None]
"""A rule and a resource → what the profile says of it and where; None where no profile was given."""

_LOOKS = 2
"""The looks in a row that must find a job forgotten or hopeless: one may come while SLURM changes its state."""

_LONG = 600.0
"""Seconds after which a job that waits for its turn is worth a word."""

_MEANS = {
    "CANCELLED": "somebody cancelled it; to stop the whole run, stop Snakemake",
    "NODE_FAIL": "its node failed, and SLURM does not start it again",
    "OUT_OF_MEMORY": "it took more memory than it had requested",
    "PREEMPTED": "another job took its place, and SLURM does not start it again",
    "TIMEOUT": "it reached its time limit",
}


@dataclass(frozen=True)
class Job:
    """A job of ours in SLURM."""

    number: str
    """SLURM's."""
    name: str
    """What it trains."""
    rule: str
    outputs: tuple[Path, ...]
    """The files that are there when it has ended well. They are written whole or not at all."""
    cluster: str = ""
    """Where it was sent, if not to the cluster of this machine."""

    def __str__(self) -> str:
        return f"job {self.number} ({self.name})"


@dataclass(frozen=True)
class End:
    """How a job has ended."""

    well: bool
    said: str = ""
    """What went wrong."""
    again: bool = True
    """Whether another try can help."""


class Watch:
    """The jobs of one run.

    Args:
        place: where the profile says what a rule requests.
        say: shows a line to the user.
        clock: gives seconds that never decrease.
    """

    def __init__(self, place: Place, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._place, self._say, self._clock = place, say, clock
        self._silent = False
        self._looks: dict[str, int] = {}
        """Number of a job → looks in a row that found it forgotten or hopeless."""
        self._since: dict[str, float] = {}
        """Number of a job → when it was first found waiting."""
        self._told: set[tuple[str, str]] = set()

    def look(self, jobs: Sequence[Job]) -> Mapping[str, End]:
        """Ask SLURM about these jobs. Give the ends of those that have ended, by number."""
        known = self._known(jobs)
        if known is None:
            return {}
        ends = {job.number: end for job in jobs if (end := self._end(job, known.get(job.number)))}
        self._tell((job, known[job.number]) for job in jobs if job.number in known and job.number not in ends)
        return ends

    def _known(self, jobs: Sequence[Job]) -> Mapping[str, Said] | None:
        """What SLURM knows of them, by number; None while it does not answer."""
        found: dict[str, Said] = {}
        try:
            for cluster, group in groupby(sorted(jobs, key=_cluster), _cluster):
                numbers = {job.number for job in group}
                queued = slurm.queue(cluster)
                if forgotten := numbers - {*queued}:
                    found.update(slurm.accounted(forgotten, cluster))
                found.update({number: said for number, said in queued.items() if number in numbers})
        except UserError as error:
            if not self._silent:
                self._say(f"{str(error).partition('. ')[0]}; this run waits until SLURM answers")
            self._silent = True
            return None
        if self._silent:
            self._say("SLURM answers again")
        self._silent = False
        return found

    def _end(self, job: Job, said: Said | None) -> End | None:
        """How a job has ended; None where it has not, as far as is known."""
        if said is None:
            return self._forgotten(job)
        if said.ended_well:
            return End(well=True)
        if said.ended_badly:
            means = f": {_MEANS[said.state]}" if said.state in _MEANS else ""
            return End(well=False, said=f"SLURM ended {job} as {said.state}{means}")
        if not (said.waits and reasons.meant(said.reason).hopeless):
            self._looks.pop(job.number, None)
            return None
        return self._hopeless(job, said.reason)

    def _forgotten(self, job: Job) -> End | None:
        """The end of a job that neither the queue nor the accounting knows."""
        if all(path.exists() for path in job.outputs):
            self._say(f"SLURM no longer knows {job}; all its tables are there, so it ended well")
            return End(well=True)
        if not self._looked_enough(job):
            return None
        return End(well=False, said=f"SLURM no longer knows {job}, and its tables are missing")

    def _hopeless(self, job: Job, reason: str) -> End | None:
        """The end of a job that would wait for ever."""
        if not self._looked_enough(job):
            return None
        try:
            slurm.cancel(job.number, job.cluster)
        except UserError:
            return None  # at the next look
        said = f"SLURM would never start {job}: {reason}; {self._advice(job, reason)}. It was cancelled"
        return End(well=False, said=said, again=False)

    def _looked_enough(self, job: Job) -> bool:
        self._looks[job.number] = self._looks.get(job.number, 0) + 1
        return self._looks[job.number] >= _LOOKS

    def _advice(self, job: Job, reason: str) -> str:
        """What to do about a reason, and where."""
        meant = reasons.meant(reason)
        found = self._place(job.rule, meant.resource) if meant.resource else None
        return meant.advice if found is None else f"{meant.advice} in {found.where} ({meant.resource})"

    def _tell(self, jobs: Iterable[tuple[Job, Said]]) -> None:
        """Say why jobs wait: an ordinary reason once in a run, and late; another one once for each job."""
        lines: dict[str, list[Job]] = defaultdict(list)
        told = set()
        for job, said in jobs:
            if not said.waits:
                self._since.pop(job.number, None)
                continue
            waited = self._clock() - self._since.setdefault(job.number, self._clock())
            advice = self._advice(job, said.reason)
            key = (job.number if advice else "", said.reason)
            if key not in self._told and (advice or (said.reason and waited >= _LONG)):
                told.add(key)
                lines[f": {said.reason}; {advice}" if advice else f", for ten minutes so far: {said.reason}"].append(
                    job
                )
        self._told |= told
        for line, waiting in lines.items():
            more = f" and {len(waiting) - 1} more wait" if len(waiting) > 1 else " waits"
            self._say(f"{waiting[0]}{more}{line}")


def _cluster(job: Job) -> str:
    return job.cluster
