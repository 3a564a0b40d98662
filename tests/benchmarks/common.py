"""What the benchmarks share: the machine in words, works timed in turn, medians with their spread, tables."""

import datetime
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnbench.store import files, provenance

RESULTS = Path(__file__).parent / "results"
Work = Callable[[], object]
Array = NDArray[np.float64]


def machine(*packages: str) -> str:
    """Hardware, versions and date, as the head of every table says them."""
    import psutil  # which `make gpu` does without

    gibibytes = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    today = datetime.datetime.now(datetime.UTC).date()
    return (
        f"{provenance.processor()}, {os.cpu_count()} cores, {gibibytes:.0f} GiB, {platform.system()} "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}, {versions}; {today}."
    )


def one_core() -> None:
    """Stay on one core from here on: the last one, which the system's own work uses least."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def in_turn(works: Mapping[str, Work], rounds: int, clock: Callable[[], float] = time.perf_counter) -> dict[str, Array]:
    """Seconds of every work in every round, [rounds], forwards and backwards in turn, so that a drift meets all."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for index in range(rounds):
        for name in list(works)[:: 1 if index % 2 == 0 else -1]:
            started = clock()
            works[name]()
            seconds[name].append(clock() - started)
    return {name: np.array(values) for name, values in seconds.items()}


def spread(values: Array, digits: int = 2) -> str:
    """Median, and the quartiles in brackets."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return f"{middle:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """A table in Markdown."""
    header = list(header)
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(str(cell) for cell in line)} |" for line in lines]


def keep(name: str, lines: Iterable[str]) -> None:
    """Print the lines, and write them to `results/<name>.md`."""
    text = "\n".join(lines)
    print(text, flush=True)
    files.write_text(RESULTS / f"{name}.md", f"{text}\n")
