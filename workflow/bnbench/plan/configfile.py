"""What a user wrote: a study's config in YAML, and `KEY=VALUE` pairs of the command line.

What comes in is text, what goes out are plain values that `config` checks. Anything that is not
YAML, or that YAML would silently misread, ends in one `UserError`.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from bnbench import regular
from bnbench.errors import UserError, first_line, found, shortened
from bnbench.plan import limits, portable, strict_yaml


def read(path: Path | str) -> dict[str, Any]:
    """Read one config file.

    Raises:
        UserError: the file is absent or not readable, broken YAML (with line and column), not a mapping, or has a key
            that occurs twice.
    """
    text = _text(Path(path))
    try:
        content = _loaded(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise UserError(f"{path}{_place(error)}: {_problem(error)}") from error
    except _DoubtfulError as error:
        lines = [f", line {line}, column {column}: {said}" for (line, column), said in sorted(error.places.items())]
        raise UserError(limits.told(str(path), lines)) from error
    limits.refuse_large(content, str(path))
    if not isinstance(content, dict):
        raise UserError(
            f"{path}: found {found(content)}, allowed: a mapping of keys to values, such as 'study: default'"
        )
    return content


class _DoubtfulError(Exception):
    """There are values that readers of YAML read differently."""

    def __init__(self, places: Mapping[tuple[int, int], str]) -> None:
        super().__init__(places)
        self.places = places
        """Line and column → the message about the value there."""


def _text(path: Path) -> str:
    """The text of a config file.

    Raises:
        UserError: the file is absent, not readable, no file of text or too long.
    """
    try:
        regular.require(path)
        with path.open("rb") as file:
            content = file.read(limits.MOST_BYTES + 1)
        if len(content) > limits.MOST_BYTES:
            most = f"{limits.MOST_BYTES // 1024} KiB"
            raise UserError(f"{path}: found a config file of more than {most}, allowed: at most {most}")
        return content.decode("utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot read the config file ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text file in UTF-8 ({error.reason} at byte {error.start})") from error


def _loaded(text: str) -> Any:
    """What a text in YAML holds; in one that is JSON, as Snakemake reads it too, numbers are those of JSON."""
    loader = strict_yaml.Loader(text)
    try:
        content = loader.get_single_data()
    finally:
        loader.dispose()
    with suppress(ValueError):
        return json.loads(text)
    if loader.doubtful:
        raise _DoubtfulError(loader.doubtful)
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
            content = yaml.load(value, strict_yaml.Texts)  # noqa: S506 - makes nothing but text
        except (yaml.YAMLError, RecursionError) as error:
            raise UserError(f"--config {key}: {_problem(error, f' in {shortened(repr(value))}')}") from error
        limits.refuse_large(content, f"--config {key}")
        overrides[key] = typed(content)
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
    return portable.with_paths(config, lambda path: _beside(path, places))


def _beside(path: str, folders: Sequence[Path]) -> str:
    """Where a file or folder lies as seen from here, if it lies in one of the folders; else `path`."""
    if Path(path).is_absolute():
        return path
    seen = (os.path.relpath(folder / path) for folder in folders)
    return next((each for each in seen if Path(each).exists()), path)


def _place(error: Exception) -> str:
    """Where YAML found something wrong, as far as it knows."""
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _problem(error: Exception, where: str = "") -> str:
    """YAML's complaint, in one line."""
    problem = getattr(error, "problem", None) or first_line(error)
    if isinstance(error, strict_yaml.TooManyError):
        return problem
    return f"broken YAML{where} ({'nested too deeply' if isinstance(error, RecursionError) else problem})"
