"""Checks that no two settings have the same numbers: duplicate levels, and keys that would have no effect.

What comes in is a config whose keys are right one by one; what comes out are duplicates and keys without effect.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, product
from typing import Any

from bnbench.catalogue import networks, tasks
from bnbench.catalogue.networks import NETWORKS
from bnbench.epochs import batch_bounds
from bnbench.plan import candidates
from bnbench.plan.levels import level, without_unaddressed
from bnbench.plan.mistakes import ConfigError, Mistake, at
from bnbench.plan.settings import canonical_json
from bnbench.plan.study import Study
from bnbench.vocabulary import FACTORS


def mistakes(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Duplicates and keys without effect, in a resolved config."""
    checks = (_levels, _shorthand, _placement, _weight_decay, _accumulate)
    return chain.from_iterable(check(resolved) for check in checks)


def check_arms(study: Study) -> None:
    """Refuse arms that have the same numbers in every context.

    Raises:
        ConfigError: nothing is left to compare.
    """
    if study.folds and len(study.arms) < 2:
        factor = study.report.factor
        named = ", ".join(f"'{label}'" for label in study.planned_levels[factor])
        said = f"found {named}, which give the same numbers in every context; allowed: levels that differ in one"
        raise ConfigError([at((factor,), said)])


def _levels(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    for factor in FACTORS:
        numbers: set[str] = set()
        labels: set[str] = set()
        for index, entry in enumerate(resolved[factor]):
            label, text = level(factor, entry).label, canonical_json(_numbers(resolved, factor, entry))
            if text in numbers:
                said = f"the level '{label}' occurs twice; levels that give the same numbers are one"
                yield at((factor, index), said)
            elif label in labels:
                said = f"two levels are called '{label}', allowed: levels that differ in their names or parameters"
                yield at((factor, index), said)
            numbers.add(text)
            labels.add(label)


def _numbers(resolved: Mapping[str, Any], factor: str, entry: Any) -> Any:
    """A key that two levels share if and only if they have the same numbers."""
    if factor == "network":
        keys = {key: resolved[key][0] for key in ("hidden", "activation")}
        entry = networks.normalized({**keys, "network": entry}, keys)
        return {**entry, "network": without_unaddressed("network", entry["network"])}
    return without_unaddressed(factor, entry)


def _shorthand(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Several levels of a key that some network does not read."""
    for key, entry in product(("hidden", "activation"), resolved["network"]):
        levels, is_read = len(resolved[key]), key in NETWORKS[entry["name"]].keys
        if levels > 1 and not (is_read and entry[key] is None):
            why = "has its own" if is_read else "does not read it"
            said = f"found {levels} levels, allowed: one"
            yield at((key,), f"{said}, since network '{level('network', entry).label}' {why}")


def _placement(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """A placement of a norm that is in no hidden layer."""
    for index, norm in enumerate(resolved["norm"]):
        if norm.get("placement") == "after" and "hidden" not in norm["on"]:
            said = "found after, allowed: before, since no hidden layer has the norm"
            yield at(("norm", index, "placement"), said)


def _weight_decay(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """A weight decay of 0 that should act on weights alone, unless it is one of several levels."""
    decaying = {entry["name"] for entry in resolved["optimizer"] if _on_weights(entry) and entry["weight_decay"]}
    for index, entry in enumerate(resolved["optimizer"]):
        if _on_weights(entry) and entry["name"] not in decaying:
            said = "found weights with weight_decay: 0, allowed: all, or a weight_decay above 0"
            yield at(("optimizer", index, "weight_decay_on"), said)


def _on_weights(entry: Mapping[str, Any]) -> bool:
    return entry.get("weight_decay_on") == "weights" and "weight_decay" in entry


def _accumulate(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """More batches for a step than an epoch has."""
    held_out = candidates.held_out(resolved)
    for entry, size in product(resolved["task"], resolved["batch_size"]):
        points = tasks.of({"task": entry, **held_out}).train_points()
        batches = 1 if size == "full" else len(batch_bounds(points, min(size, points))) - 1
        for index, wanted in enumerate(resolved["accumulate"]):
            if wanted > batches:
                allowed = "1 batch" if batches == 1 else f"{batches} batches"
                said = f"found {wanted}, allowed: at most the {allowed} of an epoch"
                yield at(("accumulate", index), f"{said} of task '{entry['name']}' at batch_size {size}")
