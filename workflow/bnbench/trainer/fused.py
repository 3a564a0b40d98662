"""Epochs of a stacked network by the kernels of `fused_kernels`: few passes over memory, where torch takes forty.

For the studies that GPUs are asked for most, see `plan.engines.fused`. `network.Network` stays the reference: it holds
the weights, evaluates, and trains everything else, and everything where Triton's kernels cannot be built.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bnbench.catalogue.norms import BatchNorm
from bnbench.catalogue.optimizers import SGD, Adam, AdamW, Optimizer
from bnbench.trainer.network import Network

Batches = Sequence[tuple[Tensor, Tensor]]

class Tile(NamedTuple):
    """How the product of a layer is cut into blocks, one for each program."""

    rows: int
    columns: int
    depth: int
    """Terms of the sums that are added up at a time."""
    warps: int = 4
    stages: int = 3
    """Loads of so many such parts are under way at once."""


# The fastest of eleven each, measured on an H200: tests/benchmarks/results/fused-tiles.md.
_ACTIVATIONS = Tile(128, 64, 32)  # whose rows are the whole batch
_WEIGHTS = Tile(32, 64, 32)
_UPDATED = 1024  # other weights that a program updates


@cache
def kernels(device: torch.device) -> Any:
    """The kernels, where they can be built and run on this device; else None, and one line says why."""
    try:
        from bnbench.trainer import fused_kernels  # noqa: PLC0415 - Triton comes with torch's builds for CUDA alone

        weights, one = torch.zeros(16, device=device), torch.ones(1, dtype=torch.float64, device=device)
        bounds = torch.tensor([0, 16], device=device)
        fused_kernels.update[(1,)](
            *[weights] * 5, one, one, bounds[:1], bounds[1:], **_constants(SGD(lr=1.0)), BLOCK=16
        )
    except Exception as error:  # noqa: BLE001 - whatever is missing: Triton, a compiler for C, a GPU that it knows
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        print(f"training by torch's own kernels, since Triton's cannot be built here: {reason}", file=sys.stderr)
        return None
    return fused_kernels


class _Layer(NamedTuple):
    """A hidden layer of all networks; gradients are called slopes. None where there is no such parameter."""

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
    """What batches of one size need between the way forth and the way back."""

    def __init__(self, layers: Sequence[_Layer], x: Tensor, *, normed: bool) -> None:
        seeds, self.batch = x.shape[:2]
        self.rows = _block(_ACTIVATIONS.rows, self.batch)
        self.outputs = [x.new_empty(seeds, self.batch, layer.columns) for layer in layers]
        others = [torch.empty_like(output) for output in self.outputs]
        self.kept = others if normed else self.outputs
        """What the way back wants of a layer."""
        self.slopes = others
        """What comes back to a layer's product; in place of what was kept, or else the next layer still needs that."""
        self.scales = [x.new_empty(seeds, layer.columns) for layer in layers]
        self.gradient = x.new_empty(seeds, self.batch)


