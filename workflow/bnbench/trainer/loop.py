"""The training loop: all epochs of the networks of some seeds, and what is measured of them.

What comes in is an engine and a setting; what goes out are losses per epoch and seed. It never reads or writes a file.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from bnbench.catalogue import metrics, tasks
from bnbench.catalogue.parameters import build
from bnbench.catalogue.schedules import SCHEDULES
from bnbench.epochs import evaluated_epochs
from bnbench.trainer import forms
from bnbench.trainer.classes import Counts
from bnbench.trainer.engine import Engine
from bnbench.trainer.snapshot import Kept, State
from bnbench.vocabulary import BATCH, LOSSES, VALIDATION

Array = NDArray[np.float64]

_LOSSES = "losses/"
"""How the names of the losses so far begin in a state."""


class Measured(NamedTuple):
    """The result of the loop."""

    losses: dict[str, Array]
    """By what is measured, [epochs, seeds]; NaN at epochs where it is not."""
    fit: Array
    """The first output of the trained networks at the test points, [seeds, points]."""
    hashes: list[str]
    """Per seed, the hash of the initial weights that all arms share."""
    seconds: float
    """Wall time of training and evaluating."""
    classes: Counts | None = None
    """How many test points of each class the trained networks classify as each; None if not counted."""


def train_networks(
    engine: Engine,
    spec: Mapping[str, Any],
    start: State | None = None,
    after_epoch: Callable[[int, Callable[[], State]], None] | None = None,
) -> Measured:
    """Train the networks of an `engine` under the setting `spec`.

    Args:
        engine: with the initial weights, also where the training goes on.
        spec: the setting.
        start: the state to go on from; every bit of what comes out is as if there had been no pause.
        after_epoch: called after every epoch with the epochs done, and a function that gives the state at that moment.
    """
    training = _Training(engine, spec)
    if start is not None:
        training.go_on(start)
    for epoch in range(training.epochs, spec["epochs"]):
        training.train_epoch(epoch)
        if after_epoch is not None:
            after_epoch(epoch + 1, training.state)
    return training.measured()


def misfit(engine: Engine, spec: Mapping[str, Any], state: State) -> str:
    """In what a state is not one that such an engine has after so many epochs, in words; empty if it is."""
    losses = {name: values for name, values in state.stacked.items() if name.startswith(_LOSSES)}
    others = {name: values for name, values in state.stacked.items() if name not in losses}
    seeds = engine.empty(1).shape[1]
    expected: dict[str, Any] = {f"{_LOSSES}train_loss": engine.empty(1).new_empty((seeds, state.epochs), device="meta")}
    if state.epochs > evaluated_epochs(spec["epochs"], spec["evaluate_every"])[0]:
        expected |= {f"{_LOSSES}{name}": np.empty((seeds, state.epochs)) for name in _measured_after_epochs(spec)}
    return forms.difference(forms.of(losses), forms.of(expected)) or engine.misfit(Kept(others, state.shared))


def _measured_after_epochs(spec: Mapping[str, Any]) -> list[str]:
    """What every evaluation measures."""
    held_out = [VALIDATION] if "validation" in spec else []
    return [*LOSSES[1:], BATCH, *held_out, *tasks.of(spec).scores(), *(each.build for each in metrics.own(spec))]


class _Training:
    """Networks while they train, and what has been measured."""

    def __init__(self, engine: Engine, spec: Mapping[str, Any]) -> None:
        self.epochs = 0  # that are done
        self._engine, self._total = engine, spec["epochs"]
        self._schedule = build(SCHEDULES, spec["schedule"])
        self._losses: dict[str, Array] = {}  # of evaluation mode
        # The train-mode losses stay on the device until they are wanted: reading them every epoch would stall it.
        self._train_losses = engine.empty(self._total)
        self._evaluated = set(evaluated_epochs(self._total, spec["evaluate_every"]))
        self._started = time.perf_counter()

    def go_on(self, start: State) -> None:
        """Resume training at `start`."""
        self._engine.restore(Kept(start.stacked, start.shared), start.epochs)
        self._train_losses[: start.epochs] = torch.from_numpy(start.stacked[f"{_LOSSES}train_loss"].T)
        kept = [key.removeprefix(_LOSSES) for key in start.stacked if key.startswith(_LOSSES)]
        for name in [name for name in kept if name != "train_loss"]:
            self._measured(name)[: start.epochs] = start.stacked[f"{_LOSSES}{name}"].T
        self.epochs = start.epochs
        self._started -= start.seconds

    def train_epoch(self, epoch: int) -> None:
        """Train one epoch and, where that is asked for, measure after it."""
        factor = self._schedule.warmed(epoch, self._total)
        self._train_losses[epoch] = self._engine.train_epoch(epoch, factor)
        if epoch in self._evaluated:
            for name, values in self._engine.evaluate(epoch + 1).items():
                self._measured(name)[epoch] = values.double().cpu()
        self.epochs = epoch + 1

    def state(self) -> State:
        """Everything that the following epochs depend on."""
        kept = self._engine.snapshot()
        losses = {f"{_LOSSES}{name}": values[: self.epochs].T for name, values in self._losses.items()}
        losses[f"{_LOSSES}train_loss"] = self._train_losses[: self.epochs].T.cpu().numpy()
        return State(self.epochs, time.perf_counter() - self._started, {**kept.stacked, **losses}, kept.shared)

    def _measured(self, name: str) -> Array:
        """What was measured in evaluation mode by this name, [epochs, seeds]."""
        return self._losses.setdefault(name, np.full(self._train_losses.shape, math.nan))

    def measured(self) -> Measured:
        """The results of the whole training."""
        losses = {"train_loss": self._train_losses.double().cpu().numpy(), **self._losses}
        fit = self._engine.fit().double().cpu().numpy()
        classes = self._engine.classes()
        return Measured(losses, fit, self._engine.hashes, time.perf_counter() - self._started, classes)
