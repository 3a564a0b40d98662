"""Mixed faults on a small study: kills, full disks, damaged tables, clones that share their results; with counts.

Whatever happens, the same command is given again, and the tables must equal those of a run that nothing disturbed. The
script ends at the first that do not. Full disks need root.

Run by hand: `python tests/benchmarks/soak.py --write`, about an hour on two cores.
"""

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from common import keep, machine, table

import faults
from checkouts import PROJECT, Checkout
from faults import DAMAGES, KILLS, STEPS, STUDY


def main() -> None:
    """Soak as the command line says, and keep the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--disks", type=int, default=20)
    parser.add_argument("--files", type=int, default=65)
    parser.add_argument("--rounds", type=int, default=4, help="of three clones that share their results")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        rows = list(_soaked(Path(folder), asked, chance))
    lines = [
        "# What was done to a study, and what came of it",
        "",
        machine("snakemake", "torch", "pyarrow"),
        f"Four jobs and the report of them; chance from seed {asked.seed}. After each fault the same command was given",
        "again, with no other help than removing a table that a message had named. All tables of the results, and",
        "those of the report that hold no seconds, then equalled those of an undisturbed run, bit by bit. No run hung,",
        "and none ended in a traceback of the package.",
        "",
        *table(("fault", "times", "in detail", "minutes"), rows),
    ]
    if asked.write:
        keep("soak", lines)
    else:
        print("\n".join(lines))


def _soaked(folder: Path, asked: argparse.Namespace, chance: random.Random) -> Iterable[tuple[str, int, str, str]]:
    """A row for each kind of fault."""
    original = Checkout.of(PROJECT, folder / "project")
    original.study(**STUDY)
    undisturbed = faults.Undisturbed(original.copied(folder / "undisturbed"))
    print(f"{len(undisturbed.same)} tables hold no seconds", flush=True)

    ways = [(step, whom, number) for step, (whom, number) in itertools.product(STEPS, KILLS) if _possible(step, whom)]
    kills = [ways[place % len(ways)] for place in range(asked.kills)]
    chance.shuffle(kills)
    started = time.monotonic()
    counts = faults.survive_kills(undisturbed, original.copied(folder / "killed"), kills, chance)
    sent = Counter(f"{number.name} to {whom}" for _, whom, number in kills)
    yield "a signal at a random moment", asked.kills, f"{_said(counts)}; {_said(sent)}", _minutes(started)

    started = time.monotonic()
    disk = faults.SmallDisk(folder / "disk")
    try:
        counts = faults.survive_full_disks(undisturbed, disk, asked.disks)
    finally:
        disk.remove()
    yield "a disk that is full after a part of what a run writes", asked.disks, _said(counts), _minutes(started)

    started = time.monotonic()
    kinds = [[*DAMAGES][place % len(DAMAGES)] for place in range(asked.files)]
    counts = faults.survive_damaged_files(undisturbed, original.copied(folder / "damaged"), kinds, chance)
    yield "a damaged table", asked.files, _said(counts), _minutes(started)

    started, counts = time.monotonic(), Counter()
    for place in range(asked.rounds):
        shared = folder / f"shared-{place}"
        os.environ["BNBENCH_RESULTS"] = str(shared)
        clones = [original.copied(folder / f"clone-{place}-{each}") for each in "abc"]
        counts += faults.survive_company(undisturbed, clones, shared, kills=3, chance=chance)
    del os.environ["BNBENCH_RESULTS"]
    yield "three clones and a second head on one folder", asked.rounds, _said(counts), _minutes(started)


def _possible(step: str, whom: str) -> bool:
    """Planning is Snakemake's own."""
    return (step, whom) != ("planning", "the step")


def _said(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _minutes(started: float) -> str:
    return f"{(time.monotonic() - started) / 60:.0f}"


if __name__ == "__main__":
    main()
