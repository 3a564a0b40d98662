"""How long a table of a million rows takes from CSV to page, and how much memory.

The table is made up: 2 arms × 5 contexts × 100 seeds × 1,000 epochs, with two outcomes. `bnbench judge` runs in a
process of its own, in which neither torch nor Snakemake can be imported; and once more on the same table with a tenth
of its rows left out, so that every run has epochs of its own. Promised are 30 s and 2 GiB. Run by hand: `python
tests/benchmarks/own_results.py`, and with `--epochs 10` to see that it works; `--write` keeps the table.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import common
import numpy as np
import pandas as pd
import psutil
from rebuild_scale import WITHOUT, mebibytes

ARMS, CONTEXTS = ("none", "batch"), ("a", "b", "c", "d", "e")
SECONDS, MEBIBYTES = 30, 2048
"""What is promised."""


class Cost(NamedTuple):
    """What a call takes."""

    seconds: float
    busy: float
    """Seconds of one core, over all of its processes: how busy the machine is with other work does not matter."""
    mebibytes: float
    """At most, seen ten times a second."""


def runs(seeds: int, epochs: int) -> pd.DataFrame:
    """Losses that fall to a level of their seed; with BN to 0.8 to 1.2 times it."""
    axes = pd.MultiIndex.from_product(
        [ARMS, CONTEXTS, range(seeds), range(epochs)], names=["norm", "task", "seed", "epoch"]
    )
    frame = axes.to_frame(index=False)
    drawn = np.random.default_rng(0)
    shared = drawn.normal(0, 0.3, (len(CONTEXTS), seeds))
    change = np.log(np.linspace(0.8, 1.2, len(CONTEXTS)))
    level = np.stack([shared, shared + change[:, None]]) + drawn.normal(0, 0.1, (2, len(CONTEXTS), seeds))
    course = -3 * np.minimum((np.arange(epochs) + 1) / (0.9 * epochs), 1)
    loss = np.exp((level[..., None] + course).ravel() + drawn.normal(0, 0.1, len(frame)))
    return frame.assign(val_loss=loss, val_acc=1 / (1 + loss))


def measure(table: Path, reports: Path) -> Cost:
    """`bnbench judge`, in a process of its own."""
    options = [str(table), "--outcome", "val_loss", "--reports", str(reports)]
    started, most, busy = time.perf_counter(), 0.0, {}
    with subprocess.Popen([sys.executable, "-c", WITHOUT, "judge", *options], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, mebibytes(process.pid))
            busy |= worked(process.pid)
            time.sleep(0.1)
        seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit("judge failed")
    return Cost(seconds, sum(busy.values()), most)


def worked(pid: int) -> dict[int, float]:
    """A process and its children → seconds that a core has worked for each."""
    found = {}
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        with contextlib.suppress(psutil.Error):  # it has ended
            times = process.cpu_times()
            found[process.pid] = times.user + times.system
    return found


def lines(costs: Mapping[str, tuple[int, float, Cost]]) -> Iterator[str]:
    """The table, in Markdown."""
    yield from (
        "# A table of results, from CSV to page",
        "",
        common.machine("numpy", "pandas", "pyarrow", "scipy", "matplotlib"),
        "",
        f"`bnbench judge` on {len(ARMS)} arms × {len(CONTEXTS)} contexts, in a process of its own without torch and "
        f"Snakemake. Promised are {SECONDS} s and {MEBIBYTES:,} MiB.",
        "",
    )
    rows = (
        (name, f"{count:,}", f"{size:,.0f}", f"{cost.seconds:.1f}", f"{cost.busy:.1f}", f"{cost.mebibytes:,.0f}")
        for name, (count, size, cost) in costs.items()
    )
    yield from common.table(["table", "rows", "CSV, MiB", "seconds", "seconds of one core", "peak memory, MiB"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how long a large table of results takes to judge.")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--write", action="store_true", help="also write the table to results/own-results.md")
    options = parser.parse_args()
    frame = runs(options.seeds, options.epochs)
    kept = np.random.default_rng(1).random(len(frame)) >= 0.1
    costs = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, own in {"whole": frame, "a tenth of the rows left out": frame[kept]}.items():
            table = Path(scratch) / "runs.csv"
            own.to_csv(table, index=False)
            costs[name] = len(own), table.stat().st_size / 2**20, measure(table, Path(scratch) / "reports")
    if options.write:
        common.keep("own-results", lines(costs))
    else:
        print("\n".join(lines(costs)))


if __name__ == "__main__":
    main()
