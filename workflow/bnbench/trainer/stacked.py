"""The stacked engine: perceptrons of all seeds of a stack, trained as one model.

What comes in are a network, a setting and the points of every seed. All that is trained lies in one flat vector, so one
element-wise optimizer updates every seed.
"""

import inspect
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Self

import torch
from torch import Tensor

from bnbench.catalogue import networks, tasks
from bnbench.catalogue.losses import Loss, SquaredLoss
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS, Optimizer
from bnbench.catalogue.parameters import build
from bnbench.catalogue.schedules import SCHEDULES
from bnbench.catalogue.task import Data
from bnbench.epochs import batch_bounds
from bnbench.plan import engines
from bnbench.plan.layout import aligned
from bnbench.streams import seed_of
from bnbench.trainer import captured, classes, fused, objectives, snapshot, threads
from bnbench.trainer.classes import Counts
from bnbench.trainer.devices import plain
from bnbench.trainer.evaluation import Evaluation, Points, points_of
from bnbench.trainer.fused import FusedEpoch
from bnbench.trainer.fused_updates import Updates
from bnbench.trainer.initialization import drawn_for
from bnbench.trainer.network import Network
from bnbench.trainer.optimizers import set_rate
from bnbench.trainer.orders import orders
from bnbench.trainer.own_metrics import OwnMetrics
from bnbench.trainer.replays import Replayed
from bnbench.trainer.snapshot import Kept

_SQUARED_LOSS = SquaredLoss()


class StackedEngine:
    """A stacked network while it trains, see `engine.Engine`.

    Args:
        network: with its initial weights, stacked in the order of `seeds`.
        spec: the setting.
        seeds: those of the stack.
        points: of every seed.
        loss: what is minimized; the task's.
    """

    def __init__(
        self, network: Network, spec: Mapping[str, Any], seeds: list[int], points: Points, loss: Loss = _SQUARED_LOSS
    ) -> None:
        self.hashes: list[str] = []
        self._network, self._points, self._epochs = network, points, spec["epochs"]
        self._entry = build(OPTIMIZERS, spec["optimizer"])
        full = spec["batch_size"] == "full"
        batch_size = points.train_x.shape[1] if full else int(spec["batch_size"])
        shuffled = not full or network.takes_parts(batch_size)
        ordered_by = [seed_of("order", seed, spec["seed_varies"]) for seed in seeds]
        self._examples = _Examples(points, ordered_by, batch_size, spec["epochs"], shuffled=shuffled)
        self._seeds, self._metrics = seeds, OwnMetrics(spec)
        self._task = tasks.of(spec)
        self._evaluation = Evaluation(network, points, loss, self._task, ordered_by, batch_size)
        self._constant = build(SCHEDULES, spec["schedule"]).is_constant()
        self._optimizer, graph = _optimizer(self._entry, network.flat, constant_rate=self._constant)
        self._optimizer.param_groups[0]["params"][0].grad = network.flat_gradient
        self._counters = network.flat.device if graph else torch.device("cpu")
        epoch = _Epoch(network, loss, self._optimizer, self._examples, points)
        self._refresh = epoch.refresh
        batches = self._examples.batches
        fused_kernels = fused.kernels_for(network, self._entry, batches) if engines.fused(spec) else None
        self.is_fused = fused_kernels is not None
        """Whether fused kernels train it."""
        by_fused = self.is_fused and network.flat.is_cuda
        if fused_kernels is None:
            self._train_epoch = Replayed(epoch, wanted=graph and not network.changes())
        else:
            updates = Updates(self._entry, self._optimizer, network, fused_kernels)
            self._train_epoch = Replayed(FusedEpoch(network, updates, batches, fused_kernels), wanted=by_fused)
        self._measure = Replayed(self._evaluation, wanted=by_fused)

    @classmethod
    def of(cls, spec: Mapping[str, Any], seeds: list[int], data: Sequence[Data], device: torch.device) -> Self:
        """The engine of a setting, each seed with its own points and initial weights."""
        norm, perceptron = build(NORMS, spec["norm"]), networks.of(spec)
        dtype = getattr(torch, spec["dtype"])
        initial = drawn_for(spec, seeds, dtype, threads.workers(device))
        network = Network(initial.layers, norm, perceptron.activation, dtype, device)
        made = cls(network, spec, seeds, points_of(data, dtype, device), tasks.built_loss(spec))
        made.hashes = initial.hashes
        return made

    def empty(self, epochs: int) -> Tensor:
        """See `engine.Engine`."""
        return self._points.train_x.new_empty((epochs, len(self._points.train_x)))

    @torch.inference_mode()
    def train_epoch(self, epoch: int, factor: float) -> Tensor:
        """See `engine.Engine`."""
        set_rate(self._optimizer, self._entry.lr * factor)
        self._network.begin(epoch / self._epochs)
        self._examples.shuffle()
        return self._train_epoch(epoch)

    @torch.inference_mode()
    def evaluate(self, epochs: int) -> dict[str, Tensor]:
        """See `engine.Engine`."""
        self._refresh(epochs)
        losses, fit = self._measure(epochs)
        found = dict(losses)
        if self._metrics:
            with plain(fit.device):
                found |= self._metrics.of_each(self._seeds, epochs, fit, self._points.test_y)
        return found

    @torch.inference_mode()
    def fit(self) -> Tensor:
        """See `engine.Engine`."""
        return self._network.evaluate(self._points.test_x)[:, :, 0]

    @torch.inference_mode()
    def classes(self) -> Counts | None:
        """See `engine.Engine`."""
        if not tasks.counted_classes(self._task):
            return None
        self._refresh(self._epochs)
        return classes.counts(self._task, self._network.evaluate(self._points.test_x), self._points.test_y)

    @torch.inference_mode()
    def snapshot(self) -> Kept:
        """See `engine.Engine`."""
        return snapshot.capture(self._network, self._optimizer)

    def misfit(self, kept: Kept) -> str:
        """See `engine.Engine`."""
        if self.is_fused:  # what the kernels keep is there from the start
            return snapshot.misfit(kept, self._network, snapshot.kept_by(self._optimizer))
        weights = self._network.flat
        few = torch.zeros(2, dtype=weights.dtype, device=weights.device)
        other, _ = _optimizer(self._entry, few, constant_rate=self._constant)
        return snapshot.misfit(kept, self._network, snapshot.kept_after_a_step(other, weights))

    @torch.inference_mode()
    def restore(self, kept: Kept, epochs: int) -> None:
        """See `engine.Engine`."""
        snapshot.restore(kept, self._network, self._optimizer, self._counters)
        self._examples.skip(epochs)


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
        device = self._source.device
        drawn = orders(seeds, count, epochs, device, threads.workers(device), ahead=device.type == "cuda")
        self._orders = drawn if shuffled else None  # nothing is drawn before the first is asked for
        bounds = batch_bounds(count, batch_size)
        parts = [self._ordered[:, :, start:stop].transpose(1, 2) for start, stop in pairwise(bounds)]
        self.batches = [(part[:, :, :inputs], part[:, :, inputs:]) for part in parts]

    def shuffle(self) -> None:
        """Reorder the examples, each seed by its own stream, where their order has an effect."""
        if self._orders is not None:
            index = next(self._orders)[:, None].expand(self._source.shape)
            torch.gather(self._source, 2, index, out=self._ordered)

    def skip(self, epochs: int) -> None:
        """Draw and discard the orders of `epochs` epochs."""
        if self._orders is not None:
            for _ in range(epochs):
                next(self._orders)


