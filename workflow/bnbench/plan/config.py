"""The edge between what a user writes and the plan: checks a study's config and completes it.

What comes in is what `configfile` has read, what goes out is the resolved config that `study.Study` plans from: every
key there, every entry with all of its parameters, numbers in their declared types, data files by what they contain.
Whatever is wrong ends in one `UserError`, before anything runs.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, relevance

from bnbench import vocabulary
from bnbench.catalogue import parameters, registries, sources, tasks
from bnbench.catalogue.activations import ACTIVATIONS
from bnbench.catalogue.datafiles import inspect_table
from bnbench.catalogue.registries import REGISTRIES
from bnbench.errors import UserError, found, nearest
from bnbench.plan import cross_checks
from bnbench.plan.configfile import typed
from bnbench.plan.study import Study
from bnbench.vocabulary import FACTORS

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

_LARGEST = 2**53
"""Up to here every whole number is one in every reader of JSON and every column of a table."""

_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}

_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def load(config: Mapping[str, Any], source: str) -> Study:
    """Check and complete `config`, and plan it; `source` names it in messages.

    Raises:
        UserError: anything is wrong with the config or with a data file that it names.
    """
    study = Study(resolve(config, source))
    try:
        cross_checks.check_claims(study)
    except UserError as error:
        raise UserError(f"{source}: {error}") from error
    return study


def resolve(config: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The config with every key and parameter there, in canonical types.

    Raises:
        UserError: anything is wrong with the config or with a data file that it names.
    """
    try:
        return _resolved(config)
    except UserError as error:
        raise UserError(f"{source}: {error}") from error


