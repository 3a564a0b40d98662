"""Puts what was read from several files into one long table, and finds the numbers in columns of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bnbench import texts
from bnbench.errors import UserError
from bnbench.own_results.table import Long, Part, typed


def with_numbers(long: Long) -> Long:
    """The same rows, with numbers in each column of text whose cells are all numbers, and names in one line each."""
    names = [_in_one_line(name) for name in long.table.column_names]
    # Column by column, so that the text of one is freed before the next is read.
    columns = [typed(column) if pa.types.is_string(column.type) else column for column in long.table.columns]
    refuse_names(names, long.parts[0].file)
    factors = tuple(_in_one_line(name) for name in long.factors)
    return replace(long, table=pa.table(columns, names=names).combine_chunks(), factors=factors)


def _in_one_line(name: str) -> str:
    """The name of a column as messages and pages have it."""
    return texts.shown(" ".join(name.split()))


def together(longs: Sequence[Long]) -> Long:
    """The rows of all, in their order; a file that lacks a column has nothing in it.

    Where one file has numbers in a column and another has text, the column is text.
    """
    names = dict.fromkeys(name for long in longs for name in long.table.column_names)
    columns = {name: _joined([long.table for long in longs], name) for name in names}
    starts = np.cumsum([0, *(long.table.num_rows for long in longs)]).tolist()
    parts = [
        replace(part, first=start + part.first)
        for start, long in zip(starts, longs, strict=False)
        for part in long.parts
    ]
    factors = dict.fromkeys(name for long in longs for name in long.factors)
    return Long(pa.table(columns), tuple(parts), _notes(longs), tuple(factors))


def with_constants(long: Long, constants: dict[str, str]) -> Long:
    """The same rows, with a column of text for each constant before all others."""
    table, rows = long.table, long.table.num_rows
    added = {name: pa.chunked_array([pa.repeat(pa.scalar(value), rows)]) for name, value in constants.items()}
    return replace(long, table=pa.table({**added, **dict(zip(table.column_names, table.columns, strict=True))}))


def refuse_names(names: Iterable[str], where: str) -> None:
    """Refuse columns that have no name, or one that occurs twice.

    Raises:
        UserError: one of them.
    """
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if not name:
            raise UserError(f"{where}: found column {place} without a name, allowed: a name for each column")
        if name in seen:
            raise UserError(
                f"{where}: found the column '{name}' twice (columns {seen[name]} and {place}), allowed: once"
            )
        seen[name] = place


def parts_of_lines(file: str, lines: np.ndarray) -> tuple[Part, ...]:
    """The stretches of consecutive lines, from the line [rows] of each row."""
    begins = [0, *(np.flatnonzero(np.diff(lines) != 1) + 1).tolist()]
    return tuple(Part(file, first, int(lines[first])) for first in begins)


def lines_of(long: Long) -> np.ndarray | None:
    """The line of each row, [rows], if all parts have lines."""
    stops = [*(part.first for part in long.parts[1:]), long.table.num_rows]
    stretches: list[np.ndarray] = []
    for part, stop in zip(long.parts, stops, strict=True):
        if part.line is None:
            return None
        stretches.append(np.arange(part.line, part.line + stop - part.first))
    return np.concatenate(stretches)


def named(names: Iterable[object], most: int = 5) -> str:
    """Names in a list short enough for a sentence: `a, b and 7 more`."""
    every = [str(name) for name in names]
    if len(every) > most:
        every = [*every[:most], f"{len(every) - most} more"]
    return " and ".join([*([", ".join(every[:-1])] if every[1:] else []), *every[-1:]])


def counted(count: int, noun: str) -> str:
    """A number of things: `1 file`, `3 files`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _joined(tables: Sequence[pa.Table], name: str) -> pa.ChunkedArray:
    there = [table.column(name) if name in table.column_names else None for table in tables]
    kinds = {column.type for column in there if column is not None}
    kind = kinds.pop() if len(kinds) == 1 else pa.string()
    chunks: list[pa.Array] = []
    for column, table in zip(there, tables, strict=True):
        chunks += [pa.nulls(table.num_rows, kind)] if column is None else pc.cast(column, kind).chunks
    return pa.chunked_array(chunks, kind)


def _notes(longs: Sequence[Long]) -> tuple[str, ...]:
    """Each note once, with the number of files that it applies to, unless it applies to all."""
    counts = Counter(note for long in longs for note in dict.fromkeys(long.notes))
    every = len(longs)
    return tuple(note if count == every else f"In {count} of {every} files: {note}" for note, count in counts.items())


DEEPEST = 20
"""The deepest nesting of mappings that is still flattened."""


def leaves(
    mapping: Mapping[Any, Any], what: str, where: str, before: str = "", depth: int = 0
) -> Iterator[tuple[str, Any]]:
    """The values of a mapping and of those in it, by their keys with dots between: `config.lr`.

    Args:
        mapping: with texts as keys.
        what: messages call it, in the plural.
        where: its place, for messages.
        before: the keys above it, with a dot after each.
        depth: how many mappings are above it.

    Raises:
        UserError: there are more than `DEEPEST` of them in one another.
    """
    if depth > DEEPEST:
        raise UserError(f"{where}: found more than {DEEPEST} {what} in one another, allowed: at most {DEEPEST}")
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from leaves(value, what, where, f"{before}{key}.", depth + 1)
        else:
            yield f"{before}{key}", value
