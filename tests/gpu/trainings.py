"""Settings, engines and clocks that several parts use."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from bnbench.catalogue import tasks
from bnbench.plan import config
from bnbench.trainer.chunk import train
from bnbench.trainer.loop import train_networks
from bnbench.trainer.snapshot import State
from bnbench.trainer.stacked import StackedEngine

Spec = Mapping[str, Any]
Hook = Callable[[int, Callable[[], State]], None]

QUESTION = {"hidden": [256, 256], "batch_size": ["full"], "epochs": 5000, "evaluate_every": 50}
"""What the question trains: 1–256–256–1, 100 points, full batch, Adam."""
ARMS = ("none", "batch")


def spec(device: str, norm: Any = "none", optimizer: Any = "adam", **changes: Any) -> Spec:
    """A setting, made by the config as a study's settings are."""
    named = {"name": optimizer} if isinstance(optimizer, str) else optimizer
    name = norm["name"] if isinstance(norm, dict) else norm
    # A study compares two norms at least, so this one has another one beside the wanted.
    other = "batch" if name == "none" else "none"
    keys = {"study": "gpu", "task": "sine", "norm": [other, norm], "optimizer": [named], "device": [device]}
    study = config.load({**keys, "seeds": 2, "report": {"baseline": other}, **QUESTION, **changes}, "make gpu")
    (setting,) = (setting for setting in study.settings if setting.spec["norm"]["name"] == name)
    return setting.spec


def points(setting: Spec, seeds: Sequence[int]) -> list[Any]:
    """Every seed's points."""
    task = tasks.of(setting)
    return [task.data(seed) for seed in seeds]


def engine(setting: Spec, seeds: Sequence[int], device: torch.device) -> StackedEngine:
    """Networks of these seeds with their initial weights."""
    gc.collect()  # a graph of earlier networks that is collected during a capture would end that
    return StackedEngine.of(setting, [*seeds], points(setting, seeds), device)


def trained(setting: Spec, seeds: range, device: torch.device) -> Any:
    """What a job would train."""
    return train(setting, seeds, points(setting, seeds), device)


def wait(device: torch.device) -> None:
    """Until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """How long a work takes on the device."""
    wait(device)
    started = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - started


class EnoughError(Exception):
    """Ends a training early."""


class Marks:
    """Reads the clock when an epoch is done, with the device waited for; a hook of the training loop.

    Args:
        epochs: after which to read it; where the loop does not stop there, at the next stop.
        device: the training's.
        at: called with the mark and what gives the state, after the clock was read.
        last: end the training after the last mark.
    """

    def __init__(
        self,
        epochs: Sequence[int],
        device: torch.device,
        at: Callable[[int, Callable[[], State]], None] | None = None,
        *,
        last: bool = False,
    ) -> None:
        self.read: dict[int, tuple[int, float]] = {}
        """By mark, how many epochs were done and the clock then."""
        self._due, self._device, self._at, self._last = sorted(epochs), device, at, last

    def __call__(self, done: int, state: Callable[[], State]) -> None:
        """See `loop.train_networks`."""
        while self._due and done >= self._due[0]:
            mark = self._due.pop(0)
            wait(self._device)
            self.read[mark] = done, time.perf_counter()
            if self._at is not None:
                self._at(mark, state)
            if self._last and not self._due:
                raise EnoughError

    def pace(self, start: int, stop: int) -> float:
        """Seconds an epoch between two marks."""
        (first, began), (last, ended) = self.read[start], self.read[stop]
        return (ended - began) / (last - first)


def run(networks: StackedEngine, setting: Spec, hook: Hook, start: State | None = None) -> None:
    """Train to the end, or until the hook has enough."""
    try:
        train_networks(networks, setting, start=start, after_epoch=hook)
    except EnoughError:
        return
