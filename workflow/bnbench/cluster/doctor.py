"""Examine a cluster before the first job is submitted: `bnbench doctor`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from bnbench.cluster import checks, commands, image, limits, node_check, partitions, profile, requests
from bnbench.cluster.profile import Profile
from bnbench.cluster.requests import Request
from bnbench.errors import UserError, found
from bnbench.plan.study import Study
from bnbench.wording import formats

SLURM = "slurm"
_PACE = 40  # seconds between two looks at jobs, by default


class Line(NamedTuple):
    """One thing that was examined."""

    kind: Literal["OK", "NOTE", "MEND"]
    text: str

    def __str__(self) -> str:
        return f"{self.kind:5} {self.text}"


def run(study: Study, results: Path, place: Path, say: Callable[[str], None], wait: float) -> str:
    """Examine all that the jobs of a study need; give the last line.

    Args:
        study: whose jobs you want to submit.
        results: the folder of the results.
        place: of the profile.
        say: takes each line as soon as it is known.
        wait: seconds to wait for each job that looks at a node; 0 for no such job.

    Raises:
        UserError: something is to be mended; or the profile cannot be read, or SLURM does not answer.
    """
    read = profile.read(place)
    if (executor := read.get("executor")) != SLURM:
        raise UserError(f"{read.where('executor')}: executor: found {found(executor)}, allowed: {SLURM}")
    wrong = 0
    for line in _lines(study, results, read, wait):
        say(str(line))
        wrong += line.kind == "MEND"
    if wrong:
        raise UserError(f"Mend {formats.count(wrong, 'thing')} before the first job is submitted.")
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
    """A limit of the partition that is below what jobs need by the cost model or the profile."""
    what = {"runtime": f"{request.resources[name]:,} minutes", "mem_mb": f"{request.resources[name]:,} MB"}[name]
    then = {
        "runtime": "a job that needs more continues from its checkpoint at the next try",
        "mem_mb": "a job that needs more fails; choose a smaller seeds_per_job, or another partition",
    }[name]
    where = checks.place(request, read, name)
    return Line("NOTE", f"{where}: jobs of {request.rule} need up to {what}, the partition allows {most:,}; {then}")


def _status_command(read: Profile) -> Iterator[Line]:
    """Whether the end of every job will be seen."""
    config = commands.ask("scontrol", "show", "config")
    has = {line.partition("=")[0].strip(): line.partition("=")[2].strip() for line in config.splitlines()}
    command, pace = "slurm-status-command", "slurm-init-seconds-before-status-checks"
    accounts = not has.get("AccountingStorageType", "none").endswith("none")
    if read.get(command) == "sacct" and not accounts:
        yield Line(
            "NOTE", f"{read.where(command)}: {command}: found sacct, but SLURM keeps no accounting here: write squeue"
        )
    age, seconds = has.get("MinJobAge", "").partition(" ")[0], int(read.get(pace, default=_PACE))
    if age.isdigit() and 3 * seconds > int(age) > 0:
        text = f"SLURM forgets a job {age} s after its end (MinJobAge), and Snakemake looks every {seconds} s"
        yield Line("NOTE", f"{read.where(pace)}: {pace}: {text}: write {max(1, int(age) // 3)}")


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
