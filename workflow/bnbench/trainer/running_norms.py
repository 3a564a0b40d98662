"""The arms that normalize by means and variances which they keep, as modules of PyTorch; and how those are measured."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from bnbench.catalogue import norms
from bnbench.catalogue.norm import Standardizing
from bnbench.catalogue.population_norms import PopulationNorm as PopulationArm
from bnbench.epochs import batch_bounds
from bnbench.errors import UserError
from bnbench.trainer.norm_modules import ArmNorm

_Kept = TypeVar("_Kept", bound=Standardizing)
_Batch = TypeVar("_Batch", bound=norms.BatchNorm)


class RunningNorm(ArmNorm[_Kept]):
    """Arms that normalize by the mean and variance of each channel: by those that they keep, or first measure."""

    statistics = ("running_mean", "running_var")
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self, norm: _Kept, channels: int, dtype: torch.dtype | None = None, device: torch.device | None = None
    ) -> None:
        super().__init__(norm, channels, dtype, device)
        kept = bool(norm.buffers())
        self.register_buffer("running_mean", torch.zeros(channels, dtype=dtype, device=device) if kept else None)
        self.register_buffer("running_var", torch.ones(channels, dtype=dtype, device=device) if kept else None)
        self.register_buffer("num_batches_tracked", torch.tensor(0, device=device) if kept else None)

    @property
    def keeps(self) -> bool:
        """Whether it has any."""
        return self.running_mean is not None

    def forward(self, x: Tensor) -> Tensor:
        """Return γ (x − m)/√(v + eps) + β; no gradient goes through an m and v that are kept."""
        if self.measuring and self.keeps:
            return self._measured(x)
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.norm.eps)

    def _measured(self, x: Tensor) -> Tensor:
        """Keep the statistics of `x`, and normalize by them: one pass of PyTorch's kernel does both."""
        values = x.numel() // self.channels
        if values < 2:
            raise UserError("found one value in a channel, allowed where statistics are measured: at least 2")
        mean, variance = x.new_zeros(self.channels), x.new_zeros(self.channels)
        y = functional.batch_norm(
            x, mean, variance, self.weight, self.bias, training=True, momentum=1.0, eps=self.norm.eps
        )
        self.take(mean, variance * ((values - 1) / values))
        return y


class PopulationNorm(RunningNorm[PopulationArm]):
    """`population`: by the statistics that the engine measures, in training as in evaluation."""

    @property
    def every(self) -> int:
        """As it is set."""
        return self.norm.every


class BatchNorm(RunningNorm[_Batch]):
    """`batch`: PyTorch's BatchNorm, for any rank. Without running statistics, evaluation takes the batch's as well."""

    @property
    def takes_batches(self) -> bool:
        """Always."""
        return True

    def forward(self, x: Tensor) -> Tensor:
        """By the batch's own statistics where it takes them, unless it measures those that it keeps."""
        if self.takes_batch() and not (self.measuring and self.keeps):
            return self.by_batch(x)
        return super().forward(x)

    def takes_batch(self) -> bool:
        """In training, and wherever it keeps none."""
        return self.training or self.running_mean is None

    def by_batch(self, x: Tensor) -> Tensor:
        """One normalization of the whole batch.

        Raises:
            UserError: each channel has one value only.
        """
        if x.numel() == self.channels:
            raise UserError("found one value in a channel, allowed where a batch's statistics are taken: at least 2")
        mean, variance, steps = self.running_mean, self.running_var, self.num_batches_tracked
        if mean is None or variance is None or steps is None:
            return self._normalized(x, None, None, 0.0)
        steps.add_(1)
        if self.norm.momentum is not None:
            return self._normalized(x, mean, variance, self.norm.momentum)
        # PyTorch's cumulative average reads the number of batches back from the device.
        newest = torch.zeros_like(mean), torch.zeros_like(variance)
        y = self._normalized(x, *newest, 1.0)
        weight = steps.to(mean.dtype).reciprocal()
        mean.lerp_(newest[0], weight)
        variance.lerp_(newest[1], weight)
        return y

    def _normalized(self, x: Tensor, mean: Tensor | None, variance: Tensor | None, momentum: float) -> Tensor:
        """By the batch's statistics, of which `mean` and `variance` take a step to those of this weight."""
        return functional.batch_norm(
            x, mean, variance, self.weight, self.bias, training=True, momentum=momentum, eps=self.norm.eps
        )


class GhostBatchNorm(BatchNorm[norms.GhostBatchNorm]):
    """`ghost`: BN of each virtual batch, all positions of its examples included."""

    def by_batch(self, x: Tensor) -> Tensor:
        """BN of one virtual batch after the other; each is one step of the running statistics."""
        parts = pairwise(batch_bounds(len(x), self.norm.size))
        return torch.cat([super(GhostBatchNorm, self).by_batch(x[start:stop]) for start, stop in parts])


class FrozenBatchNorm(BatchNorm[norms.FrozenBatchNorm]):
    """`frozen`: BN that from a share of the epochs on normalizes by the running statistics that it has by then."""

    frozen = False

    @property
    def keeps(self) -> bool:
        """Until they are frozen: then they are what the network is trained for, and nothing else is precise."""
        return not self.frozen

    @property
    def takes_batches(self) -> bool:
        """The same."""
        return not self.frozen

    def begin(self, progress: float) -> None:
        """Freeze them where that is due."""
        self.frozen = progress >= self.norm.share

    def takes_batch(self) -> bool:
        """In training, until they are frozen."""
        return self.training and not self.frozen


@torch.no_grad()
def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel of `x`, [batch, channels, …], by a method that does not cancel."""
    variance, mean = torch.var_mean(x, [axis for axis in range(x.dim()) if axis != 1], correction=0)
    return mean, variance


class PooledMoments:
    """Mean and biased variance of each channel over many blocks of activations (Chan, Golub & LeVeque 1979)."""

    def __init__(self) -> None:
        self._count = 0
        self._mean = self._squares = torch.zeros(())

    @torch.no_grad()
    def add(self, x: Tensor) -> None:
        """Pool one more block, [examples, channels, …]."""
        size, (mean, variance) = x.numel() // x.shape[1], moments(x)
        if not self._count:
            self._mean, self._squares = torch.zeros_like(mean), torch.zeros_like(variance)
        total = self._count + size
        shift = mean - self._mean
        self._squares = self._squares + variance * size + shift.square() * (self._count * size / total)
        self._mean = self._mean + shift * (size / total)
        self._count = total

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and biased variance of all blocks so far, [channels] each.

        Raises:
            ValueError: there was none.
        """
        if not self._count:
            raise ValueError("no block was added")
        return self._mean, self._squares / self._count
