"""Initial weights of one network, and the hash of those that both arms of a pair share."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from bnbench.catalogue import networks, tasks
from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.parameters import build
from bnbench.streams import seed_of, stream

Layers = list[tuple[Tensor, Tensor | None]]
"""Per linear layer, weight [outputs, inputs] and bias [outputs] or None, as in torch.nn.Linear."""


def initial_of(spec: Mapping[str, Any], seed: int) -> Layers:
    """The initial weights of a setting's perceptron for one seed."""
    task = tasks.of(spec)
    widths = [task.inputs(), *networks.of(spec).hidden, task.outputs()]
    drawn = seed_of("weights", seed, spec["seed_varies"])
    return initial_weights(widths, build(NORMS, spec["norm"]), spec["init"], drawn)


def initial_weights(widths: Sequence[int], norm: Norm, init: str, seed: int) -> Layers:
    """PyTorch's default initialization of linear layers: uniform on ±1/√inputs, weights and biases.

    Args:
        widths: inputs, hidden widths, outputs.
        norm: where it replaces the bias, the hidden layers have none.
        init: `independent` draws every parameter from its own stream, so the arms share what they have in common;
            `sequential` replays the question's draws from one global stream, first the network with BN, then the plain
            one, so that an arm with biases comes second.
        seed: the trial's seed.

    Returns:
        float32 draws if `sequential`, as in the question, else float64.
    """
    bias_layers = range(len(widths) - 2 if norm.drops_bias() else 0, len(widths) - 1)
    if init == "independent":
        return [
            (
                _uniform(seed, f"init.{layer}.weight", inputs, (outputs, inputs)),
                _uniform(seed, f"init.{layer}.bias", inputs, (outputs,)) if layer in bias_layers else None,
            )
            for layer, (inputs, outputs) in enumerate(pairwise(widths))
        ]
    generator = torch.Generator().manual_seed(seed)
    layers = _draw_in_order(widths, generator, range(len(widths) - 2, len(widths) - 1))
    return layers if norm.drops_bias() else _draw_in_order(widths, generator, bias_layers)


def weights_hash(layers: Layers) -> str:
    """Sixteen hex digits over the initial weights that all arms share: linear weights and the last bias."""
    digest = hashlib.sha256()
    for tensor in (*(weight for weight, _ in layers), layers[-1][1]):
        if tensor is not None:
            digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]


def _uniform(seed: int, role: str, inputs: int, shape: tuple[int, ...]) -> Tensor:
    bound = 1 / math.sqrt(inputs)
    return torch.from_numpy(stream(seed, role).uniform(-bound, bound, shape))


def _draw_in_order(widths: Sequence[int], generator: torch.Generator, bias_layers: range) -> Layers:
    """The draws of torch.nn.Linear's own initialization, layer by layer, weight before bias."""
    layers: Layers = []
    for layer, (inputs, outputs) in enumerate(pairwise(widths)):
        weight = torch.nn.init.kaiming_uniform_(torch.empty(outputs, inputs), a=math.sqrt(5), generator=generator)
        bound = 1 / math.sqrt(inputs)
        bias = torch.empty(outputs).uniform_(-bound, bound, generator=generator) if layer in bias_layers else None
        layers.append((weight, bias))
    return layers
