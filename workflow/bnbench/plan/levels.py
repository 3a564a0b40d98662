"""Levels: the values on the axes of the grid, each with its names.

A label names a level in tables and in configs. It is printed and compared, never taken apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from bnbench.catalogue.activations import ACTIVATIONS
from bnbench.catalogue.parameters import schema
from bnbench.catalogue.registries import ENTRIES, REGISTRIES
from bnbench.plan import portable


@dataclass(frozen=True)
class Level:
    """One level of a factor."""

    entry: Any
    """As the config has it, resolved and JSON-able."""
    name: str
    """Of the entry, without parameters: `batch`."""
    label: str
    """The name with the parameters that differ from their defaults, and optimizers with their rate: `adam lr=0.001`."""
    short_title: str
    """Its usual name, without parameters: `Adam`."""
    title: str
    """The same with them: `Adam lr=0.001`. Of several levels of one name, without those that all of them share."""


def level(factor: str, entry: Any) -> Level:
    """The level that a resolved entry stands for; an entry that is no level is called as if it were one."""
    if factor not in ENTRIES:
        label = "-".join(map(str, entry)) if isinstance(entry, list) else str(entry)
        title = _title(factor, label)
        return Level(entry, label, label, title, title)
    name, kind = entry["name"], ENTRIES[factor][entry["name"]]
    title = getattr(kind, "title", name)
    if getattr(kind, "is_open", False):  # the user's own code is called what the user calls it
        name = title = entry["build"]
    shown = _shown(factor, entry)
    return Level(entry, name, " ".join([name, *shown]), title, _spoken(title, shown))


def together(factor: str, entries: Iterable[Any]) -> list[Level]:
    """The levels of a factor, in this order. The titles of those of one name say only how they differ."""
    levels = [level(factor, entry) for entry in entries]
    if factor not in REGISTRIES:
        return levels
    shown: dict[str, list[set[str]]] = {}
    for each in levels:
        shown.setdefault(each.name, []).append({*_shown(factor, each.entry)})
    shared = {name: set.intersection(*some) if len(some) > 1 else set() for name, some in shown.items()}
    return [_retitled(factor, each, shared[each.name]) for each in levels]


def _retitled(factor: str, one: Level, shared: set[str]) -> Level:
    """The level whose title leaves out these parameters."""
    kept = [each for each in _shown(factor, one.entry) if each not in shared]
    return replace(one, title=_spoken(one.short_title, kept))


def called(levels: Iterable[Level], text: str) -> list[Level]:
    """The levels of this label, or of this name where none has it as a label."""
    found = list(levels)
    return [each for each in found if each.label == text] or [each for each in found if each.name == text]


def without_unaddressed(factor: str, entry: Any) -> Any:
    """`entry` without the parts that change no number.

    Such a part is the path of a data file, whose hash stands for its content.
    """
    unaddressed = getattr(ENTRIES[factor][entry["name"]], "unaddressed", ()) if factor in ENTRIES else ()
    return {key: value for key, value in entry.items() if key not in unaddressed} if unaddressed else entry


_SPOKEN = {
    "placement=after": "after the activation",
    "on=input": "on the input",
    "on=output": "on the output",
    "on=hidden,input": "on hidden layers and input",
    "on=hidden,output": "on hidden layers and output",
    "on=input,output": "on input and output",
    "on=hidden,input,output": "on hidden layers, input and output",
}
"""Parameters of a norm that have words of their own in titles."""


def _spoken(title: str, shown: Iterable[str]) -> str:
    """A title with parameters, with the place of a norm in words: `BN after the activation`."""
    return " ".join([title, *(_SPOKEN.get(each, each) for each in shown)])


_TITLES = {
    "accumulate": "{} batches accumulated",
    "batch_size": "batch {}",
    "hidden": "{} hidden units",
    "init": "{} initialization",
    "seed_varies": "the {} alone varied",
}
"""Names of levels that do not explain themselves."""


def _title(factor: str, label: str) -> str:
    """The usual name of a level that is not an entry with parameters."""
    if factor == "activation":
        return str(getattr(ACTIVATIONS[label], "title", label))
    if (factor, label) == ("batch_size", "full"):
        return "full batch"
    if (factor, label) == ("accumulate", "1"):
        return "no accumulation"
    if (factor, label) == ("seed_varies", "all"):
        return "all sources varied"
    return _TITLES.get(factor, "{}").format(label.replace("-", "–") if factor == "hidden" else label)


def _shown(factor: str, entry: Mapping[str, Any]) -> list[str]:
    """The parameters that differ from their defaults, and the rate of an optimizer, in the declared order.

    Those that the user's own code declares follow by the alphabet, in whatever order they are written.
    """
    kind, rules = ENTRIES[factor][entry["name"]], _parameters(factor, entry["name"])
    hidden = {"name", *getattr(kind, "derived", ()), *getattr(kind, "unsaid", ())} | (
        {"path", "build"} if getattr(kind, "is_open", False) else set()
    )
    named = [*(key for key in rules if key in entry), *sorted(key for key in entry if key not in rules)]
    said = {**entry, "path": portable.path(entry["path"])} if "path" in entry else entry
    return [
        f"{key}={short(said[key])}"
        for key in named
        if key not in hidden and (key == "lr" or entry[key] != rules.get(key, {}).get("default", ...))
    ]


@cache
def _parameters(factor: str, name: str) -> dict[str, Any]:
    """The parameters that a user may set of a named entry, in the declared order, with their rules."""
    properties: dict[str, Any] = schema(ENTRIES[factor][name])["properties"]
    return properties


def short(value: Any) -> str:
    """A value as labels have it: 0.001 and not 1.0e-3, words with commas between them."""
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    if isinstance(value, list) and all(isinstance(item, int) for item in value):  # widths
        return "-".join(map(str, value))
    if isinstance(value, list) and all(isinstance(item, str) and "," not in item for item in value):
        return ",".join(value)
    return str(value)
