"""The arms as modules of PyTorch, for networks that are trained one at a time: what they share, and norms of examples.

Activations are [batch, channels, …], with any number of axes of positions behind the channels, such as the height and
width of an image. Parameters and buffers are [channels] and have the names that PyTorch gives them. What an arm does,
and the paper that it comes from, are documented at its class in the catalogue.

No module reads a tensor back from the device, so that a step can be captured in a CUDA graph. What depends on the
progress of the training changes in `begin` alone.
"""

from __future__ import annotations

import math
from typing import ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnbench.catalogue import example_norms
from bnbench.catalogue.norm import Norm
from bnbench.errors import UserError

NAMES = {"gamma": "weight", "beta": "bias"}
"""Parameter of the catalogue → its name in PyTorch."""

Arm = TypeVar("Arm", bound=Norm)
_Grouping = TypeVar("_Grouping", bound=example_norms.GroupNorm | example_norms.LayerNorm | example_norms.InstanceNorm)


class ArmNorm(nn.Module, Generic[Arm]):
    """What the modules of all arms share, and what an engine asks of them.

    Args:
        norm: the arm, as the catalogue has built it.
        channels: number of channels of its input.
        dtype: type of parameters and buffers.
        device: where they live.

    Raises:
        UserError: the arm cannot normalize so many channels.
    """

    weight: nn.Parameter | None
    bias: nn.Parameter | None
    statistics: ClassVar[tuple[str, ...]] = ()
    """Names of the buffers that hold the mean and the variance which it keeps."""
    measuring: bool = False
    """Whether `forward` takes the exact statistics of its input, keeps them, and normalizes by them.

    So one pass of the whole training set, as one batch, measures precise statistics layer by layer (Wu & Johnson 2021).
    """

    def __init__(
        self, norm: Arm, channels: int, dtype: torch.dtype | None = None, device: torch.device | None = None
    ) -> None:
        if misfit := norm.misfit(channels):
            raise UserError(misfit)
        super().__init__()
        self.norm, self.channels = norm, channels
        start = {NAMES.get(name, name): value for name, value in norm.parameters().items()}
        for name, value in {**dict.fromkeys(NAMES.values()), **start}.items():
            values = None if value is None else torch.full((channels,), value, dtype=dtype, device=device)
            self.register_parameter(name, None if values is None else nn.Parameter(values))

    @property
    def keeps(self) -> bool:
        """Whether it has running statistics that precise ones may stand in for, by `measuring` or `take`."""
        return False

    @property
    def every(self) -> int:
        """Steps after which the engine measures the statistics again on the whole training set; 0: never."""
        return 0

    @property
    def takes_batches(self) -> bool:
        """Whether training normalizes by the batch, as far as is known."""
        return False

    def begin(self, progress: float) -> None:
        """Do what is due from this share of the epochs on."""

    def take(self, mean: Tensor, variance: Tensor) -> None:
        """Keep this mean and this biased variance, [channels] each, in place of its own.

        Raises:
            ValueError: it keeps none.
        """
        for name, values in zip(self.statistics, (mean, variance), strict=True):
            self.get_buffer(name).copy_(values)

    def extra_repr(self) -> str:
        """What `print` shows in its brackets."""
        return str(self.channels)


class Shift(nn.Module):
    """A trained shift of each channel: it replaces an absent norm if the layer before has no bias."""

    def __init__(self, channels: int, dtype: torch.dtype | None = None, device: torch.device | None = None) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, dtype=dtype, device=device))

    def forward(self, x: Tensor) -> Tensor:
        """Return x + β."""
        return x + along(self.bias, x)


class GroupNorm(ArmNorm[_Grouping]):
    """`group`: each example by the moments of each group of channels, over all positions."""

    too_few: ClassVar[str] = "found one value in a group, allowed with norm 'group': groups of several values"

    def groups(self) -> int:
        """How many there are."""
        return self.norm.groups if isinstance(self.norm, example_norms.GroupNorm) else 1

    def forward(self, x: Tensor) -> Tensor:
        """Return γ (x − m)/√(v + eps) + β, with mean m and biased variance v of the example's group.

        Raises:
            UserError: a group holds only one value, so that a constant would remain.
        """
        if self.too_few and math.prod(x.shape[1:]) == self.groups():
            raise UserError(self.too_few)
        return functional.group_norm(x, self.groups(), self.weight, self.bias, self.norm.eps)


class LayerNorm(GroupNorm[example_norms.LayerNorm]):
    """`layer`: one group of all channels and positions, with γ and β of each channel (Wu & He 2018, section 3.1)."""

    too_few = ""


class InstanceNorm(GroupNorm[example_norms.InstanceNorm]):
    """`instance`: one group a channel."""

    too_few = "found one position, allowed with norm 'instance': activations of several positions, as of images"

    def groups(self) -> int:
        """As many as channels."""
        return self.channels


class RMSNorm(ArmNorm[example_norms.RMSNorm]):
    """`rms`: each example by the root mean square of all channels and positions."""

    def forward(self, x: Tensor) -> Tensor:
        """Return γ x/√(q + eps), with the example's mean square q."""
        y = functional.rms_norm(x, list(x.shape[1:]), eps=self.norm.eps)
        return y if self.weight is None else y * along(self.weight, x)


def along(values: Tensor, x: Tensor) -> Tensor:
    """[channels] in the shape in which it is broadcast over `x`, [batch, channels, …]."""
    return values.view(-1, *[1] * (x.dim() - 2))
