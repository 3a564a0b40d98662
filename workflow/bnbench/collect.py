"""Collect the chunks of a study into one table of trials, one of curves and one of predictions.

What comes in are the chunks' files under `results/`, what goes out are three files in the study's data folder. Streams:
one setting's rows are in memory at a time, and each setting becomes one row group.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa

from bnbench import marks, tables
from bnbench.errors import UserError
from bnbench.study import Chunk, Setting, Study

COLLECTED = {"losses": "curves", "trials": "trials", "predictions": "predictions"}
"""Folder of the chunks' tables under `results/` → name of the collected table."""


def run(study: Study, results: Path, data: Path) -> str:
    """Write `trials`, `curves` and `predictions` of `study` into `data`, and say in one line what was found.

    Chunks that do not exist are left out: a partial study is reported as far as it goes.

    Raises:
        UserError: a file is corrupt, or holds another setting's rows or other seeds than its name says.
    """
    chunks = study.chunks()
    mark = marks.collected(study)
    mark.remove(data)
    present = [chunk for chunk in chunks if is_there(chunk, results)]
    for kind, name in COLLECTED.items():
        with tables.parquet_writer(data / f"{name}.parquet", tables.SCHEMAS[kind]) as write:
            for table in _by_setting(present, partial(_read, kind=kind, results=results)):
                write(table)
    trials, asked = sum(chunk.count for chunk in present), sum(chunk.count for chunk in chunks)
    if trials == asked:
        mark.leave(data)
    missing = "" if trials == asked else f"; {asked - trials} of {asked} trials are not trained yet"
    return f"{study.name}: collected {trials} trials from {len(present)} chunks{missing}"


def is_there(chunk: Chunk, results: Path) -> bool:
    """Whether all tables of a chunk are there."""
    return all(path.exists() for path in chunk.paths(results).values())


def _by_setting(chunks: list[Chunk], read: Callable[[Chunk], pa.Table]) -> Iterator[pa.Table]:
    for _, group in groupby(chunks, key=lambda chunk: chunk.setting.address):
        own = list(group)
        yield _labelled(own[0].setting, pa.concat_tables([read(chunk) for chunk in own]))


def _labelled(setting: Setting, table: pa.Table) -> pa.Table:
    """The rows with the labels that this study gives the setting (a data file may have been renamed)."""
    first = pa.repeat(pa.scalar(0, pa.int32()), table.num_rows)
    for name, label in _same(setting).items():
        table = table.append_column(name, pa.DictionaryArray.from_arrays(first, pa.array([label])))
    return table


def _same(setting: Setting) -> dict[str, str]:
    """The columns that are the same in all rows of a setting."""
    return {**setting.labels, "setting": setting.address}


def _read(chunk: Chunk, kind: str, results: Path) -> pa.Table:
    """One chunk's rows, without their labels: texts in every row are most of what there is to read.

    Raises:
        UserError: the file is corrupt, or holds another setting's rows or other seeds than its name says.
    """
    path, same = chunk.paths(results)[kind], _same(chunk.setting)
    stored = tables.read_stored(path, [name for name in tables.SCHEMAS[kind].names if name not in same])
    if not _is_whole(stored, chunk, kind):
        raise UserError(f"{path}: holds other trials than its name says; delete it and run the workflow again")
    return stored.table


def _is_whole(stored: tables.Stored, chunk: Chunk, kind: str) -> bool:
    """Whether the columns are those of `kind`, and the rows those of `chunk`, each of them once."""
    address = chunk.setting.address
    if stored.footer.get("address") != address or not stored.schema.equals(tables.SCHEMAS[kind]):
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
