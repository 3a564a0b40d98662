"""Networks: what can be trained, with the parameters of each.

A network is one frozen dataclass whose fields are its parameters in the config. The planner reads the parameters of a
network from here; `trainer.modules` builds the built-in ones. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bnbench.catalogue.activations import ACTIVATIONS
from bnbench.catalogue.own import OwnCode
from bnbench.catalogue.parameters import build, parameter

Shape = tuple[int, ...]

KEYS = ("hidden", "activation")
"""Keys of the config that may set parameters of a network."""


def _activation() -> Any:
    said = "the function after each hidden layer; null uses the key `activation`"
    return parameter(None, said, enum=[*ACTIVATIONS, None])


def _dropout(where: str) -> Any:
    return parameter(0.0, f"probability with which {where} is set to 0 in training", minimum=0, exclusiveMaximum=1)


@dataclass(frozen=True)
class Network:
    """What every network declares."""

    title: ClassVar[str]
    """Its name in sentences and figures; by default that in the registry."""
    keys: ClassVar[tuple[str, ...]] = ()
    """Keys of the config that set its parameters: `hidden`, `activation`."""
    places_norms: ClassVar[bool] = True
    """Whether it puts the norm where the norm's `placement` and `on` say."""
    takes_images: ClassVar[bool] = False
    """Whether examples must be images, channels × height × width, so that its hidden layers have positions too."""

    def widths(self) -> tuple[int, ...]:
        """Channels of its hidden layers, if they are known without the user's code."""
        return ()

    def draws(self) -> bool:
        """Whether it draws random numbers in training, such as dropout masks; the user's code may always do so."""
        return bool(getattr(self, "dropout", True))


@dataclass(frozen=True)
class Perceptron(Network):
    """A multilayer perceptron: linear layers, each but the last followed by the norm and the activation."""

    title = "perceptron"
    keys = ("hidden", "activation")

    hidden: tuple[int, ...] | None = parameter(
        None, "widths of the hidden layers; null uses the key `hidden`", items={"minimum": 1}, minItems=1
    )
    activation: str | None = _activation()
    dropout: float = _dropout("an output of a hidden layer")

    def widths(self) -> tuple[int, ...]:
        """The hidden widths."""
        return self.hidden or ()


@dataclass(frozen=True)
class Convolutional(Network):
    """A small convolutional network: convolutions, each with norm, activation and 2 × 2 max pooling; a linear layer.

    Pooling stops once the image is one pixel wide or high.
    """

    title = "CNN"
    keys = ("activation",)
    takes_images = True

    channels: tuple[int, ...] = parameter((16, 32), "channels of the convolutions", items={"minimum": 1}, minItems=1)
    kernel: int = parameter(3, "height and width of the filters, an odd number", minimum=1)
    activation: str | None = _activation()
    dropout: float = _dropout("an input of the linear layer")

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0:
            raise ValueError(f"found kernel: {self.kernel}, allowed: an odd number, so that images keep their size")

    def widths(self) -> tuple[int, ...]:
        """The channels."""
        return self.channels


@dataclass(frozen=True)
class Residual(Network):
    """A residual network in the style of CIFAR (He, Zhang, Ren & Sun 2016, section 4.2).

    A 3 × 3 convolution, three stages of (depth − 2)/6 blocks of two convolutions each, global average pooling and a
    linear layer. The later two stages halve the image and double the channels; shortcuts across them have no weights.
    """

    title = "ResNet"
    keys = ("activation",)
    takes_images = True

    depth: int = parameter(8, "layers with weights, 6n + 2 of them: 8, 14, 20, …", minimum=8)
    width: int = parameter(16, "channels of the first stage", minimum=1)
    activation: str | None = _activation()
    dropout: float = _dropout("an input of the linear layer")

    def __post_init__(self) -> None:
        if self.depth % 6 != 2:
            below = self.depth - (self.depth - 2) % 6
            raise ValueError(f"found depth: {self.depth}, allowed: 6n + 2, such as {below} or {below + 6}")

    def widths(self) -> tuple[int, ...]:
        """Those of the three stages."""
        return self.width, 2 * self.width, 4 * self.width


@dataclass(frozen=True)
class OwnNetwork(OwnCode, Network):
    """Your own network: a function or class in a Python file, called with its parameters, that gives a torch module."""

    places_norms = False
    supplied = ("norm", "inputs", "outputs")


NETWORKS: dict[str, type[Network]] = {
    "mlp": Perceptron,
    "cnn": Convolutional,
    "resnet": Residual,
    "module": OwnNetwork,
}

DEFAULT: dict[str, Any] = {"name": "mlp", "hidden": None, "activation": None, "dropout": 0.0}
"""The resolved entry of a setting that names none."""


def of(spec: Mapping[str, Any]) -> Any:
    """The network of a setting, with what the keys of the config say of it."""
    network = build(NETWORKS, spec.get("network", DEFAULT))
    left = {key: spec[key] for key in network.keys if getattr(network, key) is None}
    return replace(network, **{key: tuple(value) if key == "hidden" else value for key, value in left.items()})


def reads(entry: Mapping[str, Any], key: str) -> bool:
    """Whether the network of a resolved entry takes a key of the config, `hidden` or `activation`."""
    return key in NETWORKS[entry["name"]].keys and entry[key] is None


def normalized(spec: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The same setting said in one way, so that it has one address.

    What a network has of its own moves to the keys that stand for it. Keys that it does not read have their `defaults`.
    """
    entry, network = spec.get("network", DEFAULT), of(spec)
    own = {key: getattr(network, key) if key in network.keys else defaults[key] for key in ("hidden", "activation")}
    moved = dict.fromkeys(network.keys)
    said = {key: [*value] if isinstance(value, tuple) else value for key, value in own.items()}
    return {**spec, **said, "network": {**entry, **moved}}
