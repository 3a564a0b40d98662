"""Losses: what a network is trained to make small.

A loss is one small class: `forward` gives the loss of every example. Its derivatives come from autograd unless the
class gives them by hand. The registry at the end gives it the name by which a task asks for it.

torch is imported for its types alone, since tensors bring their own methods: so the planner can read the losses' names
from here without paying for the import.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bnbench.catalogue import own
from bnbench.catalogue.own import OwnCode

if TYPE_CHECKING:
    from torch import Tensor


class Loss(ABC):
    """What every loss says of itself."""

    differentiate: ClassVar[Callable[..., Any] | None] = None
    """`differentiate(output, target) -> (losses, gradient)`, an option; without it autograd serves `forward`."""
    hessian_roots: ClassVar[Callable[..., Any] | None] = None
    """`hessian_roots(output, target)`, an option, see `trainer.objectives`; without it autograd serves `forward`."""

    classifies: ClassVar[bool] = False
    """Whether its targets are classes, so that `accuracy` gives a number."""

    @abstractmethod
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """[seeds, batch, outputs] twice → the loss of every example, [seeds, batch, 1]."""

    def resolution(self, epsilon: float) -> float:
        """The smallest loss of one example that floating-point numbers of this relative precision tell from 0.

        Of a loss that is quadratic near 0, with outputs and targets near 1.
        """
        return epsilon**2

    def accuracy(self, output: Tensor, target: Tensor) -> Tensor | None:  # noqa: ARG002
        """Each seed's share of examples that are classified rightly, [seeds]; None where nothing is classified."""
        return None


class SquaredLoss(Loss):
    """The squared error of one output."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """(output − target)²."""
        return (output - target).square()

    def differentiate(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and 2 (output − target)."""
        error = output - target
        return error * error, error.mul_(2.0)

    def hessian_roots(self, output: Tensor, target: Tensor) -> Sequence[Tensor]:  # noqa: ARG002
        """√2: the second derivative is 2."""
        return (output.clone().fill_(math.sqrt(2)),)


class CrossEntropy(Loss):
    """Cross-entropy of classes, by outputs that are logits and targets that are 1 for the right class, else 0."""

    classifies = True

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """−log softmax of the right class."""
        return -(target * output.log_softmax(2)).sum(2, keepdim=True)

    def differentiate(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and softmax − target."""
        return self.forward(output, target), output.softmax(2).sub_(target)

    def hessian_roots(self, output: Tensor, target: Tensor) -> Sequence[Tensor]:  # noqa: ARG002
        """√p_k (e_k − p) for every class k, since diag p − p pᵀ = Σ_k p_k (e_k − p)(e_k − p)ᵀ."""
        p = output.softmax(2)
        classes = p.new_zeros(p.shape[2], p.shape[2]).fill_diagonal_(1.0)
        return tuple((classes[k] - p) * p[:, :, k : k + 1].sqrt() for k in range(p.shape[2]))

    def resolution(self, epsilon: float) -> float:
        """The smallest logarithm of a number above 1."""
        return epsilon

    def accuracy(self, output: Tensor, target: Tensor) -> Tensor:
        """Share of examples whose largest output is that of the right class."""
        return (output.argmax(2) == target.argmax(2)).to(output.dtype).mean(1)


LOSSES: dict[str, type[Loss]] = {"squared": SquaredLoss, "cross_entropy": CrossEntropy}

OF_TASK = "task"
"""The loss that the task asks for."""


@dataclass(frozen=True)
class OfTask:
    """The loss that the task asks for: squared error, or cross-entropy of classes."""

    title = "the task's loss"


@dataclass(frozen=True)
class OwnLoss(OwnCode):
    """Your own loss: a function in a Python file, of `output` and `target`, that gives the loss of every example."""

    title = "own loss"
    supplied = ("output", "target")


CHOICES: dict[str, type[Any]] = {OF_TASK: OfTask, own.NAME: OwnLoss}
"""What the key `loss` of the config may name."""
