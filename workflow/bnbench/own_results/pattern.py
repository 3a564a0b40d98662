"""Finds files by a pattern whose braces stand for parts of the names of folders: `runs/{norm}/seed{seed}/*.csv`."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bnbench.errors import UserError, nearest
from bnbench.own_results.joining import named

_DEEP = "**"
_TOKENS = re.compile(r"\{(?P<name>[^{}]*)\}|(?P<stars>\*+)|(?P<any>\?)|(?P<open>[{}])|(?P<text>[^{}*?]+)")
_MAGIC = re.compile(r"[{*?]")
_EXAMPLE = "{norm}/seed{seed}/*.csv"


@dataclass(frozen=True)
class Match:
    """A file that a pattern found."""

    path: Path
    values: dict[str, str]
    """The text in the place of each brace."""


@dataclass
class _Walk:
    """A search that remembers how far it got."""

    depth: int = 0
    folder: Path = field(default_factory=Path)

    def came_to(self, folder: Path, depth: int) -> None:
        if depth > self.depth:
            self.depth, self.folder = depth, folder


def find(pattern: str, folder: Path = Path()) -> list[Match]:
    """The files that match, sorted by their paths.

    `{name}`, `*` and `?` match within the name of a file or a folder, `**` matches any number of folders. As for a
    shell, none of them matches a name that begins with a dot. `**` follows no links.

    Args:
        pattern: absolute, or relative to `folder`.
        folder: where a relative pattern begins.

    Raises:
        UserError: the pattern is malformed, or matches no file.
    """
    found = look(pattern, folder)
    if isinstance(found, _Walk):
        raise _nothing(pattern, found)
    return found


def look(pattern: str, folder: Path) -> list[Match] | _Walk:
    """As `find`, but returns the path that was searched if nothing matches."""
    names_of(pattern)
    segments = [segment for segment in pattern.split("/") if segment not in {"", "."}]
    if segments[-1:] == [_DEEP]:
        segments.append("*")
    if not segments:
        raise UserError(f"pattern '{pattern}': found nothing, allowed: a path such as {_EXAMPLE}")
    start = Path("/") if pattern.startswith("/") else folder
    walk = _Walk(folder=start)
    if not start.is_dir():
        return walk
    try:
        found = {match.path: match for match in _matches(start, segments, {}, walk, 0)}
    except OSError as error:
        raise UserError(f"pattern '{pattern}': {error.filename}: cannot be read ({error.strerror})") from error
    return [found[path] for path in sorted(found)] or walk


def beginning(pattern: str, folder: Path) -> Path:
    """The folder in front of the first segment that matches more than one name."""
    fixed = itertools.takewhile(lambda segment: not _MAGIC.search(segment), pattern.split("/")[:-1])
    return Path("/" if pattern.startswith("/") else folder, *(segment for segment in fixed if segment))


def names_of(pattern: str) -> tuple[str, ...]:
    """The names in the braces, in their order.

    Raises:
        UserError: a brace is not closed, or a name is not valid, occurs twice or follows another directly.
    """
    names: list[str] = []
    for segment in pattern.split("/"):
        before = ""
        for token in _TOKENS.finditer(segment):
            if token["open"]:
                problem = "'{' is not closed" if token["open"] == "{" else "'}' closes nothing"
                raise UserError(f"pattern '{pattern}': found an unmatched brace ({problem}), allowed: {_EXAMPLE}")
            if (name := token["name"]) is None:
                before = token["stars"] or ""
                continue
            if not name.isidentifier():
                raise UserError(
                    f"pattern '{pattern}': found '{{{name}}}', allowed: the name of a column, as in {_EXAMPLE}"
                )
            if name in names:
                raise UserError(f"pattern '{pattern}': found '{{{name}}}' twice, allowed: once")
            if before:
                found = f"'{{{name}}}' right behind '{before}'"
                raise UserError(f"pattern '{pattern}': found {found}, allowed: text between them, which separates them")
            names.append(name)
            before = token[0]
    return tuple(names)


def _matches(folder: Path, segments: Sequence[str], values: dict[str, str], walk: _Walk, depth: int) -> Iterator[Match]:
    walk.came_to(folder, depth)
    head, rest = segments[0], segments[1:]
    if head == _DEEP:
        yield from _matches(folder, rest, values, walk, depth + 1)
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from _matches(folder / entry.name, segments, values, walk, depth)
        return
    for name, more in _named(folder, head):
        path = folder / name
        if not rest and path.is_file():
            yield Match(path, values | more)
        elif rest and path.is_dir():
            yield from _matches(path, rest, values | more, walk, depth + 1)


def _named(folder: Path, segment: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The names in a folder that match a segment of the pattern, and the text in the place of its braces."""
    if not _MAGIC.search(segment):
        yield segment, {}
        return
    expression = re.compile("".join(_expression(token) for token in _TOKENS.finditer(segment)), re.DOTALL)
    for entry in _entries(folder, hidden=segment.startswith(".")):
        if match := expression.fullmatch(entry.name):
            yield entry.name, match.groupdict()


def _entries(folder: Path, *, hidden: bool = False) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(
            (entry for entry in entries if hidden or not entry.name.startswith(".")), key=lambda entry: entry.name
        )


def _expression(token: re.Match[str]) -> str:
    if token["name"] is not None:
        return f"(?P<{token['name']}>.+)"
    return ".*" if token["stars"] else "." if token["any"] else re.escape(token[0])


def _nothing(pattern: str, walk: _Walk) -> UserError:
    """What to say if no file matches: the folder that came nearest, and its contents."""
    if not walk.folder.is_dir():
        return UserError(f"pattern '{pattern}': no file matches; {walk.folder} is no folder")
    segments = [segment for segment in pattern.split("/") if segment not in {"", "."}]
    wanted = segments[walk.depth] if walk.depth < len(segments) else segments[-1]
    last = walk.depth >= len(segments) - 1
    if folders := [name for name, _ in _named(walk.folder, wanted) if last and (walk.folder / name).is_dir()]:
        return UserError(
            f"pattern '{pattern}': found only folders ({named(folders)}), allowed: files in '{pattern}/*.csv'"
        )
    if walk.depth == 0 and wanted == walk.folder.name:
        return UserError(
            f"pattern '{pattern}': no file matches; it begins inside {walk.folder}, so leave out '{wanted}/'"
        )
    inside = [entry.name for entry in _entries(walk.folder)]
    holds = named(inside, 8) if inside else "nothing"
    hint = nearest(wanted, inside)
    return UserError(
        f"pattern '{pattern}': no file matches; {walk.folder} holds {holds}, allowed: a name like '{wanted}'{hint}"
    )
