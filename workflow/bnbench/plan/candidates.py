"""Candidates: the levels among which each arm is tuned, and the lists of values that make them.

An entry may list values of its numeric parameters: `{name: sgd, lr: [0.01, 0.1]}` stands for a level for every
combination of them. Where a study tunes, levels that differ in tuned parameters alone are candidates of one level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from bnbench.catalogue.parameters import schema
from bnbench.catalogue.registries import REGISTRIES
from bnbench.plan.levels import Level, level, short
from bnbench.plan.mistakes import ConfigError, Path, at, kinds
from bnbench.vocabulary import FACTORS, SCHEMA

TUNABLE = ("norm", "optimizer", "schedule")
"""Factors whose parameters may be tuned. A task is what is learned, not how it is learned."""

RATE = "optimizer.lr"
"""The learning rate is tuned unless the config names other parameters."""

Candidate = tuple[tuple[str, float | None], ...]
"""A combination of tuned parameters: their names and values. It names those alone that an arm has several values of."""

Tuned = Mapping[str, Sequence[str]]
"""Factor → names of its parameters that are tuned."""


def expanded(kind: str, written: Any, path: Path) -> list[Any]:
    """The levels that an entry with lists of numbers stands for, the last list fastest; else the entry itself.

    Raises:
        ConfigError: a list is empty.
    """
    lists = {key: written[key] for key in _lists(kind, written)}
    for key in (key for key, values in lists.items() if not values):
        raise ConfigError([at((*path, key), "found an empty list, allowed: a number or a list of them")])
    if not lists:
        return [written]
    return [{**written, **dict(zip(lists, values, strict=True))} for values in product(*lists.values())]


def written(factor: str, value: Any) -> list[tuple[Path, Any]]:
    """The levels of a factor as a config has them, each with its place; one that is a list itself stands for itself."""
    is_list = SCHEMA["properties"][factor].get("type") == "array"
    if isinstance(value, list) and (not is_list or all(isinstance(item, list) for item in value)):
        return [((factor, index), item) for index, item in enumerate(value)]
    return [((factor,), value)]


def levels_written(config: Mapping[str, Any]) -> dict[str, int]:
    """Factor → how many levels a config lists of it, whatever they are, or has by default."""

    def levels(factor: str, entry: Any) -> int:
        return math.prod(len(entry[key]) for key in _lists(factor, entry))

    values = {factor: config.get(factor, SCHEMA["properties"][factor]["default"]) for factor in FACTORS}
    return {name: sum(levels(name, entry) for _, entry in written(name, value)) for name, value in values.items()}


def listed(config: Mapping[str, Any]) -> list[str]:
    """The learning rate, and what the entries of a config list, as `factor.parameter`."""
    names = [
        f"{factor}.{key}" for factor in TUNABLE for entry in _entries(config, factor) for key in _lists(factor, entry)
    ]
    return list(dict.fromkeys([RATE, *names]))


def tunable(resolved: Mapping[str, Any]) -> list[str]:
    """All parameters that a study may tune, as `factor.parameter`."""
    names = [f"{factor}.{key}" for factor in TUNABLE for entry in resolved[factor] for key in _numbers(factor, entry)]
    return list(dict.fromkeys(names))


def tuned(resolved: Mapping[str, Any]) -> dict[str, list[str]]:
    """The parameters that a study tunes, by factor; empty where it does not tune."""
    found: dict[str, list[str]] = {}
    for name in resolved["tune"]["parameters"] if resolved["tune"] else ():
        factor, _, parameter = name.partition(".")
        found.setdefault(factor, []).append(parameter)
    return found


def held_out(resolved: Mapping[str, Any]) -> dict[str, float]:
    """The share of the training points that is held out for validation, as settings have it; nothing if none is."""
    share = resolved["tune"]["validation"] if resolved["tune"] else resolved.get("validation")
    return {"validation": share} if share else {}


def whatever(tuned: Tuned, factor: str, entry: Any) -> Level:
    """The level of an entry without its tuned parameters: what its candidates have in common."""
    dropped = tuned.get(factor, ())
    return level(factor, {key: value for key, value in entry.items() if key not in dropped} if dropped else entry)


def of_levels(resolved: Mapping[str, Any], tuned: Tuned) -> dict[str, dict[str, Candidate]]:
    """Tuned factor → label of a level → the candidate that it is."""
    names = [name for parameters in tuned.values() for name in parameters]
    found: dict[str, dict[str, Candidate]] = {}
    for factor, parameters in tuned.items():
        alike: dict[str, list[Mapping[str, Any]]] = {}
        for entry in resolved[factor]:
            alike.setdefault(whatever(tuned, factor, entry).label, []).append(entry)
        for entries in alike.values():
            several = [name for name in parameters if len({entry.get(name) for entry in entries}) > 1]
            for entry in entries:
                # A name that two factors tune needs the factor before it.
                chosen = {f"{factor}.{name}" if names.count(name) > 1 else name: entry[name] for name in several}
                found.setdefault(factor, {})[level(factor, entry).label] = tuple(chosen.items())
    return found


def text(candidate: Candidate) -> str:
    """The name of a candidate: `lr=0.01, weight_decay=0.0001`."""
    return ", ".join(f"{name}={short(value)}" for name, value in candidate)


def _entries(config: Mapping[str, Any], factor: str) -> list[Any]:
    """The entries of a factor as written in the config."""
    value = config.get(factor)
    return value if isinstance(value, list) else [value]


def _lists(kind: str, entry: Any) -> list[str]:
    """Numeric parameters of which an entry lists values."""
    return [key for key in _numbers(kind, entry) if isinstance(entry.get(key), list)]


def _numbers(kind: str, entry: Any) -> Iterator[str]:
    """The numeric parameters of an entry; none if the entry's name is unknown."""
    name = entry.get("name") if isinstance(entry, Mapping) else None
    if kind not in REGISTRIES or not isinstance(name, str) or name not in REGISTRIES[kind]:
        return
    for key, rule in schema(REGISTRIES[kind][name])["properties"].items():
        if {"integer", "number"} & {*kinds(rule)}:
            yield key
