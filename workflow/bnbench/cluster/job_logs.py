"""Where to read why a job failed: in its own log, in SLURM's, or in what SLURM said when it was submitted."""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bnbench.cluster import plugin

_ROUTINE = re.compile(
    r"\s|=+$|\[|SNAKEMAKE$|(local)?rule \w+:|Building DAG|Using |Provided |Rules claiming|Singularity containers|"
    r"Select jobs|Execute \d|Error in (rule|group)|RuleException|CalledProcessError|Command '|Cannot restore|"
    r"Shutting down|Exiting because|Storing output|Elapsed time|Complete log|WorkflowError|At least one job|"
    r"Trying to restart|Removing output|Finished jobid|\d+ of \d+ steps|srun: (job|cluster) |"
    r"srun: error: .*(Exited with exit code|task \d+: (Terminated|Killed))"
)
"""What Snakemake and `srun` say of every job that fails, whatever the reason."""

_NOT_SUBMITTED = re.compile(
    r"The error message was '(?P<said>.*?)'\.$|failed with exception: (?P<raised>.*)$", re.M | re.S
)


class JobLogs:
    """The logs of one run.

    Args:
        workflow: Snakemake's.
    """

    def __init__(self, workflow: Any) -> None:
        self._slurm = plugin.logs(workflow)
        self._snakemake = [Path(path) for path in workflow.logger_manager.get_logfile() or ()]

    def told(self, log: Path, rules: Sequence[str], wildcards: Sequence[str]) -> str:
        """Where to read why a job is not done; a message has it after the job's name.

        Args:
            log: the job's own.
            rules: the job belongs to one of them.
            wildcards: their values for the job.
        """
        if _holds_something(log):
            return f"; its log: {log}"
        if self._slurm is None:
            return f"; its log is empty: {log}" if log.exists() else ", not started"
        logs = [*(path for rule in rules for path in plugin.job_logs(self._slurm, rule, wildcards))]
        if not logs:
            return f", not submitted{self._refusal(wildcards)}" if log.exists() else ", not started"
        newest = _seen_from_here(max(logs, key=lambda path: path.stat().st_mtime))
        return f"; its log is empty, SLURM's log of it: {newest}\n    {reason(newest) or 'which gives no reason'}"

    def _refusal(self, wildcards: Sequence[str]) -> str:
        """What was said when a job could not be submitted."""
        for path in self._snakemake:
            with contextlib.suppress(OSError):
                for part in path.read_text(errors="replace").split("\nError in rule "):
                    if (found := _NOT_SUBMITTED.search(part)) and all(value in part for value in wildcards):
                        return f": {_last(found['said'] or found['raised'])}"
        return ""


def reason(log: Path) -> str:
    """The last line of one of SLURM's logs that is not in the log of every failure; empty where there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip() and not _ROUTINE.match(line)), "")


def _last(text: str) -> str:
    return text.strip().splitlines()[-1].strip() if text.strip() else ""


def _holds_something(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _seen_from_here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
