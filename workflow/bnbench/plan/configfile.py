"""What a user wrote: a study's config in YAML, and `KEY=VALUE` pairs of the command line.

What comes in is text, what goes out are plain values that `config` checks. Anything that is not
YAML, or that YAML would silently misread, ends in one `UserError`.
"""

import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from bnbench.errors import UserError, first_line, found


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a duplicate key and a node that contains itself, and says where a value is wrong."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ARG002 - shallow, a node could hold itself
        try:
            return super().construct_object(node, deep=True)
        except (ValueError, AttributeError) as error:  # "2024-13-01" is a date to YAML, and "!!int x" a number
            problem = f"'{node.value}' is no {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge" or not isinstance(key_node, yaml.ScalarNode):
                continue
            key = self.construct_object(key_node)
            if key in seen:
                problem = f"the key {str(key)!r} occurs twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read(path: Path | str) -> dict[str, Any]:
    """Read one config file.

    Raises:
        UserError: the file is absent or not readable, broken YAML (with line and column), not a mapping, or has a key
            that occurs twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = yaml.load(text, _StrictLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise UserError(f"{path}: cannot read the config file ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text file in UTF-8 ({error.reason} at byte {error.start})") from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UserError(f"{path}{where}: broken YAML ({_problem(error)})") from error
    if not isinstance(content, dict):
        raise UserError(
            f"{path}: found {found(content)}, allowed: a mapping of keys to values, such as 'study: default'"
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
            overrides[key] = typed(yaml.load(value, yaml.BaseLoader))  # noqa: S506 - makes nothing but text
        except (yaml.YAMLError, RecursionError) as error:
            raise UserError(f"--config {key}: broken YAML in {value!r} ({_problem(error)})") from error
    return overrides


def typed(value: Any) -> Any:
    """What `value` of the command line means: there, numbers, true, false and null come as text, at any depth."""
    if isinstance(value, Mapping):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if not isinstance(value, str):
        return value
    for number in (int, float):
        with suppress(ValueError):
            return number(value)
    return {"true": True, "false": False, "null": None}.get(value.lower(), value)


def merged(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """`config` with `overrides`, as Snakemake merges them: mappings key by key, all else as a whole."""

    def below(key: str, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        old = config.get(key)
        return merged(old if isinstance(old, Mapping) else {}, value)

    return {**config, **{key: below(key, value) for key, value in overrides.items()}}


def located(config: Mapping[str, Any], folders: Iterable[Path]) -> dict[str, Any]:
    """`config` with the files of its entries as seen from the working directory, where jobs look for them.

    A relative `path` beside an entry's `name` is looked for in `folders`, those of the config files, and the first of
    these that has the file wins. One that none has stays as it is written, which is relative to the working directory.
    The same holds of the path of `results`, which is the folder itself where none is written.
    """
    places = [*folders]

    def below(value: Any) -> Any:
        if isinstance(value, list):
            return [below(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        found = {key: below(item) for key, item in value.items()}
        if "name" in value and isinstance(path := value.get("path"), str):
            found["path"] = _beside(path, places)
        return found

    seen = {key: below(value) for key, value in config.items()}
    results = seen.get("results")
    if isinstance(results, Mapping) and isinstance(path := results.get("path", "."), str):
        seen["results"] = {**results, "path": _beside(path, places)}
    return seen


def _beside(path: str, folders: Sequence[Path]) -> str:
    """Where a file or folder lies as seen from here, if it lies in one of the folders; else `path`."""
    if Path(path).is_absolute():
        return path
    seen = (os.path.relpath(folder / path) for folder in folders)
    return next((each for each in seen if Path(each).exists()), path)


def _problem(error: Exception) -> str:
    """YAML's complaint, in one line."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return getattr(error, "problem", None) or first_line(error)
