"""How fast the trainer is: against a loop over networks, against JAX, and against the arithmetic itself.

All are trained from the same weights on the same points in the same order, which is checked first. Everything runs on
one core in one process and in turn, forwards and backwards, so that a change of the machine's pace meets all; a ratio
is taken within a round. Counted are the seconds that the processor gave to this process, so that others on the machine
cost it no more than their share of the caches. Times are per network and epoch:

- loop: `in_loop.py`, plain torch, one network at a time;
- JAX: `in_jax.py`, all seeds in one compiled program; compiling is not counted;
- bnbench: `in_bnbench.py`, all seeds of a chunk, orders drawn and losses kept;
- kernels: the hidden layers' matrix products in their own shapes, and Adam's fused updates, and nothing else;
- floor: the operations of all linear layers at the rate of a 1,024 × 1,024 product, and Adam's traffic (28 bytes per
  parameter and step) at the bandwidth of a sum over as much memory. No pass over activations is counted.

Run by `make bench`, or by hand: `python tests/benchmarks/training_speed.py`.
"""

import argparse
import time
from dataclasses import dataclass
from typing import NamedTuple

import arithmetic
import in_bnbench
import in_jax
import in_loop
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch
from cases import Case
from common import RESULTS, Array, in_turn, keep, machine, one_core, spread, table

from bnbench.catalogue.norms import BatchNorm
from bnbench.trainer.chunk import keep_freed_memory

BATCH_SIZES: tuple[int | str, ...] = (10, 16, 25, 50, "full")
QUESTION = [Case(batch_size, norm) for batch_size in BATCH_SIZES for norm in ("none", "batch")]
TINY = [Case(10, norm, hidden=(16, 16), seeds=2000) for norm in ("none", "batch")]
ALIKE = 5  # epochs: later, float32 drifts apart
TOLERANCE = 1e-3  # relative, of the median loss


class Target(NamedTuple):
    """What is promised of a case: so many times the loop's pace, so much of JAX's and of the floor's time."""

    loop: float
    jax: float = 1.0
    floor: float | None = None


TARGETS = {
    **dict(zip(QUESTION[-2:], (Target(2.1, floor=1.25), Target(2.3, jax=0.9, floor=1.35)), strict=True)),
    **{case: Target(3.3) for case in QUESTION if case.batch_size == 25},
    **{case: Target(5.5) for case in QUESTION if case.batch_size == 16},
    **{case: Target(30.0) for case in TINY},
}


class Timed(NamedTuple):
    """Seconds per network and epoch of every round, [rounds]."""

    loop: Array
    jax: Array
    bnbench: Array
    kernels: Array
    floor: Array


def measure(case: Case, rounds: int) -> Timed:
    """Check that all compute the same, then time them."""
    works = {"loop": in_loop.training(case), "jax": in_jax.training(case), "bnbench": in_bnbench.training(case)}
    first = {name: np.asarray(work())[:ALIKE] for name, work in works.items()}
    for name, ours in (("jax", first["bnbench"]), ("loop", first["bnbench"][:, 0])):
        apart = np.median(np.abs(first[name] / ours - 1))
        if not apart < TOLERANCE:
            raise SystemExit(f"{case}: {name} and bnbench differ by {apart:.1e}")
    works |= {"kernels": arithmetic.kernels(case)}
    works |= {"product": arithmetic.matrix_product(), "sum": arithmetic.stream_sum(case)}
    in_turn(works, 1)
    seconds = in_turn(works, rounds, time.process_time)
    floor = arithmetic.floor(case, seconds["product"], seconds["sum"])
    networks = {"loop": 1, "jax": case.seeds, "bnbench": case.seeds, "kernels": case.seeds}
    return Timed(**{name: seconds[name] / n / case.epochs for name, n in networks.items()}, floor=floor)


def by_autograd(rounds: int) -> str:
    """What a norm costs that has no gradient of its own."""

    @dataclass(frozen=True)
    class Plain(BatchNorm):
        backward = None

    ratios = []
    for batch_size in (25, "full"):
        case = Case(batch_size, "batch")
        seconds = in_turn(
            {"hand": in_bnbench.training(case), "autograd": in_bnbench.training(case, Plain())},
            rounds + 1,
            time.process_time,
        )
        ratios.append(spread((seconds["autograd"] / seconds["hand"])[1:]))
    return (
        f"A norm whose gradient is left to autograd takes {ratios[0]} times as long to train as BN by hand at batch "
        f"25, and {ratios[1]} times with a full batch; promised is less than 2."
    )


