"""The module of an arm, and what goes through it forward and backward, to be compared with PyTorch's own."""

import pytest
import torch

from bnbench.catalogue.norms import NORMS
from bnbench.trainer.norm_layers import make

SHAPES = {2: (9, 6), 3: (9, 6, 5), 4: (9, 6, 4, 3), 5: (5, 6, 2, 3, 2)}
ranks = pytest.mark.parametrize("rank", SHAPES)
affinities = pytest.mark.parametrize("affine", [True, False])


def normal(*shape, seed=1):
    """Normal numbers around 2 that differ in spread from channel to channel."""
    generator = torch.Generator().manual_seed(seed)
    spread = torch.linspace(0.5, 3, shape[1], dtype=torch.float64).view(-1, *[1] * (len(shape) - 2))
    return 2 + spread * torch.randn(*shape, dtype=torch.float64, generator=generator)


def module(name, channels=6, **options):
    """An arm's module in double precision, whose γ and β are no longer 1 and 0."""
    made = make(NORMS[name](**options), channels, torch.float64)
    spread(made)
    return made


def spread(made):
    """Give γ and β other values, by their names."""
    with torch.no_grad():
        for name, values in made.named_parameters():
            values.copy_(torch.linspace(*{"weight": (0.5, 1.5), "bias": (-1, 1)}[name], values.numel()))


def passed(made, x, dy):
    """Output, and the gradients of the input and of all parameters by name."""
    leaf = x.clone().requires_grad_()
    y = made(leaf)
    names, values = zip(*[("x", leaf), *made.named_parameters()], strict=True)
    return {"y": y.detach(), **dict(zip(names, torch.autograd.grad(y, values, dy), strict=True))}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        torch.testing.assert_close(
            found[name], values, rtol=1e-12, atol=1e-12, msg=lambda said, name=name: f"{name}: {said}"
        )


def assert_passes_like(made, reference, rank, steps=3):
    """The same forward and backward, in training and in evaluation, and the same buffers after some steps."""
    for step in range(steps):
        x, dy = (normal(*SHAPES[rank], seed=2 * step + offset) for offset in (0, 1))
        assert_same(passed(made, x, dy), passed(reference, x, dy))
    assert_same(dict(made.named_buffers()), dict(reference.named_buffers()))
    assert_same(passed(made.eval(), x, dy), passed(reference.eval(), x, dy))
    assert_same(dict(made.named_buffers()), dict(reference.named_buffers()))
