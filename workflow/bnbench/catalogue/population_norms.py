"""Arms that normalize by the statistics of the whole training set (Luo, Wang, Shao & Peng 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bnbench.catalogue.norm import Standardizing
from bnbench.catalogue.parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor

    Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class PopulationNorm(Standardizing):
    """Population normalization (Luo, Wang, Shao & Peng 2019): the statistics are those of the whole training set.

    They are measured again every `every` steps, under the weights of that moment, layer by layer. Evaluation uses the
    statistics that the next step would use. No gradient passes through them.
    """

    title = "population norm"

    every: int = parameter(1, "number of steps between two measurements of the statistics", minimum=1)
    eps: float = parameter(1e-5, "added to the variance", minimum=0)
    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default

    def refreshed_every(self) -> int:
        """As it is set."""
        return self.every

    def is_fixed(self) -> bool:
        """True once the statistics are no longer measured."""
        return not self.every

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:
        """The same as in evaluation mode, and what `backward` needs."""
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
    """Population normalization and gamma decay, which together represent BN in the analysis of Luo et al. (2019).

    For each unit, ζγ² is added to the loss, with M the examples of a batch and ρ the excess kurtosis of its input:

        ζ = ((ρ + 2)/8 · I(γ) + 1/2 · mean_j c_j)/M

    The first term represents the noise of the batch's deviation, the second that of its mean; I(γ) is the Fisher
    information of γ, c_j the second derivative of example j's loss by the unit's output h̄_j. The paper derives it for
    one unit whose output goes into the loss. `curvature` says how it is extended to a network:

    - `network`: both in Gauss & Newton's form through the layers above, c = Σ_k (∂ v_kᵀf/∂h̄)² and
      I(γ) = mean_j Σ_k (∂ v_kᵀf/∂γ)², where Σ_k v_k v_kᵀ is the Hessian of the loss by the network's outputs f; and
      times (N − M)/(N − 1), since batches are drawn from N points without replacement: a full batch has no noise;
    - `unit`: literally, c = sigmoid(h̄) (a smooth approximation of a ReLU's) and I(γ) = mean_j (∂ℓ_j/∂γ)², whatever
      comes between the unit and the loss.

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
        """Refuse an arm without γ, since there is nothing to decay."""
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
        """Population normalization's; it saves ζ too."""
        y, saved = super().forward(x, parameters, buffers)
        return y, (*saved, self.zeta(buffers, x.shape[1]))

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:
        """Population normalization's, and the penalty's 2ζγ."""
        *kept, zeta = saved
        dx, gradients = super().backward(dy, kept, parameters)
        gradients["gamma"].addcmul_(zeta, parameters["gamma"], value=2)
        return dx, gradients

    def zeta(self, buffers: Tensors, examples: int) -> Tensor:
        """ζ of each unit in a batch of `examples`, [seeds, 1, width]."""
        kurtosis, points = buffers["fourth"] - 3, buffers["points"]
        zeta = ((kurtosis + 2) / 8 * buffers["fisher"] + buffers["curvature"] / 2) / examples
        return zeta if self.curvature == "unit" else zeta * (points - examples) / (points - 1)