class Updates:
    """Steps of the optimizer: of one layer's weights together with their gradient, and of the rest.

    Args:
        entry: one of those for which `plan.engines.fused` holds.
        optimizer: torch's, whose state and rate are used as torch would use them.
        network: whose weights they are.
        fused_kernels: see `kernels`.
    """

    def __init__(self, entry: Optimizer, optimizer: torch.optim.Optimizer, network: Network, fused_kernels: Any) -> None:
        (group,) = optimizer.param_groups
        weights = network.flat
        # Read from memory, so that a CUDA graph takes note where a schedule changes it.
        self._rate = group["lr"] = torch.tensor(entry.lr, dtype=torch.float64, device=weights.device)
        self._state: dict[str, Any] = optimizer.state[group["params"][0]]
        names = [*["momentum_buffer"] * bool(isinstance(entry, SGD) and entry.momentum)]
        if isinstance(entry, Adam):
            names = ["exp_avg", "exp_avg_sq", *["max_exp_avg_sq"] * entry.amsgrad]
            self._state.setdefault("step", torch.zeros((), device=weights.device))
        kept = [self._state.setdefault(name, torch.zeros_like(weights)) for name in names]
        self._kept = (*kept, *[weights] * (3 - len(kept)))
        self._parts = [network.split(each) for each in self._kept]
        self._constants = _constants(entry)
        self._betas = torch.tensor([self._constants["BETA1"], self._constants["BETA2"]], dtype=torch.float64, device=weights.device)
        self._powers = torch.ones_like(self._betas)
        self._network, self._kernels = network, fused_kernels
        self._starts, self._ends = _rest(network)

    def begin(self) -> None:
        """Count a step."""
        if self._constants["ADAM"]:
            torch.pow(self._betas, self._state["step"].add_(1), out=self._powers)

    def rest(self) -> None:
        """Update what is no matrix of weights, from the network's gradients."""
        self._kernels.update[(len(self._starts),)](
            self._network.flat, self._network.flat_gradient, *self._kept, self._rate, self._powers,
            self._starts, self._ends, **self._constants, BLOCK=_UPDATED,
        )

    def weights(self, layer: int, x: Tensor, dz: Tensor) -> None:
        """Update a layer's matrix, from what went into it and what came back to its product."""
        name = f"linear{layer}.weight"
        w = self._network.parameters[name]
        seeds, rows, columns = w.shape
        block = {"BM": _block(_WEIGHTS.rows, rows), **_products(_WEIGHTS, columns, dz.shape[1])}
        self._kernels.train_weights[(seeds * _blocks(rows, block["BM"]) * _blocks(columns, block["BN"]),)](
            x, dz, w, *(each[name] for each in self._parts), self._rate, self._powers,
            *x.stride(), dz.shape[1], x.shape[2], rows, columns,
            **self._constants, **block,
        )


def _constants(entry: Optimizer) -> dict[str, Any]:
    """What the kernels are told of an optimizer."""
    if isinstance(entry, Adam):
        one, other = entry.betas
        found = {"ADAM": True, "BETA1": one, "BETA2": other, "EPS": entry.eps, "DECAY": entry.weight_decay}
        return found | {"DECOUPLED": isinstance(entry, AdamW), "AMSGRAD": entry.amsgrad, "NESTEROV": False}
    found = {"ADAM": False, "BETA1": entry.momentum, "BETA2": 0.0, "EPS": 0.0, "DECAY": entry.weight_decay}
    return found | {"DECOUPLED": False, "AMSGRAD": False, "NESTEROV": entry.nesterov}


def _rest(network: Network) -> tuple[Tensor, Tensor]:
    """Where the blocks of weights begin and end that no call of `Updates.weights` updates."""
    bounds = [0]
    for i in range(len(network.widths)):
        if (matrix := network.parameters[f"linear{i}.weight"]).shape[1] > 1:
            bounds += [matrix.storage_offset(), matrix.storage_offset() + matrix.numel()]
    bounds.append(network.flat.numel())
    blocks = [
        (at, min(at + _UPDATED, stop))
        for start, stop in zip(bounds[::2], bounds[1::2], strict=True)
        for at in range(start, stop, _UPDATED)
    ]
    starts, ends = zip(*blocks, strict=True)
    return tuple(torch.tensor(each, device=network.flat.device) for each in (starts, ends))


