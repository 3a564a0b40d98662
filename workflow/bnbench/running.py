"""Run a study: start Snakemake, say how far it is, and end with what matters; what `make report` does.

What comes in is a study and the options of Snakemake, what goes out are its report, lines for the user who waits, and
`logs/<study>/snakemake.log`. Snakemake and its jobs are one group of processes, to which signals are passed on.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from bnbench import child, forecast, work
from bnbench.child import Child
from bnbench.errors import UserError
from bnbench.lines import Line
from bnbench.plan.study import Study
from bnbench.store import tables
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
    r": (trained seeds \d+|seeds \d+ to \d+( are trained already|, \d+ of them|$)|continues after epoch"
    r"|training \d+ seed|epoch [\d,]+ of|collected [\d,]+ (trials|runs))"
)
"""What jobs say that are well, as `train`, `trainer.checkpoints` and `collect` put it."""

_TICK = 0.5  # seconds between two looks


class Interrupted(Exception):  # noqa: N818 - no error
    """The run was asked to stop, and has stopped."""

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
        UserError: it failed; the messages of the failed jobs are shown.
        Interrupted: it was asked to stop.
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
    with (
        _log(study) as log,
        child.started([*arguments, "--cores", str(cores), "--quiet", "all"], results, log) as snakemake,
    ):
        run.follow(snakemake)
    shown.clear()
    if snakemake.stopped_by:
        shown.note("Stopped. To continue, give the same command again: finished results are kept.")
        raise Interrupted(snakemake.stopped_by)
    if status := snakemake.process.returncode:
        failed = "\n".join(run.said) or f"Snakemake ended with status {status}"
        raise UserError(
            f"{failed}\nAll that was said: logs/{study.name}/snakemake.log, and a log for each job in logs/"
        )
    return run.warnings


def loudly(arguments: Sequence[str], results: Path, cores: int) -> None:
    """The same with Snakemake's own output instead.

    Raises:
        UserError: it failed.
        Interrupted: it was asked to stop.
    """
    with child.started([*arguments, "--cores", str(cores), "--quiet", "rules"], results, None) as snakemake:
        snakemake.process.wait()
    if snakemake.stopped_by:
        raise Interrupted(snakemake.stopped_by)
    if status := snakemake.process.returncode:
        raise UserError(f"Snakemake ended with status {status}")


def here(study: Study, steps: Mapping[str, Callable[[], str]]) -> list[str]:
    """Take the steps after the training in this process; give what each says.

    A terminal shows which step is at work. Elsewhere nothing is shown, since nobody waits for a log of some seconds.

    Args:
        study: whose steps they are.
        steps: name, as in `_STEPS` and in that order, → what takes the step.
    """
    if not sys.stderr.isatty():
        return [step() for step in steps.values()]
    shown, seconds, said = Line(sys.stderr), work.report_seconds(study), []
    try:
        for place, (name, step) in enumerate(steps.items()):
            remaining = sum(seconds[each] for each in [*steps][place:])
            shown.renew(f"{_STEPS[name]}, {clock.left(remaining)}")
            said.append(step())
    finally:
        shown.clear()
    return said


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

    def follow(self, snakemake: Child) -> None:
        """Show what it does until it has ended."""
        while (lines := snakemake.heard(_TICK)) is not None:
            for line in lines:
                self._hear(line)
            if not snakemake.stopped_by:
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


@contextlib.contextmanager
def _log(study: Study) -> Iterator[TextIO]:
    """The file for all that Snakemake says; nowhere, where none can be written."""
    path = Path("logs") / study.name / "snakemake.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError:
        file = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - closed below
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
