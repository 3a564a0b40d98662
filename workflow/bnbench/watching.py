"""How far the work of a run is: finished chunks and the progress of those that train, weighed by what they cost.

What comes in are the jobs with their estimated times, what goes out are a share and the seconds that are left. It looks
at the files of the results alone, so it does not matter who trains, or where.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bnbench.plan import wall_time
from bnbench.plan.chunks import Chunk
from bnbench.store import chunk_files, progress
from bnbench.work import Timed

_TRUSTED = 15.0  # seconds of work at the estimated pace that the measured one is mixed with
_LOOKING = 0.02  # of the time may go into looking


@dataclass
class _Unfinished:
    """A chunk that is not there yet."""

    chunk: Chunk
    seconds: float
    """Of its training, as estimated."""
    path: Path
    """Of its progress."""
    before: int
    """When that was written last before this run, see `_written`."""
    share: float | None = None
    """How much of the training is done; None before that is known."""

    def remaining(self) -> float:
        """Estimated seconds that are left of the job, its start included."""
        if self.share is None:
            return self.seconds + wall_time.STARTING
        return self.seconds * (1 - self.share)

    def look(self) -> None:
        """Read the progress, unless it is of an earlier run."""
        if (written := _written(self.path)) and written != self.before:
            self.share = progress.read(self.path)


class Watch:
    """The training of a run, from its start on.

    Args:
        todo: its jobs.
        results: the folder of the results.
        lanes: how many jobs train at once.
        clock: seconds that only grow.
    """

    def __init__(
        self, todo: Sequence[Timed], results: Path, lanes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._results, self._lanes, self._clock = results, lanes, clock
        self._left = [_unfinished(each, results) for each in todo]
        self._work, self._span = self._remaining(), self._packed()
        self._began = clock()
        self._look_at = self._began

    @property
    def trains(self) -> bool:
        """Whether any chunk is not finished."""
        return bool(self._left)

    def look(self) -> None:
        """See what is finished and how far the others are; not so often that it costs anything."""
        started = self._clock()
        if started < self._look_at:
            return
        self._left = [each for each in self._left if not chunk_files.is_there(each.chunk, self._results)]
        for each in self._left:
            each.look()
        ended = self._clock()
        self._look_at = ended + (ended - started) / _LOOKING

    def share(self) -> float:
        """How much of the work is done, from 0 to 1."""
        return 1 - self._remaining() / self._work if self._left else 1.0

    def seconds_left(self) -> float:
        """Seconds until the last job ends, at the pace so far; at the beginning, as estimated."""
        left = self._packed()
        pace = (self._clock() - self._began + _TRUSTED) / (self._span - left + _TRUSTED)
        return left * pace

    def _remaining(self) -> float:
        """Estimated seconds of work that are left, of all jobs."""
        return sum(each.remaining() for each in self._left)

    def _packed(self) -> float:
        """The same by the clock."""
        return wall_time.packed([each.remaining() for each in self._left], self._lanes)


def _unfinished(timed: Timed, results: Path) -> _Unfinished:
    path = progress.path(timed.job.chunk, results)
    return _Unfinished(timed.job.chunk, timed.load.seconds, path, _written(path))


def _written(path: Path) -> int:
    """When a file was written last, in nanoseconds; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