class FusedEpoch:
    """Trains an epoch a call.

    Args:
        network: whose weights and running statistics are trained.
        updates: of its weights.
        batches: views of inputs, [seeds, batch, inputs], and targets, [seeds, batch, 1].
        fused_kernels: see `kernels`.
    """

    def __init__(self, network: Network, updates: Updates, batches: Batches, fused_kernels: Any) -> None:
        self._updates, self._batches, self._kernels = updates, batches, fused_kernels
        self._layers = [_Layer.of(network, layer) for layer in range(len(network.widths))]
        both = (network.parameters, network.gradients)
        self._last = [each[f"linear{len(self._layers)}.{name}"] for name in ("weight", "bias") for each in both]
        norm = network.norm
        normed = isinstance(norm, BatchNorm)
        self._flags = {
            "NORMED": normed,
            "AFFINE": self._layers[0].gamma is not None,
            "RELU": network.activation == "relu",
        }
        self._norm = {"MOMENTUM": norm.momentum, "EPS": norm.eps} if isinstance(norm, BatchNorm) else {"MOMENTUM": 0.0, "EPS": 0.0}
        self._memory = {x.shape[1]: _Memory(self._layers, x, normed=normed) for x, _ in batches}
        self._loss = network.flat.new_zeros(len(batches[0][0]))

    def __call__(self, epoch: int) -> Tensor:  # noqa: ARG002 - they are all alike
        """The mean train-mode loss of each network, [seeds]; each batch counts alike."""
        self._loss.zero_()
        for x, y in self._batches:
            memory = self._memory[x.shape[1]]
            self._updates.begin()
            self._forward(x, memory)
            self._end(y, memory)
            self._backward(x, memory)
            self._updates.rest()
        return self._loss

    def _forward(self, x: Tensor, memory: _Memory) -> None:
        """Through the hidden layers."""
        for layer, kept, scale, output in zip(self._layers, memory.kept, memory.scales, memory.outputs, strict=True):
            self._kernels.forward[_programs(x, layer.columns)](
                x, layer.weight, layer.bias, layer.gamma, layer.beta, layer.mean, layer.variance, kept, scale, output,
                *x.stride(), memory.batch, x.shape[2], layer.inputs, layer.width, layer.columns,
                **self._norm, **self._flags, ONE=layer.inputs == 1, BM=memory.rows, **_products(_ACTIVATIONS, layer.columns, layer.inputs),
            )
            x = output

    def _end(self, y: Tensor, memory: _Memory) -> None:
        """Through the last layer and the loss, and back."""
        weight, weight_slope, bias, bias_slope = self._last
        columns = self._layers[-1].columns
        self._kernels.output[(len(y),)](
            memory.outputs[-1], weight, bias, y, weight_slope, bias_slope, memory.gradient, self._loss,
            *y.stride()[:2], memory.batch, columns,
            BATCHES=len(self._batches), BM=memory.rows, BK=_block(_ACTIVATIONS.columns, columns),
        )

    def _backward(self, x: Tensor, memory: _Memory) -> None:
        """Through the hidden layers; a layer's weights are updated when the gradient has gone through them."""
        above, from_above = self._last[0], memory.gradient
        for i in reversed(range(len(self._layers))):
            layer, slopes = self._layers[i], memory.slopes[i]
            arguments = (
                from_above, above, memory.kept[i], memory.scales[i], layer.gamma, layer.beta, layer.gamma_slope,
                layer.beta_slope, layer.bias_slope, x, layer.weight_slope, slopes,
                *x.stride()[:2], memory.batch, layer.width, layer.columns,
            )
            flags = {**self._flags, "FIRST": layer.inputs == 1, "BM": memory.rows}
            programs = _programs(x, layer.columns)
            if i == len(self._layers) - 1:
                self._kernels.backward_last[programs](*arguments, **flags, BN=_block(_ACTIVATIONS.columns, layer.columns))
            else:
                columns = self._layers[i + 1].columns
                self._kernels.backward[programs](*arguments, columns, **flags, **_products(_ACTIVATIONS, layer.columns, columns))
                self._updates.weights(i + 1, memory.outputs[i], from_above)
            above, from_above = layer.weight, slopes
        if self._layers[0].inputs > 1:
            self._updates.weights(0, x, memory.slopes[0])


def _block(most: int, length: int) -> int:
    """What a program takes of so many rows or columns: a power of 2, and 16 at least."""
    return min(most, max(16, 2 ** (length - 1).bit_length()))


def _blocks(length: int, block: int) -> int:
    return -(-length // block)


def _programs(x: Tensor, columns: int) -> tuple[int]:
    """How many share a layer of so many columns."""
    return (len(x) * _blocks(columns, _block(_ACTIVATIONS.columns, columns)),)


def _products(tile: Tile, columns: int, depth: int) -> dict[str, int]:
    """How a product with so many columns, whose sums have so many terms, is cut into blocks."""
    blocks = {"BN": _block(tile.columns, columns), "BK": _block(tile.depth, depth)}
    return {**blocks, "num_warps": tile.warps, "num_stages": tile.stages}
