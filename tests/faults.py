"""Faults that befall runs: kills at any moment, full disks, damaged files, several runs on one folder of results.

What comes in are checkouts with a small study and a source of chance, what goes out are counts of what happened. After
each fault the same command is given again, and the tables must equal those of a run that nothing disturbed.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from checkouts import KINDS, Checkout, assert_same_bits

STUDY = {
    "hidden": [16],
    "epochs": 600,
    "evaluate_every": 100,
    "seeds": 6,
    "seeds_per_job": {"cpu": 3},
    "batch_size": ["full"],
}
"""Changes of the tiny study that make it four jobs, each of which trains long enough to be met at it."""

STEPS = ("planning", "train", "collect", "compare", "plot", "report")
"""What a run does, in this order."""

KILLS = [
    ("all", signal.SIGKILL),
    ("all", signal.SIGTERM),
    ("all", signal.SIGINT),
    ("all", signal.SIGHUP),
    ("Snakemake", signal.SIGKILL),
    ("Snakemake", signal.SIGTERM),
    ("Snakemake", signal.SIGINT),
    ("the step", signal.SIGKILL),
    ("the step", signal.SIGTERM),
]
"""Who is sent which signal."""

_LONGEST = 240.0
"""Seconds that a run which was told to stop has for it; one that takes longer has hung."""


class Undisturbed:
    """A checkout in which nothing disturbed the run, and which of its tables are the same in every run."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        checkout.run()
        again = checkout.copied(checkout.folder.with_name("again"))
        start_over(again)
        again.run("--until", "compare")
        theirs = tables(checkout)
        self.same = {name for name, text in tables(again).items() if text == theirs[name]}
        """Tables without the seconds that a run has taken."""

    def assert_equal(self, checkout: Checkout) -> None:
        """All results and all tables of a checkout are those of this one, and nothing else is left."""
        assert_same_bits(checkout, self.checkout)
        ours, theirs = tables(checkout), tables(self.checkout)
        assert ours.keys() == theirs.keys()
        assert [name for name in sorted(self.same) if ours[name] != theirs[name]] == []
        assert not (checkout.results / "checkpoints").exists()
        assert [path.name for path in checkout.results.rglob(".*") if path.is_file()] == [".bnbench"]


def tables(checkout: Checkout) -> dict[str, bytes]:
    """All tables of a report."""
    return checkout.contents("tables/*.csv")


def start_over(checkout: Checkout) -> None:
    """Remove all that runs have made in a checkout."""
    for folder in (checkout.results, checkout.folder / "reports", checkout.folder / "logs"):
        shutil.rmtree(folder, ignore_errors=True)


