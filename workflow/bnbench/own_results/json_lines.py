"""Reads a file with a JSON object in each line."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bnbench.errors import UserError, first_line, found
from bnbench.own_results.joining import leaves, named, parts_of_lines, refuse_names, together
from bnbench.own_results.table import Long, of_columns

_BOM = b"\xef\xbb\xbf"
_BLOCK = 50_000
"""Rows that are Python objects at a time."""
_NESTED = {dict, list}
_decode = json.JSONDecoder().decode
_LINES = "a JSON object in each line, as pandas writes by to_json(…, orient='records', lines=True)"


def read(path: Path, name: str) -> Long:
    """The objects as rows: null is a cell without a value, the token NaN a number of a run that diverged.

    A nested object becomes a column for each of its values, `config.lr`. Lists are left out, which a note says.

    Raises:
        UserError: the file is absent, empty or not in UTF-8, or a line holds no JSON object.
    """
    lists: set[str] = set()
    objects = _objects(path, name)
    blocks = []
    while block := [*itertools.islice(objects, _BLOCK)]:
        # A line whose object is empty is as good as a blank one.
        rows = {line: flat for line, row in block if (flat := _flat(row, lists, name, line))}
        blocks += [_rows(rows, name)] if rows else []
    if not blocks:
        raise UserError(f"{name}: found no values, allowed: a JSON object in each line, for each run or epoch")
    long = together(blocks)
    refuse_names(long.table.column_names, name)
    return replace(long, notes=(f"Lists are left out: {named(sorted(lists))}.",) if lists else ())


def _rows(rows: dict[int, dict[str, Any]], name: str) -> Long:
    """Rows, by their lines, as columns; a key that a row lacks is a cell without a value."""
    keys = dict.fromkeys(itertools.chain.from_iterable(rows.values()))
    lines = np.array([*rows])
    try:
        table = of_columns({key: [row.get(key) for row in rows.values()] for key in keys})
    except (OverflowError, UnicodeEncodeError) as error:
        where = f"{name}, line {lines[0]}" if len(lines) == 1 else f"{name}, lines {lines[0]} to {lines[-1]}"
        raise UserError(f"{where}: found a value that no column can hold ({first_line(error)})") from error
    return Long(table, parts_of_lines(name, lines))


def _objects(path: Path, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of the lines that are not blank, with the numbers of these lines."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(line, name, number)
    except FileNotFoundError as error:
        raise UserError(f"{name}: no such file") from error
    except OSError as error:
        raise UserError(f"{name}: cannot be read ({error.strerror})") from error


def _object(line: bytes, name: str, number: int) -> dict[str, Any]:
    try:
        value = _decode(line.removeprefix(_BOM).rstrip().decode("utf-8"))
    except UnicodeDecodeError as error:
        where = f"{name}, line {number}"
        raise UserError(f"{where}: found the byte 0x{line[error.start]:02x}, allowed: text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        why = f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else first_line(error)
        if line.removeprefix(_BOM).strip() in {b"[", b"{", b"[{"}:
            raise UserError(f"{name}, line {number}: found JSON over several lines, allowed: {_LINES}") from error
        raise UserError(f"{name}, line {number}: broken JSON ({why}), allowed: a JSON object") from error
    if isinstance(value, list):
        raise UserError(f"{name}, line {number}: found {found(value)}, allowed: {_LINES}")
    if not isinstance(value, dict):
        raise UserError(f'{name}, line {number}: found {found(value)}, allowed: a JSON object, such as {{"seed": 0}}')
    return value


def _flat(row: dict[str, Any], lists: set[str], name: str, line: int) -> dict[str, Any]:
    """The row without objects in it; `lists` collects the names of the keys that are left out."""
    if _NESTED.isdisjoint(map(type, row.values())):
        return row
    where = f"{name}, line {line}"
    flat: dict[str, Any] = {}
    for key, value in leaves(row, "objects", where):
        if isinstance(value, list):
            lists.add(key)
        elif key in flat:
            raise UserError(f"{where}: found the key '{key}' twice, allowed: once")
        else:
            flat[key] = value
    return flat
