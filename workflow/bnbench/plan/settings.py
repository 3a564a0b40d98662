"""Settings: combinations of levels with all else that changes the numbers, and their addresses.

Pure: the same spec has the same address on a laptop, a head node and a compute node.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bnbench.catalogue import metrics, networks, tasks
from bnbench.catalogue.parameters import added, build, defaults
from bnbench.catalogue.registries import REGISTRIES
from bnbench.outcomes import Outcome
from bnbench.plan.levels import level, without_unaddressed
from bnbench.vocabulary import FACTORS, FIRST_FACTORS, SCHEMA, VALIDATION

NUMERICS = 3
"""Version of the training code's arithmetic, part of every address. Raise it when the golden losses change."""

_DEFAULTS = {key: rule.get("default") for key, rule in SCHEMA["properties"].items()}
"""Of the keys of the config."""

_EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}
"""Relative precision of the floating-point types."""

KEYS = tuple(key for key, rule in SCHEMA["properties"].items() if rule.get("factor") or rule.get("changes_numbers"))
"""Keys of the config that a setting consists of."""


@dataclass(frozen=True)
class Setting:
    """One combination of levels, with everything else that changes the numbers."""

    spec: Mapping[str, Any]
    """JSON-able: the entries of all `KEYS`, `numerics`, and `validation` where rates are tuned."""
    labels: Mapping[str, str]
    """Factor → label of its level."""
    address: str
    """Folder of the results: a readable slug and 8 hex digits of the SHA-256 of what changes the numbers."""

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Setting:
        """The setting that `spec` describes; what it lacks, since it was added later, has its default."""
        spec = {key: _completed(key, value) for key, value in {**_defaults_of_added(), **spec}.items()}
        labels = {factor: level(factor, spec[factor]).label for factor in FACTORS}
        said = networks.normalized(spec, _DEFAULTS)
        numbers = {key: _addressed(key, said[key]) for key in KEYS}
        digest = hashlib.sha256(canonical_json(canonical({**said, **numbers})).encode()).hexdigest()[:8]
        return cls(spec, labels, f"{_slug(numbers)}-{digest}")

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Name → outcome, of all that its trials can be judged by."""
        return metrics.outcomes(self.spec)

    @property
    def own_metrics(self) -> list[str]:
        """Names of the user's own metrics, each of which has a column."""
        return [metric.build for metric in metrics.own(self.spec)]

    @property
    def keeps_statistics(self) -> bool:
        """Whether its norm has running statistics, so that its networks behave differently in evaluation mode."""
        return bool(build(REGISTRIES["norm"], self.spec["norm"]).buffers())

    def resolution(self, loss: str) -> float:
        """The smallest mean above 0 that this loss can have: a loss below it cannot be distinguished from 0.

        Such as 8.3e-11 for the cross-entropy of 1,437 examples in float32: one of them at 1.2e-7, and the others at 0.

        Args:
            loss: a column of the table of losses.
        """
        task = tasks.of(self.spec)
        example = tasks.built_loss(self.spec).resolution(_EPSILON[self.spec["dtype"]])
        held = task.held_points() if isinstance(task, tasks.HeldOut) else 0
        points = {"train_loss": task.train_points(), "eval_loss": task.train_points(), VALIDATION: held}
        return example / points.get(loss, task.tested_points() - held)

    def to_json(self) -> str:
        """The canonical spec, as the rules hand it to a job and as files carry it."""
        return canonical_json(canonical(self.spec))


def _addressed(key: str, value: Any) -> Any:
    """The value of a key without the parts that change no number."""
    kind = SCHEMA["properties"][key].get("entries")
    return [without_unaddressed(kind, entry) for entry in value] if kind else without_unaddressed(key, value)


def _slug(numbers: Mapping[str, Any]) -> str:
    """The readable part of a setting's address."""
    parts = {factor: level(factor, numbers[factor]).label for factor in FIRST_FACTORS}
    if parts["batch_size"] != "full":
        parts["batch_size"] = "b" + parts["batch_size"]
    task, *others = parts.values()
    network = numbers["network"]
    named = [] if network["name"] == networks.DEFAULT["name"] else [level("network", network).label]
    read = (part.lower().replace("=", "") for part in (task, *named, *others))
    return "-".join(re.sub(r"[^a-z0-9.]+", "_", part) for part in read)[:120]


def canonical(spec: Mapping[str, Any]) -> dict[str, Any]:
    """`spec` without keys and parameters that were added after the first release and have their defaults.

    So a new key or parameter moves no address.
    """
    defaults = _defaults_of_added()
    kept = {key: value for key, value in spec.items() if key not in defaults or value != defaults[key]}
    return {key: _canonical_entry(key, value) for key, value in kept.items()}


def canonical_json(value: Any) -> str:
    """One text for equal values: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _canonical_entry(key: str, entry: Any) -> Any:
    if key not in REGISTRIES:
        return entry
    defaults = _added(key, entry["name"])
    return {name: value for name, value in entry.items() if name not in defaults or value != defaults[name]}


def _completed(key: str, entry: Any) -> Any:
    return {**_added(key, entry["name"]), **entry} if key in REGISTRIES else entry


@cache
def _added(kind: str, name: str) -> dict[str, Any]:
    return added(REGISTRIES[kind][name])


def _defaults_of_added() -> dict[str, Any]:
    """Keys that were added after the first release, and the resolved level that each has by default."""
    rules = SCHEMA["properties"]
    return {key: _default_entry(key, rules[key]["default"]) for key in KEYS if "since" in rules[key]}


def _default_entry(key: str, default: Any) -> Any:
    """The resolved entry that a key has by default; its first level, where that is a list of levels."""
    level = default[0] if isinstance(default, list) and SCHEMA["properties"][key].get("type") != "array" else default
    if key not in REGISTRIES:
        return level
    given = {"name": level} if isinstance(level, str) else level
    return {"name": given["name"], **defaults(REGISTRIES[key][given["name"]]), **given}
