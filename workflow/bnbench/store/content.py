"""What a table holds, as a hash in its footer: it finds what was changed since, by whatever program.

The hash is over the columns that it names, by their values and not by how a file encodes them, so that a column which a
later version adds changes nothing. Columns that are the same in all rows of a setting are left out: nothing reads them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa


def described(table: pa.Table, columns: Sequence[str]) -> dict[str, Any]:
    """What a footer says of the content of these columns."""
    return {"columns": [*columns], "sha256": _digest(table, columns)}


def is_as_written(table: pa.Table, said: Any) -> bool:
    """Whether a table has the content that its footer says, as `described` gave it."""
    columns = said.get("columns") if isinstance(said, dict) else None
    if not isinstance(columns, list) or not {*map(str, columns)} <= {*table.column_names}:
        return False
    return bool(said.get("sha256") == _digest(table, columns))


def _digest(table: pa.Table, columns: Sequence[str]) -> str:
    parts = [(name, table[name]) for name in columns]
    texts = [column.to_pylist() for _, column in parts if not _is_number(column.type)]
    kinds = [[name, str(column.type), column.null_count] for name, column in parts]
    found = hashlib.sha256(json.dumps([table.num_rows, kinds, texts]).encode())
    for _, column in parts:
        if _is_number(column.type) and column.null_count < len(column):
            _update(found, column)
    return found.hexdigest()


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _update(found: Any, column: pa.ChunkedArray) -> None:
    """Add numbers to a hash: all that are there, and where they are."""
    if column.null_count:
        found.update(np.packbits(column.is_valid().to_numpy()).data)
        column = column.drop_null()
    values = np.ascontiguousarray(column.to_numpy())
    if values.dtype.kind == "i":  # few bytes hold seeds and epochs, and are hashed sooner
        values = values.astype(np.result_type(*map(np.min_scalar_type, (values.min(), values.max()))))
        found.update(values.dtype.str.encode())
    found.update(values.data)
