"""The tables of a report: CSV files, in the columns and types of their schemas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from bnbench.store import csv_cells, schemas
from bnbench.store.files import write_text
from bnbench.store.tables import reading
from bnbench.vocabulary import FACTORS

_PANDAS_TYPES = {pa.string(): "str", pa.int64(): "Int64", pa.float64(): "float64", pa.bool_(): "boolean"}


def write(out: Path, name: str, frame: pd.DataFrame, factor: str, factors: Sequence[str] = FACTORS) -> None:
    """Write a table of a report as `tables/<name>.csv` in the study's folder `out`, in the columns of its schema.

    Raises:
        ValueError: the frame has other columns than its schema, or values of another type.
        UserError: the file cannot be written.
    """
    schema = schemas.of_report(name, factor, factors)
    if odd := {*schema.names} ^ {*frame.columns}:
        raise ValueError(f"{name}: {sorted(odd)} are only in the table or only in its schema")
    typed = pa.Table.from_pandas(frame[schema.names], schema, preserve_index=False)
    written = csv_cells.guarded(typed.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get))
    write_text(out / "tables" / f"{name}.csv", written.to_csv(index=False))


def empty(name: str, factor: str, factors: Sequence[str] = FACTORS) -> pd.DataFrame:
    """A table without rows, in the columns and types of its schema."""
    table: pd.DataFrame = schemas.of_report(name, factor, factors).empty_table().to_pandas()
    return table


def read(out: Path, name: str) -> pd.DataFrame:
    """Read a table of a report, in the types of its schema; labels are text, whatever they look like.

    Raises:
        UserError: the file is absent, not a table, or lacks columns.
    """
    path = out / "tables" / f"{name}.csv"
    types = {field.name: _PANDAS_TYPES[field.type] for field in schemas.TABLES[name]}
    with reading(path, "a readable table"):
        own = [column for column in pd.read_csv(path, nrows=0) if column not in types]  # factors that only it has
        types |= dict.fromkeys(own, "str")
        frame = csv_cells.plain(pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""]))
        if missing := {*schemas.TABLES[name].names} - {*frame.columns, *FACTORS}:
            raise ValueError(f"without {', '.join(sorted(missing))}")
        plain = {"Int64": "int64", "boolean": "bool"}  # of columns without a gap
        kinds = {name: plain.get(str(kind)) for name, kind in frame.dtypes.items() if frame[name].notna().all()}
        return frame.astype({name: kind for name, kind in kinds.items() if kind})