def kill_once(checkout: Checkout, step: str, whom: str, number: int, chance: random.Random) -> tuple[str, str]:
    """Run the study, and send a signal within a second of a step's beginning.

    Returns:
        How the run ended: "finished" before the step began, "stopped", or "hung"; and all that it said.
    """
    run = checkout.start()
    began = time.monotonic()
    while step != "planning" and run.poll() is None and not checkout.processes("bnbench", step):
        assert time.monotonic() < began + _LONGEST, f"{step} never began"
        time.sleep(0.02)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(chance.uniform(0, 3 if step == "planning" else 1))
    met = run.poll() is None
    if met:
        _send(checkout, run.pid, step, whom, number)
    try:
        said, _ = run.communicate(timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        return "hung", run.communicate()[0]
    return ("stopped" if met else "finished"), said


def _send(checkout: Checkout, head: int, step: str, whom: str, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        if whom == "all":
            os.killpg(head, number)
        elif whom == "Snakemake":
            os.kill(head, number)
        for process in checkout.processes("bnbench", step) if whom == "the step" else ():
            os.kill(process, number)


def survive_kills(
    undisturbed: Undisturbed, checkout: Checkout, kills: list[tuple[str, str, int]], chance: random.Random
) -> Counter[str]:
    """Stop runs in these steps in these ways, one after the other; what each one leaves, the next one goes on from.

    A run that has passed a step already starts over, once what it made is compared.
    """
    counts: Counter[str] = Counter()
    for step, whom, number in kills:
        while True:
            ended, said = kill_once(checkout, step, whom, number, chance)
            assert ended != "hung", f"{signal.Signals(number).name} to {whom} in {step}: hung\n{said}"
            assert_no_traceback_of_ours(said)
            if ended == "stopped":
                break
            _finish(undisturbed, checkout, counts)
        counts[step] += 1
        _tell(f"{signal.Signals(number).name} to {whom} in {step}", counts)
    _finish(undisturbed, checkout, counts)
    return counts


def _tell(what: str, counts: Counter[str]) -> None:
    """Print what was survived, for whoever waits an hour for all of it."""
    print(f"{time.strftime('%X')} {what}: survived; {dict(counts)}", flush=True)


def _finish(undisturbed: Undisturbed, checkout: Checkout, counts: Counter[str]) -> None:
    checkout.run()
    undisturbed.assert_equal(checkout)
    counts["compared"] += 1
    start_over(checkout)


def assert_no_traceback_of_ours(said: str) -> None:
    """Snakemake's own loop may complain of an interruption; our code does not."""
    frames = [line for line in said.splitlines() if line.lstrip().startswith("File")]
    assert "workflow/bnbench/" not in "".join(frames), said


class SmallDisk:
    """A file system of some MiB, which only root may mount."""

    def __init__(self, folder: Path, mebibytes: int = 64) -> None:
        self.folder = folder
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", folder]
        subprocess.run(command, check=True, capture_output=True)

    def used(self) -> int:
        """Bytes that its files take."""
        space = os.statvfs(self.folder)
        return (space.f_blocks - space.f_bfree) * space.f_frsize

    def leave(self, free: int) -> None:
        """Fill it until so many bytes are free."""
        space = os.statvfs(self.folder)
        (self.folder / "filler").write_bytes(bytes(max(0, space.f_bavail * space.f_frsize - free)))

    def make_space(self) -> None:
        """Free it again."""
        (self.folder / "filler").unlink()

    def remove(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", self.folder], check=True)


def survive_full_disks(undisturbed: Undisturbed, disk: SmallDisk, points: int) -> Counter[str]:
    """Run the study on a disk that is full after so many parts of what a run writes, and again when there is space."""
    counts: Counter[str] = Counter()
    checkout = undisturbed.checkout.copied(disk.folder / "bnbench")
    start_over(checkout)
    shutil.rmtree(checkout.folder / ".snakemake", ignore_errors=True)
    empty = disk.used()
    checkout.run()
    whole = disk.used() - empty
    for point in range(points):
        start_over(checkout)
        shutil.rmtree(checkout.folder / ".snakemake", ignore_errors=True)
        disk.leave(whole * (2 * point + 1) // (2 * points))
        failed = checkout.snakemake()
        assert_no_traceback_of_ours(failed.stdout + failed.stderr)
        counts["failed" if failed.returncode else "had space enough"] += 1
        disk.make_space()
        checkout.run()
        undisturbed.assert_equal(checkout)
        counts["compared"] += 1
        _tell("a full disk", counts)
    return counts


def _cut(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(1, path.stat().st_size))


def _flipped(path: Path, chance: random.Random) -> None:
    table, metadata = pq.read_table(path, partitioning=None), pq.read_metadata(path)
    column = metadata.row_group(0).column(metadata.schema.names.index(_number(table, chance)))
    end = column.data_page_offset + column.total_compressed_size
    content = bytearray(path.read_bytes())
    # Of the values, which are at the end of a page.
    content[end - 1 - chance.randrange(column.total_compressed_size // 4)] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def _zeroed(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    start = chance.randrange(len(content) // 2)
    content[start : start + len(content) // 4] = bytes(len(content) // 4)
    path.write_bytes(content)


def _another_chunks(path: Path, chance: random.Random) -> None:
    others = [other for other in sorted(path.parents[1].glob("*/*.parquet")) if other != path]
    path.write_bytes(chance.choice(others).read_bytes())


def _of_another_kind(path: Path, chance: random.Random) -> None:
    kind = path.parents[1].name
    other = chance.choice([each for each in KINDS if each != kind])
    path.write_bytes((path.parents[2] / other / path.parent.name / path.name).read_bytes())


def _write(path: Path, table: pa.Table) -> None:
    """Write a table as another program would, its footer as it was."""
    pq.write_table(table, path)


def _number(table: pa.Table, chance: random.Random) -> str:
    """A column of losses with numbers in it."""
    names = [field.name for field in table.schema if pa.types.is_floating(field.type) and field.name != "seconds"]
    return chance.choice([name for name in names if pc.any(pc.is_finite(table[name])).as_py()])


def _changed(path: Path, chance: random.Random, change: float, *, scale: bool) -> None:
    table = pq.read_table(path, partitioning=None)
    name = _number(table, chance)
    values = np.array(table[name].to_numpy(), copy=True)
    row = chance.choice(np.flatnonzero(np.isfinite(values)).tolist())
    values[row] = (values[row] or 1.0) * change if scale else change
    column = pa.array(values, table.schema.field(name).type)
    _write(path, table.set_column(table.schema.get_field_index(name), table.schema.field(name), column))


def _seeds_swapped(path: Path, chance: random.Random) -> None:
    table = pq.read_table(path, partitioning=None)
    seeds = table["seed"].to_numpy()
    swapped = pa.array(seeds.min() + seeds.max() - seeds, table.schema.field("seed").type)
    _write(path, table.set_column(table.schema.get_field_index("seed"), table.schema.field("seed"), swapped))


def _row_lost(path: Path, chance: random.Random) -> None:
    table = pq.read_table(path, partitioning=None)
    lost = chance.randrange(len(table))
    _write(path, table.take([row for row in range(len(table)) if row != lost]))


def _row_twice(path: Path, chance: random.Random) -> None:
    table = pq.read_table(path, partitioning=None)
    _write(path, table.take(sorted([*range(len(table)), chance.randrange(len(table))])))


DAMAGES = {
    "empty": lambda path, _: path.write_bytes(b""),
    "cut off": _cut,
    "one bit flipped": _flipped,
    "a part zeroed": _zeroed,
    "text in its place": lambda path, _: path.write_text("no table\n"),
    "the file of another chunk": _another_chunks,
    "the file of another kind": _of_another_kind,
    "a value doubled": lambda path, chance: _changed(path, chance, 2.0, scale=True),
    "a value lost": lambda path, chance: _changed(path, chance, float("nan"), scale=False),
    "a value negated": lambda path, chance: _changed(path, chance, -1.0, scale=True),
    "seeds swapped": _seeds_swapped,
    "a row lost": _row_lost,
    "a row twice": _row_twice,
}
"""What befalls a finished table → what does it."""


def damage(checkout: Checkout, how: str, chance: random.Random) -> Path:
    """Damage one finished table of a checkout; which one."""
    path = chance.choice(
        [path for kind in KINDS for path in sorted((checkout.results / kind).glob("*/seeds-*.parquet"))]
    )
    DAMAGES[how](path, chance)
    return path


def survive_damaged_files(
    undisturbed: Undisturbed, checkout: Checkout, kinds: list[str], chance: random.Random
) -> Counter[str]:
    """Damage tables in these ways, one after the other; each must be named before it is judged, and trained again."""
    counts: Counter[str] = Counter()
    checkout.run()
    for how in kinds:
        path = damage(checkout, how, chance)
        shutil.rmtree(checkout.report)
        said = checkout.snakemake()
        assert_no_traceback_of_ours(said.stdout + said.stderr)
        name = str(path.relative_to(checkout.folder))
        if said.returncode:
            assert name in said.stderr, f"{how}: {name} is not named\n{said.stderr}"
            assert not (checkout.report / "index.html").exists(), f"{how}: a page was made of {name}"
            path.unlink()
            checkout.run()
        undisturbed.assert_equal(checkout)
        counts[how] += 1
        _tell(how, counts)
    return counts


def survive_company(
    undisturbed: Undisturbed, clones: list[Checkout], results: Path, kills: int, chance: random.Random
) -> Counter[str]:
    """Let clones with one folder of results run at once, one of them twice, and stop some of them on the way."""
    counts: Counter[str] = Counter()
    for clone in clones:
        clone.results = results
    heads = {clone.folder: clone.start() for clone in clones}
    second = clones[0].snakemake()
    counts["a second head was refused"] += second.returncode != 0
    for _ in range(kills):
        time.sleep(chance.uniform(0, 4))
        clone = chance.choice(clones)
        os.killpg(heads[clone.folder].pid, signal.SIGKILL)
        heads[clone.folder].communicate()
        counts["killed"] += 1
        heads[clone.folder] = clone.start()
    for clone in clones:
        said, _ = heads[clone.folder].communicate(timeout=_LONGEST)
        assert heads[clone.folder].returncode == 0, said
        undisturbed.assert_equal(clone)
        counts["compared"] += 1
    return counts
