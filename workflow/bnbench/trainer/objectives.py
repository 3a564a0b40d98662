"""Losses as the trainer needs them: with their derivatives, hand-written if the loss defines them, else by autograd."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bnbench.catalogue import own, tasks
from bnbench.catalogue.losses import CHOICES, Loss, OwnLoss
from bnbench.catalogue.parameters import build
from bnbench.trainer import autograd, usercode


def differentiate(loss: Loss, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of every example, and its gradient with respect to `output`."""
    if loss.differentiate is not None:
        by_hand: tuple[Tensor, Tensor] = loss.differentiate(output, target)
        return by_hand
    # A copy of the target, since autograd may keep it and keeps no tensor of inference mode.
    losses, recorded = autograd.record(lambda leaf: loss.forward(leaf, target.clone()), output)
    (gradient,) = autograd.backward(losses.new_ones(losses.shape), recorded)
    return losses, gradient


def mean(loss: Loss, output: Tensor, target: Tensor) -> Tensor:
    """The mean loss of each seed, [seeds]."""
    return loss.forward(output, target).mean((1, 2))


def hessian_roots(loss: Loss, output: Tensor, target: Tensor) -> Sequence[Tensor]:
    """Tensors v like `output` whose Σ v vᵀ is the Hessian of each example's loss by its outputs.

    Without its negative part, which losses that are convex in their outputs do not have.
    """
    roots: Sequence[Tensor]
    if loss.hessian_roots is not None:
        roots = loss.hessian_roots(output, target)
        return roots
    with torch.inference_mode(mode=False), torch.enable_grad():
        leaf, truth = output.clone().requires_grad_(), target.clone()
        (slope,) = torch.autograd.grad(loss.forward(leaf, truth).sum(), leaf, create_graph=True)
        rows = [torch.autograd.grad(column.sum(), leaf, retain_graph=True)[0] for column in slope.unbind(2)]
    values, vectors = torch.linalg.eigh(torch.stack(rows, dim=2))
    roots = (vectors * values.clamp(min=0).sqrt()[:, :, None]).unbind(3)
    return roots


class Objective:
    """The loss of a setting for one network at a time: its own, or that of its task."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._loss = tasks.built_loss(spec)
        self._own: Callable[..., Any] | None = None
        if tasks.loss_of(spec) == own.NAME:
            entry: OwnLoss = build(CHOICES, spec["loss"])
            self._own = partial(usercode.load(entry.path, entry.build, entry.sha256), **usercode.options(entry))
            self._takes = entry.takes

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """[examples, outputs] twice → the loss of every example, [examples] or [examples, 1]."""
        if self._own is not None:
            supplied = {"output": output, "target": target}
            losses: Tensor = self._own(**{name: supplied[name] for name in self._takes})
            return losses
        return self._loss.forward(output[None], target[None])[0]
