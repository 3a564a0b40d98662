"""The edge between what a user writes and the plan: checks a study's config and completes it.

What comes in is what `configfile` has read, what goes out is the resolved config that `study.Study` plans from: every
key there, every entry with all of its parameters, numbers in their declared types, data files by what they contain.
It checks each key first, and then whether the keys fit together. It reports all mistakes in one `UserError`, a line a
mistake, before anything runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bnbench import vocabulary
from bnbench.catalogue import own, parameters, registries, sources, tasks
from bnbench.catalogue.activations import ACTIVATIONS
from bnbench.catalogue.datafiles import inspect_table
from bnbench.catalogue.parameters import Registry
from bnbench.catalogue.registries import ENTRIES, REGISTRIES
from bnbench.catalogue.shared_tasks import Arrays, OwnData
from bnbench.errors import UserError, found, nearest
from bnbench.own_results import flags
from bnbench.plan import candidates, chunks, cost, cross_checks, described, duplicate_checks, limits, own_study
from bnbench.plan.mistakes import (
    ConfigError,
    Mistake,
    Path,
    at,
    every,
    kinds,
    missing_key,
    refuse,
    unknown_keys,
    wrong_values,
)
from bnbench.plan.study import Study
from bnbench.vocabulary import FACTORS

if TYPE_CHECKING:
    from bnbench.own_results.table import Long

WORDS = {
    "factors": FACTORS,
    **{kind: tuple(names) for kind, names in {**REGISTRIES, "activation": ACTIVATIONS}.items()},
}
"""What `words` in the schema stands for."""


def _spelled_out(rule: Any) -> Any:
    """A part of the schema with its `words` as JSON Schema's `enum`."""
    if isinstance(rule, list):
        return [_spelled_out(item) for item in rule]
    if not isinstance(rule, dict):
        return rule
    listed = {"enum": [*WORDS[rule["words"]]]} if isinstance(rule.get("words"), str) else {}
    return {key: _spelled_out(item) for key, item in rule.items()} | listed


SCHEMA: dict[str, Any] = _spelled_out(vocabulary.SCHEMA)
"""The keys of a study, as JSON Schema has them."""


def load(config: Mapping[str, Any], source: str, results: Long | None = None) -> Study:
    """Check and complete `config`, and plan it; `source` names it in messages.

    `results` is the table of a study of your own results, where it is not read from the path that the config names.

    Raises:
        UserError: anything is wrong with the config or with a data file that it names.
    """
    limits.refuse_large(config, source)
    config = _spelled(config)
    try:
        study = own_study.of(_resolved(config, results))
        if study.trained_here:
            duplicate_checks.check_arms(study)
            refuse(_too_many_jobs(study))
        else:
            cross_checks.complete_claims(study)
        cross_checks.check_claims(study)
    except UserError as error:
        raise _told(error, source, config) from error
    return study


