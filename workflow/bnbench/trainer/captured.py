"""Builds torch's optimizers so that a CUDA graph can contain their update, with the CPU's numbers.

A graph replays kernels with the numbers that they were captured with. What changes from step to step must therefore lie
on the GPU: the learning rate under a schedule, and an optimizer's counters. torch has single floats there, by which
losses were off by as much as 10⁻³ (NAdam and RAdam after 80 steps, on an H200). Here they are doubles.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bnbench.catalogue.optimizers import Optimizer

COUNTERS = ("step", "mu_product", "eta", "mu")
"""States of torch's optimizers that are one number for a whole parameter."""

_BY_NUMBER = ("Adadelta", "RMSprop")
"""Classes whose update of one tensor takes the rate as a number, which a graph cannot read from the GPU.

Their update of lists of tensors reads it from memory. It refuses double counters beside single weights, but no result
depends on the counters of these two.
"""

_DOUBLES = (torch.float64, torch.complex128)


class Form(NamedTuple):
    """How the optimizer of an entry is made."""

    torch_class: Any
    """Makes it, given parameters."""
    arguments: dict[str, Any]
    """And these keyword arguments."""
    captures: bool
    """Whether its update can be captured in a CUDA graph."""


def form(
    entry: Optimizer, dtype: torch.dtype, device: torch.device, *, constant_rate: bool, fused: bool = True
) -> Form:
    """How the optimizer of an entry is made for parameters of this type on this device.

    Args:
        entry: one of torch's optimizers.
        dtype: of the parameters.
        device: theirs.
        constant_rate: whether the learning rate never changes.
        fused: whether torch's one-pass kernels, where there are any, can be used.
    """
    if device.type == "cuda":
        return on_gpu(entry, dtype, device, constant_rate=constant_rate, fused=fused)
    one_pass = {"fused": True} if entry.fused and fused else {}
    return Form(undecorated(getattr(torch.optim, entry.torch_class)), entry.arguments() | one_pass, captures=False)


def on_gpu(
    entry: Optimizer, dtype: torch.dtype, device: torch.device, *, constant_rate: bool, fused: bool = True
) -> Form:
    """See `form`; the tensors among the arguments lie on `device`.

    torch's fused kernels read a rate from memory as a single float (ATen, fused_adam_impl.cu). For single weights that
    is rounding like their own. Double weights under a schedule are updated by Adam's plain code instead; SGD has none
    that a graph could hold, so it goes without a graph, with the rate as a number.
    """
    torch_class, arguments = getattr(torch.optim, entry.torch_class), entry.arguments()
    capturable = {"capturable": True} if "capturable" in inspect.signature(torch_class).parameters else {}
    one_pass = {"fused": True} if entry.fused and fused else {}

    def rate(its_dtype: torch.dtype) -> dict[str, Any]:
        return {} if constant_rate else {"lr": torch.tensor(entry.lr, dtype=its_dtype, device=device)}

    if one_pass and (constant_rate or dtype not in _DOUBLES):
        return Form(undecorated(torch_class), arguments | one_pass | capturable | rate(torch.float32), captures=True)
    if not capturable:  # what keeps nothing on the host can be captured at a constant rate
        return Form(undecorated(torch_class), arguments | one_pass, captures=constant_rate and entry.fused)
    by_number = entry.torch_class in _BY_NUMBER
    made = undecorated(torch_class) if by_number else _with_double_counters(torch_class)
    own = arguments | capturable | rate(torch.float64) | {"foreach": by_number}
    return Form(made, own, captures=True)


def undecorated(torch_class: type[torch.optim.Optimizer], **methods: Any) -> Any:
    """The class without torch's wrappers for its compiler and its profiler, and with other `methods` of its own.

    The wrappers import the compiler, which takes longer than importing torch, and add 50 µs to every step.
    """
    plain = {name: inspect.unwrap(getattr(torch_class, name)) for name in ("add_param_group", "step")}
    return type(torch_class.__name__, (torch_class,), plain | methods)


def _with_double_counters(torch_class: Any) -> Any:
    """The class with counters in float64, whose numbers are those that it would have on the CPU."""

    def _init_group(self: Any, group: dict[str, Any], *lists: list[Tensor]) -> Any:
        """Fill the lists with the states of the group's parameters, as torch's step does first."""
        found = torch_class._init_group(self, group, *lists)
        doubles = {}
        for state in (self.state[parameter] for parameter in group["params"] if parameter in self.state):
            for name in (name for name in COUNTERS if name in state and state[name].dtype == torch.float32):
                counter = state[name]
                state[name] = doubles[id(counter)] = counter.double()
            _round_as_on_cpu(state, group)
        for tensors in lists if doubles else ():
            tensors[:] = [doubles.get(id(each), each) for each in tensors]
        return found

    return undecorated(torch_class, _init_group=_init_group)


def _round_as_on_cpu(state: dict[str, Any], group: dict[str, Any]) -> None:
    """Round, before a step, the states that torch stores as single floats on the CPU, and uses as doubles.

    These are ASGD's rate η and NAdam's product of all μ. torch multiplies the product by the step's μ before it uses
    it, so it is set to what gives the CPU's number then.
    """
    if "eta" in state:
        state["eta"].copy_(state["eta"].float())
    if "mu_product" in state and group["betas"][0] > 0:
        mu = group["betas"][0] * (1 - 0.5 * 0.96 ** ((state["step"] + 1) * group["momentum_decay"]))
        product = state["mu_product"]
        product.copy_((product.float() * mu.float()).double() / mu)
