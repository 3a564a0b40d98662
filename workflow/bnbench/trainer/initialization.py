"""Initial weights of the networks of a stack or of one, and the hash of those that both arms of a pair share."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from bnbench.catalogue import networks, tasks
from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.parameters import build
from bnbench.streams import seed_of, stream
from bnbench.trainer import threads

_WORTH_THREADS = 2**15  # weights of a network: to draw fewer takes no longer than what threads take turns at

Layers = list[tuple[Tensor, Tensor | None]]
"""Per linear layer, weight [outputs, inputs] and bias [outputs] or None, as in torch.nn.Linear.

In a stack, both have one axis more, the seeds, in front.
"""


class Drawn(NamedTuple):
    """The initial weights of a stack."""

    layers: Layers
    """[seeds, …], on the host."""
    hashes: list[str]
    """Per seed, the hash of those that all arms share."""


def drawn_for(spec: Mapping[str, Any], seeds: Sequence[int], dtype: torch.dtype, workers: int) -> Drawn:
    """The initial weights of a setting's perceptrons for some seeds, rounded to `dtype`.

    A network is rounded while what was drawn of it still lies in the cache: a stack of float64 draws would be read from
    memory three times. Both the draws and the hash let go of the interpreter, so threads share them.
    """
    draw = _draws(spec)
    first = draw(seeds[0])
    layers: Layers = [
        (_room(weight, len(seeds), dtype), None if bias is None else _room(bias, len(seeds), dtype))
        for weight, bias in first
    ]
    targets = [tensor.numpy() for tensor in _flat(layers)]

    def fill(place: int) -> str:
        own = draw(seeds[place]) if place else first
        for target, values in zip(targets, _flat(own), strict=True):
            np.copyto(target[place], values.numpy(), casting="same_kind")
        return weights_hash(own)

    large = sum(values.numel() for values in _flat(first)) >= _WORTH_THREADS
    return Drawn(layers, threads.each(fill, range(len(seeds)), workers if large else 1))


def stacked(weights: Sequence[Layers]) -> Layers:
    """The weights of networks that are trained already as those of a stack."""
    layers: Layers = []
    for of_all in zip(*weights, strict=True):
        biases = [bias for _, bias in of_all if bias is not None]
        layers.append((torch.stack([weight for weight, _ in of_all]), torch.stack(biases) if biases else None))
    return layers


def initial_of(spec: Mapping[str, Any], seed: int) -> Layers:
    """The initial weights of a setting's perceptron for one seed."""
    return _draws(spec)(seed)


def _draws(spec: Mapping[str, Any]) -> Callable[[int], Layers]:
    """What draws the initial weights for one seed after another."""
    task, norm = tasks.of(spec), build(NORMS, spec["norm"])
    widths = [task.inputs(), *networks.of(spec).hidden, task.outputs()]
    return lambda seed: initial_weights(widths, norm, spec["init"], seed_of("weights", seed, spec["seed_varies"]))


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
            digest.update(tensor.numpy().reshape(-1).data)
    return digest.hexdigest()[:16]


def _room(like: Tensor, seeds: int, dtype: torch.dtype) -> Tensor:
    return torch.empty((seeds, *like.shape), dtype=dtype)


def _flat(layers: Layers) -> list[Tensor]:
    return [tensor for both in layers for tensor in both if tensor is not None]


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
