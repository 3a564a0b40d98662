"""Part: whether an epoch takes as long late in a run as early, with the card's clocks and the kernels of an epoch.

The run is timed without a profiler. Then the same epochs are profiled: early ones in a new run, late ones in a run that
goes on from a late state of the first. If late windows are slow and the late profile is too, the cause lies in the
data; if the late profile is not, it lies in the clocks or the host.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, NamedTuple

import card
from reporting import Options, Report
from torch.profiler import ProfilerActivity, profile
from trainings import ARMS, QUESTION, Marks, Spec, engine, run, spec, wait

from bnbench.trainer.snapshot import State

KERNELS = 15  # rows of a table
PROFILED = 10  # epochs


class Plan(NamedTuple):
    """Epochs to look at."""

    seeds: int
    epochs: int
    every: int
    windows: tuple[tuple[int, int], ...]
    early: int
    late: int


# The first epoch runs as it is and the second is captured.
FULL = Plan(256, 5000, 50, ((3, 100), (1000, 1100), (2500, 2600), (4900, 5000)), 50, 4950)
SMALL = Plan(3, 40, 10, ((3, 10), (15, 20), (30, 40)), 5, 25)


def measure(options: Options, report: Report) -> None:
    """Time windows of one run of each arm, then profile."""
    plan = SMALL if options.small else FULL
    late: dict[str, State] = {}
    report.lines(
        f"{plan.seeds} seeds of the question's networks, {plan.epochs:,} epochs, evaluated every {plan.every} (these "
        "evaluations are in the times). Clocks are means of nvidia-smi's samples in the window."
    )
    report.header(
        "arm",
        "epochs",
        "ms an epoch",
        "µs a network and epoch",
        "SM, MHz",
        "memory, MHz",
        "W",
        "°C",
        "clocks held back by",
        "samples",
    )
    for norm in ARMS:
        report.doing(f"{norm}, timed")
        late |= {norm: _timed(norm, plan, options, report)}
    for norm in ARMS:
        for first in (plan.early, plan.late):
            report.doing(f"{norm}, profiled after epoch {first}")
            _profiled(norm, plan, first, late[norm], options, report)


def _setting(norm: str, plan: Plan, options: Options) -> Spec:
    return spec(options.device, norm, **{**QUESTION, "epochs": plan.epochs, "evaluate_every": plan.every})


def _timed(norm: str, plan: Plan, options: Options, report: Report) -> State:
    """Time one run and write its windows; gives its state where the late profile is to start."""
    setting = _setting(norm, plan, options)
    networks = engine(setting, range(plan.seeds), options.torch)
    moments: dict[int, datetime.datetime] = {}
    kept: list[State] = []
    starts = {stop: start for start, stop in plan.windows}
    copied = _before_a_window(plan)

    def at(mark: int, state: Callable[[], State]) -> None:
        # What is done here lies between two windows, when no clock runs.
        moments[mark] = card.now()
        if mark == copied:
            kept.append(state())
        if mark in starts:
            start = starts[mark]
            pace = marks.pace(start, mark)
            cells = norm, f"{start:,} to {mark:,}", f"{pace * 1e3:.3f}", f"{pace / plan.seeds * 1e6:.2f}"
            report.row(*cells, *_clocks(clocks.within(moments[start], moments[mark])))

    marks = Marks(sorted({copied, *(epoch for window in plan.windows for epoch in window)}), options.torch, at)
    with card.Clocks() as clocks:
        run(networks, setting, marks)
    first, last = plan.windows[0], plan.windows[-1]
    early, late = marks.pace(*first), marks.pace(*last)
    report.figure(
        f"{norm}: {early / plan.seeds * 1e6:.2f} µs early, {late / plan.seeds * 1e6:.2f} late "
        f"({late / early:.2f} ×){_held_back(clocks.within(moments[last[0]], moments[last[1]]))}"
    )
    return kept[0]


def _before_a_window(plan: Plan) -> int:
    """The last epoch from which the late profile can go on, and that lies in no window."""
    wanted = plan.late - PROFILED
    return min([wanted, *(start for start, stop in plan.windows if start <= wanted <= stop)]) - 1


def _clocks(seen: list[card.Sample]) -> list[str]:
    """The cells that tell of them."""
    if not seen:
        return ["", "", "", "", "", "0"]
    means = [sum(sample[field] for sample in seen) / len(seen) for field in (1, 2, 3, 4)]
    reasons = sorted({sample.reasons for sample in seen})
    return [*(f"{mean:.0f}" for mean in means), ", ".join(reasons), str(len(seen))]


def _held_back(seen: list[card.Sample]) -> str:
    return f", at {seen[-1].sm:.0f} MHz and {seen[-1].power:.0f} W, held back by {seen[-1].reasons}" if seen else ""


def _profiled(norm: str, plan: Plan, first: int, late: State, options: Options, report: Report) -> None:
    """Profile some epochs from `first` on, and write what takes longest."""
    setting = _setting(norm, plan, options)
    gpu = options.device == "cuda"
    activities = [ProfilerActivity.CUDA if gpu else ProfilerActivity.CPU]
    with profile(activities=activities):  # its start comes before any graph is captured, else it may miss kernels
        wait(options.torch)
    networks = engine(setting, range(plan.seeds), options.torch)
    profiler: Any = profile(activities=activities)

    def at(mark: int, state: Callable[[], State]) -> None:
        if mark == first:
            profiler.__enter__()
        else:
            wait(options.torch)
            profiler.__exit__(None, None, None)

    marks = Marks([first, first + PROFILED], options.torch, at, last=True)
    run(networks, setting, marks, start=late if first == plan.late else None)
    key = "self_device_time_total" if gpu else "self_cpu_time_total"
    rows = [(getattr(each, key), each.count, each.key) for each in profiler.key_averages()]
    rows = sorted((row for row in rows if row[0] > 0), reverse=True)
    total = sum(row[0] for row in rows)
    done = marks.read[first + PROFILED][0] - marks.read[first][0]
    report.lines(
        "", f"### {norm}, {done} epochs from epoch {first:,} on: {total / done / 1e3:.3f} ms an epoch in kernels"
    )
    report.header("kernel", "calls an epoch", "mean, µs", "share")
    for spent, calls, name in rows[:KERNELS]:
        report.row(f"`{_short(name)}`", f"{calls / done:g}", f"{spent / calls:.2f}", f"{spent / total:.0%}")
    if gpu and not rows:
        report.fail(f"{norm}: the profiler saw no kernel")


def _short(name: str) -> str:
    """A kernel's name without the namespaces and most of its arguments."""
    for words in ("void ", "at::native::", "(anonymous namespace)::", "<unnamed>::", "std::", "c10::"):
        name = name.replace(words, "")
    return name if len(name) <= 110 else f"{name[:70]}…{name[-39:]}"