class _Epoch:
    """Trains one epoch a call by torch's own operations, and gives each seed's mean train-mode loss, [seeds]."""

    def __init__(
        self, network: Network, loss: Loss, optimizer: torch.optim.Optimizer, examples: _Examples, points: Points
    ) -> None:
        self._network, self._loss, self._optimizer, self._batches = network, loss, optimizer, examples.batches
        self._points = points
        self._step = inspect.unwrap(type(optimizer).step)  # without the profiler's hooks, see `captured.undecorated`
        # Each batch's mean counts alike in an epoch's loss, whatever its size.
        sizes = [y.shape[1] for _, y in self._batches]
        self._shares = torch.cat([network.flat.new_full((size, 1), 1 / size / len(sizes)) for size in sizes])

    def refresh(self, epoch: int, place: int = 0) -> None:
        """Measure the norm's statistics again if that is due before the step at this place of the epoch.

        So what is evaluated between two steps is the network that the next step would see.
        """
        every = self._network.refreshed_every()
        if every and (epoch * len(self._batches) + place) % every == 0:
            self._network.refresh(self._points.train_x, self._points.train_y, self._loss)

    def __call__(self, epoch: int) -> Tensor:
        losses = []
        for place, (x, y) in enumerate(self._batches):
            self.refresh(epoch, place)
            loss, gradient = objectives.differentiate(self._loss, self._network.forward(x), y)
            losses.append(loss)
            self._network.backward(gradient.mul_(1 / y.shape[1]))
            self._step(self._optimizer)
        return (torch.cat(losses, dim=1) * self._shares).sum((1, 2))


def _optimizer(entry: Optimizer, flat: Tensor, *, constant_rate: bool) -> tuple[torch.optim.Optimizer, bool]:
    """The torch optimizer over a flat vector, and whether its step can be captured in a CUDA graph."""
    form = captured.form(entry, flat.dtype, flat.device, constant_rate=constant_rate)
    return form.torch_class([torch.nn.Parameter(flat)], **form.arguments), form.captures
