"""The tables of one chunk: whether they are there, and their reading, which trusts no file's name."""

from collections.abc import Mapping
from functools import cache
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
from bnbench.store import agreement, content, schemas, tables
from bnbench.vocabulary import FACTORS, OF_SETTING


def paths(chunk: Chunk, results: Path) -> dict[str, Path]:
    """Where the chunk's tables lie under the folder `results`, by kind."""
    return {kind: _path(chunk, kind, results) for kind in schemas.SCHEMAS}


def _path(chunk: Chunk, kind: str, results: Path) -> Path:
    return results / kind / chunk.setting.address / f"{chunk.stem}.parquet"


def is_there(chunk: Chunk, results: Path) -> bool:
    """Whether all tables of a chunk are there."""
    return all(path.exists() for path in paths(chunk, results).values())


def missing(chunk: Chunk, results: Path) -> dict[str, Path]:
    """The tables of a chunk that are absent, not what their names say, or contradicted by another, by kind."""
    there = {kind: table for kind in schemas.SCHEMAS if (table := _readable(chunk, kind, results)) is not None}
    odd = {*schemas.SCHEMAS} - {*there}
    if {"losses", "trials"} <= {*there}:
        course = agreement.course(chunk.setting, there["losses"])
        odd |= set() if agreement.are_one_training(chunk.setting, course, there["trials"]) else {"losses", "trials"}
    if {"predictions", "trials"} <= {*there} - odd:
        are_whole = agreement.have_all_points(chunk.setting, there["predictions"], there["trials"])
        odd |= set() if are_whole else {"predictions"}
    return {kind: path for kind, path in paths(chunk, results).items() if kind in odd}


def write(chunk: Chunk, kind: str, path: Path, table: pa.Table, footer: Mapping[str, Any]) -> None:
    """Write one table of a chunk, with what it holds in its footer.

    Raises:
        UserError: the file cannot be written.
    """
    names = unlabelled(chunk.setting, kind).names
    tables.write_parquet(path, table, {**footer, "content": content.described(table, names)})


def labelled(setting: Setting, table: pa.Table) -> pa.Table:
    """The rows with what this study says of the setting: its labels (a data file may have been renamed), and the rest.

    So files of earlier versions, which lack some of these columns, have them too.
    """
    for name, value in same(setting).items():
        table = table.append_column(name, _repeated(value, columns.COLUMNS[name].type, table.num_rows))
    return table


def unlabelled(setting: Setting, kind: str) -> pa.Schema:
    """The columns of a kind of table, except those that are the same in all rows of a setting."""
    return _unlabelled(kind, tuple(setting.own_metrics))


@cache
def _unlabelled(kind: str, own_metrics: tuple[str, ...]) -> pa.Schema:
    labels = {*FACTORS, *OF_SETTING, "setting"}
    return pa.schema([field for field in schemas.stored(kind, own_metrics) if field.name not in labels])


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


class Reader:
    """Reads the tables of chunks without their labels: texts in every row are most of what there is to read.

    Of a chunk, the losses come first, then the trials and the predictions: each has to agree with those before.
    """

    def __init__(self, results: Path) -> None:
        self._results = results
        self._course: dict[str, agreement.Course] = {}
        self._trials: dict[str, pa.Table] = {}

    def read(self, chunk: Chunk, kind: str) -> pa.Table:
        """The rows of one table.

        Raises:
            UserError: as `read` has it, or the table contradicts another one of the chunk.
        """
        table, name = read(chunk, kind, self._results), f"{chunk.setting.address}/{chunk.stem}"
        if kind == "losses":
            self._course[name] = agreement.course(chunk.setting, table)
        elif kind == "trials":
            self._trials[name] = table.select(["seed", "diverged_at"])
            if not agreement.are_one_training(chunk.setting, self._course.pop(name), table):
                path = paths(chunk, self._results)
                said = f"ends at other losses than {path['losses']}; delete both and run the workflow again"
                raise UserError(f"{path[kind]}: {said}")
        elif not agreement.have_all_points(chunk.setting, table, self._trials.pop(name)):
            said = "has not each test point of each trial once"
            raise UserError(f"{paths(chunk, self._results)[kind]}: {said}; delete it and run the workflow again")
        return table


def read_all(chunk: Chunk, results: Path) -> dict[str, pa.Table]:
    """All tables of a chunk, by kind.

    Raises:
        UserError: as `Reader` has it.
    """
    reader = Reader(results)
    return {kind: reader.read(chunk, kind) for kind in schemas.SCHEMAS}


def read(chunk: Chunk, kind: str, results: Path) -> pa.Table:
    """The rows of one table, whatever the others of the chunk say.

    Raises:
        UserError: the file is corrupt, was changed, or holds another setting's rows or other seeds than its name says.
    """
    path = _path(chunk, kind, results)
    wanted = unlabelled(chunk.setting, kind)
    stored = tables.read_stored(path, wanted.names)
    if not _is_whole(stored, chunk, kind):
        raise UserError(f"{path}: holds other trials than its name says; delete it and run the workflow again")
    table, said = stored.table, stored.footer.get("content")
    if not (content.is_as_written(table, said) if said is not None else agreement.are_possible(chunk.setting, table)):
        raise UserError(f"{path}: was changed after it was written; delete it and run the workflow again")
    for name in set(wanted.names) - set(table.column_names):
        value = pa.scalar(schemas.ADDED[name], wanted.field(name).type)
        table = table.append_column(name, pa.repeat(value, len(table)))
    return table.select(wanted.names)


def _readable(chunk: Chunk, kind: str, results: Path) -> pa.Table | None:
    try:
        return read(chunk, kind, results)
    except UserError:
        return None


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
