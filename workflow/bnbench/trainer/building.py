"""Networks of the modular engine with their initial weights, which all arms of a seed share.

An arm's network is built, and then takes from the network without normalization the value of every parameter and buffer
that has the same name and shape in both. That network is built from the same random state, so what the arms share
depends on the seed alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from bnbench.catalogue import networks, tasks
from bnbench.catalogue.networks import OwnNetwork, Perceptron, Shape
from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import NORMS, BatchNorm, Identity
from bnbench.catalogue.parameters import build
from bnbench.errors import UserError
from bnbench.streams import seed_of
from bnbench.trainer import draws, forms, norm_layers, usercode
from bnbench.trainer.initialization import initial_of, weights_hash
from bnbench.trainer.modules import Places, built
from bnbench.trainer.norm_layers import NormFactory


class Built(NamedTuple):
    """A network with its initial weights."""

    module: nn.Module
    """On the CPU, in the type in which its weights are drawn."""
    weights_hash: str
    """Hash of the weights that all arms of the seed share."""


def network(spec: Mapping[str, Any], seed: int) -> Built:
    """The network of a setting for one seed."""
    chosen, norm, task = networks.of(spec), build(NORMS, spec["norm"]), tasks.of(spec)
    shape, outputs = task.shape(), task.outputs()
    drawn = seed_of("weights", seed, spec["seed_varies"])
    module = _module(chosen, norm, shape, outputs, drawn)
    if isinstance(chosen, Perceptron):
        layers = initial_of(spec, seed)
        _take(module, _named(layers))
        return Built(module, weights_hash(layers))
    plain = _values(_module(chosen, Identity(), shape, outputs, drawn))
    _take(module, plain)
    with_bn = _values(_module(chosen, BatchNorm(), shape, outputs, drawn))
    shared = {name for name, value in plain.items() if name in with_bn and with_bn[name].shape == value.shape}
    return Built(module, _hash({**plain, **_values(module)}, shared))


def cast(module: nn.Module, dtype: torch.dtype, device: torch.device) -> None:
    """Bring a network to a device and a type; `Module.to` would take the imaginary parts of what is complex away."""
    types = {"float": dtype, "complex": dtype.to_complex()}

    def moved(each: Tensor) -> Tensor:
        kind = "complex" if each.is_complex() else "float" if each.is_floating_point() else ""
        return each.to(device, types.get(kind, each.dtype))

    module._apply(moved)  # type: ignore[no-untyped-call]


def take_buffers(module: nn.Module, values: Mapping[str, Tensor], persistent: Container[str]) -> None:
    """Restore buffers, also those that the network creates, or creates in another shape, when it runs."""
    for name, value in values.items():
        path, _, own = name.rpartition(".")
        layer = module.get_submodule(path)
        present = getattr(layer, own, None)
        if isinstance(present, Tensor) and present.shape == value.shape and present.dtype == value.dtype:
            present.copy_(value)
        else:
            layer._buffers.pop(own, None)
            layer.register_buffer(own, value, persistent=name in persistent)


def misfit(module: nn.Module, state: Mapping[str, Any], buffers: Mapping[str, Any], *, partly: bool) -> str:
    """In what a state and all buffers are not those of such a network, in words; empty if they are.

    `partly` says that buffers may have come, and changed their shapes, when the network ran.
    """
    own, own_buffers = module.state_dict(), dict(module.named_buffers())
    if not partly:
        both = ({"network": state, "buffers": buffers}, {"network": own, "buffers": own_buffers})
        return forms.difference(*map(forms.of, both))
    if odd := {*state} - {*own} - {*buffers}:
        return f"found {min(odd)}, which no part of the network keeps"
    if absent := {*own_buffers} - {*buffers}:
        return f"without {min(absent)}"
    fixed = {name for name, _ in module.named_parameters()}
    found = {name: value if name in fixed else 0 for name, value in state.items() if name in own}
    return forms.difference(forms.of(found), forms.of({name: own[name] if name in fixed else 0 for name in own}))


def _module(chosen: Any, norm: Norm, shape: Shape, outputs: int, seed: int) -> nn.Module:
    """A network with this norm, from the random state of the seed."""
    draws.seed_everything(seed, "init.modules")
    factory = NormFactory(norm)
    if not isinstance(chosen, OwnNetwork):
        module = built(chosen, Places(norm, factory), shape, outputs)
        norm_layers.restrict(module, norm)
        return module
    return _own(chosen, norm, factory, shape, outputs)


def _own(chosen: OwnNetwork, norm: Norm, factory: NormFactory, shape: Shape, outputs: int) -> nn.Module:
    """The network that the user's function returns."""
    doing = f"builds the network with {chosen.build}"
    module = usercode.call(chosen, doing, norm=factory, inputs=shape, outputs=outputs)
    if not isinstance(module, nn.Module):
        raise UserError(
            f"{chosen.path}: {chosen.build} gives a {type(module).__name__}, allowed: a network (torch.nn.Module)"
        )
    with usercode.told(chosen.path, "runs the network once, to find the sizes of its lazy layers"):
        _materialize(module, shape)
    _refuse_sparse(chosen, module)
    if not any(each.requires_grad for each in module.parameters()):
        raise UserError(f"{chosen.path}: {chosen.build} gives a network without parameters to train")
    if "norm" not in chosen.takes:
        if not norm_layers.replace(module, norm):
            raise UserError(
                f"{chosen.path}: {chosen.build} takes no 'norm', and its network has no BatchNorm layer, so all arms "
                "would be the same; allowed: a function that calls norm(channels), or a network with BatchNorm layers"
            )
        return module
    if not factory.made:
        raise UserError(
            f"{chosen.path}: {chosen.build} never calls norm(channels), so all arms would be the same; "
            "allowed: at least one layer of it"
        )
    norm_layers.restrict(module, norm)
    return module


