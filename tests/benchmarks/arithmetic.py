"""What the machine could do at best: the floor under a training step, and the kernels that it is made of."""

from itertools import pairwise

import numpy as np
import torch
from cases import Case
from common import Array, Work
from torch import nn

SQUARE = 1024
"""Rows and columns of the product whose rate counts as the matrix rate."""
BYTES = 28
"""Adam's traffic per parameter: weight, gradient and both averages are read, weight and both averages written."""


def operations(case: Case) -> int:
    """Floating-point operations of one network's epoch in its linear layers, whatever the batch size.

    A layer's forward product and its two gradients take 2 × inputs × outputs each, for every example; nobody needs
    the gradient of the network's input.
    """
    products = [inputs * outputs for inputs, outputs in pairwise(case.widths)]
    return 2 * sum(case.sizes) * (3 * sum(products) - products[0])


def parameters(case: Case) -> int:
    """Trained numbers of one network: weights, and per hidden unit a bias or BN's scale and shift."""
    per_unit = 2 if case.norm == "batch" else 1
    return sum(a * b for a, b in pairwise(case.widths)) + per_unit * sum(case.hidden) + 1


def matrix_product() -> Work:
    """One large product; its rate is the matrix rate."""
    a, b, c = (torch.randn(SQUARE, SQUARE) for _ in range(3))
    return lambda: torch.mm(a, b, out=c)


def stream_sum(case: Case) -> Work:
    """a + b → c over as much memory as the parameters, gradients and averages of all seeds take; 12 bytes a number."""
    a, b, c = (torch.ones(_streamed(case)) for _ in range(3))
    return lambda: torch.add(a, b, out=c)


def _streamed(case: Case) -> int:
    return 4 * case.seeds * parameters(case) // 3


def floor(case: Case, product_seconds: Array, sum_seconds: Array) -> Array:
    """Seconds of one network's epoch if its products ran at the matrix rate and its update at the bandwidth."""
    rate = 2 * SQUARE**3 / product_seconds
    bandwidth = 12 * _streamed(case) / sum_seconds
    traffic = BYTES * parameters(case) * len(case.sizes)
    return np.asarray(operations(case) / rate + traffic / bandwidth)


def kernels(case: Case) -> Work:
    """The hidden layers' three products of every batch in their own shapes, and Adam's fused updates."""
    layers = list(pairwise(case.hidden))
    weights = [torch.randn(case.seeds, inputs, outputs) / inputs**0.5 for inputs, outputs in layers]
    gradients = [torch.empty_like(weight) for weight in weights]
    activations = {
        size: [tuple(torch.randn(case.seeds, size, width) for width in layer) for layer in layers]
        for size in set(case.sizes)
    }
    flat = nn.Parameter(torch.randn(case.seeds * parameters(case)))
    flat.grad = torch.randn_like(flat)
    adam = torch.optim.Adam([flat], fused=True)

    @torch.inference_mode()
    def work() -> None:
        for size in case.sizes * case.epochs:
            for weight, gradient, (x, y) in zip(weights, gradients, activations[size], strict=True):
                torch.bmm(x, weight, out=y)
                torch.bmm(x.transpose(1, 2), y, out=gradient)
                torch.bmm(y, weight.transpose(1, 2), out=x)
                x.clamp_(-1.0, 1.0)  # products of products would overflow
            adam.step()

    return work
