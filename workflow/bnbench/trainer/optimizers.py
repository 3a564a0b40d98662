"""torch's optimizers as both engines use them."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bnbench.catalogue.optimizers import LBFGS, SGD, Muon, Optimizer, OwnOptimizer
from bnbench.errors import UserError
from bnbench.trainer import captured, forms, usercode
from bnbench.trainer.captured import undecorated

Losses = tuple[list[Tensor], list[Tensor]]
"""Of some batches: the mean loss of each, and its part of the mean loss of all."""


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give all parameters this learning rate."""
    for group in optimizer.param_groups:
        _set(group, rate)


def _set(group: dict[str, Any], rate: float) -> None:
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


class Optimizers:
    """What updates one network: an optimizer, or two where one cannot update all parameters.

    Args:
        entry: as the config has it.
        module: the network, in its final type and on its final device.
        constant_rate: whether the learning rate never changes.
    """

    captures: bool = False
    """Whether an update can be captured in a CUDA graph: all that it keeps lies on the GPU."""

    def __init__(self, entry: Optimizer, module: nn.Module, *, constant_rate: bool = False) -> None:
        self._entry, self._constant_rate = entry, constant_rate
        self._parameters = [each for each in module.parameters() if each.requires_grad]
        self._flat: list[tuple[nn.Parameter, nn.Parameter]] = []  # parameters, and the matrices that stand for them
        self._all = self._made()
        # Not from a tensor, which may hold it as a single float.
        self._rates = [
            [entry.lr if isinstance(group["lr"], Tensor) else float(group["lr"]) for group in each.param_groups]
            for each in self._all
        ]
        closure = inspect.signature(self._all[0].step).parameters.get("closure")
        self.asks_again = isinstance(entry, LBFGS) or bool(closure and closure.default is inspect.Parameter.empty)
        """Whether an update needs the loss more than once."""

    def set_rate(self, factor: float) -> None:
        """Multiply the learning rates from the start by a factor."""
        for optimizer, rates in zip(self._all, self._rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                _set(group, rate * factor)

    def step(self, gradients: Callable[[], Losses]) -> list[Tensor]:
        """One update; `gradients` fills the gradients and gives losses; those of before the update come back."""
        losses: list[Tensor] = []
        draw_again = _redrawn(self._parameters[0].device) if self.asks_again else None

        def closure() -> Tensor:
            if draw_again:
                draw_again()
            for parameter in self._parameters:
                parameter.grad = None
            found, parts = gradients()
            losses[:] = losses or found
            if self._entry.clip is not None:
                nn.utils.clip_grad_norm_(self._parameters, self._entry.clip)
            return torch.stack(parts).sum() if len(parts) > 1 else parts[0]

        if self.asks_again:
            self._update(self._all[0], closure)
            return losses
        closure()
        for parameter, matrix in self._flat:
            matrix.data = parameter.data.flatten(1)  # a forward pass may have moved it
            matrix.grad = None if parameter.grad is None else parameter.grad.reshape(matrix.shape)
        for optimizer in self._all:
            self._update(optimizer)
        return losses

    def _update(self, optimizer: torch.optim.Optimizer, *closure: Callable[[], Tensor]) -> None:
        if isinstance(self._entry, OwnOptimizer):
            optimizer.step(*closure)  # type: ignore[arg-type] # torch's own pass it on
            return
        with torch.no_grad():
            inspect.unwrap(type(optimizer).step)(optimizer, *closure)  # without the profiler's hooks

    def state(self) -> list[Any]:
        """What the optimizers keep, by the places of the parameters, and their options."""
        found = [inspect.unwrap(type(each).state_dict)(each) for each in self._all]  # see `undecorated`
        groups = [
            [{key: value for key, value in group.items() if key != "params"} for group in each["param_groups"]]
            for each in found
        ]
        return [{"state": each["state"], "groups": own} for each, own in zip(found, groups, strict=True)]

    def misfit(self, kept: list[Any], *, partly: bool) -> str:
        """In what this is not as `state` has it after some steps, in words; empty where it is, or nobody can know.

        `partly` says that steps may leave parameters out, as stochastic depth does.
        """
        expected = [each["groups"] for each in self.state()]
        if odd := forms.difference(forms.of([each["groups"] for each in kept]), forms.of(expected)):
            return "" if isinstance(self._entry, OwnOptimizer) and len(kept) == len(expected) else odd
        if isinstance(self._entry, OwnOptimizer | LBFGS):
            return ""
        found = [each["state"] for each in kept]
        both = zip(self._after_a_step(), found, strict=True)
        after = [{key: one for key, one in own.items() if key in there or not partly} for own, there in both]
        return forms.difference(forms.of(found), forms.of(after))

    def _after_a_step(self) -> list[Any]:
        """What the optimizers come to keep of each parameter, whatever the numbers."""
        others = copy.deepcopy(self._all)
        for optimizer in others:
            for parameter in (each for group in optimizer.param_groups for each in group["params"]):
                parameter.grad = torch.zeros_like(parameter)
            self._update(optimizer)
        return [inspect.unwrap(type(each).state_dict)(each)["state"] for each in others]

    def take_up(self, kept: list[Any]) -> None:
        """Take up what `state` gave.

        torch's own loading casts the counts of steps to the type of the weights, which changes the bits of what
        follows. Here they keep their type. Options are taken up where an optimizer may change them: those of torch
        change none, and the rate is set in every epoch.
        """
        for optimizer, own in zip(self._all, kept, strict=True):
            places = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            for place, state in own["state"].items():
                key = places[place] if isinstance(place, int) else place  # what is kept of no parameter has a name
                optimizer.state[key] = _laid_out(state, key)
            if isinstance(self._entry, OwnOptimizer):
                for group, options in zip(optimizer.param_groups, own["groups"], strict=True):
                    group.update(options)

    def _made(self) -> list[torch.optim.Optimizer]:
        entry = self._entry
        if isinstance(entry, OwnOptimizer):
            return [_own(entry, self._groups(self._parameters))]
        real = not any(each.is_complex() for each in self._parameters)
        first = self._parameters[0]
        # Dampened momentum is left to the plain code, see `_with_momentum`.
        one_pass = real and not (isinstance(entry, SGD) and entry.momentum and entry.dampening)
        form = captured.form(entry, first.dtype, first.device, constant_rate=self._constant_rate, fused=one_pass)
        torch_class, arguments = form.torch_class, form.arguments
        self.captures = form.captures
        if isinstance(entry, SGD) and entry.momentum:
            return [_with_momentum(torch_class, self._groups(self._parameters), arguments)]
        if not isinstance(entry, Muon):
            return [torch_class(self._groups(self._parameters), **arguments)]
        matrices = [each for each in self._parameters if each.ndim >= 2]
        for each in matrices:
            each.data = each.data.contiguous()  # so that its matrix shares its memory
        self._flat = [(each, nn.Parameter(each.data.flatten(1))) for each in matrices]
        others = [each for each in self._parameters if each.ndim < 2]
        decay = entry.weight_decay if entry.weight_decay_on == "all" else 0.0
        made = [torch_class([matrix for _, matrix in self._flat], **arguments)] if matrices else []
        adamw, fused = undecorated(torch.optim.AdamW), {"fused": True} if real else {}
        return [*made, adamw(others, lr=entry.lr, weight_decay=decay, **fused)] if others else made

    def _groups(self, parameters: list[nn.Parameter]) -> list[Any]:
        """The parameters, those without weight decay in a group of their own."""
        if self._entry.weight_decay_on == "all":
            return parameters
        decayed = [each for each in parameters if each.ndim >= 2]
        others = [each for each in parameters if each.ndim < 2]
        return [{"params": decayed}, {"params": others, "weight_decay": 0.0}] if others else decayed


def _with_momentum(torch_class: Any, groups: list[Any], arguments: dict[str, Any]) -> torch.optim.Optimizer:
    """SGD with momentum, also where a step leaves parameters out, as stochastic depth does.

    Its fused kernel fails where some parameters have a momentum and others have none yet. Without dampening, a first
    step from a momentum of zeros is the same.
    """
    if arguments["dampening"]:
        arguments = {**arguments, "fused": False}
    made: torch.optim.Optimizer = torch_class(groups, **arguments)
    for parameter in (each for group in made.param_groups for each in group["params"] if not arguments["dampening"]):
        made.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return made


def _redrawn(device: torch.device) -> Callable[[], None]:
    """What takes torch's random numbers back to here.

    A loss that is asked for again then has the same dropout masks, and so have the arms, however often each asks.
    """
    on_cpu = torch.get_rng_state()
    on_gpu = torch.cuda.get_rng_state(device) if device.type == "cuda" else None

    def draw_again() -> None:
        torch.set_rng_state(on_cpu)
        if on_gpu is not None:
            torch.cuda.set_rng_state(on_gpu, device)

    return draw_again


def _laid_out(state: Any, parameter: Any) -> Any:
    """What an optimizer keeps for a parameter; tensors of its shape have its memory layout, as kernels expect."""
    if isinstance(state, dict):
        return {name: _laid_out(each, parameter) for name, each in state.items()}
    if isinstance(state, Tensor) and isinstance(parameter, Tensor) and state.shape == parameter.shape:
        return torch.empty_like(parameter, dtype=state.dtype, device=state.device).copy_(state)
    return state


def _own(entry: OwnOptimizer, parameters: list[Any]) -> torch.optim.Optimizer:
    """The optimizer that the user's class or function returns."""
    made = usercode.call(entry, f"makes the optimizer with {entry.build}", params=parameters, lr=entry.lr)
    if not isinstance(made, torch.optim.Optimizer):
        raise UserError(
            f"{entry.path}: {entry.build} gives a {type(made).__name__}, allowed: an optimizer (torch.optim.Optimizer)"
        )
    if any("lr" not in group for group in made.param_groups):
        raise UserError(
            f"{entry.path}: {entry.build} keeps no 'lr' in its groups of parameters, allowed: one that it takes its "
            "rate from, since schedules set it there"
        )
    return made
