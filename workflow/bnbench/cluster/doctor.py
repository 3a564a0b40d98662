"""Examine a cluster before the first job is submitted: `bnbench doctor`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from bnbench.cluster import checks, commands, image, limits, node_check, partitions, profile, requests
from bnbench.cluster.profile import Profile
from bnbench.cluster.requests import Request
from bnbench.errors import UserError
from bnbench.plan.study import Study
from bnbench.wording import formats

SLURM = "slurm"


class Line(NamedTuple):
    """One thing that was examined."""

    kind: Literal["OK", "NOTE", "MEND"]
    text: str

    def __str__(self) -> str:
        return f"{self.kind:5} {self.text}"


def run(study: Study, results: Path, place: Path, say: Callable[[str], None], wait: float) -> str:
    """Examine all that jobs of a study need; give the last words.

    Args:
        study: whose jobs are to be submitted.
        results: the folder of the results.
        place: of the profile.
        say: takes each line as soon as it is known.
        wait: seconds that a job which looks at a node may wait in the queue; 0 for no such job.

    Raises:
        UserError: something is to be mended; or the profile cannot be read, or SLURM does not answer.
    """
    read = profile.read(place)
    if (executor := read.get("executor")) != SLURM:
        raise UserError(f"{read.where('executor')}: executor: found {executor!r}, and the doctor knows {SLURM!r} alone")
    wrong = 0
    for line in _lines(study, results, read, wait):
        say(str(line))
        wrong += line.kind == "MEND"
    if wrong:
        raise UserError(f"Mend {formats.count(wrong, 'thing')} of these before the first job is submitted.")
    return f"Nothing to mend. To start: snakemake --workflow-profile {place}"


def _lines(study: Study, results: Path, read: Profile, wait: float) -> Iterator[Line]:
    there = partitions.read()
    yield Line("OK", f"SLURM answers; its partitions: {', '.join(sorted(there))}")
    yield from _status_command(read)
    yield from _image(read)
    good = []
    for largest in requests.of_study(study, results, read):
        lowered = limits.capped(largest.resources, there)
        request = largest.smaller(**lowered)
        yield from (_lowered(largest, name, most, read) for name, most in lowered.items())
        if said := checks.refused(request, read, there):
            yield Line("MEND", said)
            continue
        jobs = formats.count(request.jobs, "job")
        yield Line("OK", f"SLURM accepts the largest of {jobs} of {request.rule}: {requests.described(request)}")
        if reason := checks.waits(request, there):
            yield Line("NOTE", reason)
        good.append(request)
    if wait:
        yield from _nodes(good, results, read, wait)


def _lowered(request: Request, name: str, most: int, read: Profile) -> Line:
    """A limit of the partition that is below what jobs need by the cost model, or by the profile."""
    what = {"runtime": f"{request.resources[name]:,} minutes", "mem_mb": f"{request.resources[name]:,} MB"}[name]
    then = {
        "runtime": "they continue from their checkpoints at the next try",
        "mem_mb": "those that need more fail; choose a smaller seeds_per_job, or another partition",
    }[name]
    where = checks.place(request, read, name)
    return Line("NOTE", f"{where}: jobs of {request.rule} need up to {what}, the partition gives {most:,}; {then}")


def _status_command(read: Profile) -> Iterator[Line]:
    """Whether Snakemake can learn the end of a job in the way that the profile says."""
    config = commands.ask("scontrol", "show", "config")
    has = {line.partition("=")[0].strip(): line.partition("=")[2].strip() for line in config.splitlines()}
    key = "slurm-status-command"
    command, accounting = read.get(key), has.get("AccountingStorageType", "")
    if accounting.endswith("none") and command != "squeue":
        text = f"{read.where(key)}: {key}: found {command}, allowed: squeue, since SLURM keeps no accounts here"
        yield Line("MEND", f"{text}: sacct would wait for ever")
        return
    seconds = "slurm-init-seconds-before-status-checks"
    least, age = 3 * int(read.get(seconds, default=40)), has.get("MinJobAge", "").split()
    if command == "squeue" and age and age[0].isdigit() and int(age[0]) < least:
        text = f"SLURM forgets jobs {age[0]} s after their end (MinJobAge), before squeue is asked for them"
        if accounting.endswith("none"):
            yield Line("MEND", f"{text}; {read.where(seconds)}: write {seconds}: {max(1, int(age[0]) // 3)}")
        else:
            yield Line("NOTE", f"{text}, so Snakemake asks sacct; {read.where(key)}")
        return
    yield Line("OK", f"the end of a job is learned from {command or 'sacct'}")


def _image(read: Profile) -> Iterator[Line]:
    if not (key := image.method(read)):
        return
    said = image.missing(f"{read.where(key)}: {key}")
    yield Line("MEND", said) if said else Line("OK", f"the jobs run in {image.path()}")


def _nodes(good: list[Request], results: Path, read: Profile, wait: float) -> Iterator[Line]:
    """What a node of each partition says."""
    options: list[str] = []
    if image.method(read) and image.path().exists():
        arguments = str(read.get("apptainer-args", default=""))
        options = ["--image", str(image.path().absolute()), f"--image-arguments={arguments}"]
    latency = float(read.get("latency-wait", default=5))
    for seen in node_check.look(good, results, options, wait=wait, latency=latency):
        where = f"{seen.request.rule}, partition {seen.request.resources.get('slurm_partition', 'by default')}"
        yield from (Line("NOTE", f"{where}: {text}") for text in seen.note)
        if seen.mend:
            yield from (Line("MEND", f"{where}: {text}") for text in seen.mend)
        elif seen.ok:
            yield Line("OK", f"{where}: {seen.ok}")
