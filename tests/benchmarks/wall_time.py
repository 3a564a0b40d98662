"""What `make plan` says of the time by the clock, against what `make report` then takes.

Each study is planned and run in a folder of its own, in turn, so that the machine's other work meets all of them. That
work is measured, as the busy time of all cores less that of the run, and the share that was left to the run gives the
time that it would have taken alone. Promised is a factor of two.

Run by `make bench`, or by hand: `python tests/benchmarks/wall_time.py`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from common import keep, machine, table

from bnbench import work
from bnbench.plan import config, configfile

ROOT = Path(__file__).parents[2]
CORES = len(os.sched_getaffinity(0))
NET = """from torch import nn


def my_net(norm, inputs, outputs, width=16):
    return nn.Sequential(
        nn.Conv2d(inputs[0], width, kernel_size=3, padding=1, bias=norm.bias),
        norm(width),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(4 * 4 * width, outputs),
    )
"""
ADAM = [{"name": "adam", "lr": 0.001}]
RATES = [{"name": "sgd", "lr": rate / 100} for rate in range(1, 9)]
ONE = {"seeds": 1, "epochs": 20, "optimizer": ADAM}
SEQUENCES: list[dict[str, dict[str, Any]]] = [
    {"one seed": ONE, "then 200 seeds": ONE | {"seeds": 200}, "then the same again": ONE | {"seeds": 200}},
    {"16 tiny jobs": {"seeds": 6, "epochs": 5, "hidden": [16], "optimizer": RATES, "batch_size": ["full"]}},
    {
        "a network of one's own": {
            "task": "digits",
            "network": {"name": "module", "path": "nets.py", "build": "my_net"},
            "batch_size": [32],
            "optimizer": ADAM,
            "epochs": 4,
            "seeds": 2,
        }
    },
    {"classes": {"task": "digits", "hidden": [64], "batch_size": [64], "epochs": 20, "seeds": 8}},
    {"the default, two seeds": {"seeds": 2}},
]
"""Runs by their names, one after the other in the same folder."""


class Run(NamedTuple):
    """Seconds."""

    said: float
    taken: float
    alone: float
    """What it would have taken on a machine without other work."""


def busy() -> float:
    """Seconds for which any core was busy since the machine started."""
    fields = [int(each) for each in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def run(text: dict[str, Any], folder: Path) -> Run:
    """Plan a study, and run it."""
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump({"study": "study", **text}), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "BNBENCH_RESULTS": "results"}
    os.chdir(folder)
    bnbench = [sys.executable, "-m", "bnbench"]
    # Planning tries networks of one's own and measures them.
    subprocess.run([*bnbench, "plan", "--configfile", path.name], env=environment, check=True, capture_output=True)
    study = config.load(configfile.located(configfile.read(path), [folder]), path.name)
    jobs = [*work.jobs(study, Path("results"))]
    timed = work.timed(study, jobs, work.estimates(jobs, Path("results")))
    estimate = work.wall(study, timed, CORES, Path("reports")).total
    began, all_before, own_before = time.perf_counter(), busy(), os.times()
    command = [*bnbench, "run", "--configfile", path.name, "--cores", str(CORES)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    taken, all_after, own_after = time.perf_counter() - began, busy(), os.times()
    own = sum(own_after[2:4]) - sum(own_before[2:4])
    others = min(0.95, max(0.0, all_after - all_before - own) / (os.cpu_count() or 1) / taken)
    return Run(estimate, taken, max(taken * (1 - others), own / CORES))


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the time that a plan says with the time that the run takes.")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    found: dict[str, list[Run]] = {}
    for _ in range(rounds):
        for texts in SEQUENCES:
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch)
                (folder / "nets.py").write_text(NET, encoding="utf-8")
                for name, text in texts.items():
                    found.setdefault(name, []).append(run(text, folder))
                os.chdir(ROOT)
            write(found)  # of a long work, what there is


def write(found: dict[str, list[Run]]) -> None:
    """Keep the table of all runs so far."""
    rows = []
    for name, runs in found.items():
        said, taken, alone = (statistics.median(each) for each in zip(*runs, strict=True))
        ratio = statistics.median(each.said / each.alone for each in runs)
        rows.append([name, len(runs), f"{said:.0f}", f"{taken:.0f}", f"{alone:.0f}", f"{ratio:.2f}"])
    lines = [
        "# Time by the clock",
        "",
        machine("torch", "snakemake"),
        "Medians of the runs; tests/benchmarks/wall_time.py says what is timed. Other work ran on the same cores:",
        "*alone* is the time that was taken, times the share of the cores that other work left. Promised is a ratio of",
        "0.5 to 2.",
        "",
        *table(["study", "runs", "said, s", "taken, s", "alone, s", "said / alone"], rows),
    ]
    keep("wall-time", lines)


if __name__ == "__main__":
    main()
