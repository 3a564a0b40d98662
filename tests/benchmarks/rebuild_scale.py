"""How long the report of a large study takes to rebuild from its results, and how much memory it takes.

Losses are made up and written as the trainer writes them: 2 norms × 50 contexts × 1,000 seeds × 200 evaluated epochs.
Then each step, and `rebuild` as a whole, runs in a process of its own in which neither torch nor Snakemake can be
imported. Promised are 60 s and 2 GiB for `rebuild`. Run by hand: `python tests/benchmarks/rebuild_scale.py`, and with
`--settings 20 --seeds 20` to see that it works; `--write` keeps the table.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import yaml

from bnbench import train
from bnbench.catalogue.parameters import build
from bnbench.catalogue.task import Data
from bnbench.catalogue.tasks import TASKS
from bnbench.plan import config, cost
from bnbench.plan.chunks import Chunk, all_chunks
from bnbench.plan.study import Study
from bnbench.store import chunk_files, files, provenance
from bnbench.trainer.chunk import Trained, trial_tables
from bnbench.vocabulary import LOSSES

STEPS = ("collect", "compare", "plot", "report", "rebuild")
OUTPUT = Path(__file__).parent / "results" / "rebuild-scale.md"
SHIFTS = dict(zip(LOSSES, (0.0, 0.2, 0.7, 0.4), strict=True))
"""Of the log losses, above those in training mode."""

WITHOUT = """
import runpy, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "snakemake"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
for name in ("torch", "snakemake"):
    try:
        __import__(name)
        sys.exit(f"{name} can be imported")
    except ModuleNotFoundError:
        pass
runpy.run_module("bnbench", run_name="__main__")
"""
"""`python -m bnbench` where neither is installed."""


class Cost(NamedTuple):
    """What a step takes."""

    seconds: float
    mebibytes: float
    """At most, seen ten times a second."""


def grid(settings: int, seeds: int, epochs: int, seeds_per_job: int) -> dict[str, Any]:
    """The config of a study of 2 norms × 5 batch sizes × 2 optimizers at several rates."""
    rates = [(index + 1) / 1000 for index in range(settings // 20)]
    return {
        "study": "large",
        "epochs": epochs,
        "evaluate_every": 1,
        "seeds": seeds,
        "seeds_per_job": {"cpu": seeds_per_job},
        "batch_size": ["full", 50, 25, 20, 10],
        "optimizer": [{"name": name, "lr": rate} for name in ("adam", "sgd") for rate in rates],
    }


def write_results(study: Study, results: Path) -> None:
    """All chunks of the study, as `train.run` leaves them."""
    contexts = {setting.address: i for i, (_, arms) in enumerate(study.contexts()) for setting in arms.values()}
    for chunk in all_chunks(study, cost.seeds_per_job):
        seeds = range(chunk.first, chunk.last + 1)
        footer = {
            "address": chunk.setting.address,
            "setting": dict(chunk.setting.spec),
            "provenance": provenance.provenance(),
        }
        trained = made_up(chunk, contexts[chunk.setting.address])
        data = [points(seed) for seed in seeds]
        paths = chunk_files.paths(chunk, results)
        for kind, table in trial_tables(chunk.setting, seeds, data, trained, provenance.processor(), threads=1).items():
            chunk_files.write(chunk, kind, paths[kind], train.in_order(chunk, kind, [table]), footer)


def made_up(chunk: Chunk, context: int) -> Trained:
    """Losses that fall to a level of their seed, with BN to 0.8 to 1.3 times it, as single precision holds them."""
    epochs, treated = chunk.setting.spec["epochs"], chunk.setting.labels["norm"] == "batch"
    own = np.random.default_rng([chunk.first, context, 1 + treated])
    shared = np.random.default_rng([chunk.first, context]).normal(0, 0.3, chunk.count)
    level = shared + own.normal(0, 0.3, chunk.count) + treated * np.log(0.8 + 0.1 * (context % 6))
    logs = level - 7 * np.minimum((np.arange(epochs)[:, None] + 1) / (0.9 * epochs), 1.0)
    logs = logs + own.normal(0, 0.1, (epochs, chunk.count))
    losses = {name: np.exp(logs + shift).astype(np.float32).astype(float) for name, shift in SHIFTS.items()}
    targets = np.stack([points(seed).test_y[:, 0] for seed in range(chunk.first, chunk.last + 1)])
    fit = (targets + own.normal(0, 0.03, targets.shape)).astype(np.float32).astype(float)
    hashes = [f"{seed:016x}" for seed in range(chunk.first, chunk.last + 1)]
    return Trained(losses, [None] * chunk.count, fit, hashes, seconds=1.0 * chunk.count)


@cache
def points(seed: int) -> Data:
    """The sine's points of one seed."""
    return build(TASKS, {"name": "sine"}).data(seed)


