"""The arms: what stands between a linear layer and its activation.

A norm is one small class: its fields are its parameters in the config, `forward` is what it does in training, and the
registry at the end gives it its name. Tensors are stacked over seeds, `x` is [seeds, batch, width]; parameters and
buffers are [seeds, 1, width]. Gradients come from autograd unless the class gives `backward` by hand.

torch is imported for its types alone, since tensors bring their own methods: so the planner can read the arms' names
and parameters from here without paying for the import.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from bnbench.catalogue.parameters import parameter
from bnbench.epochs import batch_bounds

if TYPE_CHECKING:
    from torch import Tensor

    Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Norm(ABC):
    """What every arm may say of itself; `forward` is all that it must."""

    title: ClassVar[str]
    """What the arm is called in sentences and figures; by default its name in the registry."""
    replaces_bias: ClassVar[bool] = False
    """Whether a shift of its input has no effect, so that the linear layer before it goes without a bias."""
    batch_statistics: ClassVar[bool] = False
    """Whether training normalizes by the batch, so that a batch needs at least two examples."""
    measures: ClassVar[bool] = False
    """Whether it wants more of the training set than `population` gives: see `roots` and `measure`."""
    backward: ClassVar[Callable[..., Any] | None] = None
    """`backward(dy, saved, parameters) -> (dx, gradients)`, an option; without it autograd serves `forward`."""

    def at(self, progress: float) -> Norm:  # noqa: ARG002
        """The norm that is in force from this share of the epochs on."""
        return self

    def refreshed_every(self) -> int:
        """Steps after which the buffers are measured anew on the whole training set; 0: never."""
        return 0

    def is_fixed(self) -> bool:
        """Whether the buffers are what the network was trained for, so that nothing else is precise."""
        return False

    def blocks(self, examples: int) -> int:  # noqa: ARG002
        """How many normalizations a step of so many examples takes, one after the other."""
        return 1

    def parameters(self) -> dict[str, float]:
        """Trained parameters and the value they start from."""
        return {}

    def buffers(self) -> dict[str, float]:
        """Running statistics and the value they start from."""
        return {}

    @abstractmethod
    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:
        """Training mode: the normalized `x`, and what `backward` wants to keep.

        Updates the buffers in place, and may overwrite `x`.
        """

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:
        """Evaluation mode: the same function, which leaves `x` and the buffers as they are.

        A norm with buffers says here how it uses them.
        """
        return self.forward(x.clone(), parameters, {name: kept.clone() for name, kept in buffers.items()})[0]

    def population(self, blocks: Iterable[Tensor]) -> Tensors:  # noqa: ARG002
        """The buffers that the whole training set gives; `blocks` are its parts, each [seeds, block, width].

        Those that are left out keep the values that training gave them.
        """
        return {}

    def roots(self, gradient: Tensor, hessian_roots: Sequence[Tensor]) -> Sequence[Tensor]:  # noqa: ARG002
        """Of an output's loss, what `measure` wants to see come back to this norm, each [seeds, block, outputs].

        Either the loss's gradient, or tensors v with Σ v vᵀ its Hessian.
        """
        return ()

    def measure(self, dys: Sequence[Tensor], saved: Any, parameters: Tensors) -> Tensors:  # noqa: ARG002
        """Sums over the examples of a block, for the buffers of these names, which take their means.

        The number of training points goes into the buffer `points`.

        Args:
            dys: what of each of `roots` came back to this norm's output, [seeds, block, width].
            saved: what `forward` wanted to keep.
            parameters: the trained ones.
        """
        return {}


@dataclass(frozen=True)
class Identity(Norm):
    """No normalization: the baseline."""

    title = "no BN"

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:  # noqa: ARG002
        """Return `x` as it is."""
        return x, None

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:  # noqa: ARG002
        """The same, without a copy."""
        return x

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:  # noqa: ARG002
        """Return the gradient as it is."""
        return dy, {}


class _Standardizing(Norm):
    """Arms that subtract a mean and divide by a deviation which they keep, then scale and shift."""

    eps: float
    affine: bool

    replaces_bias = True

    def parameters(self) -> dict[str, float]:
        """γ and β."""
        return {"gamma": 1.0, "beta": 0.0} if self.affine else {}

    def buffers(self) -> dict[str, float]:
        """Mean and variance."""
        return {"mean": 0.0, "variance": 1.0}

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:
        """γ (x − mean)/√(variance + eps) + β with the statistics in `buffers`, in one pass over `x`."""
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

    def _scaled(self, centred: Tensor, scale: Tensor, parameters: Tensors) -> tuple[Tensor, Any]:
        """γ c s + β, and what `backward` wants: the centred x as c, s, and the slope γ s."""
        if not self.affine:
            return centred * scale, (centred, scale, scale)
        slope = scale * parameters["gamma"]
        return parameters["beta"].addcmul(centred, slope), (centred, scale, slope)


@dataclass(frozen=True)
class BatchNorm(_Standardizing):
    """Batch normalization (Ioffe & Szegedy 2015), with the semantics of PyTorch's BatchNorm1d.

    Training normalizes by the batch's mean and biased variance. The running variance takes the unbiased one.
    """

    title = "BN"

    momentum: float | None = parameter(
        0.1,
        "weight of the newest batch in the running statistics; null weights all batches alike",
        minimum=0,
        maximum=1,
    )
    eps: float = parameter(1e-5, "added to the variance", minimum=0)
    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default

    batch_statistics = True

    def buffers(self) -> dict[str, float]:
        """Running mean and variance; the cumulative average counts the batches seen in `steps`."""
        return super().buffers() | ({"steps": 0.0} if self.momentum is None else {})

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:
        """Return γ (x − m)/√(v + eps) + β, with the batch's mean m and biased variance v."""
        count = x.shape[1]
        mean = x.sum(1, keepdim=True).mul_(1 / count)
        centred = x.sub_(mean)
        squares = (centred * centred).sum(1, keepdim=True)
        self._update(buffers, mean.detach(), squares.detach() * (1 / (count - 1)))
        return self._scaled(centred, squares.mul_(1 / count).add_(self.eps).rsqrt_(), parameters)

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

    def _update(self, buffers: Tensors, mean: Tensor, variance: Tensor) -> None:
        weight = 1 / buffers["steps"].add_(1) if self.momentum is None else self.momentum
        buffers["mean"].lerp_(mean, weight)
        buffers["variance"].lerp_(variance, weight)


