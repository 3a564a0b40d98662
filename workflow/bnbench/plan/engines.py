"""Which engine trains a setting: a pure function of the setting.

The stacked engine trains perceptrons side by side in one model, at the speed of their arithmetic. The modular one
trains any network, one at a time, as plain PyTorch does. Where both can, their losses are the same up to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

from bnbench.catalogue import networks, own, tasks
from bnbench.catalogue.networks import Perceptron
from bnbench.catalogue.norms import NORMS, BatchNorm, Identity, plain
from bnbench.catalogue.optimizers import OPTIMIZERS, SGD, Adam
from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS
from bnbench.epochs import batch_bounds

Engine = Literal["stacked", "modular"]

_FUSED_BATCH = 128  # examples, which one program of a fused kernel holds


def engine(spec: Mapping[str, Any]) -> Engine:
    """The engine of a setting."""
    return "stacked" if not modular_because(spec) else "modular"


def modular_because(spec: Mapping[str, Any]) -> str:
    """What in a setting the stacked engine cannot do; empty where it can do all."""
    network, norm = networks.of(spec), build(NORMS, spec["norm"])
    optimizer = build(OPTIMIZERS, spec["optimizer"])
    wanted = {
        f"network '{spec.get('network', networks.DEFAULT)['name']}'": not isinstance(network, Perceptron),
        f"task '{spec['task']['name']}'": TASKS[spec["task"]["name"]].held_once,
        "dropout": isinstance(network, Perceptron) and network.dropout > 0,
        f"placement: {norm.placement}": norm.placement != "before",
        f"on: {', '.join(norm.on)}": norm.on != ("hidden",),
        f"layers: {', '.join(norm.layers)}": norm.layers != ("*",),
        f"norm '{spec['norm']['name']}'": not norm.stacks(),
        f"optimizer '{spec['optimizer']['name']}'": not optimizer.elementwise,
        f"clip: {optimizer.clip or 0:g}": optimizer.clip is not None,
        f"weight_decay_on: {optimizer.weight_decay_on}": optimizer.weight_decay_on != "all",
        f"accumulate: {spec.get('accumulate', 1)}": spec.get("accumulate", 1) > 1,
        "a loss of your own": spec.get("loss", {}).get("name") == own.NAME,
    }
    return next((what for what, is_wanted in wanted.items() if is_wanted), "")


def fused(spec: Mapping[str, Any]) -> bool:
    """Whether a GPU trains a setting by kernels that fuse a layer's operations, see `trainer.fused`.

    These cover most studies; everything else trains with torch's own kernels.
    """
    network, optimizer, task = networks.of(spec), build(OPTIMIZERS, spec["optimizer"]), tasks.of(spec)
    points = task.train_points()
    bounds = batch_bounds(points, points if spec["batch_size"] == "full" else spec["batch_size"])
    sizes = [stop - start for start, stop in pairwise(bounds)]
    norm = build(NORMS, plain(spec["norm"], max(sizes)))
    return (
        engine(spec) == "stacked"
        and (spec["device"], spec["dtype"]) == ("cuda", "float32")
        and isinstance(network, Perceptron)
        and bool(network.hidden)
        and network.activation in ("relu", "identity")
        and (type(norm) is Identity or (type(norm) is BatchNorm and norm.momentum is not None))
        and (isinstance(optimizer, Adam) or (isinstance(optimizer, SGD) and not optimizer.dampening))
        and (task.outputs(), tasks.loss_of(spec)) == (1, "squared")
        and min(sizes) > 1  # Triton makes a constant of 1, which kernels do not convert
        and max(sizes) <= _FUSED_BATCH
    )
