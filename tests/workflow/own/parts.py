"""A network, a norm, an optimizer and a loss, each of somebody's own."""

import torch
from torch import nn


def two_layers(norm, inputs, outputs, width=8):
    """A perceptron."""
    return nn.Sequential(nn.Linear(inputs[0], width, bias=norm.bias), norm(width), nn.Tanh(), nn.Linear(width, outputs))


class Centred(nn.Module):
    """Takes the mean of the batch from each channel, and adds a trained shift."""

    def __init__(self, channels, shrink=1.0):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels))
        self.shrink = shrink
        self.register_buffer("mean", torch.zeros(channels))

    def forward(self, x):
        if self.training:
            mean = x.mean(0)
            self.mean.lerp_(mean.detach(), 0.1)
        else:
            mean = self.mean
        return x - self.shrink * mean + self.shift


class SignDescent(torch.optim.Optimizer):
    """Steps of one size, whatever the gradient."""

    def __init__(self, params, lr, decay=0.0):
        super().__init__(params, {"lr": lr, "decay": decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.mul_(1 - group["lr"] * group["decay"])
                parameter.sub_(parameter.grad.sign(), alpha=group["lr"])


def pinball(target, output, share=0.5):
    """What the quantile `share` makes small (Koenker & Bassett 1978); the arguments stand in an order of one's own."""
    error = target - output
    return torch.maximum(share * error, (share - 1) * error).mean(1)