@dataclass(frozen=True)
class GhostBatchNorm(BatchNorm):
    """Ghost batch normalization (Hoffer, Hubara & Soudry 2017, algorithm 1): BN of each part of the batch by itself.

    Each virtual batch is normalized by its own statistics; γ and β are shared. The running statistics take a step for
    each virtual batch, in their order. A last one of fewer than two examples joins the one before it. Examples are
    drawn into virtual batches anew in every epoch, also where the whole training set is one batch.
    """

    title = "ghost BN"

    size: int = parameter(16, "examples in a virtual batch", minimum=2)

    def blocks(self, examples: int) -> int:
        """How many virtual batches there are."""
        return len(batch_bounds(examples, self.size)) - 1

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:
        """BN of one virtual batch after the other."""
        y, saved = x.new_empty(x.shape), []
        for start, stop in pairwise(batch_bounds(x.shape[1], self.size)):
            y[:, start:stop], kept = super().forward(x[:, start:stop], parameters, buffers)
            saved.append(kept)
        return y, saved

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:
        """BN's gradient of one virtual batch after the other; those of γ and β are sums."""
        gradients: Tensors = {}
        for (start, stop), kept in zip(pairwise(batch_bounds(dy.shape[1], self.size)), saved, strict=True):
            dx, found = super().backward(dy[:, start:stop], kept, parameters)
            dy[:, start:stop] = dx
            gradients = {name: value + gradients.get(name, 0.0) for name, value in found.items()}
        return dy, gradients


