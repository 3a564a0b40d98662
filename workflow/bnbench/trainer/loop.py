"""The training loop: all epochs of one stacked network, and what they measure.

What comes in is a network, a setting and the points of every seed; what goes out are losses per epoch and seed. It
never reads or writes a file.
"""

import inspect
import math
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnbench.catalogue.losses import Loss, SquaredLoss
from bnbench.catalogue.optimizers import OPTIMIZERS, SCHEDULES, Constant, Optimizer
from bnbench.catalogue.parameters import build
from bnbench.epochs import batch_bounds, evaluated_epochs
from bnbench.plan.layout import aligned
from bnbench.streams import seed_of, stream
from bnbench.trainer import objectives
from bnbench.trainer.network import Network
from bnbench.trainer.snapshot import State, capture, restore
from bnbench.vocabulary import ACCURACY, MEASURED, VALIDATION

Array = NDArray[np.float64]

_SQUARED_LOSS = SquaredLoss()
_DRAWN = 2**20  # places of examples drawn ahead, for all epochs and seeds together: 8 MiB


class Points(NamedTuple):
    """The points of all seeds, stacked: inputs [seeds, points, features], targets [seeds, points, outputs]."""

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    validation_x: Tensor | None = None
    validation_y: Tensor | None = None


class Measured(NamedTuple):
    """What the loop gives."""

    losses: dict[str, Array]
    """By what is measured, [epochs, seeds]; NaN at epochs where it is not."""
    fit: Array
    """The first output of the trained networks at the test points, [seeds, points]."""
    seconds: float
    """Wall time of training and evaluating."""


@torch.inference_mode()
def train_network(
    network: Network,
    spec: Mapping[str, Any],
    seeds: list[int],
    points: Points,
    loss: Loss = _SQUARED_LOSS,
    start: State | None = None,
    after_epoch: Callable[[int, Callable[[], State]], None] | None = None,
) -> Measured:
    """Train `network`, whose weights are stacked in the order of `seeds`, under the setting `spec`.

    Args:
        network: with its initial weights, also where the training goes on.
        spec: the setting.
        seeds: those of the stack.
        points: of every seed.
        loss: what is minimized; the task's.
        start: the state to go on from; every bit of what comes out is as if there had been no pause.
        after_epoch: called after every epoch with the epochs done, and a function that gives the state at that moment.
    """
    training = _Training(network, spec, seeds, points, loss)
    if start is not None:
        training.go_on(start)
    for epoch in range(training.epochs, spec["epochs"]):
        training.train_epoch(epoch)
        if after_epoch is not None:
            after_epoch(epoch + 1, training.state)
    return training.measured()


