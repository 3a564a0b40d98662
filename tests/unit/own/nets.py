"""Code as a user hands it in. Golden addresses cover these bytes, so they stay as they are."""

import torch
from torch import nn


def my_net(norm, inputs, outputs, depth=1, widths=(8,)):
    layers = [nn.Flatten()]
    before = inputs[0]
    for _ in range(depth):
        for width in widths:
            layers += [nn.Linear(before, width, bias=norm.bias), norm(width), nn.ReLU()]
            before = width
    return nn.Sequential(*layers, nn.Linear(before, outputs))


class MyNorm(nn.Module):
    def __init__(self, channels, eps=1e-5):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(channels)), eps

    def forward(self, x):
        return self.weight * x / (x.square().mean(1, keepdim=True) + self.eps).sqrt()


class MyOptimizer(torch.optim.SGD):
    def __init__(self, params, lr, momentum=0.0):
        super().__init__(params, lr=lr, momentum=momentum)


def my_loss(output, target, power=2):
    return (output - target).abs().pow(power).sum(1)
