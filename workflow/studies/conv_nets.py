"""A plain convolutional network for the studies of this folder, and where dropout may stand in it."""

from __future__ import annotations

from typing import Any

from torch import nn


def convolutions(
    norm: Any,
    inputs: tuple[int, int, int],
    outputs: int,
    width: int = 8,
    dropout_before: float = 0.0,
    dropout_after: float = 0.0,
) -> nn.Module:
    """Four 3 × 3 convolutions, each with norm and ReLU, 2 × 2 max pooling after every second, and a linear layer.

    Args:
        norm: makes the arm's layer for so many channels.
        inputs: channels, height and width of an image.
        outputs: the number of classes.
        width: channels of the first two convolutions; the other two have twice as many.
        dropout_before: probability of dropout before each convolution but the first, and so before its norm.
        dropout_after: probability of dropout before the linear layer, and so after all norms.
    """
    channels, height, breadth = inputs
    layers: list[nn.Module] = []
    for index, wide in enumerate((width, width, 2 * width, 2 * width)):
        layers += [nn.Dropout(dropout_before)] if index else []
        layers += [nn.Conv2d(channels, wide, 3, padding=1, bias=norm.bias), norm(wide), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if index % 2 else []
        channels = wide
    linear = nn.Linear(channels * (height // 4) * (breadth // 4), outputs)
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout_after), linear)
