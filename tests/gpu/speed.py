"""Part: how fast studies of 1,000 seeds train, against a loop over networks on the same device and the roofline.

- bnbench: `trainer.chunk.train`, one chunk after another, as jobs train. The time is of training and evaluating; that
  of setting up (data, initial weights, copies to the device) has a column of its own.
- loop: `in_loop.py` on the same device, a few epochs of one network.
- roofline: the operations of the linear layers at the rate of a 4,096 × 4,096 product in float32, or the traffic of
  Adam at the bandwidth of a sum over 1 GiB, whichever takes longer. TF32 is off.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import in_loop
import torch
from arithmetic import BYTES, operations, parameters
from cases import Case
from reporting import Options, Report
from trainings import ARMS, Marks, engine, run, seconds, spec, trained, wait

LOOPED = 20  # epochs of the loop
PROBED = (10, 20)  # epochs that tell how many seeds the time allows


class Study(NamedTuple):
    """What is timed."""

    name: str
    hidden: tuple[int, int]
    batch_size: int | str
    seeds: int
    per_job: int
    epochs: int
    every: int
    weight: float
    """Share of the time."""


FULL = (
    Study("question", (256, 256), "full", 1000, 256, 5000, 50, 10),
    Study("64–64 at batch 25", (64, 64), 25, 1000, 1000, 1000, 10, 3),
)
SMALL = (
    Study("question", (256, 256), "full", 4, 2, 20, 10, 1),
    Study("64–64 at batch 25", (64, 64), 25, 8, 8, 20, 10, 1),
)


class Timed(NamedTuple):
    """Seconds of a study's arm."""

    seeds: int
    training: float
    setting_up: float
    peak: float
    """MiB that torch had in use at once."""


def measure(options: Options, report: Report) -> None:
    """Time both arms of both studies; each gets its share of the time that is left."""
    report.doing("the roofline")
    rate, bandwidth = limits(options)
    report.lines(f"Measured limits: {rate / 1e12:.1f} TFLOP/s in float32, {bandwidth / 1e9:,.0f} GB/s.")
    report.header(
        "study",
        "arm",
        "seeds × epochs",
        "training, s",
        "setting up, ms a network",
        "µs a network and epoch",
        "loop, µs",
        "times the loop's pace",
        "roofline, µs",
        "share of it",
        "peak, MiB",
    )
    cases = [(study, norm) for study in (SMALL if options.small else FULL) for norm in ARMS]
    for place, (study, norm) in enumerate(cases):
        share = study.weight / sum(each.weight for each, _ in cases[place:])
        until = time.monotonic() + (options.until - time.monotonic()) * share
        report.doing(f"{study.name}, {norm}")
        _compared(study, norm, rate, bandwidth, until, options, report)


def _compared(
    study: Study, norm: str, rate: float, bandwidth: float, until: float, options: Options, report: Report
) -> None:
    """Time an arm and its loop, and write a row."""
    case = Case(study.batch_size, norm, hidden=study.hidden, seeds=1, epochs=LOOPED)
    loop = in_loop.training(case, options.device)
    loop()
    one = seconds(loop, options.torch) / LOOPED
    timed = _timed(study, norm, until, options)
    ours = timed.training / timed.seeds / study.epochs
    traffic = BYTES * parameters(case) * len(case.sizes)
    best = max(operations(case) / rate, traffic / bandwidth)
    report.row(
        study.name,
        norm,
        f"{timed.seeds:,} × {study.epochs:,}",
        f"{timed.training:.1f}",
        f"{timed.setting_up / timed.seeds * 1e3:.2f}",
        f"{ours * 1e6:.2f}",
        f"{one * 1e6:,.0f}",
        f"{one / ours:,.0f}",
        f"{best * 1e6:.2f}",
        f"{best / ours:.0%}",
        f"{timed.peak:,.0f}",
    )
    fewer = "" if timed.seeds == study.seeds else f" (of {timed.seeds} of {study.seeds:,} seeds)"
    all_of_it = f"{timed.training * study.seeds / timed.seeds:.1f} s for {study.seeds:,} seeds{fewer}"
    report.figure(
        f"{study.name}, {norm}: {ours * 1e6:.2f} µs a network and epoch, {one / ours:,.0f} × the loop, "
        f"{best / ours:.0%} of the roofline, {all_of_it}"
    )


def _timed(study: Study, norm: str, until: float, options: Options) -> Timed:
    """Train an arm, chunk by chunk, with as many seeds as the time allows."""
    setting = spec(
        options.device,
        norm,
        hidden=[*study.hidden],
        batch_size=[study.batch_size],
        epochs=study.epochs,
        evaluate_every=study.every,
    )
    jobs = [range(first, min(study.seeds, first + study.per_job)) for first in range(0, study.seeds, study.per_job)]
    # A short run tells the pace, once kernels are loaded and the graph is captured. A long one may be slower.
    probe = {**setting, "epochs": PROBED[1]}
    marks = Marks(PROBED, options.torch)
    run(engine(probe, jobs[0], options.torch), probe, marks)
    pace = marks.pace(*PROBED) / len(jobs[0])
    allowed = (until - time.monotonic()) / (1.5 * pace * study.epochs)
    if allowed < len(jobs[0]):
        jobs = [jobs[0][: max(2, int(allowed))]]
    training = setting_up = a_seed = 0.0
    done = 0
    if options.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    for seeds in jobs:
        wait(options.torch)
        started = time.perf_counter()
        if time.monotonic() + a_seed * len(seeds) > until:
            break
        found = trained(setting, seeds, options.torch)
        took = time.perf_counter() - started
        training, setting_up, done = training + found.seconds, setting_up + took - found.seconds, done + len(seeds)
        a_seed = took / len(seeds)
    peak = torch.cuda.max_memory_allocated() / 2**20 if options.device == "cuda" else 0.0
    return Timed(done, training, setting_up, peak)


def limits(options: Options) -> tuple[float, float]:
    """Operations a second of a large product, and bytes a second of a large sum."""
    side, numbers = (512, 2**20) if options.device == "cpu" else (4096, 2**28 // 3)
    a, b = (torch.randn(side, side, device=options.device) for _ in range(2))
    x, y, z = (torch.ones(numbers, device=options.device) for _ in range(3))
    product = min(seconds(lambda: torch.mm(a, b), options.torch) for _ in range(10))
    total = min(seconds(lambda: torch.add(x, y, out=z), options.torch) for _ in range(10))
    return 2 * side**3 / product, 12 * numbers / total
