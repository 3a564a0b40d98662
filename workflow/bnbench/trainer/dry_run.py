"""A dry run: two examples once through a network, its loss and back, before anything is trained.

Mistakes of the user's own code are reported here: shapes, a loss that is no number for each example, a norm that is
not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bnbench.catalogue import own
from bnbench.errors import UserError
from bnbench.trainer import points
from bnbench.trainer.devices import plain
from bnbench.trainer.modular import OWN_CODE, Trainee, where_of
from bnbench.trainer.points import Points


def check(spec: Mapping[str, Any], seed: int, data: Points) -> None:
    """Refuse a setting whose network, norm, optimizer or loss does not work on two examples.

    Raises:
        UserError: what is wrong, with the user's file and line where it is the user's.
    """
    device = torch.device("cpu")
    with plain(device):
        # Without the user's metrics, for which two points may be too few: see `own_metrics.check`.
        small, data = {**spec, "batch_size": "full", "metrics": []}, points.cut(data, 2)
        trainee = Trainee(small, seed, data, device)
        untouched = trainee.changes()
        output = trainee.output()
        _check_output(spec, output, trainee.points[1])
        _check_points(spec, trainee, untouched, "network")
        if unknown := trainee.unknown():
            raise UserError(
                f"{where_of(spec, 'network')}: the network makes the parameter '{unknown[0]}' while it runs, allowed: "
                "parameters that it has once it is built, since the optimizer updates no others"
            )
        _check_loss(spec, trainee.loss(output))
        _check_points(spec, trainee, untouched, "loss")
        if not trainee.uses_norm():
            raise UserError(
                f"{where_of(spec, 'network')}: the network runs none of its norm layers, so all arms would be the "
                "same; allowed: at least one that its forward() calls"
            )
        trainee.train_epoch(0, 1.0)
        with torch.no_grad():
            _check_shape(spec, trainee.output(training=False), trainee.points[1])
            trainee.evaluate(1)
        _check_points(spec, trainee, untouched, "network")
        _check_state(spec, trainee, Trainee(small, seed, data, device))


def _check_state(spec: Mapping[str, Any], straight: Trainee, resumed: Trainee) -> None:
    """Refuse code whose bits would differ after an interruption: the state must hold all that epochs pass on."""
    resumed.take_up(straight.state(), 1)
    theirs = [kind for kind in OWN_CODE if spec.get(kind, {}).get("name") == own.NAME]
    if theirs and _next_epoch(straight) != _next_epoch(resumed):
        where = ", ".join(where_of(spec, kind) for kind in theirs)
        raise UserError(
            f"{where}: after an interruption, the second epoch gives other losses; allowed: to keep what the next "
            "epoch needs in parameters, buffers and the optimizer's state, and to draw random numbers from torch, "
            "numpy.random and random, without generators of your own"
        )


def _next_epoch(trainee: Trainee) -> list[bytes]:
    """The losses of a second epoch, and the network's outputs after it."""
    losses = trainee.train_epoch(1, 1.0)
    with torch.no_grad():
        return [each.cpu().numpy().tobytes() for each in (losses, *trainee.evaluate(2).values(), trainee.fit())]


def _check_output(spec: Mapping[str, Any], output: Any, target: Tensor) -> None:
    _check_shape(spec, output, target)
    if not output.requires_grad:
        raise UserError(
            f"{where_of(spec, 'network')}: the network's output has no gradient, allowed: a forward() that computes it "
            "from parameters, without torch.no_grad() and detach()"
        )


def _check_shape(spec: Mapping[str, Any], output: Any, target: Tensor) -> None:
    where = where_of(spec, "network")
    if not isinstance(output, Tensor):
        raise UserError(f"{where}: the network gives a {type(output).__name__}, allowed: a tensor of {_of(target)}")
    if output.shape != target.shape:
        raise UserError(
            f"{where}: the network gives {list(output.shape)} for 2 examples, allowed: {_of(target)}, "
            "which is [examples, outputs]"
        )


def _check_points(spec: Mapping[str, Any], trainee: Trainee, untouched: int, kind: str) -> None:
    if trainee.changes() != untouched:
        raise UserError(
            f"{where_of(spec, kind)}: the {kind} changes its input in place, which is the data themselves; allowed: "
            "work on a copy, such as x = x * 2 for x *= 2"
        )


def _check_loss(spec: Mapping[str, Any], losses: Any) -> None:
    where = where_of(spec, "loss")
    if not isinstance(losses, Tensor) or losses.shape not in ((2,), (2, 1)):
        found = list(losses.shape) if isinstance(losses, Tensor) else f"a {type(losses).__name__}"
        raise UserError(f"{where}: the loss gives {found} for 2 examples, allowed: [2], a number for each of them")
    if not losses.is_floating_point():
        raise UserError(f"{where}: the loss holds {losses.dtype}, allowed: real numbers")
    if not losses.requires_grad:
        raise UserError(f"{where}: the loss has no gradient, allowed: one that torch computes from `output`")
    if (losses < 0).any():
        raise UserError(
            f"{where}: the loss of an example is {losses.min().item():.3g}, allowed: 0 or more, since losses are "
            "compared by their ratio"
        )


def _of(target: Tensor) -> str:
    return str(list(target.shape))
