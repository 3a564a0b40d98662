"""What a reader should know of the setup beside the answer: rates that nobody tuned, the loss, where a norm is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bnbench.catalogue import losses, tasks
from bnbench.catalogue.norms import NORMS
from bnbench.plan.own_study import OwnStudy
from bnbench.plan.study import Study
from bnbench.wording import formats

LOSSES = {
    "squared": "the mean squared error",
    "absolute": "the mean absolute error",
    "huber": "the Huber loss",
    "cross_entropy": "the cross-entropy",
    "binary": "the binary cross-entropy",
}
"""Name of a loss → what it is called in a sentence; others go by their name."""

_MEANT = {
    "ghost": "normalizes groups of {size:,} examples of the batch, each by its own statistics",
    "frozen": "is BN that fixes its running averages after {share:.0%} of the epochs and then trains with them",
    "layer": "normalizes each example by the statistics of its own layer",
    "group": "normalizes each example by groups of its channels",
    "instance": "normalizes each channel of each example by itself",
    "rms": "divides each example by its root mean square, and subtracts no mean",
    "population": "normalizes by the statistics of the training set instead of those of the batch",
}
"""Name of a norm → what it does, for readers who know BN."""


def rates(study: Study, *, past: bool = False) -> str:
    """That the arms share what each might have needed for itself; empty where arms were tuned or differ in it."""
    if isinstance(study, OwnStudy) or study.config["tune"] or study.report.factor in ("optimizer", "schedule"):
        return ""
    several = len({level.entry.get("lr") for level in study.levels["optimizer"].values()}) > 1
    rate = "learning rates" if several else "learning rate"
    use = "used" if past else "use"
    if len(study.arms) > 2:
        return f"All arms {use} the same {rate}; none was tuned."
    return f"Both arms {use} the same {rate}; neither was tuned."


def definitions(study: Study) -> list[str]:
    """A line for each norm among the arms that is not BN itself; empty where something else is compared."""
    if isinstance(study, OwnStudy) or study.report.factor != "norm":
        return []
    found = []
    for label in study.arms:
        level = study.level("norm", label)
        if level.name in _MEANT:
            said = _MEANT[level.name].format(**_numbers(level.entry)).replace("%", " %")
            found.append(formats.beginning(f"{level.title} {said}."))
    return found


def setup(study: Study, *, past: bool = False) -> list[str]:
    """The loss that is minimized, whether test targets have noise, and where the norms are."""
    if isinstance(study, OwnStudy):
        return []
    return [*filter(None, [_loss(study, past=past), _noise(study, past=past), _placement(study, past=past)])]


def _loss(study: Study, *, past: bool) -> str:
    entries = [level.entry for level in study.levels["task"].values()]
    names = {tasks.loss_of({"task": entry, "loss": study.config["loss"]}) for entry in entries}
    named = [LOSSES.get(name, f"the loss {name.replace('_', ' ')}") for name in losses.LOSSES if name in names]
    return f"The loss {_be(past=past)} {formats.listed(named)}." if len(named) == len(names) else ""


def _noise(study: Study, *, past: bool) -> str:
    """That functions are tested without the noise that is on their training targets."""
    known = [tasks.of({"task": level.entry}) for level in study.levels["task"].values()]
    curves = [task for task in known if isinstance(task, tasks.Function)]
    if len(curves) < len(known):
        return ""
    points = {task.tested_points() for task in curves}
    count = f"{min(points):,} to {max(points):,}" if len(points) > 1 else f"{points.pop():,}"
    noisy = any(task.noise for task in curves)
    without = f"; only the training targets {'had' if past else 'have'} noise" if noisy else ""
    return f"The test loss {_be(past=past)} over {count} points between the training points{without}."


def _placement(study: Study, *, past: bool) -> str:
    """Where each norm is, and BN's momentum, where all norms have the same."""
    entries = [level.entry for level in study.levels["norm"].values() if level.name != "none"]
    places = {entry["placement"] for entry in entries if "placement" in entry}
    batch = [entry for entry in entries if NORMS[entry["name"]] is NORMS["batch"]]
    if len(places) != 1 or not batch:
        return ""
    who = "BN" if len(entries) == 1 else "Each norm"
    said = f"{who} {'came' if past else 'comes'} {places.pop()} the activation"
    momenta = {entry.get("momentum") for entry in batch}
    momentum = momenta.pop() if len(momenta) == 1 else None
    if momentum is None:
        return f"{said}."
    return f"{said}; the running averages of BN {'gave' if past else 'give'} the newest batch a weight of {momentum:g}."


def _be(*, past: bool) -> str:
    return "was" if past else "is"


def _numbers(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a definition names."""
    return {name: entry[name] for name in ("size", "share") if name in entry}
