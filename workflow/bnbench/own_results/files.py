"""Chooses the reader of a file, of a folder, or of the files that a pattern finds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bnbench import regular
from bnbench.errors import UserError, nearest
from bnbench.own_results import arrow_columns, csv_file, hparams, json_lines, lightning, tensorboard, tracker
from bnbench.own_results import pattern as finding
from bnbench.own_results.frames import from_frame
from bnbench.own_results.joining import counted, named, together, with_constants, with_numbers
from bnbench.own_results.merging import merged
from bnbench.own_results.seeds import is_seed
from bnbench.own_results.table import Long

__all__ = ["digest", "from_frame", "read", "used"]

_TEXT = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_JSON = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")
_RUN = "run"


@dataclass(frozen=True)
class _Source:
    """The files that make up the results."""

    kind: str
    """`file`, `lightning`, `tensorboard` or `pattern`."""
    matches: list[finding.Match]
    notes: tuple[str, ...] = ()


def read(path: str, pattern: str | None = None) -> Long:
    """Results in any form as one long table.

    Args:
        path: a file (CSV, TSV, Parquet, JSON lines, an exported chart of a tracker), or a folder of Lightning's or
            TensorBoard's runs. With a pattern, the folder in which it begins.
        pattern: which files to read, relative to `path` or absolute; braces become columns, see `pattern.find`.

    Raises:
        UserError: there is no such file or folder, or its contents cannot be read.
    """
    source, root = _source(path, pattern), Path(path)
    files = [match.path for match in source.matches]
    if source.kind == "lightning":
        long = lightning.runs(root, files)
    elif source.kind == "tensorboard":
        long = tensorboard.runs(root, files)
    elif source.kind == "pattern":
        long = _matched(source.matches, _start(root, pattern))
    else:
        long = _file(root, path)
    return with_numbers(replace(long, notes=(*source.notes, *long.notes)))


def used(path: str, pattern: str | None = None) -> list[Path]:
    """All files that `read` reads, in the order of their names.

    Raises:
        UserError: as `read`, if no file is found.
    """
    source = _source(path, pattern)
    files = [match.path for match in source.matches]
    if source.kind in {"lightning", "tensorboard"}:
        files += {file.parent / hparams.FILE for file in files if (file.parent / hparams.FILE).is_file()}
    return sorted(files)


def digest(path: str, pattern: str | None = None) -> str:
    """The SHA-256, in hexadecimal, of the file; of a folder, of the bytes and relative names of all that `read` reads.

    Raises:
        UserError: as `read`, if no file is found.
    """
    root = Path(path)
    if pattern is None and not root.is_dir():
        (file,) = used(path, pattern)
        return _sha256(file)
    start = _start(root, pattern)
    total = hashlib.sha256()
    for file in used(path, pattern):
        total.update(f"{_relative(file, start)}\0{_sha256(file)}\n".encode())
    return total.hexdigest()


def _start(root: Path, pattern: str | None) -> Path:
    """The folder from which on files are named."""
    return root if pattern is None else finding.beginning(pattern, root)


def _relative(file: Path, start: Path) -> str:
    return file.relative_to(start).as_posix()


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error


def _source(path: str, wanted: str | None) -> _Source:
    root = Path(path)
    if wanted is not None:
        return _Source("pattern", finding.find(wanted, root))
    try:
        if root.is_dir():
            next(root.iterdir(), None)  # a folder that may not be read is one without files to a pattern
            return _folder(root)
        if not root.exists():
            raise UserError(f"{path}: no such file or folder{_like(root)}")
        regular.require(root, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    return _Source("file", [finding.Match(root, {})])


def _like(root: Path) -> str:
    return nearest(root.name, [each.name for each in root.parent.iterdir()]) if root.parent.is_dir() else ""


def _folder(root: Path) -> _Source:
    """The contents of a folder: runs of Lightning, or else of TensorBoard."""
    metrics, events = (_inside(root, f"**/{name}") for name in (lightning.METRICS, f"*{tensorboard.EVENTS}*"))
    if metrics:
        note = "TensorBoard's event files beside metrics.csv are not read."
        return _Source("lightning", metrics, (note,) if events else ())
    if events:
        return _Source("tensorboard", events)
    endings = [each for each in (*_TEXT, *_PARQUET, *_JSON) if _inside(root, f"**/*{each}")]
    if not endings:
        allowed = "Lightning's metrics.csv, TensorBoard's event files, or a pattern for other files"
        raise UserError(f"{root}: found no results in this folder, allowed: {allowed}")
    example = f"{{norm}}/seed{{seed}}/*{endings[0]}"
    raise UserError(
        f"{root}: found {named(endings)} files in a folder, allowed: one file, or a pattern that says what the names of"
        f" folders and files mean, such as '{example}'"
    )


def _inside(root: Path, wanted: str) -> list[finding.Match]:
    found = finding.look(wanted, root)
    return found if isinstance(found, list) else []


def _matched(matches: Sequence[finding.Match], start: Path) -> Long:
    """The rows of all matches, with their braces as columns, and `run` where these do not tell files apart."""
    names = [*matches[0].values]
    longs = [_rows(match) for match in matches]
    constants = [match.values for match in matches]
    apart = len({tuple(each.values()) for each in constants}) == len(matches)
    if not apart and not any(_RUN in [*long.table.column_names, *names] for long in longs):
        constants = [{_RUN: _relative(match.path, start), **match.values} for match in matches]
    long = together([with_constants(long, each) for long, each in zip(longs, constants, strict=True)])
    levels = (f"{name} ({counted(len({match.values[name] for match in matches}), 'value')})" for name in names)
    note = f"The pattern finds {counted(len(matches), 'file')}" + (
        f", and in their names {named(levels)}." if names else "."
    )
    factors = (*(name for name in names if not is_seed(name)), *long.factors)
    return replace(long, notes=(note, *long.notes), factors=factors)


def _rows(match: finding.Match) -> Long:
    name = str(match.path)
    if tensorboard.EVENTS in match.path.name:
        long = tensorboard.run({match.path: ""})
    else:
        long = _file(match.path, name)
        if match.path.name == lightning.METRICS:
            long = merged(long)
    for each in match.values:
        if each in long.table.column_names:
            raise UserError(f"{name}: found the column '{each}' in the file and in the pattern, allowed: one of them")
    return long


def _file(path: Path, name: str) -> Long:
    """The rows of one file, in which numbers may still be text."""
    ending = path.name.lower()
    if ending.endswith(_TEXT):
        cells = csv_file.cells(path, name)
        return tracker.chart(cells) if tracker.is_chart(cells) else tracker.states(cells)
    if ending.endswith(_PARQUET):
        return arrow_columns.read_parquet(path, name)
    if ending.endswith(_JSON):
        return json_lines.read(path, name)
    if tensorboard.EVENTS in path.name:
        return tensorboard.run({path: ""})
    raise UserError(
        f"{name}: found a file ending in '{path.suffix}', allowed: {', '.join((*_TEXT, *_PARQUET, *_JSON))}"
    )
