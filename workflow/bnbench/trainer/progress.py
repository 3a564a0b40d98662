"""How far a job is, while it trains: a file for those who watch the run, and lines for its log.

What comes in are the epochs that a stack has done. Both are seconds apart, whatever an epoch takes, and change no bit
of a result. Where the file cannot be written, the training goes on without it.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bnbench.store import progress

_WRITE_EVERY = 2.0  # seconds
_SHARE = 0.002  # of the training time may go into writing the file
_SAY_FIRST = 10.0  # seconds; a job that ends before says nothing
_SAY_EVERY = 60.0
_LEAST = 0.01  # of the work, between two lines

Words = Callable[[int, int, float, float], str]
"""From epochs done, epochs in all, share of the job's work and seconds left to words."""


class Progress:
    """The progress of one chunk.

    Args:
        path: of the file, see `store.progress`.
        seeds: that are trained, in their order.
        epochs: of each.
        say: called with a line for the log.
        words: what makes that line.
    """

    def __init__(self, path: Path, seeds: Sequence[int], epochs: int, say: Callable[[str], None], words: Words) -> None:
        self._path, self._epochs, self._say, self._words = path, epochs, say, words
        self._place = {seed: place for place, seed in enumerate(seeds)}
        self._began = math.nan  # when the first epoch of this process had ended
        self._first = 0.0  # the share that was done by then
        self._write_at, self._say_at, self._said = 0.0, 0.0, 0.0

    def after_epoch(self, seeds: range, done: int) -> None:
        """Note that a stack of `seeds` has done so many epochs; stacks train one after the other, in their order."""
        now = time.monotonic()
        if now < self._write_at and now < self._say_at:
            return
        share = (self._place[seeds[0]] * self._epochs + len(seeds) * done) / (len(self._place) * self._epochs)
        if math.isnan(self._began):
            self._began, self._first = now, share
            self._write_at, self._say_at = now + _WRITE_EVERY, now + _SAY_FIRST
            return
        if now >= self._write_at:
            written = progress.write(self._path, share)
            took = time.monotonic() - now
            self._write_at = now + max(_WRITE_EVERY, took / _SHARE) if written else math.inf
        if now >= self._say_at and share >= self._said + _LEAST and share > self._first:
            left = (now - self._began) * (1 - share) / (share - self._first)
            self._say(self._words(done, self._epochs, share, left))
            self._say_at, self._said = now + _SAY_EVERY, share
