"""Parquet and JSON files: their writing, their reading, and the footers that say what a file holds."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from bnbench import regular
from bnbench.errors import UserError, first_line
from bnbench.store.files import atomic
from bnbench.store.schemas import SCHEMAS


class Stored(NamedTuple):
    """What `write_parquet` wrote, in part."""

    table: pa.Table
    """Of the columns that were asked for."""
    schema: pa.Schema
    """Of all columns."""
    footer: dict[str, Any]
    settings: set[str]
    """The least and the greatest `setting` of its rows."""


def write_parquet(path: Path, table: pa.Table, footer: Mapping[str, Any] | None = None) -> None:
    """Write one table atomically; `footer` is stored as JSON under the key `bnbench`."""
    with atomic(path) as temporary:
        pq.write_table(table.replace_schema_metadata(_footer(footer)), temporary, **_encoding(table.schema))


@contextlib.contextmanager
def parquet_writer(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Write a table part by part, one row group a call, atomically as a whole.

    A part may have its columns in any order, and texts as dictionaries, which are as they will be stored.
    """
    texts = pa.dictionary(pa.int32(), pa.string())
    held = pa.schema([field.with_type(texts) if pa.types.is_string(field.type) else field for field in schema])
    # Without Arrow's own note of the schema, texts are read as texts.
    options = {**_encoding(schema), "store_schema": False}
    with atomic(path) as temporary, pq.ParquetWriter(temporary, held, **options) as writer:
        yield lambda part: writer.write_table(
            part.select(schema.names).cast(held).unify_dictionaries(), max(1, part.num_rows)
        )


def read_parquet(path: Path, **options: Any) -> pa.Table:
    """Read a table (`columns=…`, `filters=…` as pyarrow has them).

    Raises:
        UserError: the file is absent, corrupt or not a parquet file.
    """
    with reading(path, "a readable table"):
        return pq.read_table(path, partitioning=None, **options)


def read_stored(path: Path, columns: Sequence[str]) -> Stored:
    """Read some columns of a file that `write_parquet` wrote, and all that says what the file holds.

    Raises:
        UserError: the file is absent, corrupt or not a parquet file.
    """
    with reading(path, "a readable table"), pq.ParquetFile(path, page_checksum_verification=True) as file:
        schema = file.schema_arrow
        # A chunk is small: to start threads would take longer.
        table = file.read(columns, use_threads=False)
        return Stored(table, schema, _stored_footer(schema), _settings(file.metadata))


def read_setting(path: Path, setting: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the rows of one setting, by its address; of a collected table, its row group alone.

    Raises:
        UserError: the file is absent, corrupt or not a parquet file.
    """
    with reading(path, "a readable table"):
        state = path.stat()
        places = _places(path, (state.st_ino, state.st_mtime_ns, state.st_size))
        if places.groups is None:
            return read_parquet(path, columns=columns, filters=[("setting", "=", setting)])
        with pq.ParquetFile(path, metadata=places.metadata) as file:
            return file.read_row_groups(places.groups.get(setting, []), columns)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file.

    Raises:
        UserError: the file is absent or corrupt.
    """
    with reading(path, "readable"):
        return json_object(path.read_text(encoding="utf-8"))


def footer(path: Path) -> dict[str, Any]:
    """What `write_parquet` stored in the footer; empty for a file that another program wrote.

    Raises:
        UserError: the file is absent, corrupt or not a parquet file.
    """
    with reading(path, "a readable table"):
        return _stored_footer(pq.read_schema(path))


@contextlib.contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn every error of reading `path` into one message, that it is not `what`; never open a pipe."""
    try:
        regular.require(path)
        yield
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the workflow to make it") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = first_line(error)
        raise UserError(f"{path}: not {what} ({reason}); delete it and run the workflow again") from error


def json_object(text: str | bytes) -> dict[str, Any]:
    """Parse a JSON object; anything else is a `ValueError`."""
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError(f"found {type(content).__name__}, allowed: an object")
    return content


def _footer(content: Mapping[str, Any] | None) -> dict[bytes, bytes]:
    return {b"bnbench": json.dumps(content, sort_keys=True).encode()} if content else {}


def _stored_footer(schema: pa.Schema) -> dict[str, Any]:
    return json_object((schema.metadata or {}).get(b"bnbench", b"{}"))


def _settings(metadata: pq.FileMetaData) -> set[str]:
    """What the statistics of a file say of its column `setting`; empty where it has none."""
    if "setting" not in metadata.schema.names:
        return set()
    column = metadata.schema.names.index("setting")
    groups = (metadata.row_group(index).column(column).statistics for index in range(metadata.num_row_groups))
    return {value for found in groups if found and found.has_min_max for value in (found.min, found.max)}


def _encoding(schema: pa.Schema) -> dict[str, Any]:
    """How columns are stored: numbers split into their bytes, most of which are equal; all else by dictionary."""
    floats = [field.name for field in schema if pa.types.is_floating(field.type)]
    others = [name for name in schema.names if name not in floats]
    return {
        "compression": "lz4",
        "use_dictionary": others,
        "column_encoding": dict.fromkeys(floats, "BYTE_STREAM_SPLIT"),
        "write_statistics": others,
        "write_page_checksum": True,
    }


class _Places(NamedTuple):
    """Where in a table the rows of each setting lie."""

    metadata: pq.FileMetaData
    groups: dict[str, list[int]] | None
    """Setting → its row groups; None where one of them holds rows of several settings."""


@lru_cache(maxsize=len(SCHEMAS))
def _places(path: Path, state: tuple[int, ...]) -> _Places:  # noqa: ARG001 - a file that was replaced is another file
    """Read from the footer once for all settings, since the footer grows with their number."""
    metadata = pq.read_metadata(path)
    column = metadata.schema.names.index("setting")
    groups: dict[str, list[int]] = {}
    for index in range(metadata.num_row_groups):
        found = metadata.row_group(index).column(column).statistics
        if found is None or not found.has_min_max or found.min != found.max:
            return _Places(metadata, None)
        groups.setdefault(found.min, []).append(index)
    return _Places(metadata, groups)
