"""The built-in networks as torch modules: a perceptron, a small convolutional network, a residual network.

Each is a function of the arm's norm, the shape of an example and the number of outputs, as a user's own network is. A
module has the same name in every arm, and so have its parameters.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnbench.catalogue.activations import ACTIVATIONS
from bnbench.catalogue.networks import Convolutional, Network, Perceptron, Residual, Shape
from bnbench.catalogue.norm import Norm


def built(network: Network, norm: Places, shape: Shape, outputs: int) -> nn.Module:
    """The module of a built-in network, for examples of this shape."""
    if isinstance(network, Perceptron):
        return _perceptron(network, norm, shape, outputs)
    if isinstance(network, Convolutional):
        return _convolutional(network, norm, shape, outputs)
    if isinstance(network, Residual):
        return _residual(network, norm, shape, outputs)
    raise TypeError(f"{type(network).__name__} is no built-in network")


class Places:
    """Puts the arm's norm into a built-in network.

    Args:
        norm: the arm.
        make: gives its layer for so many channels.
    """

    def __init__(self, norm: Norm, make: Callable[[int], nn.Module]) -> None:
        self._on, self._make = norm.on, make
        self.stands_after = norm.placement == "after"
        self.hidden_bias = not norm.drops_bias()
        """Whether hidden layers have a bias."""
        self.output_bias = not (norm.replaces_bias and "output" in norm.on)

    def __call__(self, place: str, channels: int) -> nn.Module:
        """What goes at a place (hidden, input, output): the arm's layer, or nothing."""
        return self._make(channels) if place in self._on else nn.Identity()


class _Elementwise(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._function = function

    def forward(self, x: Tensor) -> Tensor:
        return self._function(x)


def _activation(name: str | None) -> nn.Module:
    """The module of an activation, by its name in the config."""
    function = ACTIVATIONS[str(name)].function
    if function == "identity":
        return nn.Identity()
    return _Elementwise(getattr(torch, function, None) or getattr(functional, function))


def _perceptron(network: Perceptron, norm: Places, shape: Shape, outputs: int) -> nn.Module:
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    before = torch.Size(shape).numel()
    layers |= _first(norm, before)
    for index, width in enumerate(network.hidden or ()):
        layers[f"linear{index}"] = nn.Linear(before, width, bias=norm.hidden_bias)
        layers |= _normalized(norm, width, network.activation, str(index))
        if network.dropout:
            layers[f"dropout{index}"] = nn.Dropout(network.dropout)
        before = width
    last = len(network.hidden or ())
    layers[f"linear{last}"] = nn.Linear(before, outputs, bias=norm.output_bias)
    return nn.Sequential(layers | _last(norm, outputs))


def _convolutional(network: Convolutional, norm: Places, shape: Shape, outputs: int) -> nn.Module:
    before, *size = shape
    layers = _first(norm, before)
    for index, channels in enumerate(network.channels):
        padding = network.kernel // 2
        layers[f"conv{index}"] = nn.Conv2d(before, channels, network.kernel, padding=padding, bias=norm.hidden_bias)
        layers |= _normalized(norm, channels, network.activation, str(index))
        if min(size) > 1:
            layers[f"pool{index}"] = nn.MaxPool2d(2)
            size = [length // 2 for length in size]
        before = channels
    layers["flatten"] = nn.Flatten()
    if network.dropout:
        layers["dropout"] = nn.Dropout(network.dropout)
    layers["linear"] = nn.Linear(before * size[0] * size[1], outputs, bias=norm.output_bias)
    return nn.Sequential(layers | _last(norm, outputs))


def _residual(network: Residual, norm: Places, shape: Shape, outputs: int) -> nn.Module:
    channels = network.width
    layers = _first(norm, shape[0])
    layers["conv0"] = nn.Conv2d(shape[0], channels, 3, padding=1, bias=norm.hidden_bias)
    layers |= _normalized(norm, channels, network.activation, "0")
    for stage in range(3):
        for index in range((network.depth - 2) // 6):
            stride = 2 if stage and not index else 1
            width = network.width * 2**stage
            layers[f"stage{stage}_block{index}"] = _Block(norm, channels, width, stride, network.activation)
            channels = width
    layers["pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    if network.dropout:
        layers["dropout"] = nn.Dropout(network.dropout)
    layers["linear"] = nn.Linear(channels, outputs, bias=norm.output_bias)
    return nn.Sequential(layers | _last(norm, outputs))


class _Block(nn.Module):
    """Two convolutions and a shortcut (He, Zhang, Ren & Sun 2016, figure 2, shortcut A: strides and zeros).

    A norm before the activation follows each convolution, the second one before the sum, as in the paper. A norm
    after it follows each of the two activations.
    """

    def __init__(self, norm: Places, channels: int, width: int, stride: int, activation: str | None) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=norm.hidden_bias)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=norm.hidden_bias)
        self.norm0, self.norm1 = norm("hidden", width), norm("hidden", width)
        self.activation = _activation(activation)
        self._stride, self._more, self._after = stride, width - channels, norm.stands_after

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] → [batch, width, …]."""
        shortcut = x[:, :, :: self._stride, :: self._stride]
        if self._more:
            shortcut = functional.pad(shortcut, (0, 0, 0, 0, self._more // 2, self._more - self._more // 2))
        if self._after:
            y: Tensor = self.conv1(self.norm0(self.activation(self.conv0(x))))
            after: Tensor = self.norm1(self.activation(y + shortcut))
            return after
        y = self.norm1(self.conv1(self.activation(self.norm0(self.conv0(x)))))
        before: Tensor = self.activation(y + shortcut)
        return before


def _first(norm: Places, channels: int) -> OrderedDict[str, nn.Module]:
    """The norm of the network's input."""
    return OrderedDict(norm_input=norm("input", channels))


def _normalized(norm: Places, channels: int, activation: str | None, index: str) -> OrderedDict[str, nn.Module]:
    """The norm of a hidden layer and its activation, in the order that the arm wants."""
    both = [(f"norm{index}", norm("hidden", channels)), (f"activation{index}", _activation(activation))]
    return OrderedDict(both[::-1] if norm.stands_after else both)


def _last(norm: Places, outputs: int) -> OrderedDict[str, nn.Module]:
    """The norm of the network's output."""
    return OrderedDict(norm_output=norm("output", outputs))
