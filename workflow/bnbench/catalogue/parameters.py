"""How a named entry of the config (a task, a norm, an optimizer, a schedule) declares its parameters.

An entry is a frozen dataclass; its fields are its parameters. The field's annotation gives the type, its default the
default, its metadata the description and the range in JSON Schema's words. So one class is everything that there is to
say about an entry: the planner reads its schema from here and the trainer calls its methods. No torch here.

An entry that calls code of the user's takes any parameters besides its own: its class sets `is_open`, and has them in
its field `options`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, get_type_hints

from bnbench.errors import UserError

_JSON_TYPES: dict[Any, Any] = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}

_SCALARS = ["boolean", "number", "string", "null"]
_FREE = {"type": [*_SCALARS, "array"], "items": {"type": _SCALARS}}
"""What a parameter of the user's own code may be: a value, or a list of values."""

Registry = Mapping[str, type[Any]]
"""Name of an entry in the config → its dataclass."""


def parameter(default: Any, description: str, **limits: Any) -> Any:
    """A dataclass field for one parameter; `limits` are JSON Schema keywords (`minimum=0`, `maxItems=2`, …).

    `...` as default makes the parameter required. One that is added to an entry which has been released says so by
    `since="<version>"`; its default is then not part of an address.
    """
    metadata = {"description": description, **limits}
    if default is ...:
        return dataclasses.field(kw_only=True, metadata=metadata)
    return dataclasses.field(kw_only=True, default=default, metadata=metadata)


def schema(entry: type[Any]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the parameters that a user may set, without the entry's `name`.

    In the declared order, those that were added after the first release at the end.
    """
    hints = get_type_hints(entry)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for field in sorted(dataclasses.fields(entry), key=lambda field: "since" in field.metadata):
        if field.name in getattr(entry, "derived", ()):
            continue
        properties[field.name] = _rule(_json_type(hints[field.name]), field.metadata)
        if field.default is dataclasses.MISSING:
            required.append(field.name)
        else:
            default = field.default
            properties[field.name]["default"] = list(default) if isinstance(default, tuple) else default
    return {
        "type": "object",
        "description": (entry.__doc__ or "").strip().splitlines()[0],
        "properties": properties,
        "required": required,
        "additionalProperties": _FREE if getattr(entry, "is_open", False) else False,
    }


def defaults(entry: type[Any]) -> dict[str, Any]:
    """The parameters of an entry that have a default, with it, as JSON has them."""
    found = schema(entry)["properties"].items()
    return {name: rule["default"] for name, rule in found if "default" in rule}


def added(entry: type[Any]) -> dict[str, Any]:
    """The same of those alone that were added after the first release: `parameter(…, since="0.3.0")`."""
    rules = schema(entry)["properties"]
    return {name: default for name, default in defaults(entry).items() if "since" in rules[name]}


def build(registry: Registry, entry: Mapping[str, Any]) -> Any:
    """The object of a resolved entry, such as `{"name": "batch", "momentum": 0.1, …}`.

    Raises:
        UserError: its class lacks a method that its base class asks for.
    """
    chosen = registry[entry["name"]]
    refuse_unfinished(chosen)
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items() if k != "name"}
    if getattr(chosen, "is_open", False):
        own = {field.name for field in dataclasses.fields(chosen)}
        options = {k: v for k, v in values.items() if k not in own}
        return chosen(**{k: v for k, v in values.items() if k in own}, options=options)
    return chosen(**values)


def refuse_unfinished(entry: type[Any]) -> None:
    """Refuse a class that lacks a method which its base class asks for.

    Raises:
        UserError: it does.
    """
    if missing := sorted(getattr(entry, "__abstractmethods__", ())):
        raise UserError(f"class {entry.__name__} lacks {', '.join(f'{name}()' for name in missing)}")


def _rule(of_type: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """What the type of a parameter says and what is declared of it, also of the items of a list."""
    items = {"items": {**of_type["items"], **declared["items"]}} if "items" in declared else {}
    return {**of_type, **declared, **items}


def _json_type(hint: Any) -> dict[str, Any]:
    """JSON Schema type of `float`, `float | None`, `tuple[float, float]` and the like."""
    arguments = getattr(hint, "__args__", ())
    if getattr(hint, "__origin__", None) is tuple:
        items = [a for a in arguments if a is not Ellipsis]
        size = {} if Ellipsis in arguments else {"minItems": len(items), "maxItems": len(items)}
        return {"type": "array", "items": _json_type(items[0]), **size}
    if arguments:
        kinds = [_json_type(argument) for argument in arguments]
        return {
            **{key: value for kind in kinds for key, value in kind.items()},
            "type": [kind["type"] for kind in kinds],
        }
    return {"type": _JSON_TYPES[hint]}