class _Training:
    """A network while it trains, and what has been measured."""

    def __init__(self, network: Network, spec: Mapping[str, Any], seeds: list[int], points: Points, loss: Loss) -> None:
        self.epochs = 0  # that are done
        self._network, self._points, self._loss, self._total = network, points, loss, spec["epochs"]
        self._entry = build(OPTIMIZERS, spec["optimizer"])
        self._schedule = build(SCHEDULES, spec["schedule"])
        full = spec["batch_size"] == "full"
        batch_size = points.train_x.shape[1] if full else int(spec["batch_size"])
        shuffled = not full or network.takes_parts(batch_size)
        ordered_by = [seed_of("order", seed, spec["seed_varies"]) for seed in seeds]
        self._examples = _Examples(points, ordered_by, batch_size, self._total, shuffled=shuffled)
        self._optimizer, graph = _optimizer(self._entry, network, constant_rate=isinstance(self._schedule, Constant))
        self._counters = network.flat.device if graph else torch.device("cpu")
        self._train_epoch = _Epoch(
            network, loss, self._optimizer, self._examples, points, graph=graph and not network.changes()
        )
        self._losses: dict[str, Array] = {}  # of evaluation mode
        # The train-mode losses stay on the device until the end: reading them every epoch would stall it.
        self._train_losses = points.train_x.new_empty((self._total, len(seeds)))
        self._evaluated = set(evaluated_epochs(self._total, spec["evaluate_every"]))
        self._started = time.perf_counter()

    def go_on(self, start: State) -> None:
        """Take up the training at `start`."""
        restore(start, self._network, self._optimizer, self._counters)
        self._examples.skip(start.epochs)
        self._train_losses[: start.epochs] = torch.from_numpy(start.stacked["losses/train_loss"].T)
        for name in [name for name in MEASURED[1:] if f"losses/{name}" in start.stacked]:
            self._measured(name)[: start.epochs] = start.stacked[f"losses/{name}"].T
        self.epochs = start.epochs
        self._started -= start.seconds

    def train_epoch(self, epoch: int) -> None:
        """Train one epoch and, where that is asked for, measure after it."""
        _set_rate(self._optimizer, self._entry.lr * self._schedule.factor(epoch, self._total))
        self._network.begin(epoch / self._total)
        self._examples.shuffle()
        self._train_losses[epoch] = self._train_epoch(epoch)
        if epoch in self._evaluated:
            self._train_epoch.refresh(epoch + 1)
            for name, values in _evaluate(self._network, self._points, self._loss).items():
                self._measured(name)[epoch] = values.double().cpu()
        self.epochs = epoch + 1

    def state(self) -> State:
        """All that the epochs to come depend on."""
        evaluated = {name: torch.from_numpy(values[: self.epochs].T) for name, values in self._losses.items()}
        losses = {"train_loss": self._train_losses[: self.epochs].T, **evaluated}
        return capture(self._network, self._optimizer, losses, self.epochs, time.perf_counter() - self._started)

    def _measured(self, name: str) -> Array:
        """What was measured in evaluation mode by this name, [epochs, seeds]."""
        return self._losses.setdefault(name, np.full(self._train_losses.shape, math.nan))

    def measured(self) -> Measured:
        """What the whole training has given."""
        losses = {"train_loss": self._train_losses.double().cpu().numpy(), **self._losses}
        fit = self._network.evaluate(self._points.test_x)[:, :, 0].double().cpu().numpy()
        return Measured(losses, fit, time.perf_counter() - self._started)


class _Examples:
    """The training examples of all seeds in the order of the present epoch, cut into batches.

    Inputs and targets lie one below the other in one array, [seeds, inputs + outputs, points], that is reordered in
    place once an epoch; the batches are views of it, so a CUDA graph can read them. Its rows are padded in memory for
    the same reason as the widths of the network.
    """

    def __init__(self, points: Points, seeds: list[int], batch_size: int, epochs: int, *, shuffled: bool) -> None:
        self._source = torch.cat([points.train_x, points.train_y], dim=2).transpose(1, 2).contiguous()
        count, inputs = points.train_x.shape[1:]
        self._ordered = self._source.new_empty((*self._source.shape[:2], aligned(count)))[:, :, :count]
        self._ordered.copy_(self._source)
        self._orders = _orders(seeds, count, epochs, self._source.device) if shuffled else None
        bounds = batch_bounds(count, batch_size)
        parts = [self._ordered[:, :, start:stop].transpose(1, 2) for start, stop in pairwise(bounds)]
        self.batches = [(part[:, :, :inputs], part[:, :, inputs:]) for part in parts]

    def shuffle(self) -> None:
        """Reorder the examples, each seed by its own stream, where their order has an effect."""
        if self._orders is not None:
            index = next(self._orders)[:, None].expand(self._source.shape)
            torch.gather(self._source, 2, index, out=self._ordered)

    def skip(self, epochs: int) -> None:
        """Draw the orders of so many epochs for nothing."""
        if self._orders is not None:
            for _ in range(epochs):
                next(self._orders)


