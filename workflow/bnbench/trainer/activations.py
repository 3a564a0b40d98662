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

from bnbench.catalogue.activations import ACTIVATIONS, Activation

_aten = torch.ops.aten
_VECTOR = 64  # elements; a multiple of every vector length in use


class Kernels(NamedTuple):
    """An element-wise function and its derivative, which autograd gives where it is left out."""

    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None


def kernels(name: str) -> Kernels:
    """What computes the activation that the config calls `name`."""
    return _IN_PLACE.get(name) or _of_torch(ACTIVATIONS[name])


def _of_torch(activation: type[Activation]) -> Kernels:
    function = getattr(torch, activation.function, None) or getattr(functional, activation.function)
    if activation.kernel is None:
        return Kernels(function)
    kernel, by_output = getattr(_aten, activation.kernel), activation.kernel_takes == "output"
    return Kernels(
        lambda z: _whole_vectors(function, z),
        lambda dy, z, y: _whole_vectors(kernel, dy, y if by_output else z),
    )


def _whole_vectors(operation: Callable[..., Tensor], *arrays: Tensor) -> Tensor:
    rest = -arrays[0].numel() % _VECTOR
    flat = [functional.pad(array.reshape(-1), (0, rest)) if rest else array.reshape(-1) for array in arrays]
    return operation(*flat)[: arrays[0].numel()].view(arrays[0].shape)


_IN_PLACE = {
    "relu": Kernels(
        lambda z: z.relu_(),
        lambda dy, _, y: _aten.threshold_backward.grad_input(dy, y, 0.0, grad_input=dy),
    ),
    "identity": Kernels(lambda z: z, lambda dy, _z, _y: dy),
}
"""Activations that need no extra memory, and round at most once."""
