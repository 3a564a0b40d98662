"""The arms: what stands between a linear layer and its activation.

A norm is one small class: its fields are its parameters in the config, `forward` is what it does in training, and the
registry at the end gives it its name. Tensors are stacked over seeds, `x` is [seeds, batch, width]; parameters and
buffers are [seeds, 1, width]. Gradients come from autograd unless the class gives `backward` by hand.

torch is imported for its types alone, since tensors bring their own methods: so the planner can read the arms' names
and parameters from here without paying for the import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bnbench.parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor

    Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Norm:
    """What every arm may say of itself; the defaults are those of a layer that changes nothing."""

    replaces_bias: ClassVar[bool] = False
    """Whether a shift of its input has no effect, so that the linear layer before it goes without a bias."""
    batch_statistics: ClassVar[bool] = False
    """Whether training normalizes by the batch, so that a batch needs at least two examples."""
    backward: ClassVar[Callable[..., Any] | None] = None
    """`backward(dy, saved, parameters) -> (dx, gradients)`, an option; without it autograd serves `forward`."""

    def parameters(self) -> dict[str, float]:
        """Trained parameters and the value they start from."""
        return {}

    def buffers(self) -> dict[str, float]:
        """Running statistics and the value they start from."""
        return {}

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:  # noqa: ARG002
        """Training mode: the normalized `x`, and what `backward` wants to keep.

        Updates the buffers in place, and may overwrite `x`.
        """
        return x, None

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:  # noqa: ARG002
        """Evaluation mode: `x` normalized by the statistics in `buffers`."""
        return x

    def population(self, blocks: Iterable[Tensor]) -> Tensors:  # noqa: ARG002
        """The buffers that the whole training set gives; `blocks` are its parts, each [seeds, block, width]."""
        return {}


@dataclass(frozen=True)
class Identity(Norm):
    """No normalization: the baseline."""

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:  # noqa: ARG002
        """Return the gradient as it is."""
        return dy, {}


@dataclass(frozen=True)
class BatchNorm(Norm):
    """Batch normalization (Ioffe & Szegedy 2015), with the semantics of PyTorch's BatchNorm1d.

    Training normalizes by the batch's mean and biased variance. The running variance takes the unbiased one.
    """

    momentum: float | None = parameter(
        0.1, "weight of the newest batch in the running statistics; null: cumulative average", minimum=0, maximum=1
    )
    eps: float = parameter(1e-5, "added to the variance", minimum=0)
    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default

    replaces_bias = True
    batch_statistics = True

    def parameters(self) -> dict[str, float]:
        """γ and β."""
        return {"gamma": 1.0, "beta": 0.0} if self.affine else {}

    def buffers(self) -> dict[str, float]:
        """Running mean and variance; the cumulative average counts the batches seen in `steps`."""
        return {"mean": 0.0, "variance": 1.0} | ({"steps": 0.0} if self.momentum is None else {})

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:
        """Return γ (x − m)/√(v + eps) + β, with the batch's mean m and biased variance v."""
        count = x.shape[1]
        mean = x.sum(1, keepdim=True).mul_(1 / count)
        centred = x.sub_(mean)
        squares = (centred * centred).sum(1, keepdim=True)
        self._update(buffers, mean.detach(), squares.detach() * (1 / (count - 1)))
        scale = squares.mul_(1 / count).add_(self.eps).rsqrt_()
        if not self.affine:
            return centred * scale, (centred, scale, scale)
        slope = scale * parameters["gamma"]
        return parameters["beta"].addcmul(centred, slope), (centred, scale, slope)

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:  # noqa: ARG002
        """Ioffe & Szegedy 2015, section 3, in terms of c = x − m and s = 1/√(v + eps).

        dγ = s Σ dy c, dβ = Σ dy, dx = γ s (dy − dβ/M − c s dγ/M) with the batch size M. Overwrites `dy`.
        """
        centred, scale, slope = saved
        dbeta = dy.sum(1, keepdim=True)
        dgamma = (dy * centred).sum(1, keepdim=True).mul_(scale)
        share = slope * (-1 / dy.shape[1])
        along = (share * scale).mul_(dgamma)
        dx = share.mul_(dbeta).addcmul(centred, along).addcmul_(dy, slope)
        return dx, {"gamma": dgamma, "beta": dbeta} if self.affine else {}

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:
        """The same with the statistics in `buffers`, in one pass over `x`."""
        slope = (buffers["variance"] + self.eps).rsqrt_()
        if self.affine:
            slope.mul_(parameters["gamma"])
        offset = buffers["mean"] * -slope
        return (offset.add_(parameters["beta"]) if self.affine else offset).addcmul(x, slope)

    def population(self, blocks: Iterable[Tensor]) -> Tensors:
        """Precise statistics: moments pooled over all examples (Wu & Johnson 2021, section 3).

        Pooled block by block by the update of Chan, Golub & LeVeque (1979), which does not cancel in float32.
        """
        count = 0
        pooled: Any = 0.0
        squares: Any = 0.0
        for x in blocks:
            size, mean = x.shape[1], x.mean(1, keepdim=True)
            shift = mean - pooled
            squares = squares + (x - mean).square().sum(1, keepdim=True)
            squares = squares + shift.square() * (count * size / (count + size))
            pooled = pooled + shift * (size / (count + size))
            count += size
        return {"mean": pooled, "variance": squares / count}

    def _update(self, buffers: Tensors, mean: Tensor, variance: Tensor) -> None:
        weight = 1 / buffers["steps"].add_(1) if self.momentum is None else self.momentum
        buffers["mean"].lerp_(mean, weight)
        buffers["variance"].lerp_(variance, weight)


NORMS: dict[str, type[Norm]] = {"none": Identity, "batch": BatchNorm}
