"""The mistakes in a config: one line each, in the order of the config.

A check raises one `ConfigError` of all that it found, so that nobody has to correct a config one message at a time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, relevance

from bnbench import texts
from bnbench.errors import UserError, found, near, nearest
from bnbench.plan import limits
from bnbench.plan.configfile import typed

Path = tuple[str | int, ...]
"""The keys and indices that lead to a value."""

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

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


class Mistake(NamedTuple):
    """One line for the user, the place that it is about, and the key that is meant if that is another."""

    path: Path
    text: str
    meant: Path | None = None


class ConfigError(UserError):
    """All that a check found. A mistyped key is not also reported as missing."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        different = dict.fromkeys(mistakes)
        mistyped = {mistake.meant for mistake in different}
        self.mistakes = [mistake for mistake in different if mistake.path not in mistyped]
        super().__init__("\n".join(mistake.text for mistake in self.mistakes))

    def told(self, source: str, config: Any) -> UserError:
        """The same in the order of `config`, each line with the name of its `source`."""
        ordered = sorted(self.mistakes, key=lambda mistake: _position(mistake.path, config))
        return UserError(limits.told(source, [f": {mistake.text}" for mistake in ordered]))


def at(path: Path, said: str) -> Mistake:
    """A mistake in the value at `path`."""
    return Mistake(path, line(path, said))


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Raise a `ConfigError` if there are mistakes.

    Raises:
        ConfigError: there are any.
    """
    if found_wrong := [*mistakes]:
        raise ConfigError(found_wrong)


def every(check: Callable[[_Item], _Made], items: Iterable[_Item]) -> list[_Made]:
    """The result of `check` for each item.

    Raises:
        ConfigError: with the mistakes of all items.
    """
    made: list[_Made] = []
    wrong: list[Mistake] = []
    for item in items:
        try:
            made.append(check(item))
        except ConfigError as error:
            wrong += error.mistakes
    refuse(wrong)
    return made


def line(path: Path, said: str) -> str:
    """The message on the value at `path`, or on the whole config."""
    return f"{_place(path)}: {said}" if path else said


def _place(path: Path) -> str:
    """A path as a message has it: `optimizer[0].lr`."""
    text = ""
    for step in path:
        name = str(step) if str(step).isprintable() else repr(step)
        text += f"[{step}]" if isinstance(step, int) else f".{name}" if text else name
    return text


def unknown_keys(value: Any, rule: Mapping[str, Any], path: Path, owner: str | None = None) -> Iterator[Mistake]:
    """Keys that `rule` does not contain, at any depth that it describes."""
    if isinstance(value, Mapping) and "properties" in rule:
        known = rule["properties"]
        for key in value:
            if key in known:
                yield from unknown_keys(value[key], known[key], (*path, key))
        if rule.get("additionalProperties"):  # of the user's own code, which says elsewhere what it takes
            return
        unknown = [key for key in value if key not in known]
        for key in unknown[: limits.MOST_TOLD]:  # to look for the nearest one takes its time
            where = f" in {owner or _place(path)}" if path else ""
            descriptions = {name: each.get("description", "") for name, each in known.items()}
            hint, meant = nearest(key, known, descriptions), near(key, known, descriptions)
            said = f"unknown key {str(key)!r}{where}{hint}; allowed: {', '.join(known) or 'none'}"
            yield Mistake((*path, key), line(path, said), (*path, meant) if meant and meant not in value else None)
        if left := unknown[limits.MOST_TOLD :]:
            yield Mistake((*path, left[0]), line(path, f"{len(left):,} more unknown keys"))
    elif isinstance(value, list) and "items" in rule:
        for index, item in enumerate(value):
            yield from unknown_keys(item, rule["items"], (*path, index))


def missing_key(path: Path, name: str, rule: Mapping[str, Any]) -> Mistake:
    """A missing key that is required, with its description in `rule`."""
    said = f"the key '{name}' is missing; it is {rule['description']}"
    return Mistake((*path, name), line(path, said))


def wrong_values(value: Any, rule: Mapping[str, Any], path: Path) -> Iterator[Mistake]:
    """What in `value` does not follow `rule`, one mistake a place; `unknown_keys` reports unknown keys."""
    odd = {mistake.path: mistake for mistake in _odd(value, path)}
    yield from odd.values()
    problems: dict[Path, list[ValidationError]] = {}
    for problem in Draft202012Validator(rule).iter_errors(value):
        if problem.validator != "additionalProperties":
            problems.setdefault((*path, *problem.absolute_path), []).append(problem)
    for where, there in problems.items():
        worst = max(there, key=relevance)
        if worst.validator == "required":
            rules: Any = worst.schema
            given: Any = worst.instance
            gaps = [name for name in rules["required"] if name not in given]
            yield from (missing_key(where, name, rules["properties"][name]) for name in gaps)
        elif where not in odd:
            yield at(where, _refused(worst))


def _odd(value: Any, path: Path) -> Iterator[Mistake]:
    """What no key takes, at any depth.

    Text that shows nothing or hides something; NaN, which no comparison of a schema catches, infinity and enormous
    whole numbers; and what YAML has besides, such as dates.
    """
    if isinstance(value, Mapping | list):
        for step, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            if isinstance(step, str) and (refused := texts.refusal(step, "the key ")):
                yield at(path, refused)
            yield from _odd(item, (*path, step))
    elif isinstance(value, str):
        if refused := texts.refusal(value):
            yield at(path, refused)
    elif isinstance(value, float) and not math.isfinite(value):
        yield at(path, f"found {value}, allowed: finite numbers")
    elif isinstance(value, int) and abs(value) > _LARGEST:
        yield at(path, f"found {found(value)}, allowed: whole numbers up to {_LARGEST}")
    elif not isinstance(value, int | float | None):
        yield at(path, f"found {found(value)} ({type(value).__name__}), allowed: text, numbers, true, false or null")


def _position(path: Path, config: Any) -> tuple[int, ...]:
    """The place of `path` in `config`; keys that are not written there come last."""
    position: list[int] = []
    for step in path:
        steps = [*config] if isinstance(config, Mapping) else [*range(len(config))] if isinstance(config, list) else []
        if step not in steps:
            return (*position, len(steps))
        position.append(steps.index(step))
        config = config[step]
    return tuple(position)


def _refused(problem: ValidationError) -> str:
    rule: Any = problem.schema
    instance: Any = problem.instance
    hint = ""
    if isinstance(instance, str):
        hint = nearest(instance, _words(rule)) or _as_number(instance, rule)
    return f"found {found(instance)}{hint}, allowed: {_allowed(rule)}"


def _allowed(rule: Mapping[str, Any]) -> str:
    if "enum" in rule:
        return f"one of {', '.join(_words(rule))}"
    if "const" in rule:
        return str(rule["const"])
    options = [_allowed(option) for option in rule.get("anyOf", [])]
    return ", or ".join(options + [_described(kind, rule) for kind in kinds(rule)])


def _described(kind: str, rule: Mapping[str, Any]) -> str:
    """A kind of value with the limits that `rule` sets to it."""
    words = ""
    if kind in ("integer", "number"):
        words = " and ".join(f"{word} {rule[key]}" for key, word in _LIMITS.items() if key in rule)
    elif kind == "array":
        words = _length(rule.get("minItems", 0), rule.get("maxItems"), "item")
        words += ", each once" if rule.get("uniqueItems") else ""
        words += f", of {', '.join(_words(rule['items']))}" if "enum" in rule.get("items", {}) else ""
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


def kinds(rule: Mapping[str, Any]) -> list[str]:
    """The JSON types that `rule` names."""
    named: str | list[str] = rule.get("type", [])
    return [named] if isinstance(named, str) else named


def _words(rule: Mapping[str, Any]) -> list[str]:
    """The words that `rule` allows."""
    lists = [part.get("enum", [part["const"]] if "const" in part else []) for part in (rule, *rule.get("anyOf", []))]
    return [_written(word) for words in lists for word in words]


def _written(word: Any) -> str:
    """As YAML has it."""
    return word if isinstance(word, str) else json.dumps(word)


def _as_number(text: str, rule: Mapping[str, Any]) -> str:
    """How to write the number that `text` looks like, where `rule` allows one."""
    allowed = {kind for part in (rule, *rule.get("anyOf", [])) for kind in kinds(part)}
    number = typed(text)
    if not allowed & {"integer", "number"} or isinstance(number, str | bool | None) or not abs(number) <= _LARGEST:
        return ""
    number = int(number) if "integer" in allowed and number == int(number) else number
    return f"; as a number, write {yaml.safe_dump(number).splitlines()[0]}"
