"""A norm that somebody added to the catalogue, as a module of PyTorch: its class is written for stacked perceptrons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bnbench.catalogue.norm import Norm
from bnbench.errors import UserError
from bnbench.trainer.norm_modules import NAMES, ArmNorm

Tensors = dict[str, Tensor]


class CatalogueNorm(ArmNorm[Norm]):
    """Runs the class's own methods as those of one seed, on activations [batch, channels].

    Raises:
        UserError: the norm wants more of the training set than its statistics; or, at the first use, the activations
            have positions.
    """

    statistics = ("mean", "variance")

    def __init__(
        self, norm: Norm, channels: int, dtype: torch.dtype | None = None, device: torch.device | None = None
    ) -> None:
        self._present = norm  # what is in force
        if norm.measures:
            raise UserError(
                f"found class {type(norm).__name__}, which measures the loss on the whole training set; "
                "allowed outside of the built-in perceptrons: a norm without measure()"
            )
        super().__init__(norm, channels, dtype, device)
        for name, value in norm.buffers().items():
            self.register_buffer(name, torch.full((channels,), value, dtype=dtype, device=device))

    @property
    def keeps(self) -> bool:
        """Whether its mean and variance are running ones that the whole training set can give."""
        measured = type(self.norm).population is not Norm.population
        return measured and {"mean", "variance"} <= {*self.norm.buffers()} and not self._present.is_fixed()

    @property
    def every(self) -> int:
        """As the norm says that is in force."""
        return self._present.refreshed_every()

    @property
    def takes_batches(self) -> bool:
        """As the norm says that is in force."""
        return self._present.batch_statistics

    def begin(self, progress: float) -> None:
        """Take the norm that is in force from here on."""
        self._present = self.norm.at(progress)

    def forward(self, x: Tensor) -> Tensor:
        """What the class makes of `x`, in training mode or evaluation mode.

        Raises:
            UserError: `x` has positions.
        """
        if x.dim() != 2:
            raise UserError(
                f"found activations with positions, {list(x.shape)}, allowed with class {type(self.norm).__name__}: "
                "[examples, channels], since its forward() is written for perceptrons"
            )
        stacked, parameters, buffers = x[None], self._parameters_by_name(), self._buffers_by_name()
        if self.measuring and self.keeps:
            for name, values in self._present.population([stacked.detach()]).items():
                buffers[name].copy_(values)
        if self.measuring or not self.training:
            return self._present.evaluate(stacked, parameters, buffers)[0]
        if type(self._present).backward is None:
            return self._present.forward(stacked.clone(), parameters, buffers)[0][0]
        y: Tensor = _ByHand.apply(  # type: ignore[no-untyped-call]
            self._present, stacked, [*parameters], buffers, *parameters.values()
        )
        return y[0]

    def _parameters_by_name(self) -> Tensors:
        """As the class calls them, [1, 1, channels]."""
        return {name: self.get_parameter(NAMES.get(name, name)).view(1, 1, -1) for name in self.norm.parameters()}

    def _buffers_by_name(self) -> Tensors:
        """Views, so that what the class does to them is done to the module's."""
        return {name: self.get_buffer(name).view(1, 1, -1) for name in self.norm.buffers()}


class _ByHand(torch.autograd.Function):
    """A forward pass whose gradient the norm gives by hand."""

    @staticmethod
    def forward(ctx: Any, norm: Norm, x: Tensor, names: Sequence[str], buffers: Tensors, *values: Tensor) -> Tensor:
        """The norm's, on a copy: it may overwrite what it gets."""
        ctx.norm, ctx.parameters = norm, dict(zip(names, values, strict=True))
        y, ctx.kept = norm.forward(x.clone(), ctx.parameters, buffers)
        return y

    @staticmethod
    def backward(ctx: Any, *dy: Tensor) -> Any:
        """The norm's too."""
        dx, gradients = ctx.norm.backward(dy[0].clone(), ctx.kept, ctx.parameters)
        return None, dx, None, None, *(gradients[name] for name in ctx.parameters)
