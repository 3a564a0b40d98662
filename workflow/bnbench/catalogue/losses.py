"""Losses: what training minimizes.

A loss is one small class: `forward` gives the loss of every example. Its derivatives come from autograd unless the
class gives them by hand. The registry at the end gives it the name by which a task asks for it.

torch is imported for its types alone, since tensors bring their own methods: so the planner can read the losses' names
from here without paying for the import.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import ChainMap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bnbench.catalogue import own
from bnbench.catalogue.own import OwnCode
from bnbench.catalogue.parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor


Kind = Literal["numbers", "classes", "flags"]
"""What targets are: numbers; classes, a one in the column of the right class; or flags, several of which may be 1."""


@dataclass(frozen=True)
class Loss(ABC):
    """What every loss declares."""

    differentiate: ClassVar[Callable[..., Any] | None] = None
    """`differentiate(output, target) -> (losses, gradient)`, optional; else autograd differentiates `forward`."""
    hessian_roots: ClassVar[Callable[..., Any] | None] = None
    """`hessian_roots(output, target)`, optional, see `trainer.objectives`; without it, autograd uses `forward`."""

    kind: ClassVar[Kind] = "numbers"
    """The targets of a task whose own loss this is; a setting may use it with others, see `allowed`."""
    allowed: ClassVar[tuple[Kind, ...]] = ("numbers", "classes", "flags")
    """The targets with which it can be used."""

    @abstractmethod
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """[seeds, batch, outputs] twice → the loss of every example, [seeds, batch, 1]."""

    def resolution(self, epsilon: float) -> float:
        """The smallest loss of one example that floating-point numbers of this relative precision distinguish from 0.

        Of a loss that is quadratic near 0, with outputs and targets near 1.
        """
        return epsilon**2


class SquaredLoss(Loss):
    """The squared error, as a mean over the outputs."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """(output − target)²."""
        return _over_outputs((output - target).square())

    def differentiate(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and 2 (output − target)/outputs."""
        error = output - target
        return _over_outputs(error * error), error.mul_(2.0 / error.shape[2])

    def hessian_roots(self, output: Tensor, target: Tensor) -> Sequence[Tensor]:  # noqa: ARG002
        """√(2/outputs) for each output: the second derivative is 2/outputs, and 0 across outputs."""
        outputs = output.shape[2]
        roots = (output.clone().fill_(0.0) for _ in range(outputs))
        return tuple(_filled(root, k, math.sqrt(2 / outputs)) for k, root in enumerate(roots))


class AbsoluteLoss(Loss):
    """The absolute error, as a mean over the outputs."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """|output − target|."""
        return _over_outputs((output - target).abs())

    def differentiate(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and the sign of the error over the number of outputs."""
        error = output - target
        return _over_outputs(error.abs()), error.sign().mul_(1.0 / error.shape[2])

    def resolution(self, epsilon: float) -> float:
        """The smallest difference of numbers near 1."""
        return epsilon


@dataclass(frozen=True)
class HuberLoss(Loss):
    """Huber's loss (1964): half the squared error up to `delta`, and linear beyond; a mean over the outputs."""

    delta: float = parameter(1.0, "the error up to which the loss is quadratic", exclusiveMinimum=0)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """e²/2 where |e| ≤ δ, else δ (|e| − δ/2)."""
        error = output - target
        cut = error.clamp(-self.delta, self.delta)
        return _over_outputs(cut * (error - cut / 2))

    def differentiate(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and the error cut at ±δ, over the number of outputs."""
        cut = (output - target).clamp_(-self.delta, self.delta)
        return self.forward(output, target), cut.mul_(1.0 / cut.shape[2])


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy of classes; outputs are logits, and targets are 1 for the right class, else 0."""

    label_smoothing: float = parameter(
        0.0, "share of every target that is spread evenly over all classes (Szegedy et al. 2016)", minimum=0, maximum=1
    )

    kind = "classes"
    allowed = ("classes",)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """−Σ target log softmax."""
        return -(self._smoothed(target) * output.log_softmax(2)).sum(2, keepdim=True)

    def differentiate(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and softmax − target."""
        return self.forward(output, target), output.softmax(2).sub_(self._smoothed(target))

    def hessian_roots(self, output: Tensor, target: Tensor) -> Sequence[Tensor]:  # noqa: ARG002
        """√p_k (e_k − p) for every class k, since diag p − p pᵀ = Σ_k p_k (e_k − p)(e_k − p)ᵀ."""
        p = output.softmax(2)
        classes = p.new_zeros(p.shape[2], p.shape[2]).fill_diagonal_(1.0)
        return tuple((classes[k] - p) * p[:, :, k : k + 1].sqrt() for k in range(p.shape[2]))

    def resolution(self, epsilon: float) -> float:
        """The smallest logarithm of a number above 1."""
        return epsilon

    def _smoothed(self, target: Tensor) -> Tensor:
        smoothing = self.label_smoothing
        return target if not smoothing else target * (1 - smoothing) + smoothing / target.shape[2]


class BinaryCrossEntropy(Loss):
    """Cross-entropy of flags, each a separate yes or no; outputs are logits. A mean over the outputs."""

    kind = "flags"
    allowed = ("flags", "classes")

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """log(1 + exp(output)) − target · output, in a form that does not overflow."""
        return _over_outputs(output.logaddexp(output.new_zeros(())) - output * target)

    def differentiate(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and (sigmoid − target)/outputs."""
        return self.forward(output, target), output.sigmoid().sub_(target).mul_(1.0 / output.shape[2])

    def resolution(self, epsilon: float) -> float:
        """The smallest logarithm of a number above 1."""
        return epsilon


def _over_outputs(losses: Tensor) -> Tensor:
    """The mean over the outputs, [seeds, batch, 1]; a single output is returned unchanged."""
    return losses if losses.shape[2] == 1 else losses.mean(2, keepdim=True)


def _filled(root: Tensor, output: int, value: float) -> Tensor:
    """The same tensor with a value in the column of one output."""
    root[:, :, output] = value
    return root


LOSSES: dict[str, type[Loss]] = {
    "squared": SquaredLoss,
    "absolute": AbsoluteLoss,
    "huber": HuberLoss,
    "cross_entropy": CrossEntropy,
    "binary": BinaryCrossEntropy,
}

OF_TASK = "task"
"""Name of the task's own loss."""


@dataclass(frozen=True)
class OfTask:
    """The task's own loss: squared error, or cross-entropy of classes."""

    title = "the task's loss"


@dataclass(frozen=True)
class OwnLoss(OwnCode):
    """Your own loss: a function in a Python file, of `output` and `target`, that returns the loss of every example."""

    title = "own loss"
    supplied = ("output", "target")


CHOICES: ChainMap[str, type[Any]] = ChainMap({OF_TASK: OfTask, own.NAME: OwnLoss}, LOSSES)
"""What the key `loss` of the config may name."""