def label(case: Case) -> list[str]:
    network = "–".join(str(width) for width in case.widths)
    return [network, str(case.batch_size), "yes" if case.norm == "batch" else "no"]


def times(timed: Timed) -> list[str]:
    digits = 1 if np.median(timed.bnbench) < 1e-4 else 0
    return [f"{np.median(values) * 1e6:,.{digits}f}" for values in timed]


def ratios(timed: Timed) -> list[str]:
    ours = timed.bnbench
    return [spread(r) for r in (timed.loop / ours, ours / timed.jax, ours / timed.floor, ours / timed.kernels)]


def verdicts(case: Case, timed: Timed) -> list[list[str]]:
    """Promised and measured, for one case."""
    target, ours = TARGETS[case], timed.bnbench
    rows = [("times the loop's pace, at least", timed.loop / ours, target.loop, 1)]
    rows += [("of JAX's time, at most", ours / timed.jax, target.jax, -1)]
    rows += [("of the floor, at most", ours / timed.floor, target.floor, -1)] if target.floor else []
    return [
        [*label(case), what, f"{promised:g}", spread(r), "yes" if sign * (np.median(r) - promised) >= 0 else "**no**"]
        for what, r, promised, sign in rows
    ]


def draw(measured: dict[Case, Timed]) -> None:
    """Time over batch size, one panel without BN and one with it."""
    sns.set_theme(style="whitegrid", palette="colorblind")
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    names = {"loop": "loop", "jax": "JAX", "bnbench": "bnbench", "kernels": "its kernels alone", "floor": "floor"}
    styles = {"kernels": ":", "floor": "--"}
    for panel, norm, title in zip(panels, ("none", "batch"), ("without BN", "with BN"), strict=True):
        cases = [case for case in measured if case.norm == norm and case in QUESTION]
        for name, words in names.items():
            medians = [np.median(getattr(measured[case], name)) * 1e6 for case in cases]
            panel.plot(range(len(cases)), medians, styles.get(name, "o-"), label=words)
        panel.set_xticks(range(len(cases)), [str(case.batch_size) for case in cases])
        panel.set(title=title, xlabel="batch size", yscale="log")
    panels[0].set_ylabel("µs per network and epoch")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names), frameon=False)
    figure.savefig(RESULTS / "training-speed.png", dpi=160)


def report(measured: dict[Case, Timed], autograd: str, rounds: int) -> list[str]:
    head = ["network", "batch", "BN"]
    columns = ["loop", "JAX", "bnbench", "kernels", "floor"]
    compared = ["loop / bnbench", "bnbench / JAX", "bnbench / floor", "bnbench / kernels"]
    seeds = f"{QUESTION[0].seeds} seeds side by side of the question's network, {TINY[0].seeds:,} of the tiny one"
    promised = [row for case in TARGETS for row in verdicts(case, measured[case])]
    return [
        "# Speed of training",
        "",
        machine("torch", "jax", "numpy"),
        f"One core; {seeds}; Adam, float32, 100 points, one epoch in {QUESTION[0].epochs} evaluated. µs per network "
        f"and epoch of the process's own time; medians of {rounds} rounds in turn, quartiles in brackets; "
        "tests/benchmarks/training_speed.py says what is timed.",
        "",
        *table([*head, *columns], [[*label(case), *times(timed)] for case, timed in measured.items()]),
        "",
        *table([*head, *compared], [[*label(case), *ratios(timed)] for case, timed in measured.items()]),
        "",
        autograd,
        "",
        "## What was promised",
        "",
        *table([*head, "what", "promised", "measured", "kept"], promised),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the trainer against a loop, JAX and the arithmetic.")
    parser.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    one_core()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    keep_freed_memory()  # as a job does
    measured = {}
    for case in (*QUESTION, *TINY):
        measured[case] = measure(case, arguments.rounds)
        print(*label(case), *times(measured[case]), *ratios(measured[case]), flush=True)
    keep("training-speed", report(measured, by_autograd(arguments.rounds), arguments.rounds))
    draw(measured)


if __name__ == "__main__":
    main()
