"""The edge between what a user writes and the plan: reads a study's config, checks it and completes it.

What comes in is YAML, what goes out is the resolved config that `study.Study` plans from: every key there, every entry
with all of its parameters, numbers in their declared types, data files by what they contain. Whatever is wrong ends in
one `UserError`, before anything runs.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from bnbench import parameters
from bnbench.errors import UserError, nearest
from bnbench.norms import NORMS
from bnbench.study import REGISTRIES, Study, canonical_json, level_label
from bnbench.tables import FACTORS
from bnbench.tasks import TASKS, inspect_table

SCHEMA = Path(__file__).parent.parent / "schemas" / "study.schema.yaml"

_ARTICLES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read(path: Path | str) -> dict[str, Any]:
    """Read one config file.

    Raises:
        UserError: the file is absent or not readable, broken YAML (with line and column), not a mapping, or has a key
            that stands twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = yaml.load(text, _StrictLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise UserError(f"{path}: cannot read the config file ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text file in UTF-8 ({error.reason} at byte {error.start})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UserError(f"{path}{where}: broken YAML ({getattr(error, 'problem', None) or error})") from error
    if not isinstance(content, dict):
        raise UserError(
            f"{path}: found {_found(content)}, allowed: a mapping of keys to values, such as 'study: default'"
        )
    return content


def parse_overrides(pairs: Sequence[str]) -> dict[str, Any]:
    """`KEY=VALUE` pairs as Snakemake's `--config` takes them; values are YAML.

    Raises:
        UserError: a pair has no `=`, or its value is broken YAML.
    """
    overrides: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--config: found '{pair}', allowed: KEY=VALUE, such as seeds=50")
        try:
            overrides[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UserError(f"--config {key}: broken YAML in '{value}'") from error
    return overrides


def load(config: Mapping[str, Any], source: str) -> Study:
    """Check and complete `config`, and plan it; `source` names it in messages.

    Raises:
        UserError: anything is wrong with the config or with a data file that it names.
    """
    return Study(resolve(config, source))


def resolve(config: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The config with every key and parameter there, in canonical types.

    Raises:
        UserError: anything is wrong with the config or with a data file that it names.
    """
    schema = _schema()
    _check_keys(config, schema["properties"], source, "")
    _check_finite(config, source, "")
    resolved: dict[str, Any] = {}
    for key, rule in schema["properties"].items():
        if key not in config and "default" not in rule:
            raise UserError(f"{source}: the key '{key}' is missing; it is {rule['description']}")
        resolved[key] = _resolve_key(key, config.get(key, rule.get("default")), rule, source)
    if isinstance(resolved["seeds"], int):
        resolved["seeds"] = {"first": 0, "count": resolved["seeds"]}
    _check_levels(resolved, source)
    _check_batches(resolved, source)
    _check_baseline(resolved, source)
    return resolved


def _resolve_key(key: str, value: Any, rule: Mapping[str, Any], source: str) -> Any:
    if not (rule.get("factor") or "registry" in rule):
        return _checked(value, rule, source, key)
    several = key in FACTORS
    values = value if isinstance(value, list) and several else [value]
    if not values:
        raise UserError(f"{source}: {key}: found an empty list, allowed: at least one level")
    levels = []
    for index, level in enumerate(values):
        where = f"{key}[{index}]" if isinstance(value, list) else key
        entry = (
            _entry(key, level, source, where) if key in REGISTRIES else _checked(level, rule["items"], source, where)
        )
        levels.append(entry)
    return levels if several else levels[0]


def _entry(key: str, level: Any, source: str, where: str) -> dict[str, Any]:
    """A named entry with all of its parameters."""
    registry = REGISTRIES[key]
    given = {"name": level} if isinstance(level, str) else level
    if not isinstance(given, Mapping):
        raise UserError(f"{source}: {where}: found {_found(level)}, allowed: a name or {{name: …}}; {_names(registry)}")
    name = given.get("name")
    if not isinstance(name, str) or name not in registry:
        raise UserError(f"{source}: {where}: found {_found(name)}{nearest(name, registry)}; {_names(registry)}")
    rule = parameters.schema(registry[name])
    options = {k: v for k, v in given.items() if k != "name"}
    _check_keys(options, rule["properties"], source, where, owner=f"{key} '{name}'")
    entry = {"name": name, **_checked(options, rule, source, where)}
    if name == "table" and key == "task":
        entry |= inspect_table(entry["path"], entry["target"], entry["missing"])
    try:
        parameters.build(registry, entry)
    except ValueError as error:  # what a class refuses of its parameters together
        raise UserError(f"{source}: {where}: {error}") from error
    return entry


def _checked(value: Any, rule: Mapping[str, Any], source: str, where: str) -> Any:
    """`value` if it follows `rule`, completed by the rule's defaults and in canonical types."""
    if isinstance(value, Mapping):
        _check_keys(value, rule.get("properties", {}), source, where)
    problem = best_match(Draft202012Validator(rule).iter_errors(value))
    if problem is not None:
        raise UserError(_message(problem, source, where))
    return _canonical(value, rule)


def _canonical(value: Any, rule: Mapping[str, Any]) -> Any:
    """Equal values become the same: 1 and 1.0 by the declared type, −0 as 0, absent keys by their default."""
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, Mapping):
        given = {key: _canonical(item, rule["properties"][key]) for key, item in value.items()}
        usual = {key: item["default"] for key, item in rule["properties"].items() if "default" in item}
        return {**usual, **given}
    if isinstance(value, list):
        return [_canonical(item, rule["items"]) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return float(value) + 0.0 if "number" in kinds else int(value)


def _check_keys(
    given: Mapping[str, Any], allowed: Iterable[str], source: str, where: str, owner: str | None = None
) -> None:
    known = list(allowed)
    for key in given:
        if key not in known:
            place = f" in {owner or where}" if where else ""
            raise UserError(
                f"{source}: {where + ': ' if where else ''}unknown key '{key}'{place}{nearest(key, known)}; "
                f"allowed: {', '.join(known) or 'none'}"
            )


def _check_finite(value: Any, source: str, where: str) -> None:
    """Refuse NaN and infinity at any depth: no comparison of a schema catches a NaN."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_finite(item, source, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_finite(item, source, f"{where}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{source}: {where}: found {value}, allowed: finite numbers")


def _check_levels(resolved: Mapping[str, Any], source: str) -> None:
    for factor in FACTORS:
        seen: set[str] = set()
        for level in resolved[factor]:
            text = canonical_json(level)
            if text in seen:
                raise UserError(
                    f"{source}: {factor}: the level '{level_label(factor, level)}' stands twice; "
                    "levels that come to the same numbers are one"
                )
            seen.add(text)


def _check_batches(resolved: Mapping[str, Any], source: str) -> None:
    by_batch = [norm["name"] for norm in resolved["norm"] if NORMS[norm["name"]].batch_statistics]
    for index, size in enumerate(resolved["batch_size"]):
        for task in resolved["task"]:
            points = parameters.build(TASKS, task).train_points()
            if size != "full" and size > points:
                raise UserError(
                    f"{source}: batch_size[{index}]: found {size}, allowed: at most the {points} training points of "
                    f"task '{task['name']}', or full"
                )
            if by_batch and (points if size == "full" else size) < 2:
                raise UserError(
                    f"{source}: batch_size[{index}]: found {size}, allowed: at least 2 examples, "
                    f"since norm '{by_batch[0]}' normalizes by the batch"
                )


def _check_baseline(resolved: dict[str, Any], source: str) -> None:
    factor, baseline = resolved["report"]["factor"], resolved["report"]["baseline"]
    labels = [level_label(factor, level) for level in resolved[factor]]
    if isinstance(baseline, Mapping) and factor in REGISTRIES:
        baseline = _entry(factor, baseline, source, "report.baseline")
    else:
        # A level may be named by its label, or by its name alone where that is one level's only.
        names = [level["name"] if isinstance(level, Mapping) else level for level in resolved[factor]]
        chosen = labels if str(baseline) in labels else [str(name) for name in names]
        if chosen.count(str(baseline)) != 1:
            raise UserError(
                f"{source}: report.baseline: found {_found(baseline)}{nearest(baseline, labels)}; "
                f"allowed: one of the levels of '{factor}': {', '.join(labels)}"
            )
        baseline = resolved[factor][chosen.index(str(baseline))]
    if baseline not in resolved[factor]:
        raise UserError(
            f"{source}: report.baseline: found '{level_label(factor, baseline)}', "
            f"allowed: one of the levels of '{factor}': {', '.join(labels)}"
        )
    if len(labels) < 2:
        raise UserError(f"{source}: {factor}: found one level ('{labels[0]}'), allowed: at least two, to be compared")
    resolved["report"]["baseline"] = baseline


def _message(problem: ValidationError, source: str, where: str) -> str:
    path = where + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in problem.absolute_path)
    rule: Any = problem.schema
    instance: Any = problem.instance
    if problem.validator == "required":
        missing = next(name for name in rule["required"] if name not in instance)
        description = rule["properties"][missing]["description"]
        return f"{source}: {path}: the key '{missing}' is missing; it is {description}"
    hint = ""
    if isinstance(instance, str) and "string" not in rule.get("type", []):
        if _is_number(instance):
            hint = f" (this is text; write the number without quotes, and 1e-3 as {float(instance)!r})"
        hint += nearest(instance, rule.get("enum", []))
    return f"{source}: {path}: found {_found(instance)}{hint}, allowed: {_allowed(rule)}"


def _allowed(rule: Mapping[str, Any]) -> str:
    if "enum" in rule:
        return "one of " + ", ".join(str(value) for value in rule["enum"])
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    limits = [
        f"{words} {rule[key]:g}"
        for key, words in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in rule
    ]
    lengths = [
        f"{words} {rule[key]} items"
        for key, words in (("minItems", "at least"), ("maxItems", "at most"))
        if key in rule
    ]
    names = [_ARTICLES[kind] for kind in kinds]
    if rule.get("pattern") == "^full$":
        names = ["a whole number", "full"]
    elif "pattern" in rule:
        lengths.append("of lower-case letters, digits, - and _, starting with a letter or a digit")
    return " or ".join(names) + "".join(f" {text}" for text in [" and ".join(limits), " and ".join(lengths)] if text)


def _found(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"'{value}' (text)"
    if isinstance(value, bool):
        return f"{str(value).lower()} (true or false)"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a mapping" if isinstance(value, Mapping) else str(value)


def _names(registry: Mapping[str, Any]) -> str:
    return "allowed: " + ", ".join(registry)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


@cache
def _schema() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    return content
