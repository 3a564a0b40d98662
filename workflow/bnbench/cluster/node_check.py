"""Have SLURM run a tiny job in each partition, and say what its node sees."""

import contextlib
import fcntl
import json
import shlex
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bnbench import __version__
from bnbench.cluster import commands, plugin
from bnbench.cluster.requests import ON_CUDA, Request
from bnbench.errors import UserError
from bnbench.vocabulary import PACKAGE

_MINUTES = 5  # of a job
_TICK = 0.5  # seconds between two looks
_RUNS = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED", "SUSPENDED")


@dataclass
class Seen:
    """What was learned about the node of one request: what to mend, and what is good to know."""

    request: Request
    ok: str = ""
    mend: list[str] = field(default_factory=list)
    note: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Job:
    request: Request
    id: str
    log: Path


def look(
    requests: Sequence[Request], results: Path, image: Sequence[str], *, wait: float, latency: float
) -> Iterator[Seen]:
    """What the nodes of these requests see, as soon as it is known.

    Args:
        requests: one job for each looks at a node.
        results: the folder of the results.
        image: options of `node` that name the image; none where the jobs run without.
        wait: seconds to wait for each job.
        latency: seconds that a file may take to become visible.

    Raises:
        UserError: a folder cannot be written here.
    """
    name = f".doctor-{uuid.uuid4().hex[:8]}"
    with _asked(Path.cwd() / name) as here, _asked(results.absolute() / name) as there:
        jobs: list[_Job] = []
        try:
            for place, request in enumerate(requests):
                asked = [folder / str(place) for folder in (here, there)]
                with contextlib.ExitStack() as locks:
                    for path in asked:
                        locks.enter_context(_locked(path))
                    try:
                        job = _submitted(request, asked, image)
                    except commands.Refused as refusal:
                        yield Seen(request, mend=[f"SLURM refuses a job of {request.rule}: {refusal}"])
                        continue
                    jobs.append(job)
                    yield _followed(job, asked, wait, latency)
        finally:
            for job in jobs:
                with contextlib.suppress(UserError):
                    commands.ask("scancel", job.id)


@contextlib.contextmanager
def _asked(folder: Path) -> Iterator[Path]:
    """A folder for questions and answers. It is removed again, and so is its parent if that was made for it."""
    made = not folder.parent.exists()
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{folder.parent}: cannot be written here ({error.strerror})") from error
    try:
        yield folder
    finally:
        for path in folder.glob("*"):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a node may still write
            folder.rmdir()
            if made:
                folder.parent.rmdir()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    with path.open("w", encoding="utf-8") as file:
        with contextlib.suppress(OSError):  # of a file system without locks, which the node will find as well
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _submitted(request: Request, asked: Sequence[Path], image: Sequence[str]) -> _Job:
    options = ["--gpu", *image] if request.rule == ON_CUDA else [*image]
    command = shlex.join([sys.executable, "-m", "bnbench.cluster.node", *map(str, asked), *options])
    path = f"export PYTHONPATH={shlex.quote(str(PACKAGE.parent))}${{PYTHONPATH:+:$PYTHONPATH}}"
    log = asked[0].with_name(f"{asked[0].name}.log")
    tiny = request.smaller(runtime=min(_MINUTES, int(request.resources.get("runtime") or _MINUTES)))
    ours = [f"--job-name=bnbench-doctor-{request.rule}", f"--output={log}", "--open-mode=append"]
    said = commands.ask(
        "sbatch",
        *plugin.sbatch(tiny.rule, tiny.threads, tiny.resources),
        *ours,
        text=f"#!/bin/sh\n{path}\nexec {command}\n",
    )
    return _Job(request, said.strip().partition(";")[0], log)


def _followed(job: _Job, asked: Sequence[Path], wait: float, latency: float) -> Seen:
    """What a job's node answers, or why nothing comes."""
    begun = time.monotonic()
    ended: float | None = None
    while True:
        answers = [answer for path in asked if (answer := _read(path.with_name(f"{path.name}.answer")))]
        now = time.monotonic()
        if len(answers) == len(asked) or (ended is not None and now > ended + latency):
            break
        state, reason = _state(job)
        if ended is None and state not in _RUNS:
            ended = now
        if ended is None and now > begun + wait:
            said = f"{state}: {reason}" if reason else state
            return Seen(job.request, note=[f"no node answered within {wait:.0f} s ({said}); a larger --wait may help"])
        time.sleep(_TICK)
    if not answers:
        return Seen(job.request, mend=[_nothing(job)])
    return _judged(job.request, answers[0], asked, {path for path in asked if _answer(path).exists()})


def _answer(path: Path) -> Path:
    return path.with_name(f"{path.name}.answer")


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return {}
    return content


def _state(job: _Job) -> tuple[str, str]:
    """State of a job and why it waits, in SLURM's words; a job that is forgotten has ended."""
    try:
        said = commands.ask("squeue", "--noheader", "--states=all", f"--jobs={job.id}", "--format=%T|%r")
    except commands.Refused:
        said = ""
    state, _, reason = said.strip().partition("|")
    return state or "ENDED", "" if reason == "None" else reason


def _nothing(job: _Job) -> str:
    """Why a job that has ended gave no answer."""
    try:
        lines = [line for line in job.log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    if lines:
        return f"{sys.executable} does not run on the node: {lines[-1].strip()}"
    return (
        f"the node's job {job.id} ended without an answer: the node does not see {Path.cwd()}, "
        "so move the clone to a file system that all nodes share"
    )


def _judged(request: Request, answer: dict[str, Any], asked: Sequence[Path], back: set[Path]) -> Seen:
    node, seen = answer["node"], Seen(request)
    for path in asked:
        folder = path.parents[1]
        if str(path) not in answer["locks"]:
            seen.mend.append(f"node {node} does not see {folder}: it must be on a file system that all nodes share")
        elif path not in back:
            seen.mend.append(
                f"files that node {node} writes in {folder} are not seen here within latency-wait; "
                "write a larger one in the profile"
            )
        elif answer["locks"][str(path)] is None:
            seen.note.append(f"{folder} has no locks (flock) on node {node}: hidden files of killed jobs stay there")
        elif not answer["locks"][str(path)]:
            seen.note.append(
                f"node {node} does not see the locks (flock) that this machine holds in {folder}: two jobs that train "
                "the same chunk at once may disturb each other; ask the cluster's support for a mount with flock"
            )
    if answer["version"] != __version__:
        seen.mend.append(f"node {node} runs bnbench {answer['version']}, and this clone is {__version__}")
    if answer["error"]:
        seen.mend.append(f"on node {node}: {answer['error']}")
    seen.ok = f"node {node} runs Python {answer['python']} and bnbench {answer['version']}"
    if not seen.mend:
        seen.ok += ", sees the clone and the results" + (", and has a GPU" if request.rule == ON_CUDA else "")
    return seen
