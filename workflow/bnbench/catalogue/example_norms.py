"""Arms that normalize each example by itself, so that nothing depends on the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bnbench.catalogue.norm import Norm
from bnbench.catalogue.parameters import parameter
from bnbench.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class LayerNorm(Norm):
    """Layer normalization (Ba, Kiros & Hinton 2016), with the semantics of PyTorch's LayerNorm.

    Each example is normalized over the units of the layer. Nothing depends on the batch; a scale of the weights still
    has no effect: the control for normalization itself.
    """

    title = "layer norm"

    eps: float = parameter(1e-5, "added to the variance", minimum=0)
    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default

    def leaves_nothing(self, channels: int) -> bool:
        """Of one unit, nothing but a constant."""
        return channels == 1

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


@dataclass(frozen=True)
class GroupNorm(Norm):
    """Group normalization (Wu & He 2018), with the semantics of PyTorch's GroupNorm.

    Each example is normalized over each of several groups of consecutive channels, and over all positions. One group
    makes it layer normalization. By default there are two, since every even width has two groups; the paper's 32 are
    for wide layers only.
    """

    title = "group norm"

    groups: int = parameter(2, "number of groups, which divides the number of channels", minimum=1)
    eps: float = parameter(1e-5, "added to the variance", minimum=0)
    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default

    def misfit(self, channels: int) -> str:
        """The groups must have equal sizes."""
        if channels % self.groups == 0:
            return ""
        counted = "1 channel" if channels == 1 else f"{channels} channels"
        return f"found {counted}, allowed with norm 'group' groups={self.groups}: a multiple of {self.groups}"

    def leaves_nothing(self, channels: int) -> bool:
        """Groups of one unit leave nothing but constants."""
        return channels == self.groups

    def parameters(self) -> dict[str, float]:
        """γ and β of each channel."""
        return {"gamma": 1.0, "beta": 0.0} if self.affine else {}

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:  # noqa: ARG002
        """Return γ (x − m)/√(v + eps) + β, with mean m and biased variance v of the example's group of units.

        Raises:
            UserError: the groups do not divide the units, or each holds one unit only.
        """
        grouped = self._grouped(x)
        centred = grouped - grouped.mean(3, keepdim=True)
        scale = centred.square().mean(3, keepdim=True).add_(self.eps).rsqrt_()
        standard = centred.mul_(scale).flatten(2)
        # What follows may overwrite y.
        y = parameters["beta"].addcmul(standard, parameters["gamma"]) if self.affine else standard.clone()
        return y, (standard, scale)

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:
        """Layer normalization's in each group: dx = s (g − mean g − h mean(g h)), h the normalized x and g = γ dy."""
        standard, scale = saved
        gradients = {}
        if self.affine:
            gradients = {"gamma": (dy * standard).sum(1, keepdim=True), "beta": dy.sum(1, keepdim=True)}
            dy = dy * parameters["gamma"]
        grouped, of_group = self._grouped(dy), self._grouped(standard)
        along = (grouped * of_group).mean(3, keepdim=True)
        dx = (grouped - grouped.mean(3, keepdim=True)).addcmul_(of_group, along, value=-1).mul_(scale)
        return dx.flatten(2), gradients

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:
        """The same: there are no statistics to keep."""
        return self.forward(x, parameters, buffers)[0]

    def _grouped(self, x: Tensor) -> Tensor:
        """[seeds, batch, width] → [seeds, batch, groups, units]."""
        width = x.shape[2]
        if misfit := self.misfit(width):
            raise UserError(misfit)
        if self.leaves_nothing(width):
            raise UserError(f"found {width} units in {width} groups, allowed: groups of at least 2 units")
        return x.reshape(*x.shape[:2], self.groups, width // self.groups)


@dataclass(frozen=True)
class RMSNorm(Norm):
    """Root mean square normalization (Zhang & Sennrich 2019), with the semantics of PyTorch's RMSNorm.

    Layer normalization that does not subtract the mean, and has no shift.
    """

    title = "RMS norm"

    eps: float = parameter(1e-5, "added to the mean square", minimum=0)
    affine: bool = parameter(True, "whether a trained scale follows")  # noqa: FBT003 - a default

    def leaves_nothing(self, channels: int) -> bool:
        """A single unit leaves nothing but its sign."""
        return channels == 1

    def parameters(self) -> dict[str, float]:
        """γ."""
        return {"gamma": 1.0} if self.affine else {}

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:  # noqa: ARG002
        """Return γ x/√(q + eps), with the mean square q of the example's units."""
        scale = x.square().mean(2, keepdim=True).add_(self.eps).rsqrt_()
        standard = x * scale
        # What follows may overwrite y.
        return standard * parameters["gamma"] if self.affine else standard.clone(), (standard, scale)

    def backward(self, dy: Tensor, saved: Any, parameters: Tensors) -> tuple[Tensor, Tensors]:
        """By dx = s (g − h mean(g h)) with h the normalized x, g = γ dy and means over the units."""
        standard, scale = saved
        gradients = {}
        if self.affine:
            gradients = {"gamma": (dy * standard).sum(1, keepdim=True)}
            dy = dy * parameters["gamma"]
        along = (dy * standard).mean(2, keepdim=True)
        return dy.addcmul(standard, along, value=-1).mul_(scale), gradients

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:
        """The same: there are no statistics to keep."""
        return self.forward(x, parameters, buffers)[0]


@dataclass(frozen=True)
class InstanceNorm(Norm):
    """Instance normalization (Ulyanov, Vedaldi & Lempitsky 2016): each channel of each example over its positions.

    It does not work in a perceptron: a unit has one value per example, so normalization would leave a constant.
    """

    title = "instance norm"
    replaces_bias = True
    needs_positions = True

    eps: float = parameter(1e-5, "added to the variance", minimum=0)
    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default

    def parameters(self) -> dict[str, float]:
        """γ and β of each channel."""
        return {"gamma": 1.0, "beta": 0.0} if self.affine else {}

    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:  # noqa: ARG002
        """Refuse activations without positions.

        Raises:
            UserError: always.
        """
        raise UserError(
            "found activations [examples, channels], allowed with norm 'instance': those with positions, as in images"
        )
