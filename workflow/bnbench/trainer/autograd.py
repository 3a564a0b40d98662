"""Gradients for code without hand-written ones: one forward pass under autograd, whatever the mode elsewhere."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Recorded(NamedTuple):
    """A forward pass that supports a backward pass."""

    output: Tensor
    inputs: list[Tensor]


def record(forward: Callable[..., Tensor], *inputs: Tensor) -> tuple[Tensor, Recorded]:
    """`forward(*inputs)`, and what `backward` needs; `forward` may overwrite its first input."""
    with torch.inference_mode(mode=False), torch.enable_grad():
        leaves = [tensor.clone().requires_grad_() for tensor in inputs]
        output = forward(leaves[0].clone(), *leaves[1:])
        return output.detach().clone(), Recorded(output, leaves)


def backward(dy: Tensor, recorded: Recorded) -> tuple[Tensor, ...]:
    """The gradients of all inputs, from that of the output."""
    with torch.inference_mode(mode=False):
        return torch.autograd.grad(recorded.output, recorded.inputs, dy.clone())
