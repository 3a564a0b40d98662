"""The tables of one chunk: whether they are there, and their reading, which trusts no file's name."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bnbench import columns
from bnbench.catalogue import tasks
from bnbench.catalogue.losses import OF_TASK
from bnbench.errors import UserError
from bnbench.plan import user_files
from bnbench.plan.chunks import Chunk
from bnbench.plan.levels import level
from bnbench.plan.settings import Setting
from bnbench.store import schemas, tables
from bnbench.vocabulary import FACTORS, OF_SETTING


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
    """The rows with what this study says of the setting: its labels (a data file may have been renamed), and the rest.

    So files of earlier versions, which lack some of these columns, have them too.
    """
    for name, value in same(setting).items():
        table = table.append_column(name, _repeated(value, columns.COLUMNS[name].type, table.num_rows))
    return table


def unlabelled(setting: Setting, kind: str) -> pa.Schema:
    """The columns of a kind of table, except those that are the same in all rows of a setting."""
    stored = schemas.stored(kind, setting.own_metrics)
    return pa.schema([field for field in stored if field.name not in (*FACTORS, *OF_SETTING, "setting")])


def same(setting: Setting) -> dict[str, Any]:
    """The columns that are the same in all rows of a setting: all that tells it from others."""
    spec = setting.spec
    loss = spec.get("loss", {"name": OF_TASK})
    added = {name: digest for classes in spec.get("sources", {}).values() for name, digest in classes.items()}
    files = {**{Path(path).name: digest for path, digest in user_files.named(setting).items()}, **added}
    of_setting = {
        "objective": tasks.loss_of(spec) if loss["name"] == OF_TASK else level("loss", loss).label,
        "metrics": ", ".join(level("metric", metric).label for metric in spec.get("metrics", ())) or None,
        **{key: spec[key] for key in ("epochs", "evaluate_every", "dtype")},
        "validation": spec.get("validation"),
        "files": ", ".join(f"{name} {digest[:8]}" for name, digest in files.items()) or None,
    }
    return {**setting.labels, **{name: of_setting[name] for name in OF_SETTING}, "setting": setting.address}


def _repeated(value: Any, kind: pa.DataType, rows: int) -> pa.Array:
    """A column of one value; texts as a dictionary of one."""
    if not pa.types.is_string(kind):
        return pa.repeat(pa.scalar(value, kind), rows)
    if value is None:
        return pa.nulls(rows, pa.dictionary(pa.int32(), kind))
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), pa.array([value]))


def read(chunk: Chunk, kind: str, results: Path) -> pa.Table:
    """One chunk's rows, without their labels: texts in every row are most of what there is to read.

    Raises:
        UserError: the file is corrupt, or holds another setting's rows or other seeds than its name says.
    """
    path = paths(chunk, results)[kind]
    wanted = unlabelled(chunk.setting, kind)
    stored = tables.read_stored(path, wanted.names)
    if not _is_whole(stored, chunk, kind):
        raise UserError(f"{path}: holds other trials than its name says; delete it and run the workflow again")
    table = stored.table
    for name in set(wanted.names) - set(table.column_names):
        value = pa.scalar(schemas.ADDED[name], wanted.field(name).type)
        table = table.append_column(name, pa.repeat(value, len(table)))
    return table.select(wanted.names)


def _can_be_read(chunk: Chunk, kind: str, results: Path) -> bool:
    try:
        read(chunk, kind, results)
    except UserError:
        return False
    return True


def _are_counts(table: pa.Table, asked: NDArray[np.int64]) -> bool:
    """Whether counts of predicted classes have each pair of classes once, of seeds among those `asked`.

    Trials that diverged have none, nor those that an earlier version trained.
    """
    if table["points"].null_count:
        return False
    cells = np.stack([table[name].to_numpy() for name in ("seed", "y", "y_fit")], axis=1)
    return bool(np.isin(cells[:, 0], asked).all()) and len(np.unique(cells, axis=0)) == len(cells)


def _is_whole(stored: tables.Stored, chunk: Chunk, kind: str) -> bool:
    """Whether the columns are those of `kind`, and the rows those of `chunk`, each of them once."""
    address = chunk.setting.address
    there = set(stored.schema.names)
    columns = schemas.stored(kind, chunk.setting.own_metrics)
    expected = [field for field in columns if field.name in there or field.name not in schemas.ADDED]
    if stored.footer.get("address") != address or not stored.schema.equals(pa.schema(expected)):
        return False
    seeds, asked = stored.table["seed"], np.arange(chunk.first, chunk.last + 1)
    if kind == "predictions" and not len(seeds):  # of numbers of several inputs, or of an earlier version
        return True
    if stored.settings != {address} or seeds.null_count:
        return False
    if kind == "predictions":
        counted = "points" in there and stored.table["points"].null_count < len(seeds)
        return _are_counts(stored.table, asked) if counted else np.array_equal(np.unique(seeds), asked)
    epochs = chunk.setting.spec["epochs"] if kind == "losses" else 1
    epoch = stored.table["epoch"] if kind == "losses" else pa.repeat(0, len(seeds))
    if epoch.null_count or len(seeds) != len(asked) * epochs:
        return False
    places = (seeds.to_numpy() - chunk.first) * epochs + epoch.to_numpy()
    inside = (epoch.to_numpy() >= 0) & (epoch.to_numpy() < epochs)
    return bool(inside.all()) and np.array_equal(np.sort(places), np.arange(len(places)))
