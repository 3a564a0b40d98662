"""Activations: what follows each hidden layer.

An activation is one small class that names torch's own function, and torch's kernel of its derivative where there is
one. The registry at the end gives it its name in the config. No torch here: the planner reads this.
"""

from __future__ import annotations

from typing import ClassVar, Literal


class Activation:
    """An element-wise function of torch; autograd gives its derivative where no kernel is named."""

    title: ClassVar[str]
    """What it is called in sentences and figures; by default its name in the registry."""
    function: ClassVar[str]
    """Its name in `torch` or in `torch.nn.functional`."""
    kernel: ClassVar[str | None] = None
    """Name of its derivative in `torch.ops.aten`."""
    kernel_takes: ClassVar[Literal["input", "output"]] = "input"
    """Which tensor that kernel wants beside the gradient: what went into the activation, or what came out of it."""


class ReLU(Activation):
    """Rectified linear unit, max(0, z)."""

    title = "ReLU"
    function = "relu"


class Tanh(Activation):
    """Hyperbolic tangent."""

    function = "tanh"
    kernel = "tanh_backward"
    kernel_takes = "output"


class Sigmoid(Activation):
    """Logistic function, 1/(1 + e⁻ᶻ)."""

    function = "sigmoid"
    kernel = "sigmoid_backward"
    kernel_takes = "output"


class GELU(Activation):
    """Gaussian error linear unit, z Φ(z) (Hendrycks & Gimpel 2016)."""

    title = "GELU"
    function = "gelu"
    kernel = "gelu_backward"


class SiLU(Activation):
    """Sigmoid-weighted linear unit, z/(1 + e⁻ᶻ) (Elfwing, Uchibe & Doya 2018)."""

    title = "SiLU"
    function = "silu"
    kernel = "silu_backward"


class Identity(Activation):
    """No activation: the network is linear between its norms."""

    title = "no activation"
    function = "identity"


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "gelu": GELU,
    "silu": SiLU,
    "identity": Identity,
}
