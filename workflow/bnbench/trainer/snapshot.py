"""The state of training between two epochs: everything that the following epochs depend on, as arrays.

Whatever belongs to a seed lies in arrays whose first axis is the seeds, so a state can be cut into the states of fewer
seeds. It does not hold the orders of the examples: their streams are keyed, and drawing them again takes no time.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

from bnbench.trainer import forms
from bnbench.trainer.network import Network

Arrays = dict[str, NDArray[Any]]


class State(NamedTuple):
    """Training after some epochs."""

    epochs: int
    """How many are done."""
    seconds: float
    """Wall time that they took."""
    stacked: Arrays
    """By name, [seeds, …]: weights, what the optimizer keeps of each weight, running statistics, losses so far."""
    shared: Arrays
    """By name: what the optimizer keeps for all weights alike, such as its count of steps."""
    devices: tuple[str, ...] = ()
    """Names of the devices that trained them."""

    def of(self, rows: Sequence[int]) -> State:
        """The state of the seeds at these places of the stack."""
        return self._replace(stacked={name: values[[*rows]] for name, values in self.stacked.items()})


class Kept(NamedTuple):
    """What an engine keeps between two epochs."""

    stacked: Arrays
    """By name, [seeds, …]."""
    shared: Arrays
    """By name, for all seeds alike."""


def capture(network: Network, optimizer: torch.optim.Optimizer) -> Kept:
    """What a stacked network and its optimizer keep at present."""
    stacked, shared = _parts(network, kept_by(optimizer))
    return Kept(arrays(stacked), arrays(shared))


def misfit(state: Kept, network: Network, kept: Mapping[str, Any]) -> str:
    """In what `state` is not as `capture` has it after some epochs, in words; empty where it is.

    Args:
        state: what `capture` may have given.
        network: for which it is.
        kept: what its optimizer keeps after a step, whatever the numbers.
    """
    stacked, shared = _parts(network, kept)
    found, expected = (forms.of({"stacked": one, "shared": other}) for one, other in (state, (stacked, shared)))
    return forms.difference(found, expected)


def kept_after_a_step(optimizer: torch.optim.Optimizer, weights: Tensor) -> dict[str, Any]:
    """What an optimizer of two other weights comes to keep, as if they were as many as `weights`; without numbers."""
    (group,) = optimizer.param_groups
    (parameter,) = group["params"]
    parameter.grad = torch.zeros_like(parameter)
    with torch.no_grad():
        inspect.unwrap(type(optimizer).step)(optimizer)
    return {
        name: torch.empty_like(weights, dtype=values.dtype, device="meta")
        if values.shape == parameter.shape
        else values
        for name, values in kept_by(optimizer).items()
        if values is not None
    }


def _parts(network: Network, kept: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """By name, what belongs to a seed, given what the optimizer keeps; and what does not."""
    there = {name: values for name, values in kept.items() if values is not None}
    flat = {name: values for name, values in there.items() if values.shape == network.flat.shape}
    stacked = _buffers(network)
    for vector, values in {"weights": network.flat, **flat}.items():
        stacked |= {f"{vector}/{name}": part for name, part in network.split(values).items()}
    return stacked, {name: values for name, values in there.items() if name not in flat}


def restore(state: Kept, network: Network, optimizer: torch.optim.Optimizer, counters: torch.device) -> None:
    """Put `state` into a new network and its new optimizer, whose counts of steps live on the device `counters`.

    The optimizer's part is set as it is: torch's own loading casts the counts of steps to the type of the weights,
    which changes the bits of what follows.
    """
    kept = kept_by(optimizer)
    kept.update({name: torch.tensor(values, device=counters) for name, values in state.shared.items()})
    of_each_weight, *_ = network.parameters
    for vector in [name.partition("/")[0] for name in state.stacked if name.endswith(f"/{of_each_weight}")]:
        values = network.flat if vector == "weights" else kept.setdefault(vector, torch.zeros_like(network.flat))
        for name, part in network.split(values).items():
            part.copy_(torch.from_numpy(state.stacked[f"{vector}/{name}"]))
    for name, values in _buffers(network).items():
        values.copy_(torch.from_numpy(state.stacked[name]))


def kept_by(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What the optimizer keeps of its one parameter, the flat vector; None for what is not there yet."""
    kept: dict[str, Any] = optimizer.state[optimizer.param_groups[0]["params"][0]]
    return kept


def _buffers(network: Network) -> dict[str, Tensor]:
    return {
        f"buffers/{layer}/{name}": values
        for layer, tensors in enumerate(network.buffers)
        for name, values in tensors.items()
    }


def arrays(tensors: Mapping[str, Tensor]) -> Arrays:
    """Copies of tensors as arrays."""
    return {name: values.cpu().numpy().copy() for name, values in tensors.items()}
