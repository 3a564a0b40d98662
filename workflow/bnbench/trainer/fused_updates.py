"""Steps of an optimizer by the kernels of `fused_kernels`, in one pass over the weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bnbench.catalogue.optimizers import SGD, Adam, AdamW
from bnbench.trainer.network import Network
from bnbench.trainer.tiles import WEIGHTS

_UPDATED = 1024  # weights outside of matrices that one program updates


class Updates:
    """Steps of the optimizer: for a layer's weight matrix, together with its gradient, and for all other weights.

    Args:
        entry: one of those for which `plan.engines.fused` holds.
        optimizer: torch's, whose state and rate are used as torch would use them.
        network: whose weights they are.
        fused_kernels: see `fused.kernels_for`.
    """

    def __init__(
        self, entry: SGD | Adam, optimizer: torch.optim.Optimizer, network: Network, fused_kernels: Any
    ) -> None:
        (group,) = optimizer.param_groups
        weights = network.flat
        # Read from memory, so that a CUDA graph takes note where a schedule changes it.
        self._rate = group["lr"] = torch.tensor(entry.lr, dtype=torch.float64, device=weights.device)
        self._state: dict[str, Any] = optimizer.state[group["params"][0]]
        if isinstance(entry, Adam):
            names = ["exp_avg", "exp_avg_sq", *["max_exp_avg_sq"] * entry.amsgrad]
            self._state.setdefault("step", torch.zeros((), device=weights.device))
        else:
            names = ["momentum_buffer"] * bool(entry.momentum)
        kept = [self._state.setdefault(name, torch.zeros_like(weights)) for name in names]
        self._kept = (*kept, *[weights] * (3 - len(kept)))
        self._parts = [network.split(each) for each in self._kept]
        self._constants = _constants(entry)
        betas = [self._constants["BETA1"], self._constants["BETA2"]]
        self._betas = torch.tensor(betas, dtype=torch.float64, device=weights.device)
        self._powers = torch.ones_like(self._betas)
        self._network, self._kernels = network, fused_kernels
        self._starts, self._ends = _rest(network)

    def begin(self) -> None:
        """Count a step."""
        if self._constants["ADAM"]:
            torch.pow(self._betas, self._state["step"].add_(1), out=self._powers)

    def rest(self) -> None:
        """Update all weights that are in no such matrix, from the network's gradients."""
        arrays = (self._network.flat, self._network.flat_gradient, *self._kept, self._rate, self._powers)
        self._kernels.update[(len(self._starts),)](*arrays, self._starts, self._ends, **self._constants, BLOCK=_UPDATED)

    def weights(self, layer: int, x: Tensor, dz: Tensor) -> None:
        """Update a layer's matrix, from the layer's input and the gradient of its product."""
        name = f"linear{layer}.weight"
        w = self._network.parameters[name]
        seeds, rows, columns = w.shape
        arrays = (x, dz, w, *(each[name] for each in self._parts), self._rate, self._powers)
        sizes = (*x.stride(), dz.shape[1], x.shape[2], rows, columns)
        tile = {"BM": WEIGHTS.rows_of(rows), **WEIGHTS.products(columns, dz.shape[1])}
        self._kernels.train_weights[(seeds * WEIGHTS.programs(rows, columns),)](
            *arrays, *sizes, **self._constants, **tile
        )


def _constants(entry: SGD | Adam) -> dict[str, Any]:
    """What the kernels need to know about an optimizer."""
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
            start = int(matrix.storage_offset())
            bounds += [start, start + matrix.numel()]
    bounds.append(network.flat.numel())
    blocks = [
        (at, min(at + _UPDATED, stop))
        for start, stop in zip(bounds[::2], bounds[1::2], strict=True)
        for at in range(start, stop, _UPDATED)
    ]
    starts, ends = torch.tensor(blocks, device=network.flat.device).t().contiguous()
    return starts, ends
