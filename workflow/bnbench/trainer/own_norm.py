"""The user's own norm as a layer of a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnbench.catalogue.norms import OwnNorm
from bnbench.errors import UserError
from bnbench.trainer import usercode
from bnbench.trainer.norm_modules import ArmNorm


class OwnNormLayer(ArmNorm[OwnNorm]):
    """Holds the module that the user's function returns for `channels` channels.

    Its parameters are called `layer.…`, so that no arm takes another one's initial values for them.

    Raises:
        UserError: the function fails or gives no module; or, at a use, the module changes the shape of its input.
    """

    def __init__(
        self, norm: OwnNorm, channels: int, dtype: torch.dtype | None = None, device: torch.device | None = None
    ) -> None:
        super().__init__(norm, channels, dtype, device)
        layer = usercode.call(norm, f"makes the norm with {norm.build}", channels=channels)
        if not isinstance(layer, nn.Module):
            raise UserError(f"{self._where()} gives a {type(layer).__name__}, allowed: a layer (torch.nn.Module)")
        self.layer = layer.to(device, dtype)

    @property
    def takes_batches(self) -> bool:
        """It may."""
        return True

    def forward(self, x: Tensor) -> Tensor:
        """The output of the user's module for `x`."""
        y = self.layer(x)
        if not isinstance(y, Tensor) or y.shape != x.shape:
            found = list(y.shape) if isinstance(y, Tensor) else f"a {type(y).__name__}"
            raise UserError(f"{self._where()} gives {found} for {list(x.shape)}, allowed: the shape of its input")
        return y

    def _where(self) -> str:
        return f"{self.norm.path}: {self.norm.build}"
