"""How cost grows with a study: seeds, epochs, width, settings and cores, and what a million trials would take.

- seeds, epochs, width: seconds of `train_networks` on one core, the question's network with BN at batch 25 but for the
  factor that grows; all points of a curve are timed in turn, round after round.
- settings: seconds and memory of `collect`, of `compare` and of `rebuild` as a whole, and seconds of `snakemake -n`,
  over made-up results of 20 to 320 settings, each step in a process of its own.
- cores: the default study with 1,000 seeds, simulated: its jobs start as Snakemake starts them, the next one wherever a
  core is free, last as long as its settings take here, and are followed by the report. This machine has too few
  cores to measure it; pipeline_cost.py has what they really do.

Slopes are of least squares through the logarithms. Run by `make bench`, or by hand: `python tests/benchmarks/scale.py`.
"""

import argparse
import heapq
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import in_bnbench
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pipeline_cost
import rebuild_scale
import seaborn as sns
import torch
from arithmetic import operations
from cases import Case
from common import RESULTS, Work, in_turn, keep, machine, one_core, table

from bnbench.plan import config, configfile, cost
from bnbench.plan.chunks import all_chunks
from bnbench.plan.study import Study
from bnbench.store import files
from bnbench.trainer.chunk import keep_freed_memory

BASE = Case(25, "batch")
TRAINING: dict[str, tuple[tuple[int, ...], Callable[[int], Case]]] = {
    "seeds": ((4, 8, 16, 32, 64, 128), lambda seeds: BASE._replace(seeds=seeds)),
    "epochs": ((10, 20, 40, 80, 160), lambda epochs: BASE._replace(epochs=epochs)),
    "width": ((16, 32, 64, 128, 256, 512), lambda width: BASE._replace(hidden=(width, width))),
}
SETTINGS = (20, 40, 80, 160, 320)
SEEDS, EVALUATED = 40, 20
CORES = (1, 2, 4, 8, 16, 32, 64, 128)
MILLION = 1_000_000
GPU_RATE = 67e12  # FLOP/s of an H200 in float32, as its maker says


class Point(NamedTuple):
    curve: str
    factor: str
    x: int
    value: float


def training(rounds: int) -> Iterator[Point]:
    """Seconds of a chunk."""
    for factor, (values, case) in TRAINING.items():
        works: dict[str, Work] = {str(x): in_bnbench.training(case(x)) for x in values}
        in_turn(works, 1)
        for x, seconds in in_turn(works, rounds).items():
            yield Point("training, s", factor, int(x), float(np.median(seconds)))


def steps() -> Iterator[Point]:
    """Seconds and memory of the steps that see all settings."""
    for settings in SETTINGS:
        text = rebuild_scale.grid(settings, SEEDS, EVALUATED, 20)
        study = config.load(text, "large.yaml")
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            path = pipeline_cost.written(text, folder)
            yield Point("snakemake -n, s", "settings", settings, pipeline_cost.snakemake(path, folder, "-n").seconds)
            rebuild_scale.write_results(study, folder / "results")
            for step in ("collect", "compare", "rebuild"):
                measured = rebuild_scale.measure(folder, step)
                yield Point(f"{step}, s", "settings", settings, measured.seconds)
                yield Point(f"{step}, MiB", "settings", settings, measured.mebibytes)


def chunk_seconds() -> dict[str, float]:
    """Of a chunk of ten seeds of each setting of the default study, from a few epochs of it."""
    study = default_study()
    seconds = {}
    for setting in study.settings:
        case = Case(setting.spec["batch_size"], setting.spec["norm"]["name"])
        epochs = setting.spec["epochs"] / case.epochs
        seconds[setting.address] = float(np.median(in_turn({"": in_bnbench.training(case)}, 3)[""])) * epochs
    return seconds


def default_study() -> Study:
    return config.load(configfile.read(pipeline_cost.DEFAULT), pipeline_cost.DEFAULT.name)


def makespan(jobs: list[float], cores: int) -> float:
    """When the last job ends if each starts as soon as a core is free."""
    free = [0.0] * cores
    for job in jobs:
        heapq.heappush(free, heapq.heappop(free) + job)
    return max(free)


def simulated(chunks: dict[str, float], start: float, report: float) -> Iterator[Point]:
    """The default study with 1,000 seeds: a hundred chunks a setting, in an order drawn once."""
    jobs = np.repeat(list(chunks.values()), 100) + start
    np.random.default_rng(0).shuffle(jobs)
    for cores in CORES:
        yield Point("8,000 trials, simulated, s", "cores", cores, makespan(list(jobs), cores) + report)


def slopes(points: pd.DataFrame) -> dict[tuple[str, str], tuple[float, float]]:
    """Of each curve: over all its points, and between its last two."""
    found = {}
    for key, curve in points.groupby(["curve", "factor"], sort=False):
        x, y = np.log(curve["x"]), np.log(curve["value"])
        found[key] = (float(np.polyfit(x, y, 1)[0]), float(y.diff().iloc[-1] / x.diff().iloc[-1]))
    return found


