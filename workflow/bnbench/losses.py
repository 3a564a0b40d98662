"""Losses: what a network is trained to make small.

A loss is one small class: `forward` gives the loss of every example. Its gradient comes from autograd unless the class
gives `differentiate` by hand.
"""

from abc import ABC, abstractmethod

from torch import Tensor

from bnbench import autograd


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


class SquaredLoss(Loss):
    """The squared error of one output."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """(output − target)²."""
        return (output - target).square()

    def differentiate(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and 2 (output − target)."""
        error = output - target
        return error * error, error.mul_(2.0)
