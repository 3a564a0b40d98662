"""The place of the arm's norm in a network: the modules of the arms, made, put in place and left out by name."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from bnbench.catalogue import example_norms, norms, population_norms
from bnbench.catalogue.norm import Norm
from bnbench.errors import UserError, found, nearest
from bnbench.trainer import norm_modules, own_norm, running_norms
from bnbench.trainer.norm_adapter import CatalogueNorm
from bnbench.trainer.norm_modules import ArmNorm, Shift

MODULES: dict[type[Norm], type[ArmNorm[Any]]] = {
    norms.BatchNorm: running_norms.BatchNorm,
    norms.GhostBatchNorm: running_norms.GhostBatchNorm,
    norms.FrozenBatchNorm: running_norms.FrozenBatchNorm,
    norms.OwnNorm: own_norm.OwnNormLayer,
    population_norms.PopulationNorm: running_norms.PopulationNorm,
    example_norms.LayerNorm: norm_modules.LayerNorm,
    example_norms.GroupNorm: norm_modules.GroupNorm,
    example_norms.InstanceNorm: norm_modules.InstanceNorm,
    example_norms.RMSNorm: norm_modules.RMSNorm,
}
"""Class of the catalogue → its module; any other class goes through the adapter."""

_REPLACED = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def make(norm: Norm, channels: int, dtype: torch.dtype | None = None, device: torch.device | None = None) -> nn.Module:
    """The module of an arm, for activations [batch, channels, …].

    Args:
        norm: the arm, as the catalogue has built it.
        channels: number of channels.
        dtype: type of parameters and buffers.
        device: where they live.

    Raises:
        UserError: the arm cannot normalize so many channels, or is one for perceptrons only.
    """
    if isinstance(norm, norms.Identity):
        return nn.Identity()
    if isinstance(norm, population_norms.PopulationGammaNorm):
        raise UserError(
            "found norm 'population_gamma', allowed in your own networks: any other norm, such as 'population', "
            "since gamma decay is derived for the built-in perceptrons only"
        )
    return MODULES.get(type(norm), CatalogueNorm)(norm, channels, dtype, device)


class NormFactory:
    """The `norm` that a function that builds a network receives: `norm(channels)` is the arm's module for them.

    Args:
        norm: the arm.
        dtype: type of parameters and buffers.
        device: where they live.
    """

    def __init__(self, norm: Norm, dtype: torch.dtype | None = None, device: torch.device | None = None) -> None:
        self._norm, self._dtype, self._device = norm, dtype, device
        self.bias = norm.bias if isinstance(norm, norms.OwnNorm) else not norm.replaces_bias
        """Whether the layer before the norm needs a bias."""
        self.made = 0
        """How many modules it has made."""

    def __call__(self, channels: int) -> nn.Module:
        """A new module for `channels` channels.

        Raises:
            UserError: `channels` is no number of channels, or the arm cannot normalize so many.
        """
        try:
            number = 0 if isinstance(channels, bool) else operator.index(channels)
        except TypeError:
            number = 0
        if number < 1:
            raise UserError(f"norm(…): found {found(channels)}, allowed: the number of channels, such as norm(64)")
        self.made += 1
        return make(self._norm, number, self._dtype, self._device)


def replace(network: nn.Module, norm: Norm) -> list[str]:
    """Put the arm in the place of each BatchNorm layer of PyTorch in `network`.

    The layers whose names match its patterns get the arm's norm. Every other layer, and all with norm `none`, is
    a trained shift, since the layer before a BatchNorm usually has no bias. Parameters and buffers that the new layer
    shares with the old one, by name and shape, start from the old one's values. A layer that is used at several places
    is replaced by one that is used there too.

    Returns:
        The names of all BatchNorm layers, in the order of the network.

    Raises:
        UserError: a layer normalizes by the batch that cannot be replaced; a pattern matches no layer; the arm cannot
            normalize so many channels.
    """
    old = {name: layer for name, layer in network.named_modules() if isinstance(layer, _BatchNorm)}
    for name, layer in old.items():
        _refuse_others(name, layer)
    chosen = _matching(network, old.values(), norm)
    none = norms.Identity()
    _exchange(network, {each: _successor(name, each, norm if each in chosen else none) for name, each in old.items()})
    return [*old]


def restrict(network: nn.Module, norm: Norm) -> None:
    """Leave the arm's norm out of the layers of a network, built with `NormFactory`, whose names do not match.

    A trained shift remains if the norm stands for the bias of the layer before; else nothing.

    Raises:
        UserError: a pattern matches no layer.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, ArmNorm)]
    chosen = _matching(network, layers, norm)

    def left(layer: ArmNorm[Any]) -> nn.Module:
        return Shift(layer.channels, **_kind(layer, network)) if norm.replaces_bias else nn.Identity()

    _exchange(network, {layer: left(layer) for layer in layers if layer not in chosen})


def _refuse_others(name: str, layer: nn.Module) -> None:
    """Refuse layers that are not plain BatchNorm: the network would lose more than the normalization."""
    allowed = ", ".join(each.__name__ for each in _REPLACED)
    if not name:
        raise UserError(f"found a network that is a {type(layer).__name__} itself, allowed: one that holds {allowed}")
    if type(layer) not in _REPLACED:
        raise UserError(f"layer '{name}': found {type(layer).__name__}, allowed: {allowed}")


def _matching(network: nn.Module, layers: Iterable[nn.Module], norm: Norm) -> set[nn.Module]:
    """The `layers` that the norm's patterns match by any of their names."""
    wanted = {*layers}
    named = {name: each for name, each in network.named_modules(remove_duplicate=False) if each in wanted}
    chosen: set[nn.Module] = set()
    for pattern in norm.layers:
        matched = {each for name, each in named.items() if fnmatchcase(name, pattern)}
        if not matched and (named or pattern != "*"):
            allowed = f"patterns of {', '.join(named)}" if named else "*, since the network has no such layers"
            raise UserError(
                f"norm.layers: found '{pattern}'{nearest(pattern, named)}, which no layer matches; allowed: {allowed}"
            )
        chosen |= matched
    return chosen


def _successor(name: str, old: _BatchNorm, norm: Norm) -> nn.Module:
    """What comes in the place of a BatchNorm layer, with what it shares with that."""
    channels, kind = old.num_features, _kind(old)
    try:
        new = Shift(channels, **kind) if isinstance(norm, norms.Identity) else make(norm, channels, **kind)
    except UserError as error:
        raise UserError(f"layer '{name}': {error}") from error
    given = old.state_dict()
    for shared, values in new.state_dict().items():
        if shared in given:
            values.copy_(given[shared])
    return new.train(old.training)


def _kind(*modules: nn.Module) -> dict[str, Any]:
    """Type and device of the first of their parameters and buffers, or else PyTorch's defaults."""
    tensors = chain.from_iterable(chain(module.parameters(), module.buffers()) for module in modules)
    first = next((tensor for tensor in tensors if tensor.is_floating_point()), None)
    return {} if first is None else {"dtype": first.dtype, "device": first.device}


def _exchange(network: nn.Module, new: Mapping[nn.Module, nn.Module]) -> None:
    """Replace old layers by new ones, wherever those are."""
    for parent in [*network.modules()]:
        for name, child in [*parent._modules.items()]:  # named_children() leaves out the second place of a layer
            if child is not None and child in new:
                setattr(parent, name, new[child])
