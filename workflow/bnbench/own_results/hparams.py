"""Reads the hyperparameters that Lightning writes beside the metrics of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bnbench.errors import UserError, first_line, found
from bnbench.own_results.joining import leaves, named
from bnbench.own_results.seeds import is_seed
from bnbench.own_results.table import Long

FILE = "hparams.yaml"
_MOST = 10_000
"""The most values of a file: with aliases, a few lines can produce any number."""


@dataclass(frozen=True)
class Found:
    """Hyperparameters of several runs."""

    columns: list[dict[str, str]]
    """For each run, those that become columns."""
    factors: tuple[str, ...]
    """Those of them that are not seeds."""
    notes: tuple[str, ...]


class _Unread:
    """Stands for a value that only Python code could make."""


class _Loader(yaml.SafeLoader):
    """Safe YAML that ignores unknown tags instead of running what they name."""


def _unread(loader: _Loader, suffix: str, node: yaml.Node) -> _Unread:  # noqa: ARG001 - what PyYAML calls it with
    return _Unread()


def _tuple(loader: _Loader, node: yaml.Node) -> Any:
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else _Unread()


_Loader.add_multi_constructor("", _unread)
_Loader.add_multi_constructor("!", _unread)
_Loader.add_constructor("tag:yaml.org,2002:python/tuple", _tuple)


def read(path: Path, name: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Hyperparameters as text by their names, `optimizer.lr` for nested mappings, and the names that are left out.

    Nothing is `None`, as Python writes it, since a null may be the level of a factor.

    Raises:
        UserError: the file cannot be read, is not YAML, or not a mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise UserError(f"{name}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{name}: not a text file in UTF-8 ({error.reason} at byte {error.start})") from error
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{name}{where}: broken YAML ({getattr(error, 'problem', '') or first_line(error)})") from error
    if content is None:
        return {}, ()
    if not isinstance(content, dict):
        raise UserError(f"{name}: found {_said(content)}, allowed: a mapping of names to values, such as 'lr: 0.1'")
    values: dict[str, str] = {}
    unread: list[str] = []
    for place, (key, value) in enumerate(leaves(content, "mappings", name)):
        if place >= _MOST:
            raise UserError(f"{name}: found more than {_MOST} values, allowed: at most {_MOST}")
        text = _text(value)
        if text is None:
            unread.append(key)
        else:
            values[key] = text
    return values, tuple(unread)


def beside(folders: Sequence[Path]) -> Found:
    """The hyperparameters of the runs in these folders: seeds, and what differs between runs.

    Raises:
        UserError: as `read`.
    """
    every: list[dict[str, str]] = []
    unread: dict[str, None] = {}
    for folder in folders:
        file = folder / FILE
        values, left = read(file, str(file)) if file.is_file() else ({}, ())
        every.append(values)
        unread.update(dict.fromkeys(left))
    names = _differing(every)
    notes = []
    if names:
        notes.append(f"Hyperparameters that differ between runs, and seeds, are columns: {named(names)}.")
    else:
        notes.append("No hyperparameters differ between runs; a pattern takes factors from the names of folders.")
    if unread:
        notes.append(f"Hyperparameters that are neither numbers nor text are left out: {named(unread)}.")
    columns = [{name: values[name] for name in names if name in values} for values in every]
    return Found(columns, tuple(name for name in names if not is_seed(name)), tuple(notes))


def refuse_shared(long: Long, columns: Iterable[str]) -> None:
    """Refuse a run whose metrics have the name of one of `columns`: its folder, or a hyperparameter.

    Raises:
        UserError: one of them has.
    """
    for name in columns:
        if name in long.table.column_names:
            allowed = "metrics with names that differ from those of hyperparameters, and from 'run'"
            raise UserError(f"{long.parts[0].file}: found the column '{name}', allowed: {allowed}")


def _differing(runs: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """The names, in the order of the files."""
    names = dict.fromkeys(name for run in runs for name in run)
    return tuple(name for name in names if is_seed(name) or len({run.get(name) for run in runs}) > 1)


def _text(value: Any) -> str | None:
    """A value as a level of a factor, if it is a scalar or a list of scalars."""
    if isinstance(value, list):
        texts = [None if isinstance(each, list) else _text(each) for each in value]
        known = [text for text in texts if text is not None]
        return f"[{', '.join(known)}]" if len(known) == len(texts) else None
    return None if isinstance(value, _Unread | dict | set | bytes) else str(value)


def _said(content: Any) -> str:
    return "an object of Python" if isinstance(content, _Unread) else found(content)
