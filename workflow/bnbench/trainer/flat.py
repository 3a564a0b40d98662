"""How the parameters of stacked networks lie in memory: one after another in one flat vector.

An element-wise optimizer can thus update all of them in one pass.
"""

import math
from collections.abc import Mapping
from itertools import accumulate

import torch
from torch import Tensor

from bnbench.catalogue.norm import Norm
from bnbench.plan.layout import aligned
from bnbench.trainer.initialization import Layers

Tensors = dict[str, Tensor]

_FLAT = 1024  # the flat vector's length is a multiple of this: no kernel and no thread meets a scalar rest of it


def shapes(weights: Layers, norm: Norm) -> dict[str, tuple[int, ...]]:
    """The shapes of the parameters, as their layers' classes document them, in the order of the flat vector."""
    found: dict[str, tuple[int, ...]] = {}
    for i, (weight, bias) in enumerate(weights):
        seeds, outputs, inputs = weight.shape
        inputs = 1 if i == 0 and inputs == 1 else aligned(inputs)
        outputs = 1 if is_lone(weights, i) else aligned(outputs)
        found[f"linear{i}.weight"] = (seeds, 1, inputs) if is_lone(weights, i) else (seeds, inputs, outputs)
        if bias is not None:
            found[f"linear{i}.bias"] = (seeds, 1, outputs)
    for i, (weight, _) in enumerate(weights[:-1]):
        found |= {f"norm{i}.{name}": (weight.shape[0], 1, weight.shape[1]) for name in norm.parameters()}
    return found


def vector(shapes: Mapping[str, tuple[int, ...]], dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensors]:
    """One vector of zeros that holds arrays of all shapes one after another, and the views of it by name."""
    sizes = [math.prod(shape) for shape in shapes.values()]
    flat = torch.zeros(-(-sum(sizes) // _FLAT) * _FLAT, dtype=dtype, device=device)
    return flat, {
        name: flat[end - size : end].view(shape)
        for end, size, (name, shape) in zip(accumulate(sizes), sizes, shapes.items(), strict=True)
    }


def group(tensors: Tensors, prefix: str) -> Tensors:
    """Those whose names begin with the prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def is_lone(weights: Layers, layer: int) -> bool:
    """Whether it is the last layer and has one output, see `linears.Output`."""
    return layer == len(weights) - 1 and weights[layer][0].shape[1] == 1
