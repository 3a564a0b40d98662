"""A small convolutional network as somebody brings it: with a norm to be told, or with its own."""

from torch import nn


def conv_net(norm, inputs, outputs, width=16):
    return nn.Sequential(
        nn.Conv2d(inputs[0], width, 3, padding=1, bias=norm.bias),
        norm(width),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1, bias=norm.bias),
        norm(2 * width),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2 * width * (inputs[1] // 4) * (inputs[2] // 4), outputs),
    )
