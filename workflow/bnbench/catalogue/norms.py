"""The arms: what comes between a linear layer and its activation.

A norm is one small class: its fields are its parameters in the config, `forward` is what it does in training, and the
registry at the end gives it its name. Tensors are stacked over seeds, `x` is [seeds, batch, width]; parameters and
buffers are [seeds, 1, width]. Gradients come from autograd unless the class gives `backward` by hand.

torch is imported for its types alone, since tensors bring their own methods: so the planner can read the arms' names
and parameters from here without paying for the import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from bnbench.catalogue.example_norms import GroupNorm, InstanceNorm, LayerNorm, RMSNorm
from bnbench.catalogue.norm import Moments, Norm, Standardizing
from bnbench.catalogue.own import OwnCode
from bnbench.catalogue.parameters import defaults, parameter
from bnbench.catalogue.population_norms import PopulationGammaNorm, PopulationNorm
from bnbench.epochs import batch_bounds
from bnbench.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Identity(Norm):
    """No normalization: the baseline."""

    title = "no BN"

    # An absent norm has no place, so these are not parameters of it.
    placement: ClassVar[str] = "before"  # type: ignore[misc]
    on: ClassVar[tuple[str, ...]] = ("hidden",)  # type: ignore[misc]
    layers: ClassVar[tuple[str, ...]] = ("*",)  # type: ignore[misc]

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:  # noqa: ARG002
        """Return `x` as it is."""
        return x, None

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:  # noqa: ARG002
        """The same, without a copy."""
        return x

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:  # noqa: ARG002
        """Return the gradient as it is."""
        return dy, {}


@dataclass(frozen=True)
class BatchNorm(Standardizing):
    """Batch normalization (Ioffe & Szegedy 2015), with the semantics of PyTorch's BatchNorm1d.

    Training normalizes by the batch's mean and biased variance. The running variance takes the unbiased one.
    """

    title = "BN"

    momentum: float | None = parameter(
        0.1,
        "weight of the newest batch in the running statistics; null weights all batches equally",
        minimum=0,
        maximum=1,
    )
    eps: float = parameter(1e-5, "added to the variance", minimum=0)
    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default
    statistics: str = parameter(
        "running",
        "what evaluation mode normalizes by: the running statistics, or those of each batch",
        enum=["running", "batch"],
        since="0.4.0",
    )

    batch_statistics = True

    def stacks(self) -> bool:
        """Unless evaluation uses batches of the training size, each with its own statistics."""
        return super().stacks() and self.statistics == "running"

    def buffers(self) -> dict[str, float]:
        """Running mean and variance; the cumulative average counts the batches seen in `steps`."""
        if self.statistics == "batch":
            return {}
        return super().buffers() | ({"steps": 0.0} if self.momentum is None else {})

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:
        """Return γ (x − m)/√(v + eps) + β, with the batch's mean m and biased variance v."""
        count = x.shape[1]
        mean = x.sum(1, keepdim=True).mul_(1 / count)
        centred = x.sub_(mean)
        squares = (centred * centred).sum(1, keepdim=True)
        self._update(buffers, mean.detach(), squares.detach() * (1 / (count - 1)))
        return self._scaled(centred, squares.mul_(1 / count).add_(self.eps).rsqrt_(), parameters)

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:
        """The same with the running statistics, or with those of `x`."""
        if self.statistics == "batch":
            return Norm.evaluate(self, x, parameters, buffers)
        return super().evaluate(x, parameters, buffers)

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

    def of_linear(
        self, weight: Tensor, moments: Moments, parameters: Tensors, buffers: Tensors
    ) -> tuple[Tensor, Tensor | None, Any]:
        """γ s w and β with s = 1/√(v + eps), since w x has the mean w mean(x) and the variance v = w² var(x)."""
        variance = (weight * weight).mul_(moments.variance)
        self._update(buffers, weight * moments.mean, variance * (moments.examples / (moments.examples - 1)))
        scale = variance.add_(self.eps).rsqrt_()
        slope = scale * parameters["gamma"] if self.affine else scale
        return weight * slope, parameters.get("beta"), (weight, scale, slope)

    def of_linear_backward(self, dy: Tensor, dweight: Tensor, saved: Any) -> Tensors:
        """With t = Σ dy c, passed in `dweight`: dγ = s w t, dβ = Σ dy, dw = γ s (t − s² v t).

        In dw, 1 − s² v is s² eps, so nothing cancels: the scale of w has no effect but through eps.
        """
        weight, scale, slope = saved
        gradients = {}
        if self.affine:
            gradients = {"gamma": (weight * scale).mul_(dweight), "beta": dy.sum(1, keepdim=True)}
        dweight.mul_((scale * scale).mul_(slope).mul_(self.eps))
        return gradients

    def _update(self, buffers: Tensors, mean: Tensor, variance: Tensor) -> None:
        if self.statistics == "batch":
            return
        weight = 1 / buffers["steps"].add_(1) if self.momentum is None else self.momentum
        buffers["mean"].lerp_(mean, weight)
        buffers["variance"].lerp_(variance, weight)