def measure(folder: Path, step: str) -> Cost:
    """One step, in a process of its own."""
    command = [sys.executable, "-c", WITHOUT, step, "--configfile", f"{folder}/large.yaml"]
    places = ["--results", f"{folder}/results", "--reports", f"{folder}/reports"]
    started, most = time.perf_counter(), 0.0
    with subprocess.Popen([*command, *places], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, mebibytes(process.pid))
            time.sleep(0.1)
        seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{step} failed")
    return Cost(seconds, most)


def mebibytes(pid: int) -> float:
    """What a process and its children hold now; what they share counts once."""
    total = 0
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        with contextlib.suppress(psutil.Error):  # it has ended
            total += process.memory_full_info().pss
    return total / 2**20


def lines(study: Study, costs: dict[str, Cost], folder: Path) -> Iterator[str]:
    """The table, in Markdown."""
    epochs, seeds = study.config["epochs"], len(study.seeds)
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("pyarrow", "pandas", "numpy", "matplotlib"))
    page, results = folder / "reports" / study.name / "index.html", (folder / "results").rglob("*.parquet")
    yield from (
        "# Rebuilding the report of a large study",
        "",
        f"{provenance.processor()}, Python {sys.version.split()[0]}, {versions}.",
        f"{len(study.settings)} settings × {seeds:,} seeds × {epochs} evaluated epochs: "
        f"{len(study.settings) * seeds * epochs:,} rows of losses in "
        f"{len(all_chunks(study, cost.seeds_per_job)):,} chunks, "
        f"{sum(path.stat().st_size for path in results) / 2**20:,.0f} MiB. Each step in a process of its own, without "
        "torch and Snakemake.",
        "",
        "| step | seconds | peak memory, MiB |",
        "|---|---|---|",
    )
    for step, costs_of in costs.items():
        yield f"| {step} | {costs_of.seconds:.1f} | {costs_of.mebibytes:,.0f} |"
    if page.exists():
        yield from ("", f"The page has {page.stat().st_size / 2**20:.1f} MiB.")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how long a large study's report takes to rebuild.")
    parser.add_argument("--settings", type=int, default=100, help="a multiple of 20")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--seeds-per-job", type=int, default=100)
    parser.add_argument("--steps", nargs="+", default=STEPS, choices=STEPS)
    parser.add_argument("--folder", type=Path, help="keep the results here, or take those that are there")
    parser.add_argument("--write", action="store_true", help=f"also write the table to results/{OUTPUT.name}")
    options = parser.parse_args()
    text = grid(options.settings, options.seeds, options.epochs, options.seeds_per_job)
    study = config.load(text, "large.yaml")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        files.write_text(folder / "large.yaml", yaml.safe_dump(text))
        if not (folder / "results").exists():
            write_results(study, folder / "results")
        costs = {step: measure(folder, step) for step in options.steps}
        table = "\n".join(lines(study, costs, folder))
    print(table)
    if options.write:
        files.write_text(OUTPUT, f"{table}\n")


if __name__ == "__main__":
    main()
