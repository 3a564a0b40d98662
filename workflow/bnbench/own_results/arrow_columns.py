"""Turns a table of any Arrow types, as Parquet files and pandas give them, into columns of numbers and of text."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bnbench.errors import UserError, first_line
from bnbench.own_results.joining import named, refuse_names
from bnbench.own_results.table import Long, Part

_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(path: Path, name: str) -> Long:
    """The rows of a Parquet file; null is a cell without a value, NaN means that a run diverged.

    Raises:
        UserError: the file is absent, no Parquet file, or without rows, or two columns cannot be distinguished.
    """
    if not path.is_file():
        raise UserError(f"{name}: no such file")
    try:
        # A handle of the file itself: a path would be searched for partitions like `seed=3`, which are no column of it.
        with pq.ParquetFile(path) as file:
            table = _with_joined_levels(file.read())
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{name}: cannot be read as Parquet ({first_line(error)})") from error
    kept, notes = [], []
    for place, column in enumerate(table.column_names):
        if not _UNNAMED_INDEX.fullmatch(column):
            kept.append(place)
        elif pa.types.is_integer(table.schema.field(place).type):
            notes.append("An index without a name counts rows: it is left out.")
        else:
            raise UserError(f"{name}: found an index without a name, allowed: one with a name (frame.index.name = …)")
    return plain(table.select(kept), name, tuple(notes))


def _with_joined_levels(table: pa.Table) -> pa.Table:
    """The table with `loss.mean` in place of `('loss', 'mean')`, as pandas writes columns of several levels."""
    if len((table.schema.pandas_metadata or {}).get("column_indexes", [])) < 2:
        return table
    return table.rename_columns([_joined_levels(name) for name in table.column_names])


def _joined_levels(name: str) -> str:
    try:
        levels = ast.literal_eval(name)
    except (ValueError, SyntaxError):
        return name
    return joined(levels) if isinstance(levels, tuple) else name


def joined(levels: tuple[object, ...]) -> str:
    """The name of a column of several levels, such as `agg` of pandas gives."""
    return ".".join(str(each) for each in levels if str(each))


def plain(table: pa.Table, name: str, notes: tuple[str, ...] = ()) -> Long:
    """The rows of a table as columns of float64 and of text.

    Truth values become the text `True` and `False`, dates become text, durations seconds, and a struct a column for
    each of its fields, `config.lr`. Lists, maps and bytes are left out, which a note says.

    Raises:
        UserError: the table has no row, or two columns of one name.
    """
    if not table.num_rows:
        raise UserError(f"{name}: found no rows, allowed: a row for each run or epoch")
    refuse_names(table.column_names, name)
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
    refuse_names(table.column_names, name)
    columns = {column: _plain(table.column(column)) for column in table.column_names}
    dropped = [column for column, values in columns.items() if values is None]
    if dropped:
        notes = (*notes, f"Neither numbers nor text, and left out: {named(dropped)}.")
    kept = {column: values for column, values in columns.items() if values is not None}
    if not kept:
        raise UserError(f"{name}: found no column of numbers or text, allowed: at least one")
    return Long(pa.table(kept), (Part(name, 0, None),), notes)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type))
    if pa.types.is_dictionary(kind):
        return _plain(pc.cast(column, kind.value_type))
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "True", "False")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pc.cast(column, pa.float64(), safe=False)
    if pa.types.is_duration(kind):
        return pc.divide(pc.cast(pc.cast(column, pa.duration("ns")), pa.int64()), 1e9)
    return _text(column)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Texts, dates and times as text; nothing of lists, maps and bytes."""
    kind = column.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    moment = pa.types.is_date(kind) or pa.types.is_timestamp(kind) or pa.types.is_time(kind)
    if not (text or moment or pa.types.is_null(kind)):
        return None
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowInvalid:  # the zone of a time is not known here: as UTC has it
        return pc.cast(pc.cast(column, pa.timestamp(kind.unit)), pa.string())
