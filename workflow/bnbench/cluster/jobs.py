"""What SLURM says about our jobs: the queue, and the accounting for those that the queue has forgotten.

The queue knows all jobs that wait or run. It knows the others until MinJobAge has passed since they ended (300 s by
default), or until the controller is restarted without its state. The accounting remembers them, where a cluster has
one. But it lags behind, and may show as running what has long ended, so the queue is asked first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bnbench.cluster import commands
from bnbench.errors import UserError

_WELL = "COMPLETED"
_BADLY = [
    *("BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "LAUNCH_FAILED"),
    *("NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "RECONFIG_FAIL", "TIMEOUT"),
]
"""The states in which a job may end badly. A job that SLURM starts again is PENDING instead."""

_WAITS = ["PENDING", "REQUEUED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"]


@dataclass(frozen=True)
class Said:
    """What SLURM says of a job."""

    state: str
    """One of SLURM's words, such as `RUNNING`; of `CANCELLED by 1000`, the first."""
    reason: str = ""
    """Why it waits, such as `Priority`."""

    @property
    def ended_well(self) -> bool:
        """Whether it ran to its end without an error."""
        return self.state == _WELL

    @property
    def ended_badly(self) -> bool:
        """Whether it ended in another way."""
        return self.state in _BADLY

    @property
    def waits(self) -> bool:
        """Whether it has not been started yet, or is to be started again."""
        return self.state in _WAITS


def state(text: str) -> str:
    """SLURM's word in the forms that its commands write: `CANCELLED by 1000`, `CANCELLED+`, `OUT_OF_ME+`."""
    found = re.match(r"([A-Z_]*)(\+?)", text.strip())
    word, cut = found.groups() if found else ("", "")  # cut off, in a column that is too narrow
    return next((each for each in (_WELL, *_BADLY) if word and cut and each.startswith(word)), word)


def queue(cluster: str = "") -> Mapping[str, Said]:
    """The jobs of this user that the queue knows, ended ones included, by number.

    Args:
        cluster: another cluster than that of this machine.

    Raises:
        UserError: SLURM does not answer.
    """
    only = (f"--user={os.getuid()}", "--states=all", "--all", "--array")
    return queued(commands.ask("squeue", "--noheader", *only, *_of(cluster), "--format=%i|%T|%r"))


def queued(text: str) -> Mapping[str, Said]:
    """The jobs in what `squeue` printed, by number."""
    rows = [line.strip().split("|", 2) for line in text.splitlines()]
    return {row[0]: Said(state(row[1]), _reason(row[2])) for row in rows if len(row) == 3}


def accounted(numbers: Iterable[str], cluster: str = "") -> Mapping[str, Said]:
    """How these jobs ended, by number, as far as SLURM's accounting knows; nothing on a cluster that has none."""
    asked = f"--jobs={','.join(numbers)}"
    try:
        return recorded(
            commands.ask(
                "sacct", "--allocations", "--noheader", "--parsable2", "--format=JobID,State", asked, *_of(cluster)
            )
        )
    except UserError:
        return {}


def recorded(text: str) -> Mapping[str, Said]:
    """The jobs that have ended, in what `sacct` printed, by number."""
    rows = [line.strip().split("|") for line in text.splitlines()]
    found = {row[0]: Said(state(row[1])) for row in rows if len(row) == 2}
    return {number: said for number, said in found.items() if said.ended_well or said.ended_badly}


def cancel(number: str, cluster: str = "") -> None:
    """Take a job out of the queue.

    Raises:
        UserError: SLURM does not answer.
    """
    commands.ask("scancel", *_of(cluster), number)


def _of(cluster: str) -> list[str]:
    return [f"--clusters={cluster}"] if cluster else []


def _reason(text: str) -> str:
    return "" if text == "None" else text
