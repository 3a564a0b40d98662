"""Trains epochs of a stacked network by the kernels of `fused_kernels`: seven a step, where torch has some forty.

This serves the most frequent studies, see `plan.engines.fused`. `network.Network` stays the reference: it holds the
weights, evaluates, and trains all other studies, and all of them where Triton's kernels cannot be built.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bnbench.catalogue.norms import BatchNorm
from bnbench.catalogue.optimizers import SGD, Adam
from bnbench.trainer import triton_builds
from bnbench.trainer.captured import undecorated
from bnbench.trainer.devices import is_out_of_memory
from bnbench.trainer.fused_updates import Updates
from bnbench.trainer.network import Network
from bnbench.trainer.tiles import ACTIVATIONS

Batches = Sequence[tuple[Tensor, Tensor]]


def kernels_for(network: Network, entry: SGD | Adam, batches: Batches) -> Any:
    """The kernels, where they can be built for this network and run; else None, and one line says why on a GPU.

    To see it, two networks of the same shape take an epoch. This also builds nearly all kernels of an epoch.

    Raises:
        RuntimeError: there is too little memory.
    """
    device = network.flat.device
    if device.type != "cuda":
        return None
    few = [(x[:2], y[:2]) for x, y in batches]
    try:
        triton_builds.prepare()
        from bnbench.trainer import fused_kernels  # noqa: PLC0415 - Triton comes with torch's builds for CUDA alone

        try:
            _try(fused_kernels, network, entry, few)
        except OSError:  # such as a full quota, or a folder that many jobs share
            triton_builds.keep_in_own_folder()
            _try(fused_kernels, network, entry, few)
        torch.cuda.synchronize(device)
    except Exception as error:  # whatever is missing: Triton, a compiler for C, Python's headers, a GPU that it knows
        if is_out_of_memory(error):
            raise
        _say(triton_builds.reason(error))
        return None
    return fused_kernels


def _try(fused_kernels: Any, network: Network, entry: SGD | Adam, batches: Batches) -> None:
    """Train two networks of this shape, from weights of zero."""
    seeds, _, inputs_of_first = batches[0][0].shape
    widths = [inputs_of_first, *network.widths, 1]
    like = network.flat.new_zeros
    layers = [
        (like(seeds, outputs, inputs), like(seeds, outputs) if f"linear{i}.bias" in network.parameters else None)
        for i, (inputs, outputs) in enumerate(pairwise(widths))
    ]
    sample = Network(layers, network.norm, network.activation, network.flat.dtype, network.flat.device)
    optimizer = undecorated(torch.optim.SGD)([torch.nn.Parameter(sample.flat)], lr=entry.lr)
    FusedEpoch(sample, Updates(entry, optimizer, sample, fused_kernels), batches, fused_kernels)(0)


@cache
def _say(reason: str) -> None:
    """Once a process."""
    print(f"training with torch's own kernels, since Triton's cannot be built here: {reason}", file=sys.stderr)


class _Layer(NamedTuple):
    """A hidden layer of all networks. Slopes are gradients; None stands for a parameter that the arm lacks."""

    weight: Tensor
    weight_slope: Tensor
    bias: Tensor | None
    bias_slope: Tensor | None
    gamma: Tensor | None
    gamma_slope: Tensor | None
    beta: Tensor | None
    beta_slope: Tensor | None
    mean: Tensor | None
    variance: Tensor | None
    width: int

    @classmethod
    def of(cls, network: Network, layer: int) -> _Layer:
        """The layer at this place."""

        def both(name: str) -> tuple[Tensor | None, Tensor | None]:
            return network.parameters.get(name), network.gradients.get(name)

        weight, slope = network.parameters[f"linear{layer}.weight"], network.gradients[f"linear{layer}.weight"]
        buffers = network.buffers[layer]
        return cls(
            weight,
            slope,
            *both(f"linear{layer}.bias"),
            *both(f"norm{layer}.gamma"),
            *both(f"norm{layer}.beta"),
            buffers.get("mean"),
            buffers.get("variance"),
            network.widths[layer],
        )

    @property
    def inputs(self) -> int:
        """In memory."""
        return self.weight.shape[1]

    @property
    def columns(self) -> int:
        """The width in memory."""
        return self.weight.shape[2]


class _Memory:
    """What batches of one size hold between the forward and the backward pass."""

    def __init__(self, layers: Sequence[_Layer], x: Tensor, *, normed: bool) -> None:
        seeds, self.batch = x.shape[:2]
        if self.batch > ACTIVATIONS.rows:
            raise ValueError(f"a batch of {self.batch} examples, and blocks of {ACTIVATIONS.rows} rows")
        self.rows = ACTIVATIONS.rows_of(self.batch)
        self.outputs = [x.new_empty(seeds, self.batch, layer.columns) for layer in layers]
        others = [torch.empty_like(output) for output in self.outputs]
        self.kept = others if normed else self.outputs
        """What the backward pass needs of a layer."""
        self.slopes = others
        """The gradient of a layer's product: in place of `kept`, except where that is the output, still needed then."""
        self.scales = [x.new_empty(seeds, layer.columns) for layer in layers]
        self.gradient = x.new_empty(seeds, self.batch)


