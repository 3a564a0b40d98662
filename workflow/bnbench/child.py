"""Snakemake as a child: started in a group of processes of its own, heard line by line, stopped with all its jobs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from bnbench.vocabulary import PACKAGE

_PARENT_DEATH_SIGNAL = 1  # of Linux's prctl
_LONGEST = 60.0  # seconds that jobs which were asked to stop have after Snakemake's end
_AGAIN = 15.0  # seconds after which a signal is sent again: Snakemake misses one that comes while it starts a job


class Child:
    """Snakemake at work, with all that it starts.

    Args:
        command: with its arguments.
        environment: of the process.
        log: what its output is written into; None leaves it on the screen.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: IO[str] | None) -> None:
        self.stopped_by = 0
        """The signal that asked it to stop."""
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=None if log is None else subprocess.PIPE,
            stderr=None if log is None else subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            process_group=0,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - no thread runs yet
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._sent_at, self._times, self._ended = 0.0, 0, False
        if log is not None:
            threading.Thread(target=self._read, args=(log,), daemon=True).start()

    def heard(self, seconds: float) -> list[str] | None:
        """What it has said within so many seconds, line by line; None when it has ended."""
        found: list[str] = []
        if self._ended:
            self.process.wait()
            return None
        if self.stopped_by and time.monotonic() > self._sent_at + _AGAIN:
            self._send(self.stopped_by)
        with contextlib.suppress(queue.Empty):
            line = self._lines.get(timeout=seconds)
            while line is not None:
                found.append(line)
                line = self._lines.get_nowait()
            self._ended = True
        return found

    def stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        """Ask all of it to stop; a process that is asked a third time is killed."""
        self._times += 1
        self.stopped_by = number
        self._send(signal.SIGKILL if self._times > 2 else number)

    def pause(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Pause with all of it, as Ctrl-Z asks for, until both go on."""
        self._send(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._send(signal.SIGCONT)

    def wait_for_jobs(self) -> None:
        """Wait until the jobs have written their checkpoints: Snakemake may end before them."""
        until = time.monotonic() + _LONGEST
        with contextlib.suppress(ProcessLookupError):
            while time.monotonic() < until:
                os.killpg(self.process.pid, 0)
                time.sleep(0.05)

    def _send(self, number: int) -> None:
        self._sent_at = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _read(self, log: IO[str]) -> None:
        for line in self.process.stdout or ():
            with contextlib.suppress(OSError, ValueError):  # of a full disk, or closed at the end
                log.write(line)
                log.flush()
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)


def _end_with_parent() -> None:
    """Ask the kernel to end this process as SIGTERM does when who started it is killed: it starts no more jobs."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)


@contextlib.contextmanager
def started(arguments: Sequence[str], results: Path, log: IO[str] | None) -> Iterator[Child]:
    """Snakemake, started; signals that mean a stop or a pause are passed on to it."""
    snakefile = [] if Path("Snakefile").exists() else ["--snakefile", str(PACKAGE.parents[1] / "Snakefile")]
    command = [sys.executable, "-m", "snakemake", *snakefile, *arguments]
    child = Child(command, {**os.environ, "BNBENCH_RESULTS": str(results)}, log)
    before = {number: signal.signal(number, child.stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, child.pause)
    try:
        yield child
    finally:
        if child.process.poll() is None and not child.stopped_by:  # something else went wrong here
            child.stop(signal.SIGTERM, None)
        child.process.wait()
        if child.stopped_by:
            child.wait_for_jobs()
        for number, handler in before.items():
            signal.signal(number, handler)
