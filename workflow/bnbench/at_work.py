"""Which runs are at work in a folder: a file's lock says whether there are any, and notes in the file say which.

Every run shares the kernel's lock of the file until its process ends, however it ends. A run that gets the lock for
itself is the only one. Some file systems have no locks, or none that other machines see; there, only the notes help.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

_held: list[IO[str]] = []


class Run(NamedTuple):
    """A run that was started here."""

    host: str
    process: int
    since: str
    """By the clock there."""

    def __str__(self) -> str:
        where = "" if self.host == platform.node() else f" on {self.host}"
        return f"process {self.process}{where}, since {self.since}"

    @property
    def may_live(self) -> bool:
        """Whether its process exists; True for one on another machine, of which we cannot know."""
        return self.host != platform.node() or Path(f"/proc/{self.process}").exists()


class Others(NamedTuple):
    """What can be found out about other runs in a folder."""

    alone: bool | None
    """Whether the lock says that there are no others; None where there are no locks."""
    noted: tuple[Run, ...]
    """Runs that have started since a run was alone, and may be alive."""

    @property
    def elsewhere(self) -> tuple[Run, ...]:
        """Those of other machines."""
        return tuple(run for run in self.noted if run.host != platform.node())

    def refusal(self) -> str:
        """The message for a run that wants files which another one has locked."""
        named = " and ".join(map(str, self.noted))
        if self.alone is False:
            return (
                f"Another run is at work in this folder{f' ({named})' if named else ''}. Wait until it ends, or stop "
                "it; then give the same command again. Do not use --unlock: finished results are kept anyway."
            )
        return (
            f"Another run has locked this folder{f' ({named})' if named else ''}, and it cannot be seen from here "
            "whether it is still at work. If it is, wait until it ends, or stop it. If you are sure that it has ended, "
            "add --unlock to the command once."
        )


@contextlib.contextmanager
def joined(file: Path, *, noted: bool) -> Iterator[Others]:
    """Share the lock of `file` until this process ends; in the block, others wait where there is none.

    Args:
        file: in the folder, or in a folder of its own there.
        noted: whether to note this run for others, which it must if it locks results.

    Raises:
        OSError: the file cannot be written.
    """
    handle = file.open("a+", encoding="utf-8")
    _held.append(handle)
    handle.seek(0)
    runs = tuple(run for line in handle if (run := _read(line)) and run.may_live)
    alone = _alone(handle)
    if alone:
        handle.truncate(0)
    if noted:
        print(platform.node(), os.getpid(), time.strftime("%Y-%m-%d %H:%M"), sep="\t", file=handle, flush=True)
    yield Others(alone, runs)
    if alone is not None:
        fcntl.flock(handle, fcntl.LOCK_SH)


def _alone(handle: IO[str]) -> bool | None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # of a file system without locks
        return None
    return True


def _read(line: str) -> Run | None:
    """A note, if it is one."""
    match line.rstrip("\n").split("\t"):
        case [host, process, since] if process.isdigit():
            return Run(host, int(process), since)
    return None