def _resolved(config: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(config, SCHEMA, "")
    _check_numbers(config, "")
    resolved: dict[str, Any] = {}
    for key, rule in SCHEMA["properties"].items():
        if key not in config and "default" not in rule:
            raise UserError(f"the key '{key}' is missing; it is {rule['description']}")
        resolved[key] = _resolve_key(key, config.get(key, rule.get("default")), rule)
    if isinstance(resolved["seeds"], int):
        resolved["seeds"] = {"first": 0, "count": resolved["seeds"]}
    cross_checks.complete(resolved, _entry)
    if classes := sources.here(_called_by_name(resolved)):
        resolved["sources"] = classes
    return resolved


def _called_by_name(resolved: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and name of all that the settings call by name, the losses of the tasks among it."""
    for kind in REGISTRIES:
        yield from ((kind, entry["name"]) for entry in resolved[kind])
    yield from (("activation", name) for name in resolved["activation"])
    yield from (("loss", tasks.of({"task": entry}).loss()) for entry in resolved["task"])


def _resolve_key(key: str, value: Any, rule: Mapping[str, Any]) -> Any:
    """The value of one key: a level or a list of them, where it is a factor or chosen by name."""

    def level(item: Any, where: str) -> Any:
        return _entry(key, item, where) if key in REGISTRIES else _checked(item, rule, where)

    if key not in FACTORS:
        return level(value, key)
    if value == []:
        raise UserError(f"{key}: found an empty list, allowed: at least one level")
    written = [(key, value)]
    if isinstance(value, list) and (rule.get("type") != "array" or all(isinstance(item, list) for item in value)):
        written = [(f"{key}[{index}]", item) for index, item in enumerate(value)]
    return [level(item, where) for where, some in written for item in _at_each_rate(key, some, where)]


def _at_each_rate(key: str, level: Any, where: str) -> list[Any]:
    """The levels that an optimizer with a list of rates stands for; any other level stands for itself."""
    rates = level.get("lr") if key == "optimizer" and isinstance(level, Mapping) else None
    if rates == []:
        raise UserError(f"{where}.lr: found an empty list, allowed: a rate or a list of them")
    return [{**level, "lr": rate} for rate in rates] if isinstance(rates, list) else [level]


def _entry(kind: str, level: Any, where: str) -> dict[str, Any]:
    """A named entry with all of its parameters."""
    registry = REGISTRIES[kind]
    names = ", ".join(registry)
    given = {"name": level} if isinstance(level, str) else level
    if not isinstance(given, Mapping):
        raise UserError(f"{where}: found {found(level)}, allowed: a name or {{name: …}}, with one of {names}")
    if "name" not in given:
        example = next((key for key in given if key in registry), next(iter(registry)))
        raise UserError(f"{where}: the key 'name' is missing, allowed: {{name: {example}, …}}, with one of {names}")
    name = given["name"]
    if not isinstance(name, str) or name not in registry:
        hint = nearest(name, registry) if isinstance(name, str) else ""
        raise UserError(f"{where}: found {found(name)}{hint}, allowed: one of {names}")
    rule = parameters.schema(registry[name])
    options = {key: value for key, value in given.items() if key != "name"}
    _check_keys(options, rule, where, f"{kind} '{name}'")
    entry = {"name": name, **_checked(options, rule, where)}
    try:
        if name == "table" and kind == "task":
            entry |= inspect_table(entry["path"], entry["target"], entry["missing"])
        registries.check(kind, entry)
    except (UserError, ValueError) as error:  # a data file; what a class refuses of its parameters together
        raise UserError(f"{where}: {error}") from error
    return entry


def _checked(value: Any, rule: Mapping[str, Any], where: str) -> Any:
    """`value` if it follows `rule`, completed by the rule's defaults and in canonical types."""
    problem = max(Draft202012Validator(rule).iter_errors(value), key=relevance, default=None)
    if problem is not None:
        raise UserError(_message(problem, where))
    return _canonical(value, rule)


def _canonical(value: Any, rule: Mapping[str, Any]) -> Any:
    """Equal values become the same: 1 and 1.0 by the declared type, −0 as 0, all keys there, in the declared order."""
    if isinstance(value, Mapping) and "properties" in rule:
        return {
            key: _canonical(value.get(key, item.get("default")), item)
            for key, item in rule["properties"].items()
            if key in value or "default" in item
        }
    if isinstance(value, list) and "items" in rule:
        return [_canonical(item, rule["items"]) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if "number" in _kinds(rule):
        return float(value) + 0.0
    return int(value) if value == int(value) else value


def _check_keys(value: Any, rule: Mapping[str, Any], where: str, owner: str | None = None) -> None:
    """Refuse keys that `rule` does not know, at any depth that it speaks of."""
    if isinstance(value, Mapping) and "properties" in rule:
        known = rule["properties"]
        for key, item in value.items():
            if key not in known:
                place = f" in {owner or where}" if where else ""
                raise UserError(
                    f"{where + ': ' if where else ''}unknown key {str(key)!r}{place}{nearest(key, known)}; "
                    f"allowed: {', '.join(known) or 'none'}"
                )
            _check_keys(item, known[key], f"{where}.{key}" if where else key)
    elif isinstance(value, list) and "items" in rule:
        for index, item in enumerate(value):
            _check_keys(item, rule["items"], f"{where}[{index}]")


def _check_numbers(value: Any, where: str) -> None:
    """Refuse NaN, infinity and enormous whole numbers at any depth: no comparison of a schema catches a NaN."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            name = str(key) if str(key).isprintable() else repr(key)
            _check_numbers(item, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_numbers(item, f"{where}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where}: found {value}, allowed: finite numbers")
    elif isinstance(value, int) and abs(value) > _LARGEST:
        raise UserError(f"{where}: found {found(value)}, allowed: whole numbers up to {_LARGEST}")


def _message(problem: ValidationError, where: str) -> str:
    path = where + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in problem.absolute_path)
    rule: Any = problem.schema
    instance: Any = problem.instance
    if problem.validator == "required":
        missing = next(name for name in rule["required"] if name not in instance)
        return f"{path}: the key '{missing}' is missing; it is {rule['properties'][missing]['description']}"
    hint = ""
    if isinstance(instance, str):
        hint = nearest(instance, _words(rule)) or _as_number(instance, rule)
    return f"{path}: found {found(instance)}{hint}, allowed: {_allowed(rule)}"


def _allowed(rule: Mapping[str, Any]) -> str:
    if "enum" in rule:
        return f"one of {', '.join(_words(rule))}"
    if "const" in rule:
        return str(rule["const"])
    options = [_allowed(option) for option in rule.get("anyOf", [])]
    return ", or ".join(options + [_described(kind, rule) for kind in _kinds(rule)])


def _described(kind: str, rule: Mapping[str, Any]) -> str:
    """A kind of value with the limits that `rule` sets to it."""
    words = ""
    if kind in ("integer", "number"):
        words = " and ".join(f"{word} {rule[key]}" for key, word in _LIMITS.items() if key in rule)
    elif kind == "array":
        words = _length(rule.get("minItems", 0), rule.get("maxItems"), "item")
    elif kind == "object" and "properties" in rule:
        words = f"of {', '.join(rule['properties'])}"
    elif "pattern" in rule:
        words = "of lower-case letters, digits, - and _, starting with a letter or a digit"
    elif kind == "string":
        words = _length(rule.get("minLength", 0), rule.get("maxLength"), "character")
    return f"{_KINDS[kind]} {words}".strip()


def _length(least: int, most: int | None, noun: str) -> str:
    if least == most:
        return f"of {least} {noun}s"
    return f"of at least {least} {noun}{'s' if least > 1 else ''}" if least else ""


def _kinds(rule: Mapping[str, Any]) -> list[str]:
    kinds: str | list[str] = rule.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _words(rule: Mapping[str, Any]) -> list[str]:
    """The words that `rule` allows."""
    return [
        str(word) for part in (rule, *rule.get("anyOf", [])) for word in part.get("enum", [part.get("const")]) if word
    ]


def _as_number(text: str, rule: Mapping[str, Any]) -> str:
    """How to write the number that `text` looks like, where `rule` allows one."""
    kinds = {kind for part in (rule, *rule.get("anyOf", [])) for kind in _kinds(part)}
    number = typed(text)
    if not kinds & {"integer", "number"} or isinstance(number, str | bool | None) or not math.isfinite(number):
        return ""
    number = int(number) if "integer" in kinds and number == int(number) else number
    return f"; as a number, write {yaml.safe_dump(number).splitlines()[0]}"