@dataclass(frozen=True)
class GhostBatchNorm(BatchNorm):
    """Ghost batch normalization (Hoffer, Hubara & Soudry 2017, algorithm 1): BN of each part of the batch separately.

    Each virtual batch is normalized by its own statistics; γ and β are shared. The running statistics take a step for
    each virtual batch, in their order. If the last one has fewer than two examples, it joins the one before it.
    Examples are assigned to new virtual batches in every epoch, also if the whole training set is one batch.
    """

    title = "ghost BN"

    size: int = parameter(16, "examples in a virtual batch", minimum=2)
    statistics: ClassVar[str] = "running"  # type: ignore[misc] # evaluation mode has no virtual batches

    # For a batch that is one virtual batch, so that it has the bits of batch normalization.
    of_linear = BatchNorm.of_linear
    of_linear_backward = BatchNorm.of_linear_backward

    def blocks(self, examples: int) -> int:
        """How many virtual batches there are."""
        return len(batch_bounds(examples, self.size)) - 1

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:
        """BN of one virtual batch after another."""
        y, saved = x.new_empty(x.shape), []
        for start, stop in pairwise(batch_bounds(x.shape[1], self.size)):
            y[:, start:stop], kept = super().forward(x[:, start:stop], parameters, buffers)
            saved.append(kept)
        return y, saved

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:
        """BN's gradient of one virtual batch after another; those of γ and β are sums."""
        gradients: Tensors = {}
        for (start, stop), kept in zip(pairwise(batch_bounds(dy.shape[1], self.size)), saved, strict=True):
            dx, found = super().backward(dy[:, start:stop], kept, parameters)
            dy[:, start:stop] = dx
            gradients = {name: value + gradients.get(name, 0.0) for name, value in found.items()}
        return dy, gradients


@dataclass(frozen=True)
class FrozenBatchNorm(BatchNorm):
    """BN that after a share of the epochs stops updating its running averages and normalizes with them.

    From there on it is an affine function of its input, without batch noise and without a gradient through statistics.
    """

    title = "frozen BN"

    share: float = parameter(
        0.5, "share of the epochs that train with BN before its statistics are fixed", exclusiveMinimum=0, maximum=1
    )
    statistics: ClassVar[str] = "running"  # type: ignore[misc] # it freezes these

    def at(self, progress: float) -> Norm:
        """BN, and then the same with the statistics that it has by then."""
        return self if progress < self.share else PopulationNorm(eps=self.eps, affine=self.affine, every=0)


@dataclass(frozen=True)
class OwnNorm(OwnCode, Norm):
    """Your own norm: a function or class in a Python file, called with `channels`, that returns a torch module."""

    title = "own norm"
    supplied = ("channels",)

    bias: bool = parameter(True, "whether the layer before it needs a bias")  # noqa: FBT003 - a default

    @property
    def replaces_bias(self) -> bool:  # type: ignore[override] # each of the user's norms decides
        """As the config says."""
        return not self.bias

    def stacks(self) -> bool:
        """It is made for one network at a time."""
        return False

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:  # noqa: ARG002
        """Refuse stacked activations: the user's module takes those of one network, see `trainer.own_norm`.

        Raises:
            UserError: always.
        """
        raise UserError(f"{self.path}: {self.build} returns a layer for one network, found several networks in a stack")


NORMS: dict[str, type[Norm]] = {
    "none": Identity,
    "batch": BatchNorm,
    "ghost": GhostBatchNorm,
    "layer": LayerNorm,
    "group": GroupNorm,
    "instance": InstanceNorm,
    "rms": RMSNorm,
    "population": PopulationNorm,
    "population_gamma": PopulationGammaNorm,
    "frozen": FrozenBatchNorm,
    "module": OwnNorm,
}


def plain(entry: Mapping[str, Any], examples: int) -> Mapping[str, Any]:
    """The resolved entry of the norm that this one equals when it trains with batches of at most `examples`.

    Ghost batch normalization whose virtual batch is the whole batch is batch normalization, to the last bit.
    """
    if entry["name"] != "ghost" or entry["size"] < examples:
        return entry
    shared = {key: value for key, value in entry.items() if key != "size"}
    return {**defaults(BatchNorm), **shared, "name": "batch"}