@dataclass(frozen=True)
class FrozenBatchNorm(BatchNorm):
    """BN that after a share of the epochs keeps its running averages as they are and normalizes by them.

    From there on it is an affine function of its input, without batch noise and without a gradient through statistics.
    """

    title = "frozen BN"

    share: float = parameter(
        0.5, "share of the epochs that train with BN before its statistics are fixed", exclusiveMinimum=0, maximum=1
    )

    def at(self, progress: float) -> Norm:
        """BN, and then the same with the statistics that it has."""
        return self if progress < self.share else PopulationNorm(eps=self.eps, affine=self.affine, every=0)


@dataclass(frozen=True)
class PopulationNorm(_Standardizing):
    """Population normalization (Luo, Wang, Shao & Peng 2019): the statistics are those of the whole training set.

    They are measured before every so many steps, under the weights of that moment, layer by layer; and evaluation takes
    those that the next step would take. No gradient goes through them.
    """

    title = "population norm"

    every: int = parameter(1, "number of steps between two measurements of the statistics", minimum=1)
    eps: float = parameter(1e-5, "added to the variance", minimum=0)
    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default

    def refreshed_every(self) -> int:
        """As it is set."""
        return self.every

    def is_fixed(self) -> bool:
        """Where the statistics are measured no more."""
        return not self.every

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:
        """The same as in evaluation mode, and what `backward` wants."""
        return self._scaled(x.sub_(buffers["mean"]), (buffers["variance"] + self.eps).rsqrt_(), parameters)

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:  # noqa: ARG002
        """dγ = s Σ dy c, dβ = Σ dy, dx = γ s dy, with c = x − mean and s = 1/√(variance + eps)."""
        centred, scale, slope = saved
        gradients = {}
        if self.affine:
            gradients["gamma"] = (dy * centred).sum(1, keepdim=True).mul_(scale)
            gradients["beta"] = dy.sum(1, keepdim=True)
        return dy.mul_(slope), gradients


@dataclass(frozen=True)
class PopulationGammaNorm(PopulationNorm):
    """Population normalization and gamma decay, which together are BN by the reading of Luo et al. (2019).

    To the loss ζγ² is added for each unit, with M the examples of a batch and ρ the excess kurtosis of its input:

        ζ = ((ρ + 2)/8 · I(γ) + 1/2 · mean_j c_j)/M

    The first term stands for the noise of the batch's deviation, the second for that of its mean; I(γ) is the Fisher
    information of γ, c_j the second derivative of example j's loss by the unit's output h̄_j. The paper has it for one
    unit whose output goes into the loss. `curvature` says how it is carried over to a network:

    - `network`: both in Gauss & Newton's form through the layers above, c = Σ_k (∂ v_kᵀf/∂h̄)² and
      I(γ) = mean_j Σ_k (∂ v_kᵀf/∂γ)², where Σ_k v_k v_kᵀ is the Hessian of the loss by the network's outputs f; and
      times (N − M)/(N − 1), since batches are drawn from N points without replacement: a full batch has no noise;
    - `unit`: to the letter, c = sigmoid(h̄) (a smooth stand-in for a ReLU's) and I(γ) = mean_j (∂ℓ_j/∂γ)², whatever lies
      between the unit and the loss.

    For the paper's one ReLU unit and half the squared error both give ζM = .375 at γ = 1. ζ is measured with the
    statistics and is a constant between; the reported losses are without the penalty. It is right as the value of
    the loss, not as its slope: in exact one-layer regression this arm shrinks γ about twice as much as BN does.
    """

    title = "population norm with gamma decay"

    measures = True

    curvature: str = parameter(
        "network",
        "how ζ is estimated: through the layers above, or by the formula for one unit",
        enum=["network", "unit"],
    )

    def buffers(self) -> dict[str, float]:
        """The statistics, and what ζ is made of: means of ĥ⁴, I(γ) and c, and the number of training points."""
        return super().buffers() | {"fourth": 3.0, "fisher": 0.0, "curvature": 0.0, "points": 2.0}

    def __post_init__(self) -> None:
        """Refuse an arm without γ, of which there is nothing to decay."""
        if not self.affine:
            raise ValueError("found affine: false, allowed: true, since gamma decay needs a gamma")

    def roots(self, gradient: Tensor, hessian_roots: Sequence[Tensor]) -> Sequence[Tensor]:
        """What `curvature` says."""
        return (gradient,) if self.curvature == "unit" else hessian_roots

    def measure(self, dys: Sequence[Tensor], saved: Any, parameters: Tensors) -> Tensors:
        """What ζ is made of, summed over the examples of a block."""
        centred, scale, *_ = saved
        standard = centred * scale
        squares = sum((dy.square() for dy in dys[1:]), dys[0].square())
        smooth = self.curvature == "unit"
        sums = {
            "fourth": standard.pow(4),
            "fisher": squares * standard.square(),
            "curvature": self._scaled(centred, scale, parameters)[0].sigmoid() if smooth else squares,
        }
        return {name: values.sum(1, keepdim=True) for name, values in sums.items()}

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:
        """Population normalization's; ζ is kept beside what that keeps."""
        y, saved = super().forward(x, parameters, buffers)
        return y, (*saved, self.zeta(buffers, x.shape[1]))

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:
        """Population normalization's, and the penalty's 2ζγ."""
        *kept, zeta = saved
        dx, gradients = super().backward(dy, kept, parameters)
        gradients["gamma"].addcmul_(zeta, parameters["gamma"], value=2)
        return dx, gradients

    def zeta(self, buffers: Tensors, examples: int) -> Tensor:
        """ζ of each unit in a batch of so many examples, [seeds, 1, width]."""
        kurtosis, points = buffers["fourth"] - 3, buffers["points"]
        zeta = ((kurtosis + 2) / 8 * buffers["fisher"] + buffers["curvature"] / 2) / examples
        return zeta if self.curvature == "unit" else zeta * (points - examples) / (points - 1)