def _refuse_sparse(chosen: OwnNetwork, module: nn.Module) -> None:
    """Refuse tensors whose bytes are not their numbers."""
    for name, each in _tensors(module).items():
        if each.layout != torch.strided:
            raise UserError(
                f"{chosen.path}: {chosen.build} has '{name}' in the layout {each.layout}, allowed: dense tensors; make "
                "it sparse in forward()"
            )


def _named(layers: Any) -> dict[str, Tensor]:
    """The parameters of a perceptron's linear layers, by their names in the module."""
    both = {f"linear{index}": pair for index, pair in enumerate(layers)}
    named = {f"{name}.weight": weight for name, (weight, _) in both.items()}
    return named | {f"{name}.bias": bias for name, (_, bias) in both.items() if bias is not None}


def _materialize(module: nn.Module, shape: Shape) -> None:
    """Have lazy layers, such as torch.nn.LazyLinear, take their sizes from two examples.

    Raises:
        UserError: one of them is not used.
    """
    if not any(map(is_lazy, _tensors(module).values())):
        return
    module.eval()
    with torch.no_grad():
        module(torch.zeros(2, *shape))
    module.train()
    if left := [name for name, each in _tensors(module).items() if is_lazy(each)]:
        raise UserError(
            f"found '{left[0]}' of a lazy layer that the network does not use, allowed: layers that it uses"
        )


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name."""
    return dict(chain(module.named_parameters(), module.named_buffers()))


def _values(module: nn.Module) -> dict[str, Tensor]:
    return {name: each.detach() for name, each in _tensors(module).items()}


def _take(module: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Copy the values of everything with the same name and shape; in the wider type of both."""
    with torch.no_grad():
        for name, own in _tensors(module).items():
            if name in values and values[name].shape == own.shape:
                own.data = values[name].to(torch.promote_types(own.dtype, values[name].dtype)).clone()


def _hash(values: Mapping[str, Tensor], names: set[str]) -> str:
    """Sixteen hex digits over the values of these names."""
    digest = hashlib.sha256()
    for name in sorted(names):
        content = values[name].contiguous().flatten().view(torch.uint8)  # NumPy has no bfloat16
        digest.update(name.encode() + content.numpy().tobytes())
    return digest.hexdigest()[:16]
