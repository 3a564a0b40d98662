"""Activations of the stacked network: forward, and the derivative by torch's own backward kernels.

`forward(z)` gives y and may overwrite z; `backward(dy, z, y)` gives dz and may overwrite `dy`. Kernels that round more
than once differ between their vectorized part and the scalar rest of an array; `_whole_vectors` keeps every element in
the vectorized part, so that a trial's bits do not depend on what it is stacked with.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

_aten = torch.ops.aten
_VECTOR = 64  # elements; a multiple of every vector length in use


class Activation(NamedTuple):
    """An element-wise function and its derivative, which autograd gives where it is left out."""

    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None


def _whole_vectors(operation: Callable[..., Tensor], *arrays: Tensor) -> Tensor:
    rest = -arrays[0].numel() % _VECTOR
    flat = [functional.pad(array.reshape(-1), (0, rest)) if rest else array.reshape(-1) for array in arrays]
    return operation(*flat)[: arrays[0].numel()].view(arrays[0].shape)


def _by_output(forward: Callable[..., Tensor], backward: Callable[..., Tensor]) -> Activation:
    """An activation whose derivative is a function of its output."""
    return Activation(lambda z: _whole_vectors(forward, z), lambda dy, _, y: _whole_vectors(backward, dy, y))


def _by_input(forward: Callable[..., Tensor], backward: Callable[..., Tensor]) -> Activation:
    """An activation whose derivative is a function of its input."""
    return Activation(lambda z: _whole_vectors(forward, z), lambda dy, z, _: _whole_vectors(backward, dy, z))


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        lambda z: z.relu_(),
        lambda dy, _, y: _aten.threshold_backward.grad_input(dy, y, 0.0, grad_input=dy),
    ),
    "tanh": _by_output(torch.tanh, _aten.tanh_backward),
    "sigmoid": _by_output(torch.sigmoid, _aten.sigmoid_backward),
    "gelu": _by_input(functional.gelu, _aten.gelu_backward),
    "silu": _by_input(functional.silu, _aten.silu_backward),
    "identity": Activation(lambda z: z, lambda dy, _z, _y: dy),
}
