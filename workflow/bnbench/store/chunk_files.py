"""The tables of one chunk: whether they are there, and their reading, which trusts no file's name."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from bnbench.errors import UserError
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.store import schemas, tables
from bnbench.vocabulary import FACTORS


def paths(chunk: Chunk, results: Path) -> dict[str, Path]:
    """Where the chunk's tables lie under the folder `results`, by kind."""
    return {kind: results / kind / chunk.setting.address / f"{chunk.stem}.parquet" for kind in schemas.SCHEMAS}


def is_there(chunk: Chunk, results: Path) -> bool:
    """Whether all tables of a chunk are there."""
    return all(path.exists() for path in paths(chunk, results).values())


def missing(chunk: Chunk, results: Path) -> dict[str, Path]:
    """The tables of a chunk that are absent or not what their names say, by kind."""
    return {kind: path for kind, path in paths(chunk, results).items() if not _can_be_read(chunk, kind, results)}


def labelled(setting: Setting, table: pa.Table) -> pa.Table:
    """The rows with the labels that this study gives the setting (a data file may have been renamed)."""
    first = pa.repeat(pa.scalar(0, pa.int32()), table.num_rows)
    for name, label in _same(setting).items():
        table = table.append_column(name, pa.DictionaryArray.from_arrays(first, pa.array([label])))
    return table


def unlabelled(setting: Setting, kind: str) -> pa.Schema:
    """The columns of a kind of table, but for those that are the same in all rows of a setting."""
    columns = schemas.stored(kind, setting.own_metrics)
    return pa.schema([field for field in columns if field.name not in (*FACTORS, "setting")])


def _same(setting: Setting) -> dict[str, str]:
    """The columns that are the same in all rows of a setting."""
    return {**setting.labels, "setting": setting.address}


def read(chunk: Chunk, kind: str, results: Path) -> pa.Table:
    """One chunk's rows, without their labels: texts in every row are most of what there is to read.

    Raises:
        UserError: the file is corrupt, or holds another setting's rows or other seeds than its name says.
    """
    path = paths(chunk, results)[kind]
    columns = unlabelled(chunk.setting, kind)
    stored = tables.read_stored(path, columns.names)
    if not _is_whole(stored, chunk, kind):
        raise UserError(f"{path}: holds other trials than its name says; delete it and run the workflow again")
    table = stored.table
    for name in set(columns.names) - set(table.column_names):
        value = pa.scalar(schemas.ADDED[name], columns.field(name).type)
        table = table.append_column(name, pa.repeat(value, len(table)))
    return table.select(columns.names)


def _can_be_read(chunk: Chunk, kind: str, results: Path) -> bool:
    try:
        read(chunk, kind, results)
    except UserError:
        return False
    return True


def _is_whole(stored: tables.Stored, chunk: Chunk, kind: str) -> bool:
    """Whether the columns are those of `kind`, and the rows those of `chunk`, each of them once."""
    address = chunk.setting.address
    there = set(stored.schema.names)
    columns = schemas.stored(kind, chunk.setting.own_metrics)
    expected = [field for field in columns if field.name in there or field.name not in schemas.ADDED]
    if stored.footer.get("address") != address or not stored.schema.equals(pa.schema(expected)):
        return False
    seeds, asked = stored.table["seed"], np.arange(chunk.first, chunk.last + 1)
    if kind == "predictions" and not len(seeds):  # of a task of several inputs
        return True
    if stored.settings != {address} or seeds.null_count:
        return False
    if kind == "predictions":
        return np.array_equal(np.unique(seeds), asked)
    epochs = chunk.setting.spec["epochs"] if kind == "losses" else 1
    epoch = stored.table["epoch"] if kind == "losses" else pa.repeat(0, len(seeds))
    if epoch.null_count or len(seeds) != len(asked) * epochs:
        return False
    places = (seeds.to_numpy() - chunk.first) * epochs + epoch.to_numpy()
    inside = (epoch.to_numpy() >= 0) & (epoch.to_numpy() < epochs)
    return bool(inside.all()) and np.array_equal(np.sort(places), np.arange(len(places)))
