"""What the workflow costs around the training: starting a job, writing its tables, planning, scheduling, reporting.

- job: `python -m bnbench train` as the rule calls it, one after the other on one core: a job of one epoch, then the
  first chunk of every setting of the default study. Seconds outside training are the process's seconds less those
  that its `trials` table says were spent in training and evaluating. Memory is the most that was resident.
- study: `snakemake` runs the default study, all of it, and the seconds of training in its tables are set against
  wall time × cores. Training means training and evaluating, the report is the pipeline's.
- dry run: `snakemake -n` with 100,000 trials to train, in jobs of 10 and of 100 seeds.
- nothing to do: `snakemake` once more on a finished study of 1,000 chunks, whose losses are made up.

Run by `make bench`, or by hand: `python tests/benchmarks/pipeline_cost.py`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import rebuild_scale
import yaml
from common import keep, machine, spread, table

from bnbench.plan import config, configfile
from bnbench.plan import cost as prices
from bnbench.plan.chunks import Chunk, all_chunks
from bnbench.plan.study import Study

ROOT = Path(__file__).parents[2]
DEFAULT = ROOT / "config.yaml"
CORES = len(os.sched_getaffinity(0))
MIB = 2**20


class Cost(NamedTuple):
    """Of one process and its children."""

    seconds: float
    mebibytes: float
    """The most that one process had resident."""


def run(command: list[str], folder: Path, *, core: int | None = None) -> Cost:
    """Run a command to its end, on one core if one is named."""
    before = time.perf_counter()
    with (folder / "said.txt").open("w") as said:
        environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, env=environment)
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{(folder / 'said.txt').read_text()}")
    return Cost(time.perf_counter() - before, usage.ru_maxrss * 1024 / MIB)


def job(chunk: Chunk, folder: Path) -> tuple[Cost, float]:
    """Train a chunk as the rule does; what it cost, and the seconds of training in its table."""
    planned = folder / "planned.json"
    planned.write_text(json.dumps({"settings": {chunk.setting.address: json.loads(chunk.setting.to_json())}}))
    setting = ["--study", str(planned), "--setting", chunk.setting.address]
    seeds = ["--first", str(chunk.first), "--last", str(chunk.last)]
    command = [sys.executable, "-m", "bnbench", "train", *setting, *seeds, "--threads", "1"]
    cost = run(command, folder, core=max(os.sched_getaffinity(0)))
    trials = pd.read_parquet(folder / "results" / "trials" / chunk.setting.address / f"{chunk.stem}.parquet")
    return cost, float(trials["seconds"].sum())


def snakemake(study: Path, folder: Path, *arguments: str) -> Cost:
    """A run of the project's Snakefile in a folder of its own."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    return run([*command, "--configfile", str(study), "--quiet", "all", *arguments], folder)


def written(text: dict[str, Any], folder: Path) -> Path:
    path = folder / f"{text['study']}.yaml"
    path.write_text(yaml.safe_dump(text), encoding="utf-8")
    return path


def jobs(study: Study, rounds: int) -> list[str]:
    """The table of what jobs cost, and what a start costs."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        first = all_chunks(study, prices.seeds_per_job)[0]
        short = Study(study.config | {"epochs": 1, "evaluate_every": 1})
        starts, imports = [], []
        for _ in range(rounds):
            cost, seconds = job(all_chunks(short, prices.seeds_per_job)[0], folder)
            starts.append(cost.seconds - seconds)
            imports.append(run([sys.executable, "-c", "import torch"], folder, core=0).seconds)
        chunks = [chunk for chunk in all_chunks(study, prices.seeds_per_job) if chunk.first == first.first]
        for chunk in chunks:
            cost, seconds = job(chunk, folder)
            outside = cost.seconds - seconds
            share = f"{outside / cost.seconds:.1%}"
            rows.append([chunk.setting.address.rsplit("-", 1)[0], f"{cost.seconds:.1f}", f"{outside:.1f}", share])
            rows[-1].append(f"{cost.mebibytes:.0f}")
    return [
        f"A job of one epoch takes {spread(np.array(starts))} s outside training, from its start until its tables "
        f"are written; a process that only imports torch takes {spread(np.array(imports))} s. Promised is a first "
        "step within 2.5 s.",
        "",
        f"The first chunks of the default study, {first.count} seeds each, one at a time on one core; promised are "
        "less than 10 % outside training, and less than 700 MB:",
        "",
        *table(["chunk", "seconds", "outside training", "share", "peak MiB"], rows),
    ]


def whole() -> str:
    """The default study from nothing to its report."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wall = snakemake(DEFAULT, folder, "--cores", str(CORES)).seconds
        trained = pd.concat(map(pd.read_parquet, (folder / "results" / "trials").rglob("*.parquet")))
    seconds = trained["seconds"].sum()
    return (
        f"The default study, {len(trained)} trials, with --cores {CORES}: {wall:.0f} s to its report; its trials "
        f"trained for {seconds:.0f} s in all, {seconds / (wall * CORES):.2f} of wall time × cores. Promised is 0.85."
    )


def planning(rounds: int) -> list[str]:
    """Dry runs with 100,000 trials."""
    rows = []
    for seeds_per_job in (10, 100):
        text = rebuild_scale.grid(100, 1000, 2000, seeds_per_job)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            study = written(text, folder)
            seconds = [snakemake(study, folder, "-n").seconds for _ in range(rounds)]
            chunks = len(all_chunks(config.load(text, "large.yaml"), prices.seeds_per_job))
        rows.append([f"{chunks:,}", seeds_per_job, spread(np.array(seconds))])
    return table(["jobs", "seeds a job", "seconds of `snakemake -n`; promised are 10"], rows)


def nothing_to_do(rounds: int) -> str:
    """A finished study of 1,000 chunks."""
    text = rebuild_scale.grid(100, 100, 20, 10)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path, study = written(text, folder), config.load(text, "large.yaml")
        rebuild_scale.write_results(study, folder / "results")
        snakemake(path, folder, "--cores", str(CORES))
        seconds = [snakemake(path, folder, "--cores", str(CORES)).seconds for _ in range(rounds)]
    return (
        f"A finished study of {len(all_chunks(study, prices.seeds_per_job)):,} chunks, run again: "
        f"{spread(np.array(seconds))} s until Snakemake says that there is nothing to do. Promised are 10 s."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the workflow costs around the training.")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    study = config.load(configfile.read(DEFAULT), DEFAULT.name)
    lines = [
        "# Cost of the pipeline",
        "",
        machine("torch", "snakemake", "pyarrow"),
        "Medians, quartiles in brackets; tests/benchmarks/pipeline_cost.py says what is timed.",
        "",
        "## Jobs",
        "",
        *jobs(study, arguments.rounds),
        "",
        "## The study",
        "",
        whole(),
        "",
        *planning(arguments.rounds),
        "",
        nothing_to_do(arguments.rounds),
    ]
    keep("pipeline-cost", lines)


if __name__ == "__main__":
    main()
