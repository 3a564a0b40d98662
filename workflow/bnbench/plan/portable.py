"""A config or a setting without the places of this machine: results and reports are shared, and paths name people.

A file's hash says which file it is, so its own name is enough. Paths below the working folder stay as they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any


def portable(config: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved config, or the spec of a setting, with the paths of its entries as `path` has them."""
    return with_paths(config, path)


def with_paths(config: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """A config whose paths are changed: those beside the `name` of an entry, and that of `results`."""
    found = {key: _below(value, change) for key, value in config.items()}
    results = found.get("results")
    if isinstance(results, Mapping) and isinstance(written := results.get("path", "."), str):
        found["results"] = {**results, "path": change(written)}
    return found


def path(written: str) -> str:
    """A path as it is written; of one that leads out of the working folder, the last part alone."""
    parts = PurePath(written)
    leads_out = parts.is_absolute() or ".." in parts.parts or written.startswith("~")
    if not leads_out:
        return written
    return "." if parts.name in {"", ".."} or parts.name.startswith("~") else parts.name


def _below(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_below(item, change) for item in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: _below(item, change) for key, item in value.items()}
    if "name" in value and isinstance(value.get("path"), str):  # an entry that names a file
        found["path"] = change(value["path"])
    return found
