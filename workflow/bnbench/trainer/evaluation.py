"""Losses and scores of stacked networks in evaluation mode."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bnbench.catalogue.losses import Loss
from bnbench.catalogue.task import Data, Task
from bnbench.epochs import batch_blocks
from bnbench.trainer import objectives, scores
from bnbench.trainer.network import BLOCK, Network
from bnbench.trainer.orders import of_blocks
from bnbench.vocabulary import BATCH, VALIDATION


class Points(NamedTuple):
    """The points of all seeds, stacked: inputs [seeds, points, features], targets [seeds, points, outputs]."""

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    validation_x: Tensor | None = None
    validation_y: Tensor | None = None


def points_of(data: Sequence[Data], dtype: torch.dtype, device: torch.device) -> Points:
    """The points of all seeds, on the device."""
    parts = {name: [getattr(of_seed, name) for of_seed in data] for name in Points._fields}
    tensors = {
        name: torch.from_numpy(np.stack(part)).to(device, dtype) for name, part in parts.items() if part[0] is not None
    }
    return Points(**tensors)


class Evaluation:
    """Measures the networks in their current state.

    Args:
        network: in which they are stacked.
        points: of every seed.
        loss: what is minimized.
        task: says which scores there are.
        seeds: of the source `order`.
        batch_size: of the training.
    """

    def __init__(
        self, network: Network, points: Points, loss: Loss, task: Task, seeds: list[int], batch_size: int
    ) -> None:
        self._network, self._points, self._loss, self._task = network, points, loss, task
        self.test_batches = _TestBatches(points, seeds, batch_size)

    def __call__(self, epochs: int) -> tuple[dict[str, Tensor], Tensor]:  # noqa: ARG002 - always the same way
        """Losses and the scores of the task, [seeds] each; and the outputs at the test points."""
        network, points = self._network, self._points
        fit = network.evaluate(points.test_x)
        eval_loss = self._mean(network.evaluate(points.train_x), points.train_y)
        test_loss = self._mean(fit, points.test_y)
        buffers = network.precise_buffers(points.train_x)
        precise = self._mean(network.evaluate(points.test_x, buffers), points.test_y) if buffers else test_loss
        found = {"eval_loss": eval_loss, "test_loss": test_loss, "test_loss_precise": precise}
        if points.validation_x is not None and points.validation_y is not None:
            found[VALIDATION] = self._mean(network.evaluate(points.validation_x), points.validation_y)
        found[BATCH] = self.test_batches.loss(network, self._loss, test_loss)
        return found | scores.of(self._task, fit, points.test_y), fit

    def _mean(self, output: Tensor, target: Tensor) -> Tensor:
        return objectives.mean(self._loss, output, target)


class _TestBatches:
    """The test points of all seeds in batches of the training's size, each seed's in an order of its own.

    The batches are always the same.
    """

    def __init__(self, points: Points, seeds: list[int], batch_size: int) -> None:
        self._x, self._y = points.test_x, points.test_y
        self._seeds, self._size = seeds, batch_size
        self._order: Tensor | None = None

    def loss(self, network: Network, loss: Loss, test_loss: Tensor) -> Tensor:
        """The test loss with each batch's own statistics, [seeds]; NaN of a single point, which has none.

        It is the test loss where the norm does not normalize by the batch.
        """
        if not network.takes_batches():
            return test_loss
        if self._x.shape[1] < 2:
            return test_loss * torch.nan
        losses = [loss.forward(network.evaluate_batches(x, size), y) for x, y, size in self._blocks()]
        return torch.cat(losses, dim=1).mean((1, 2))

    def _blocks(self) -> Iterator[tuple[Tensor, Tensor, int]]:
        """Batches of one size each, as many as are evaluated at once: inputs, targets and the size."""
        if self._order is None:
            drawn = np.stack([of_blocks(seed, "test_x", self._x.shape[1]) for seed in self._seeds])
            self._order = torch.from_numpy(drawn).to(self._x.device)
        for start, stop, size in batch_blocks(self._x.shape[1], self._size, BLOCK):
            places = self._order[:, start:stop, None]
            yield self._x.take_along_dim(places, 1), self._y.take_along_dim(places, 1), size