class FusedEpoch:
    """Trains an epoch a call.

    Args:
        network: whose weights and running statistics are trained.
        updates: of its weights.
        batches: views of inputs, [seeds, batch, inputs], and targets, [seeds, batch, 1].
        fused_kernels: see `kernels_for`.
    """

    def __init__(self, network: Network, updates: Updates, batches: Batches, fused_kernels: Any) -> None:
        self._updates, self._batches, self._kernels = updates, batches, fused_kernels
        self._layers = [_Layer.of(network, layer) for layer in range(len(network.widths))]
        both = (network.parameters, network.gradients)
        self._last = [each[f"linear{len(self._layers)}.{name}"] for name in ("weight", "bias") for each in both]
        norm = network.norm
        normed = norm if isinstance(norm, BatchNorm) else None
        affine, relu = self._layers[0].gamma is not None, network.activation == "relu"
        eps = normed.eps if normed else 0.0
        self._arm = {"EPS": eps, "NORMED": normed is not None, "AFFINE": affine, "RELU": relu}
        self._momentum = normed.momentum if normed else 0.0
        self._memory = {x.shape[1]: _Memory(self._layers, x, normed=normed is not None) for x, _ in batches}
        self._loss = network.flat.new_zeros(len(batches[0][0]))

    def __call__(self, epoch: int) -> Tensor:  # noqa: ARG002 - they are all alike
        """The mean train-mode loss of each network, [seeds]; each batch counts alike."""
        self._loss.zero_()
        for x, y in self._batches:
            memory = self._memory[x.shape[1]]
            self._updates.begin()
            self._forward(x, memory)
            self._turn(y, memory)
            self._backward(x, memory)
            self._updates.rest()
        return self._loss

    def _forward(self, x: Tensor, memory: _Memory) -> None:
        """Forward through the hidden layers."""
        for i, layer in enumerate(self._layers):
            arrays = (x, layer.weight, layer.bias, layer.gamma, layer.beta, layer.mean, layer.variance)
            sizes = (*x.stride(), memory.batch, x.shape[2], layer.inputs, layer.width, layer.columns)
            tile = {"BM": memory.rows, **ACTIVATIONS.products(layer.columns, layer.inputs)}
            self._kernels.forward[_programs(x, layer)](
                *arrays,
                *(memory.kept[i], memory.scales[i], memory.outputs[i]),
                *sizes,
                MOMENTUM=self._momentum,
                **self._arm,
                ONE=layer.inputs == 1,
                **tile,
            )
            x = memory.outputs[i]

    def _turn(self, y: Tensor, memory: _Memory) -> None:
        """Forward through the last layer and the loss, and back."""
        weight, weight_slope, bias, bias_slope = self._last
        columns = self._layers[-1].columns
        self._kernels.output[(len(y),)](
            *(memory.outputs[-1], weight, bias, y, weight_slope, bias_slope, memory.gradient, self._loss),
            *(*y.stride()[:2], memory.batch, columns),
            BATCHES=len(self._batches),
            BM=memory.rows,
            BK=ACTIVATIONS.columns_of(columns),
        )

    def _backward(self, x: Tensor, memory: _Memory) -> None:
        """Back through the hidden layers; a weight matrix is updated once the gradient has passed through it."""
        above, from_above = self._last[0], memory.gradient
        for i in reversed(range(len(self._layers))):
            layer, slopes = self._layers[i], memory.slopes[i]
            arrays = (
                *(from_above, above, memory.kept[i], memory.scales[i], layer.gamma, layer.beta),
                *(layer.gamma_slope, layer.beta_slope, layer.bias_slope, x, layer.weight_slope, slopes),
            )
            sizes = (*x.stride()[:2], memory.batch, layer.width, layer.columns)
            arm = {**self._arm, "FIRST": layer.inputs == 1, "BM": memory.rows}
            if i == len(self._layers) - 1:
                columns = ACTIVATIONS.columns_of(layer.columns)
                self._kernels.backward_last[_programs(x, layer)](*arrays, *sizes, **arm, BN=columns)
            else:
                wider = self._layers[i + 1].columns
                tile = ACTIVATIONS.products(layer.columns, wider)
                self._kernels.backward[_programs(x, layer)](*arrays, *sizes, wider, **arm, **tile)
                self._updates.weights(i + 1, memory.outputs[i], from_above)
            above, from_above = layer.weight, slopes
        if self._layers[0].inputs > 1:
            self._updates.weights(0, x, memory.slopes[0])


def _programs(x: Tensor, layer: _Layer) -> tuple[int]:
    """The grid of a kernel over a layer's activations."""
    return (len(x) * ACTIVATIONS.programs(1, layer.columns),)
