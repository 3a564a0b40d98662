"""Checks that networks fit together with tasks, norms and initial weights.

What comes in is a config whose keys are right one by one; what comes out is what contradicts, and why.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, product
from typing import Any, NamedTuple

from bnbench.catalogue import networks, parameters, tasks
from bnbench.catalogue.networks import NETWORKS, Network
from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.parameters import build
from bnbench.catalogue.task import Task
from bnbench.plan.engines import modular_because
from bnbench.plan.levels import level, short
from bnbench.plan.mistakes import Mistake, at


def mistakes(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """What does not fit together, in a resolved config."""
    checks = (_images, _own_places, _places, _population_gamma, _init)
    return chain.from_iterable(check(resolved) for check in checks)


def _images(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Networks of images on tasks of other examples."""
    for index, entry in enumerate(resolved["network"]):
        for task in resolved["task"] if NETWORKS[entry["name"]].takes_images else ():
            shape = tasks.of({"task": task}).shape()
            if len(shape) != 3:
                said = f"found '{entry['name']}' with task '{task['name']}', whose examples have the shape {[*shape]}"
                allowed = "a task of images, [channels, height, width], such as digits; or network mlp or module"
                yield at(("network", index), f"{said}; allowed: {allowed}")


def _own_places(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Norms with a configured place in a network that places them itself."""
    for (index, norm), network in product(enumerate(resolved["norm"]), resolved["network"]):
        if NETWORKS[network["name"]].places_norms:
            continue
        defaults = parameters.defaults(NORMS[norm["name"]])
        for key in (key for key in ("placement", "on") if norm.get(key) != defaults.get(key)):
            said = f"found {short(norm[key])} with network '{level('network', network).label}'"
            why = "since your function decides where the norm goes"
            yield at(("norm", index, key), f"{said}, allowed: {short(defaults[key])}, {why}")


_WHERE = {"input": "at the input", "hidden": "in the hidden layers", "output": "at the output"}
"""Values of the parameter `on`, as messages have them."""


class _Place(NamedTuple):
    """What a norm may be applied to."""

    name: str
    """A key of `_WHERE`."""
    channels: int
    has_positions: bool
    """Whether a channel of an example has several values."""


def _places(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Norms on layers that they cannot normalize."""
    for (index, entry), network in product(enumerate(resolved["norm"]), resolved["network"]):
        norm: Norm = build(NORMS, entry)
        places = chain.from_iterable(_of_network(*each) for each in _networks(resolved, network))
        for place in (place for place in places if place.name in norm.on):
            where = f"{_WHERE[place.name]} of network '{network['name']}'"
            if misfit := norm.misfit(place.channels):
                yield at(("norm", index), f"{where}, {misfit}")
            elif norm.leaves_nothing(place.channels) and not place.has_positions:
                said = f"found '{entry['name']}' {where}, where it would normalize one number at a time"
                yield at(("norm", index), f"{said}; allowed: at least two")


def _networks(resolved: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[tuple[Network, Task]]:
    """A network at all levels of the key `hidden`, with all tasks that it takes."""
    for hidden, task in product(resolved["hidden"], resolved["task"]):
        network = networks.of({"network": entry, "hidden": hidden, "activation": resolved["activation"][0]})
        of_task = tasks.of({"task": task})
        if network.places_norms and not (network.takes_images and len(of_task.shape()) != 3):
            yield network, of_task


def _of_network(network: Network, task: Task) -> Iterator[_Place]:
    """The places of a built-in network; its output has a value for each channel."""
    images = network.takes_images
    yield _Place("input", task.shape()[0] if images else task.inputs(), images)
    yield from (_Place("hidden", width, images) for width in network.widths())
    yield _Place("output", task.outputs(), has_positions=False)


def _population_gamma(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """A norm that measures curvatures, which the stacked engine alone can do."""
    for index, norm in enumerate(resolved["norm"]):
        if not NORMS[norm["name"]].measures:
            continue
        levels = {key: resolved[key] for key in ("task", "hidden", "activation", "network", "optimizer", "accumulate")}
        specs = (dict(zip(levels, each, strict=True)) for each in product(*levels.values()))
        whys = (modular_because({**spec, "norm": norm, "loss": resolved["loss"]}) for spec in specs)
        if why := next(filter(None, whys), ""):
            said = f"found '{norm['name']}' with {why}, allowed: a plain perceptron"
            yield at(("norm", index), f"{said}, through whose layers gamma decay is measured")


def _init(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """The question's draws, which are those of a perceptron."""
    for index, entry in enumerate(resolved["network"]):
        if "sequential" in resolved["init"] and entry["name"] != "mlp":
            said = f"found '{entry['name']}' with init sequential, allowed: mlp"
            yield at(("network", index), f"{said}, since the question's code draws the weights of a perceptron")
