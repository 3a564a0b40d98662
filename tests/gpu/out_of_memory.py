"""Part: a GPU with too little memory for all seeds. The job must train them in halves, say so, and finish."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from reporting import Options, Report
from trainings import QUESTION, seconds, spec, trained

from bnbench.trainer import stacks

LIMIT = 300  # MiB; the weights, gradients and averages of 300 networks alone take more
SAID = "out of memory with"


def measure(options: Options, report: Report) -> None:
    """Train with little memory and with enough, and compare."""
    seeds = range(8 if options.small else 300)
    length = {"epochs": 4, "evaluate_every": 2} if options.small else {"epochs": 30, "evaluate_every": 10}
    sizes = {"hidden": [32, 32]} if options.small else {}
    setting = spec(options.device, "batch", **{**QUESTION, **sizes, **length})
    told, found = io.StringIO(), []
    with _little(options, len(seeds)), contextlib.redirect_stderr(told):
        report.doing("training with too little memory")
        took = seconds(lambda: found.append(trained(setting, seeds, options.torch)), options.torch)
    lines = [line for line in told.getvalue().splitlines() if SAID in line]
    report.lines(*(f"    {line}" for line in lines), "")
    if not lines:
        report.fail(f"{len(seeds)} seeds fitted into the memory, or nobody said that they did not")
    report.doing("training with enough memory")
    whole = trained(setting, seeds, options.torch)
    apart = _apart(found[0], whole)
    how = "a stand-in refused" if options.device == "cpu" else f"limited to {LIMIT} MiB"
    report.figure(f"{how}: halved {len(lines)} times and finished; losses within {apart:.0e} of those of one stack")
    report.lines(
        f"{len(seeds)} seeds, BN, full batch, {how}: {took:.1f} s in halves. Losses within {apart:.1e} (relative) of a "
        "run with enough memory."
    )
    if not apart < 1e-2:
        report.fail(f"losses differ by {apart:.1e} from those of a run with enough memory")


def _apart(one: Any, other: Any) -> float:
    """The largest relative difference of the train-mode losses; not a number where one is missing."""
    a, b = one.losses["train_loss"], other.losses["train_loss"]
    return float(np.max(np.abs(a - b) / np.abs(b))) if a.shape == b.shape else float("nan")


@contextlib.contextmanager
def _little(options: Options, count: int) -> Iterator[None]:
    """With too little memory for so many seeds; on a CPU by a stand-in that refuses more than a third of them."""
    if options.device == "cuda":
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(LIMIT * 2**20 / total)
        try:
            yield
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        return
    real = stacks._engine

    def refusing(spec: Any, seeds: Any, *others: Any) -> Any:
        if len(seeds) > count // 3:
            raise torch.OutOfMemoryError("a stand-in for a small memory")
        return real(spec, seeds, *others)

    stacks._engine = refusing
    try:
        yield
    finally:
        stacks._engine = real
