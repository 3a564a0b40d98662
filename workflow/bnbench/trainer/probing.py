"""A probe: what a few steps of a network take, measured before it is trained, so that its jobs request what they need.

A batch of at most 256 examples stands for all: a step and an evaluation take as much longer as they have more examples.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from bnbench.catalogue import tasks
from bnbench.plan.modular_cost import Probe
from bnbench.trainer import points
from bnbench.trainer.devices import plain
from bnbench.trainer.modular import Trainee
from bnbench.trainer.points import Points

_EXAMPLES = 256
_STEPS = 3
_LONGEST = 20.0  # seconds that a probe may take to measure memory


def measure(spec: Mapping[str, Any], seed: int, data: Points) -> Probe:
    """Time of a step and of an evaluation on one core, and memory of one network of a setting.

    Raises:
        UserError: the user's own code does not work.
    """
    task = tasks.of(spec)
    count, tested = task.train_points(), task.tested_points()
    batch = count if spec["batch_size"] == "full" else int(spec["batch_size"])
    few = min(batch, _EXAMPLES)
    cut = points.cut(data, few, validated=False)
    device = torch.device("cpu")
    _forget_peak()
    before = _peak()
    with plain(device):
        # Without the user's own metrics, for which so few points may be too few.
        trainee = Trainee({**spec, "batch_size": "full", "metrics": []}, seed, cut, device)
        trainee.train_epoch(0, 1.0)
        step = _seconds(lambda: trainee.train_epoch(0, 1.0), _STEPS)
        with torch.no_grad():
            evaluation = _seconds(lambda: trainee.evaluate(1), 1)
            memory = _peak() - before
            evaluated = few + trainee.tested
            # Evaluation takes more examples at once than a batch has, and may take more memory.
            if evaluation / evaluated * count < _LONGEST:
                trainee.run_block(count)
    larger = batch / few
    passes = trainee.passes(count) / trainee.passes(few)
    seconds = evaluation * (count + tested) / evaluated * passes
    return Probe(step * larger, seconds, max(memory * larger, _peak() - before))


def _seconds(work: Callable[[], object], times: int) -> float:
    """The shortest time that it takes."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken)


def _peak() -> float:
    """The most memory that this process had, in MiB; 0 where the system does not say."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _forget_peak() -> None:
    """Reset the peak to the present value."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