def draw(points: pd.DataFrame) -> None:
    """A panel for each factor and unit, both axes logarithmic, slopes in the legends."""
    sns.set_theme(style="whitegrid", palette="colorblind")
    points = points.assign(unit=points["curve"].str.rpartition(", ")[2], name=points["curve"].str.rpartition(", ")[0])
    groups = list(points.groupby(["factor", "unit"], sort=False))
    figure, panels = plt.subplots(2, len(groups) // 2, figsize=(9.5, 6), layout="constrained")
    found = slopes(points)
    for panel, ((factor, unit), group) in zip(panels.flat, groups, strict=True):
        for curve, own in group.groupby("curve", sort=False):
            name = f"{own['name'].iloc[0]}: slope {found[curve, factor][0]:.2f}"
            panel.plot(own["x"], own["value"], "o-", label=name)
        ticks = sorted(set(group["x"]))
        low, high = group["value"].min(), group["value"].max()
        # Room above the lines for their names.
        panel.set(xscale="log", yscale="log", xlabel=factor, ylabel=unit, ylim=(low / 1.4, high * (high / low) ** 0.6))
        panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        panel.minorticks_off()
        panel.legend(fontsize=8, loc="upper left", frameon=False)
    figure.savefig(RESULTS / "scale.png", dpi=160)


def million(points: pd.DataFrame, chunks: dict[str, float], start: float) -> list[str]:
    """What a million trials of the default study's kind would take, from what was measured."""
    study = default_study()
    trial = sum(chunks.values()) / len(chunks) / 10
    epochs = study.config["epochs"]
    per_job = points[points["curve"] == "snakemake -n, s"]
    scheduling = np.polyfit(per_job["x"] * SEEDS / 20, per_job["value"], 1)[0]
    rows = []

    def grown(step: str) -> str:
        values = points.loc[points["curve"] == f"{step}, MiB", "value"]
        return f"{values.iloc[-1] / values.iloc[0]:.1f}"

    for seeds in (10, 1000):
        job = trial * seeds + start
        jobs = MILLION // seeds
        rows += [
            [f"{cores} cores" if cores > 1 else "1 core", seeds, f"{jobs:,}", days(jobs * job / cores)]
            for cores in (1, 8)
        ]
    operations_each = operations(BASE) * epochs
    gpu = MILLION * operations_each / GPU_RATE
    at_bench = pd.Series(chunks).sum() / len(chunks) / 10 / epochs
    return [
        f"A trial is {epochs:,} epochs of a 1–256–256–1 network on 100 points, {trial:.2f} s of one core "
        f"({at_bench * 1e6:,.0f} µs an epoch) on average over the default study's settings.",
        "",
        *table(["where", "seeds a job", "jobs", "training"], rows),
        "",
        f"On a GPU nothing has been measured. The arithmetic is {MILLION * operations_each:.1e} operations, "
        f"{days(gpu)} at the {GPU_RATE / 1e12:.0f} TFLOP/s of an H200 in float32; at a tenth of that, {days(10 * gpu)} "
        f"on one and {days(10 * gpu / 100)} on each of 100 nodes.",
        "",
        f"What breaks first is the number of jobs: to plan one takes Snakemake {scheduling * 1e3:.1f} ms in every run, "
        f"{days(scheduling * MILLION / 10)} for jobs of 10 seeds, {days(scheduling * MILLION / 1000)} for jobs of "
        "1,000. Then files: three a job. `collect` and `compare` hold the losses of one setting at a time, but what "
        f"they make of each stays: with {SETTINGS[-1] // SETTINGS[0]} times the settings they take {grown('collect')} "
        f"and {grown('compare')} times the memory.",
    ]


def days(seconds: float) -> str:
    """A duration in the unit that suits it."""
    for name, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:,.1f} {name}"
    return f"{seconds:,.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how cost grows with the size of a study.")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    found = list(steps())
    with tempfile.TemporaryDirectory() as scratch:
        study = default_study()
        short = Study({**study.config, "epochs": 1, "evaluate_every": 1})
        spent, seconds = pipeline_cost.job(all_chunks(short, cost.seeds_per_job)[0], Path(scratch))
    start = spent.seconds - seconds
    one_core()
    torch.set_num_threads(1)
    keep_freed_memory()
    chunks = chunk_seconds()
    report = next(point.value for point in found if point.curve == "rebuild, s")
    found = [*training(arguments.rounds), *found, *simulated(chunks, start, report)]
    points = pd.DataFrame(found)
    files.write_text(RESULTS / "scale.csv", points.to_csv(index=False, float_format="%.6g"))
    rows = [
        [
            curve,
            factor,
            f"{own['x'].min():,} … {own['x'].max():,}",
            f"{own['value'].iloc[0]:,.2f} … {own['value'].iloc[-1]:,.2f}",
            *(f"{slope:.2f}" for slope in slopes(points)[curve, factor]),
        ]
        for (curve, factor), own in points.groupby(["curve", "factor"], sort=False)
    ]
    keep(
        "scale",
        [
            "# How cost grows",
            "",
            machine("torch", "snakemake", "pyarrow"),
            f"Results are made up for `collect` and `compare`: {SEEDS} seeds, {EVALUATED} evaluated epochs. "
            "tests/benchmarks/scale.py says what is timed; the points are in scale.csv, drawn in scale.png.",
            "",
            *table(["what", "grows with", "from … to", "takes", "slope", "slope at the end"], rows),
            "",
            "## A million trials",
            "",
            *million(points, chunks, start),
        ],
    )
    draw(points)


if __name__ == "__main__":
    main()