def _orders(
    seeds: list[int], count: int, epochs: int, device: torch.device, drawn_ahead: int = _DRAWN
) -> Iterator[Tensor]:
    """An order of the examples for every seed, [seeds, points], epoch after epoch, each seed's from its own stream.

    Many epochs are drawn in one call, which gives the same numbers as a call for each in a third of the time.
    """
    streams = [stream(seed, "order") for seed in seeds]
    at_once = min(epochs, max(1, drawn_ahead // (len(seeds) * count)))
    unordered = np.tile(np.arange(count), (at_once, 1))
    while True:
        drawn = np.stack([generator.permuted(unordered, axis=1) for generator in streams], axis=1)
        yield from torch.from_numpy(drawn).to(device)


class _Epoch:
    """Trains one epoch a call and gives each seed's mean train-mode loss, [seeds].

    On CUDA, where the optimizer allows it, the second call captures the whole epoch, optimizer included, in a graph
    that it and all later calls replay; the first call runs as it is, so that the optimizer's state exists by then.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: torch.optim.Optimizer,
        examples: _Examples,
        points: Points,
        *,
        graph: bool,
    ) -> None:
        self._network, self._loss, self._optimizer, self._batches = network, loss, optimizer, examples.batches
        self._points = points
        self._step = inspect.unwrap(type(optimizer).step)  # without the profiler's hooks, see `_undecorated`
        # Each batch's mean counts alike in an epoch's loss, whatever its size.
        sizes = [y.shape[1] for _, y in self._batches]
        self._shares = torch.cat([network.flat.new_full((size, 1), 1 / size / len(sizes)) for size in sizes])
        self._capture_wanted = graph
        self._first = True
        self._graph: torch.cuda.CUDAGraph | None = None
        self._losses = torch.empty(0)

    def __call__(self, epoch: int) -> Tensor:
        if self._first or not self._capture_wanted:
            self._first = False
            return self._train(epoch)
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._losses = self._train(epoch)
        self._graph.replay()
        return self._losses

    def refresh(self, epoch: int, place: int = 0) -> None:
        """Measure the norm's statistics anew where that is due before the step at this place of the epoch.

        So what is evaluated between two steps is the network that the next step would see.
        """
        every = self._network.refreshed_every()
        if every and (epoch * len(self._batches) + place) % every == 0:
            self._network.refresh(self._points.train_x, self._points.train_y, self._loss)

    def _train(self, epoch: int) -> Tensor:
        losses = []
        for place, (x, y) in enumerate(self._batches):
            self.refresh(epoch, place)
            loss, gradient = objectives.differentiate(self._loss, self._network.forward(x), y)
            losses.append(loss)
            self._network.backward(gradient.mul_(1 / y.shape[1]))
            self._step(self._optimizer)
        return (torch.cat(losses, dim=1) * self._shares).sum((1, 2))


def _optimizer(entry: Optimizer, network: Network, *, constant_rate: bool) -> tuple[torch.optim.Optimizer, bool]:
    """The torch optimizer over the flat vector, and whether its step can be captured in a CUDA graph."""
    torch_class = _undecorated(getattr(torch.optim, entry.torch_class))
    arguments = entry.arguments()
    graph = False
    if entry.fused:
        arguments["fused"] = True
    if network.flat.is_cuda:
        capturable = "capturable" in inspect.signature(torch_class).parameters
        graph = entry.fused or capturable
        if capturable:
            arguments["capturable"] = True
        if graph and not constant_rate:  # a graph reads the rate from memory, where the schedule changes it
            arguments["lr"] = torch.tensor(entry.lr, device=network.flat.device)
    parameter = torch.nn.Parameter(network.flat)
    parameter.grad = network.flat_gradient
    return torch_class([parameter], **arguments), graph


def _undecorated(torch_class: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """The class without torch's wrappers for its compiler and its profiler.

    They import the compiler, which takes longer than importing torch, and add 50 µs to every step.
    """
    methods = {name: inspect.unwrap(getattr(torch_class, name)) for name in ("add_param_group", "step")}
    return type(torch_class.__name__, (torch_class,), methods)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def _evaluate(network: Network, points: Points, loss: Loss) -> dict[str, Tensor]:
    """The losses in evaluation mode, and the accuracy of classes, [seeds] each."""
    fit = network.evaluate(points.test_x)
    eval_loss = objectives.mean(loss, network.evaluate(points.train_x), points.train_y)
    test_loss = objectives.mean(loss, fit, points.test_y)
    buffers = network.precise_buffers(points.train_x)
    precise = objectives.mean(loss, network.evaluate(points.test_x, buffers), points.test_y) if buffers else test_loss
    found = {"eval_loss": eval_loss, "test_loss": test_loss, "test_loss_precise": precise}
    if points.validation_x is not None and points.validation_y is not None:
        found[VALIDATION] = objectives.mean(loss, network.evaluate(points.validation_x), points.validation_y)
    if (accuracy := loss.accuracy(fit, points.test_y)) is not None:
        found[ACCURACY] = accuracy
    return found
