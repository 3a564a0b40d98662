"""Collect the chunks of a study into one table of trials, one of curves and one of predictions.

What comes in are the chunks' files under `results/`, what goes out are three files in the study's data folder. Streams:
one setting's rows are in memory at a time, and each setting becomes one row group.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from bnbench import marks, tables
from bnbench.errors import UserError
from bnbench.study import Chunk, Study

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
    present = [chunk for chunk in chunks if all(path.exists() for path in chunk_paths(chunk, results).values())]
    for kind, name in COLLECTED.items():
        schema = tables.SCHEMAS[kind]
        with tables.parquet_writer(data / f"{name}.parquet", schema) as write:
            for table in _by_setting(present, partial(_read, kind=kind, results=results)):
                write(table.cast(schema))
    trials, asked = sum(chunk.count for chunk in present), sum(chunk.count for chunk in chunks)
    if trials == asked:
        mark.leave(data)
    missing = "" if trials == asked else f"; {asked - trials} of {asked} trials are not trained yet"
    return f"{study.name}: collected {trials} trials from {len(present)} chunks{missing}"


def chunk_paths(chunk: Chunk, results: Path) -> dict[str, Path]:
    """Where a chunk's tables lie, by kind."""
    return {kind: results / kind / chunk.setting.address / f"{chunk.stem}.parquet" for kind in tables.SCHEMAS}


def _by_setting(chunks: list[Chunk], read: Callable[[Chunk], pa.Table]) -> Iterator[pa.Table]:
    for _, group in groupby(chunks, key=lambda chunk: chunk.setting.address):
        yield pa.concat_tables([read(chunk) for chunk in group])


def _read(chunk: Chunk, kind: str, results: Path) -> pa.Table:
    """One chunk's rows, labelled as this study labels the setting (a data file may have been renamed).

    Raises:
        UserError: the file is corrupt, or holds another setting's rows or other seeds than its name says.
    """
    path = chunk_paths(chunk, results)[kind]
    table = tables.read_parquet(path)
    if tables.footer(path).get("address") != chunk.setting.address or not _is_whole(table, chunk, kind):
        raise UserError(f"{path}: holds other trials than its name says; delete it and run the workflow again")
    for factor, label in chunk.setting.labels.items():
        column = table.schema.get_field_index(factor)
        table = table.set_column(column, factor, pa.array([label] * table.num_rows, pa.string()))
    return table


def _is_whole(table: pa.Table, chunk: Chunk, kind: str) -> bool:
    """Whether the columns are those of `kind`, and the seeds those of `chunk`."""
    if not table.schema.equals(tables.SCHEMAS[kind]):
        return False
    seeds = set(table["seed"].unique().to_pylist())
    if kind == "predictions" and not seeds:  # of a task of several inputs
        return True
    return seeds == set(range(chunk.first, chunk.last + 1)) and (kind != "trials" or table.num_rows == chunk.count)