def resolve(config: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The config with every key and parameter there, in canonical types.

    Raises:
        UserError: anything is wrong with the config or with a data file that it names.
    """
    limits.refuse_large(config, source)
    config = _spelled(config)
    try:
        return _resolved(config)
    except UserError as error:
        raise _told(error, source, config) from error


def _too_many_jobs(study: Study) -> Iterator[Mistake]:
    """More jobs than Snakemake can plan."""
    seeds, settings = len(study.seeds), len(study.settings)
    if seeds * settings <= limits.MOST_JOBS:
        return
    if (jobs := chunks.count(study, cost.seeds_per_job)) > limits.MOST_JOBS:
        said = f"found {seeds:,} seeds of {settings:,} settings in {jobs:,} jobs, allowed: at most {limits.MOST_JOBS:,}"
        yield at(("seeds",), f"{said} jobs, see seeds_per_job")


def _told(error: UserError, source: str, config: Mapping[str, Any]) -> UserError:
    """The mistakes of a config, with its source, and in terms of its keys."""
    if isinstance(error, ConfigError):
        return error.told(source, config)
    written = config.get("results") is not None and source != flags.COMMAND_LINE
    return UserError(f"{source}: {flags.as_keys(str(error))}") if written else error


def _spelled(written: Any) -> Any:
    """The same with `on` as a key, at any depth: YAML reads it as true."""
    if isinstance(written, Mapping):
        return {"on" if key is True else key: _spelled(value) for key, value in written.items()}
    return [_spelled(value) for value in written] if isinstance(written, list) else written


def _resolved(config: Mapping[str, Any], results: Long | None = None) -> dict[str, Any]:
    keys = SCHEMA["properties"]

    def resolved_key(key: str) -> Any:
        if key not in config and "default" not in keys[key]:
            raise ConfigError([missing_key((), key, keys[key])])
        return _resolve_key(key, config.get(key, keys[key].get("default")), keys[key])

    if config.get("results") is not None:
        return _of_results(config, resolved_key, results)
    refuse(_too_large(config))
    resolved = _every_key(config, resolved_key)
    del resolved["results"]
    if isinstance(resolved["seeds"], int):
        resolved["seeds"] = {"first": 0, "count": resolved["seeds"]}
    if resolved["tune"] and resolved["tune"]["parameters"] is None:
        resolved["tune"]["parameters"] = candidates.listed(config)
    cross_checks.complete(resolved, _entry)
    if classes := sources.here(_called_by_name(resolved)):
        resolved["sources"] = classes
    return resolved


def _too_large(config: Mapping[str, Any]) -> Iterator[Mistake]:
    """A grid that nobody could train, which takes for ever to plan."""
    levels = candidates.levels_written(config)
    if (settings := math.prod(filter(None, levels.values()))) > limits.MOST_SETTINGS:
        factors = " × ".join(f"{count:,} of {factor}" for factor, count in levels.items() if count > 1)
        said = f"found {settings:,} settings ({factors}), allowed: at most {limits.MOST_SETTINGS:,} in one study"
        yield Mistake((), f"{said}; studies share the results that they have in common")


def _every_key(config: Mapping[str, Any], resolved_key: Callable[[str], Any]) -> dict[str, Any]:
    """The value of every key that there is; refuses others."""
    keys = SCHEMA["properties"]
    wrong = [*unknown_keys(dict.fromkeys(config), SCHEMA, ())]
    try:
        values = every(resolved_key, keys)
    except ConfigError as error:
        refuse([*wrong, *error.mistakes])
        raise
    refuse(wrong)
    return dict(zip(keys, values, strict=True))


def _of_results(config: Mapping[str, Any], resolve: Any, results: Long | None) -> dict[str, Any]:
    """The same where the results are trained already."""
    from bnbench.plan import own_config  # noqa: PLC0415 - pandas takes a second that planning does not need otherwise

    return own_config.resolved(config, resolve, results)


def _called_by_name(resolved: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and name of everything that the settings name, including the losses of the tasks."""
    for kind in (kind for kind in REGISTRIES if kind in FACTORS):
        yield from ((kind, entry["name"]) for entry in resolved[kind])
    yield from (("activation", name) for name in resolved["activation"])
    named = (entry.get("activation") for entry in resolved["network"] if entry["name"] != own.NAME)
    yield from (("activation", name) for name in named if name)
    yield from (("loss", tasks.loss_of({"task": entry, "loss": resolved["loss"]})) for entry in resolved["task"])


def _resolve_key(key: str, value: Any, rule: Mapping[str, Any]) -> Any:
    """The value of one key: a level or a list of them, where it is a factor or chosen by name."""
    if isinstance(value, str) and (whose := rule.get("reserved", {}).get(value)):
        raise ConfigError([at((key,), f"found '{value}', allowed: another name, since reports/{value} is {whose}")])

    def level(item: Any, path: Path) -> Any:
        return _entry(key, item, path) if key in REGISTRIES else _checked(item, rule, path)

    def levels(written: tuple[Path, Any]) -> list[Any]:
        path, item = written
        return every(lambda each: level(each, path), candidates.expanded(key, item, path))

    if kind := rule.get("entries"):
        items = _checked(value, rule, (key,))
        return every(lambda each: _entry(kind, each[1], (key, each[0])), enumerate(items))
    if key not in FACTORS:
        return level(value, (key,))
    if value == []:
        raise ConfigError([at((key,), "found an empty list, allowed: at least one level")])
    return [each for some in every(levels, candidates.written(key, value)) for each in some]


def _entry(kind: str, level: Any, path: Path) -> dict[str, Any]:
    """A named entry with all of its parameters."""
    registry = ENTRIES[kind]
    given = {"name": level} if isinstance(level, str) else level
    name = _name(given, registry, path)
    rule = parameters.schema(registry[name])
    options = {key: value for key, value in given.items() if key != "name"}
    entry = {"name": name, **_checked(options, rule, path, f"{kind} '{name}'")}
    try:
        if name == "table" and kind == "task":
            read = ("path", "target", "missing", "classes", "drop", "categories")
            entry |= inspect_table(**{key: entry[key] for key in read})
        if issubclass(registry[name], own.OwnCode):
            entry |= own.completed(registry[name], entry, rule["properties"])
        if issubclass(registry[name], Arrays):
            entry |= registry[name].completed(entry)
        if issubclass(registry[name], OwnData):
            entry["found"] = described.facts(entry)
        registries.check(kind, entry)
    except (UserError, ValueError) as error:  # a data file; what a class refuses of its parameters together
        raise ConfigError([at(path, str(error))]) from error
    return entry


def _name(given: Any, registry: Registry, path: Path) -> str:
    """The name in an entry."""
    names = ", ".join(registry)
    if not isinstance(given, Mapping):
        raise ConfigError([at(path, f"found {found(given)}, allowed: a name or {{name: …}}, with one of {names}")])
    if "name" not in given:
        example = next((key for key in given if key in registry), next(iter(registry)))
        said = f"the key 'name' is missing, allowed: {{name: {example}, …}}, with one of {names}"
        raise ConfigError([at(path, said)])
    name = given["name"]
    if not isinstance(name, str) or name not in registry:
        hint = nearest(name, registry) if isinstance(name, str) else ""
        raise ConfigError([at(path, f"found {found(name)}{hint}, allowed: one of {names}")])
    return name


def _checked(value: Any, rule: Mapping[str, Any], path: Path, owner: str | None = None) -> Any:
    """`value` if it follows `rule`, completed by the rule's defaults and in canonical types."""
    refuse([*unknown_keys(value, rule, path, owner), *wrong_values(value, rule, path)])
    return _canonical(value, rule)


def _canonical(value: Any, rule: Mapping[str, Any]) -> Any:
    """Equal values become the same: 1 and 1.0 by the declared type, −0 as 0; all keys and sets are in one order."""
    if isinstance(value, Mapping) and "properties" in rule:
        known = rule["properties"]
        declared = {
            key: _canonical(value.get(key, item.get("default")), item)
            for key, item in known.items()
            if key in value or "default" in item
        }
        return declared | {key: item for key, item in value.items() if key not in known}
    if isinstance(value, list) and "items" in rule:
        items = [_canonical(item, rule["items"]) for item in value]
        return _in_order(items, rule["items"]) if rule.get("uniqueItems") else items
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if "number" in kinds(rule):
        return float(value) + 0.0
    return int(value) if value == int(value) else value


def _in_order(items: list[Any], rule: Mapping[str, Any]) -> list[Any]:
    """Distinct items, in the order of the allowed words, or alphabetical."""
    return sorted(items, key=rule["enum"].index if "enum" in rule else None)