@dataclass(frozen=True)
class LayerNorm(Norm):
    """Layer normalization (Ba, Kiros & Hinton 2016), with the semantics of PyTorch's LayerNorm.

    Each example is normalized over the units of the layer. Nothing depends on the batch; a scale of the weights still
    has no effect: the control for normalization itself.
    """

    title = "layer norm"

    eps: float = parameter(1e-5, "added to the variance", minimum=0)
    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default

    def parameters(self) -> dict[str, float]:
        """γ and β."""
        return {"gamma": 1.0, "beta": 0.0} if self.affine else {}

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:  # noqa: ARG002
        """Return γ (x − m)/√(v + eps) + β, with the example's mean m and biased variance v over the units."""
        centred = x - x.mean(2, keepdim=True)
        scale = centred.square().mean(2, keepdim=True).add_(self.eps).rsqrt_()
        standard = centred.mul_(scale)
        # What follows may overwrite y.
        y = parameters["beta"].addcmul(standard, parameters["gamma"]) if self.affine else standard.clone()
        return y, (standard, scale)

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:
        """By dx = s (g − mean g − h mean(g h)) with h the normalized x, g = γ dy and means over the units."""
        standard, scale = saved
        gradients = {}
        if self.affine:
            gradients = {"gamma": (dy * standard).sum(1, keepdim=True), "beta": dy.sum(1, keepdim=True)}
            dy = dy * parameters["gamma"]
        along = (dy * standard).mean(2, keepdim=True)
        return (dy - dy.mean(2, keepdim=True)).addcmul_(standard, along, value=-1).mul_(scale), gradients

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:
        """The same: there are no statistics to keep."""
        return self.forward(x, parameters, buffers)[0]


NORMS: dict[str, type[Norm]] = {
    "none": Identity,
    "batch": BatchNorm,
    "ghost": GhostBatchNorm,
    "layer": LayerNorm,
    "population": PopulationNorm,
    "population_gamma": PopulationGammaNorm,
    "frozen": FrozenBatchNorm,
}
