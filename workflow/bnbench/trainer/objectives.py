"""Losses: what a network is trained to make small.

A loss is one small class: `forward` gives the loss of every example. Its gradient comes from autograd unless the class
gives `differentiate` by hand. The registry at the end gives it the name by which a task asks for it.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from bnbench.trainer import autograd


class Loss(ABC):
    """What every loss says of itself."""

    @abstractmethod
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """[seeds, batch, outputs] twice → the loss of every example, [seeds, batch, 1]."""

    def differentiate(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of every example, and its gradient with respect to `output`."""
        # A copy of the target, since autograd may keep it and keeps no tensor of inference mode.
        losses, recorded = autograd.record(lambda leaf: self.forward(leaf, target.clone()), output)
        (gradient,) = autograd.backward(losses.new_ones(losses.shape), recorded)
        return losses, gradient

    def mean(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean loss of each seed, [seeds]."""
        return self.forward(output, target).mean((1, 2))

    def hessian_roots(self, output: Tensor, target: Tensor) -> Sequence[Tensor]:
        """Tensors v like `output` whose Σ v vᵀ is the Hessian of each example's loss by its outputs.

        Without its negative part, which losses that are convex in their outputs do not have.
        """
        with torch.inference_mode(mode=False), torch.enable_grad():
            leaf, truth = output.clone().requires_grad_(), target.clone()
            (slope,) = torch.autograd.grad(self.forward(leaf, truth).sum(), leaf, create_graph=True)
            rows = [torch.autograd.grad(column.sum(), leaf, retain_graph=True)[0] for column in slope.unbind(2)]
        values, vectors = torch.linalg.eigh(torch.stack(rows, dim=2))
        roots: Sequence[Tensor] = (vectors * values.clamp(min=0).sqrt()[:, :, None]).unbind(3)
        return roots

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
        return (torch.full_like(output, math.sqrt(2)),)


class CrossEntropy(Loss):
    """Cross-entropy of classes, by outputs that are logits and targets that are 1 for the right class, else 0."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """−log softmax of the right class."""
        return -(target * output.log_softmax(2)).sum(2, keepdim=True)

    def differentiate(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and softmax − target."""
        return self.forward(output, target), output.softmax(2).sub_(target)

    def hessian_roots(self, output: Tensor, target: Tensor) -> Sequence[Tensor]:  # noqa: ARG002
        """√p_k (e_k − p) for every class k, since diag p − p pᵀ = Σ_k p_k (e_k − p)(e_k − p)ᵀ."""
        p = output.softmax(2)
        classes = torch.eye(p.shape[2], dtype=p.dtype, device=p.device)
        return tuple((classes[k] - p) * p[:, :, k : k + 1].sqrt() for k in range(p.shape[2]))

    def accuracy(self, output: Tensor, target: Tensor) -> Tensor:
        """Share of examples whose largest output is that of the right class."""
        return (output.argmax(2) == target.argmax(2)).to(output.dtype).mean(1)


LOSSES: dict[str, Loss] = {"squared": SquaredLoss(), "cross_entropy": CrossEntropy()}
