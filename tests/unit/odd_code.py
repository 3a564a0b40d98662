# ruff: noqa: NPY002 - what users draw from
"""Code of a user's that is odd and allowed: it must train to the same bits whatever happens."""

import random

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrizations

DRAWN = torch.randn(8)


class Odd(nn.Module):
    """A perceptron with something between its norm and its last layer."""

    def __init__(self, norm, inputs, outputs):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(int(np.prod(inputs)), 8), norm(8), nn.Linear(8, outputs)
        self.middle = nn.Linear(8, 8)

    def forward(self, x):
        return self.last(self.between(self.norm(self.first(x.flatten(1))).relu()))


class Buffers(Odd):
    """Buffers of other types, and such as there are only once the network has run, or that change their shape."""

    def __init__(self, norm, inputs, outputs):
        super().__init__(norm, inputs, outputs)
        self.register_buffer("steps", torch.tensor(0))
        self.register_buffer("brain", torch.ones(3, dtype=torch.bfloat16))
        self.register_buffer("turned", torch.polar(torch.ones(4), torch.arange(4.0)), persistent=False)
        self.register_buffer("mask", None)
        self.register_buffer("weights", torch.zeros(0))

    def between(self, h):
        if self.mask is None:
            self.mask = torch.linspace(0, 1, 8).to(h)
            self.register_buffer("late", torch.ones(8).to(h))
        if len(self.weights) != len(h):
            self.weights = torch.ones(len(h)).to(h)
        if self.training:
            self.steps += 1
            self.brain += 0.1
            self.late = 0.9 * self.late + 0.1 * h.detach().mean(0)
        turned = torch.view_as_complex(h.view(-1, 4, 2)) * self.turned
        odd = torch.view_as_real(turned).flatten(1) * self.mask * self.weights[:, None]
        return odd + self.late / self.steps.clamp(1) + self.brain.sum()


class ByChance(Odd):
    """Stochastic depth by three sources of chance, which leaves parameters without a gradient; noise at all times."""

    def between(self, h):
        noise = 0.1 * torch.rand(()) * random.random() * np.random.rand()
        if self.training and torch.rand(()) + random.random() + np.random.rand() < 1.5:
            return h * (1 + noise)
        return self.middle(h) + noise * DRAWN.to(h)


class Parametrized(Odd):
    """Weights that are computed from others, tied and frozen ones, and an unused layer."""

    def __init__(self, norm, inputs, outputs):
        super().__init__(norm, inputs, outputs)
        self.spectral = parametrizations.spectral_norm(nn.Linear(8, 8))
        self.scaled = parametrizations.weight_norm(nn.Linear(8, 8))
        self.tied = nn.Linear(8, 8)
        self.tied.weight = self.middle.weight
        self.frozen, self.unused = nn.Linear(8, 8).requires_grad_(requires_grad=False), nn.Linear(8, 8)

    def between(self, h):
        return self.frozen(self.tied(self.scaled(self.spectral(self.middle(h)))))


class Assigned(Odd):
    """A weight that is scaled in place of itself, as in weight clipping."""

    def between(self, h):
        self.middle.weight.data = self.middle.weight.data / self.middle.weight.data.norm()
        return self.middle(h)


class Counting(torch.optim.Optimizer):
    """Steps that get shorter, by a count that belongs to no parameter."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        self.state["steps"] = self.state.get("steps", 0) + 1
        for group in self.param_groups:
            for parameter in (each for each in group["params"] if each.grad is not None):
                past = self.state[parameter].setdefault("past", [])
                past[:] = [*past[-1:], parameter.grad.clone()]
                parameter.sub_(sum(past), alpha=group["lr"] / self.state["steps"])
