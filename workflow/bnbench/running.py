"""Run a study: start Snakemake, say how far it is, and end with what matters; what `make report` does.

What comes in is a study and the options of Snakemake, what goes out are its report, lines for whoever waits, and
`logs/<study>/snakemake.log`. Snakemake and its jobs are one group of processes, to which signals are passed on.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, TextIO

from bnbench import extras, forecast, work
from bnbench.errors import UserError
from bnbench.lines import Line
from bnbench.plan.study import Study
from bnbench.store import tables
from bnbench.vocabulary import PACKAGE
from bnbench.watching import Watch
from bnbench.wording import clock, formats

_STEPS = {
    "collect": "collecting the trials",
    "compare": "judging",
    "plot": "drawing the figures",
    "report": "rendering the page",
}
"""Step after the training → what is going on."""

_ROUTINE = re.compile(
    r": (trained seeds \d+|seeds \d+ to \d+( are there already|, \d+ of them|$)|goes on after epoch|training \d+ seed"
    r"|epoch [\d,]+ of|collected [\d,]+ (trials|runs))"
)
"""What jobs say that are well, as `train`, `trainer.checkpoints` and `collect` put it."""

_TICK = 0.5  # seconds between two looks
_LONGEST = 60.0  # seconds that jobs which were told to stop have after Snakemake's end
_AGAIN = 15.0  # seconds after which a signal is sent again: Snakemake misses one that comes while it starts a job


class Interrupted(Exception):  # noqa: N818 - no error
    """The run was told to stop, and has."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number
        """The exit status that shells give such an end."""


def run(study: Study, arguments: Sequence[str], results: Path, reports: Path, cores: int) -> list[str]:
    """Run a study to its report; give the warnings that came up.

    Args:
        study: as its config says.
        arguments: of Snakemake, that name the same config.
        results: the folder of the results.
        reports: that of the reports.
        cores: how many to use.

    Raises:
        UserError: it failed; the messages of the jobs that did are told.
        Interrupted: it was told to stop.
    """
    shown = Line(sys.stderr)
    told = forecast.told(study, results)
    jobs = [*work.jobs(study, results)]
    todo = work.timed(study, jobs, work.estimates(jobs, results))
    for text in told:
        shown.note(text)
    shown.note(clock.lasting(work.wall(study, todo, cores, reports), len(todo), cores))
    if busy := clock.busy(os.getloadavg()[0], cores):
        shown.note(busy)
    watch = Watch(todo, results, max(1, cores // work.threads(study)))
    run = _Run(study, watch, shown, {*told})
    with _log(study) as log, _child([*arguments, "--cores", str(cores), "--quiet", "all"], results, log) as child:
        run.follow(child)
    shown.clear()
    if child.stopped_by:
        shown.note("Stopped. To go on, give the same command again: what is finished is kept.")
        raise Interrupted(child.stopped_by)
    if status := child.process.returncode:
        failed = "\n".join(run.said) or f"Snakemake ended with status {status}"
        raise UserError(
            f"{failed}\nAll that was said: logs/{study.name}/snakemake.log, and a log for each job in logs/"
        )
    return run.warnings


def loudly(arguments: Sequence[str], results: Path, cores: int) -> None:
    """The same with Snakemake's own output instead.

    Raises:
        UserError: it failed.
        Interrupted: it was told to stop.
    """
    with _child([*arguments, "--cores", str(cores), "--quiet", "rules"], results, None) as child:
        child.process.wait()
    if child.stopped_by:
        raise Interrupted(child.stopped_by)
    if status := child.process.returncode:
        raise UserError(f"Snakemake ended with status {status}")


class _Run:
    """What is shown of a run while it goes on."""

    def __init__(self, study: Study, watch: Watch, shown: Line, told: set[str]) -> None:
        self.said: list[str] = []
        """What jobs and Snakemake have said that is no routine."""
        self.warnings = [text for text in told if text.startswith("warning: ")]
        self._watch, self._shown, self._told = watch, shown, told
        self._seconds = work.report_seconds(study)
        self._logs = {step: Path("logs") / study.name / f"{step}.log" for step in _STEPS}
        self._before = {step: _written(path) for step, path in self._logs.items()}
        self._stage, self._since = "", time.monotonic()

    def follow(self, child: _Child) -> None:
        """Show what it does until it has ended."""
        while (lines := child.heard(_TICK)) is not None:
            for line in lines:
                self._hear(line)
            if not child.stopped_by:
                self._look()

    def _hear(self, line: str) -> None:
        if line in self._told or _ROUTINE.search(line):
            return
        self.said.append(line)
        if line.startswith("warning: "):
            self._told.add(line)
            self.warnings.append(line)
            self._shown.note(line)

    def _look(self) -> None:
        """Show how far it is."""
        if self._watch.trains:
            self._watch.look()
        begun = [step for step, path in self._logs.items() if _written(path) != self._before[step]]
        if begun:
            stage, left = begun[-1], 0.0
        elif self._watch.trains:
            stage, left = "train", self._watch.seconds_left()
        else:
            return
        new = stage != self._stage
        if new:
            self._stage, self._since = stage, time.monotonic()
        if stage == "train":
            self._shown.renew(clock.training(self._watch.share(), left + sum(self._seconds.values())), new=new)
            return
        steps = [*_STEPS]
        left = max(0.0, self._seconds[stage] - (time.monotonic() - self._since))
        left += sum(self._seconds[step] for step in steps[steps.index(stage) + 1 :])
        self._shown.renew(f"{_STEPS[stage]}, {clock.left(left)}", new=new)


class _Child:
    """Snakemake at work, with all that it starts.

    Args:
        command: with its arguments.
        environment: of the process.
        log: what its output is written into; None leaves it on the screen.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: IO[str] | None) -> None:
        self.stopped_by = 0
        """The signal by which it was told to stop."""
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=None if log is None else subprocess.PIPE,
            stderr=None if log is None else subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
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
        """Tell all of it to stop; whoever is told a third time is killed."""
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


@contextlib.contextmanager
def _child(arguments: Sequence[str], results: Path, log: IO[str] | None) -> Iterator[_Child]:
    """Snakemake, started; signals that mean a stop or a pause are passed on to it."""
    extras.need("snakemake")
    snakefile = [] if Path("Snakefile").exists() else ["--snakefile", str(PACKAGE.parents[1] / "Snakefile")]
    command = [sys.executable, "-m", "snakemake", *snakefile, *arguments]
    child = _Child(command, {**os.environ, "BNBENCH_RESULTS": str(results)}, log)
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


@contextlib.contextmanager
def _log(study: Study) -> Iterator[TextIO]:
    """The file for all that Snakemake says; nowhere, where none can be written."""
    path = Path("logs") / study.name / "snakemake.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError:
        file = Path(os.devnull).open("w")  # noqa: SIM115 - closed below
    with file:
        yield file


def afterwards(folder: Path) -> list[str]:
    """What the finished report in `folder` warns of: trials that diverged, and losses that still change."""
    verdicts = tables.read_json(folder / "verdicts.json")
    rows = verdicts["tables"]["exclusions"]
    reason = rows["columns"].index("reason")
    diverged = sum(str(row[reason]).startswith("diverged") for row in rows["data"])
    of_them = f"{formats.count(diverged, 'trial')} diverged: see the section Exclusions" if diverged else ""
    return [f"warning: {said}" for said in (of_them, verdicts.get("still_changing", "")) if said]


def _written(path: Path) -> int:
    """When a file was written last, in nanoseconds; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
