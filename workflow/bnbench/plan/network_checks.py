"""Checks that networks fit together with tasks, norms and the keys that stand for their parameters.

What comes in is a config whose keys are right one by one; what comes out is what contradicts, and why.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, product
from typing import Any

from bnbench.catalogue import networks, parameters, tasks
from bnbench.catalogue.networks import NETWORKS
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.parameters import build
from bnbench.plan.engines import modular_because
from bnbench.plan.mistakes import Mistake, at


def mistakes(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """What does not fit together, in a resolved config."""
    return chain(
        _shorthand(resolved), _shapes(resolved), _norms(resolved), _population_gamma(resolved), _init(resolved)
    )


def _shorthand(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Several levels of a key that some network does not read."""
    for key in ("hidden", "activation"):
        for index, entry in enumerate(resolved["network"]):
            read = key in NETWORKS[entry["name"]].keys and entry[key] is None
            if len(resolved[key]) > 1 and not read:
                of_its_own = key in NETWORKS[entry["name"]].keys
                said = f"has {key} of its own" if of_its_own else f"does not read {key}"
                found = f"found {len(resolved[key])} levels, allowed: one"
                yield at((key,), f"{found}, since network[{index}] '{entry['name']}' {said}")


def _shapes(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Examples that a network does not take."""
    for index, entry in enumerate(resolved["network"]):
        network = build(NETWORKS, entry)
        for task in resolved["task"]:
            if why := network.refused(tasks.of({"task": task}).shape()):
                yield at(("network", index), f"'{entry['name']}' {_of_task(why, task)}")


def _of_task(why: str, task: Mapping[str, Any]) -> str:
    return f"{why} in task '{task['name']}'; allowed: mlp or a module of your own, or a task of images such as digits"


def _norms(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Norms that make no sense in a network, or that it does not place."""
    for index, entry in enumerate(resolved["norm"]):
        norm = build(NORMS, entry)
        for network in resolved["network"]:
            named = f"with network '{network['name']}'"
            if norm.needs_positions and network["name"] == "mlp":
                said = f"found '{entry['name']}' {named}, where a channel of an example has one value"
                yield at(("norm", index), f"{said}; allowed: networks of images or sequences")
            if "hidden" in norm.on:
                for hidden, width in _widths(resolved, network):
                    if misfit := norm.misfit(width):
                        yield at(("norm", index), f"{misfit}, in {hidden}")
                        break
            defaults = parameters.defaults(NORMS[entry["name"]])
            given = [name for name in ("placement", "on") if name in entry and entry[name] != defaults[name]]
            if given and not NETWORKS[network["name"]].places_norms:
                said = f"found {given[0]} {named}, whose function places the norm; allowed: mlp, cnn, resnet"
                yield at(("norm", index, given[0]), said)


def _widths(resolved: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Where a network has hidden layers, and how wide they are, at all levels of the key `hidden`."""
    for hidden, activation in product(resolved["hidden"], resolved["activation"][:1]):
        network = networks.of({"network": entry, "hidden": hidden, "activation": activation})
        yield from ((f"network '{entry['name']}'", width) for width in network.widths())


def _population_gamma(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """A norm that measures curvatures, which the stacked engine alone can do."""
    for index, norm in enumerate(resolved["norm"]):
        if not NORMS[norm["name"]].measures:
            continue
        levels = {key: resolved[key] for key in ("hidden", "activation", "network", "optimizer", "accumulate")}
        specs = (dict(zip(levels, each, strict=True)) for each in product(*levels.values()))
        whys = (modular_because({**spec, "norm": norm, "loss": resolved["loss"]}) for spec in specs)
        if why := next(filter(None, whys), ""):
            said = f"found '{norm['name']}' with {why}"
            yield at(("norm", index), f"{said}; allowed: plain perceptrons, through which ζ is measured")


def _init(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """The question's draws, which are those of a perceptron."""
    if "sequential" in resolved["init"]:
        for index, entry in enumerate(resolved["network"]):
            if entry["name"] != "mlp":
                said = f"found '{entry['name']}' with init sequential"
                yield at(("network", index), f"{said}, allowed: mlp, whose weights the question draws")
