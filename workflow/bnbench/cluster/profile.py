"""Read a workflow profile of Snakemake, and find the line of each of its keys.

Only the keys are read that a message may name. What Snakemake itself refuses in a profile is left to it.
"""

import argparse
import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bnbench.errors import UserError, first_line

_NAME = re.compile(r"(?:profile|config)(?:\.v(\d+)\+)?\.yaml")
"""What the file in the folder of a profile is called; a number is the oldest Snakemake that it is for."""


@dataclass(frozen=True)
class Found:
    """A value, and its place: `workflow/profiles/slurm/config.yaml, line 9`."""

    value: Any
    where: str


@dataclass(frozen=True)
class Profile:
    """A profile: the value and the line of each key, which is a tuple of the keys above it and its own."""

    path: Path
    values: Mapping[tuple[str, ...], Any]
    lines: Mapping[tuple[str, ...], int]

    def get(self, *keys: str, default: Any = None) -> Any:
        """The value under `keys`, such as `"set-resources", "train_cuda", "gpu"`; `default` where there is none."""
        return self.values.get(keys, default)

    def where(self, *keys: str) -> str:
        """The file and the line of a key, or of the nearest key above it that is there."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.lines:
                return f"{self.path}, line {self.lines[keys[:length]]}"
        return str(self.path)

    def resource(self, rule: str, name: str) -> Found:
        """How much of a resource the jobs of a rule request by this profile, and where it says so.

        The value is None where the profile does not name the resource; then the place is where it could.
        """
        for keys in (("set-resources", rule, name), ("default-resources", name)):
            if keys in self.values:
                return Found(self.values[keys], self.where(*keys))
        return Found(None, self.where("set-resources", rule))


def read(place: Path | str) -> Profile:
    """Read the profile at `place`, its file or its folder.

    Raises:
        UserError: there is none, or it is not a mapping in YAML.
    """
    path = found(Path(place))
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
        content = {} if node is None else yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot read the profile ({first_line(error)})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}{where}: broken YAML ({getattr(error, 'problem', None) or error})") from error
    if node is None or not isinstance(node, yaml.MappingNode):
        raise UserError(f"{path}: found no mapping of keys to values, allowed: a profile, such as 'executor: slurm'")
    lines = dict(_lines(node))
    return Profile(path, dict(_values(content)), lines)


def in_use(arguments: Sequence[str]) -> Profile | None:
    """The profile that a command line of Snakemake names, the workflow's own before a general one; None without.

    Args:
        arguments: of Snakemake.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--workflow-profile")
    parser.add_argument("--profile", nargs="+", default=[])
    named, _ = parser.parse_known_args(arguments)
    for name in filter(None, [named.workflow_profile, *reversed(named.profile), os.environ.get("SNAKEMAKE_PROFILE")]):
        for place in (Path(name), Path("profiles") / name, Path.home() / ".config" / "snakemake" / name):
            with contextlib.suppress(UserError):
                return read(place)
    return None


def found(place: Path) -> Path:
    """The file of the profile at `place`.

    Raises:
        UserError: there is none.
    """
    if place.is_file():
        return place
    files = {path: int(name[1] or 0) for path in sorted(place.glob("*.yaml")) if (name := _NAME.fullmatch(path.name))}
    if files:
        return max(files, key=lambda path: files[path])
    raise UserError(
        f"{place}: found no profile, allowed: a folder with a config.yaml, such as workflow/profiles/slurm, or the file"
    )


def _values(content: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in content.items():
        keys = (*above, str(key))
        yield keys, value
        if isinstance(value, Mapping):
            yield from _values(value, keys)
        elif isinstance(value, list):  # `set-resources: ["train:runtime=60"]`, as on the command line
            yield from ((named, _text(item)) for item in value if (named := _named(keys, item)))


def _lines(node: yaml.MappingNode, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    for key, value in node.value:
        keys = (*above, str(key.value))
        yield keys, key.start_mark.line + 1
        if isinstance(value, yaml.MappingNode):
            yield from _lines(value, keys)
        elif isinstance(value, yaml.SequenceNode):
            for item in value.value:
                if isinstance(item, yaml.ScalarNode) and (named := _named(keys, item.value)):
                    yield named, item.start_mark.line + 1


def _named(above: tuple[str, ...], item: Any) -> tuple[str, ...]:
    """The keys of `train:runtime=60`, an item of a list; none where it is something else."""
    name, equals, _ = str(item).partition("=")
    return (*above, *name.split(":")) if equals else ()


def _text(item: Any) -> Any:
    return yaml.safe_load(str(item).partition("=")[2])
