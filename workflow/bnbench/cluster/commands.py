"""Run SLURM's commands. Each has a time limit; if one gives no answer, that is one message.

In a job, the commands would read SLURM's variables as options, so they do not see them.
"""

import os
import re
import subprocess
from collections.abc import Mapping

from bnbench.errors import UserError

SECONDS = 30
"""How long a command may take: slurmctld answers within a second, or is busy or down."""

_OPTIONS = ("SLURM_", "SQUEUE_", "SINFO_", "SCONTROL_", "SACCT_")  # those of sbatch hold for Snakemake's jobs as well
_WHERE = {"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS"}


class NoAnswer(UserError):  # noqa: N818 - what happened
    """SLURM says nothing: its commands are absent, or its controller does not answer."""


class Refused(UserError):  # noqa: N818
    """SLURM answers that it will not."""


def ask(*command: str, seconds: float = SECONDS, text: str | None = None) -> str:
    """What one of SLURM's commands prints.

    Args:
        command: with its arguments.
        seconds: how long it may take.
        text: its standard input.

    Raises:
        NoAnswer: there is no such command, or no answer in time, or nobody who could give one.
        Refused: it answers with an error; the message is what it says.
    """
    name = command[0]
    try:
        done = subprocess.run(  # noqa: S603 - commands of SLURM
            command,
            input=text or "",
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
            env=_environment(),
        )
    except OSError as error:
        raise NoAnswer(
            f"SLURM's command {name} cannot be started here ({error.strerror}): work on a login node of the cluster"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise NoAnswer(
            f"SLURM does not answer: {name} took more than {seconds:.0f} s. Its controller may be down; try again "
            "later, or ask the cluster's support"
        ) from error
    if not done.returncode:
        return done.stdout
    said = _said(done.stderr) or f"status {done.returncode}"
    if _is_silence(done.stderr):
        raise NoAnswer(
            f"SLURM does not answer ({name}: {said}). Its controller may be down; try again later, or ask the "
            "cluster's support"
        )
    raise Refused(said)


def _is_silence(error: str) -> bool:
    """Whether a command says that it reached nobody, or does not know whom to ask."""
    signs = (
        "contact slurm controller",
        "connection refused",
        "connect failure",
        "configuration file",
        "configuration source",
    )
    return any(sign in error.lower() for sign in signs)


def _said(error: str) -> str:
    """The line of a command's errors that gives the reason: the last one."""
    lines = [line.strip() for line in error.splitlines() if line.strip() and not line.startswith("Try ")]
    return re.sub(r"^(.*?: (error|fatal): )?(\.\.\.)?", "", lines[-1]) if lines else ""


def _environment() -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _WHERE or not name.startswith(_OPTIONS)}
    return {**kept, "LC_ALL": "C"}
