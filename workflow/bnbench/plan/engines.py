"""Which engine trains a setting: a pure function of the setting.

The stacked engine trains perceptrons side by side in one model, at the speed of their arithmetic. The modular one
trains any network, one at a time, as plain PyTorch does. Where both can, their losses are the same but for rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bnbench.catalogue import networks, own, tasks
from bnbench.catalogue.networks import Perceptron
from bnbench.catalogue.norms import NORMS, BatchNorm
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS

Engine = Literal["stacked", "modular"]


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


_FUSED_EXAMPLES = 128
"""The largest batch that fused kernels take: a program of theirs holds all of its examples."""


def fused(spec: Mapping[str, Any]) -> bool:
    """Whether fused CUDA kernels take the steps of a setting: the plain case of a small regression on a GPU."""
    if spec["device"] != "cuda" or spec["dtype"] != "float32" or engine(spec) != "stacked":
        return False
    norm, task = build(NORMS, spec["norm"]), tasks.of(spec)
    plain_norm = spec["norm"]["name"] == "none" or (type(norm) is BatchNorm and norm.momentum is not None)
    batch = task.train_points() if spec["batch_size"] == "full" else spec["batch_size"]
    return (
        plain_norm
        and batch <= _FUSED_EXAMPLES
        and spec["optimizer"]["name"] in ("sgd", "momentum", "adam", "adamw")
        and networks.of(spec).activation in ("relu", "identity")
        and task.outputs() == 1
        and tasks.loss_of(spec) == "squared"
    )
