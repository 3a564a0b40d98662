"""Collect the chunks of a study into one table of trials, one of curves and one of predictions.

What comes in are the chunks' files under `results/`, what goes out are three files in the study's data folder, the
records of what was planned when training began, and the date of the newest of the chunks' files. Streams: one setting's
rows are in memory at a time, and each setting becomes one row group.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from bnbench.own_results.table import Long
from bnbench.plan import cost
from bnbench.plan.chunks import Chunk, all_chunks
from bnbench.plan.own_study import OwnStudy
from bnbench.plan.study import Study
from bnbench.store import chunk_files, preregistration, schemas, stamps, studies, tables
from bnbench.store.schemas import COLLECTED


def run(study: Study, results: Path, data: Path, own: Long | None = None) -> str:
    """Write `trials`, `curves` and `predictions` of `study` into `data`, and say in one line what was found.

    Chunks that do not exist are left out: a partial study is reported as far as it goes. Of results of your own, the
    runs come from the table that the study names, or from `own` if it was passed in Python.

    Raises:
        UserError: a file is corrupt, holds another setting's rows or other seeds than its name says, or has changed
            since the study was planned.
    """
    mark = stamps.collected(study)
    mark.remove(data)
    if isinstance(study, OwnStudy):
        said = _own(study, data, own)
        mark.leave(data)
        return said
    planned = all_chunks(study, cost.seeds_per_job)
    preregistration.collect(study.settings, results, data)
    present = [chunk for chunk in planned if chunk_files.is_there(chunk, results)]
    metrics, reader = study.settings[0].own_metrics, chunk_files.Reader(results)
    for kind, name in COLLECTED.items():
        with tables.parquet_writer(data / f"{name}.parquet", schemas.stored(kind, metrics)) as write:
            for table in _by_setting(present, partial(reader.read, kind=kind)):
                write(table)
    studies.note_newest((path for chunk in present for path in chunk_files.paths(chunk, results).values()), data)
    trials, asked = sum(chunk.count for chunk in present), sum(chunk.count for chunk in planned)
    if trials == asked:
        mark.leave(data)
    missing = "" if trials == asked else f"; {asked - trials} of {asked} trials are not trained yet"
    return f"{study.name}: collected {trials} trials from {len(present)} chunks{missing}{_mixed(data)}"


def _mixed(data: Path) -> str:
    """Under which kinds of arithmetic the trials were trained, if there were several."""
    column = tables.read_parquet(data / f"{COLLECTED['trials']}.parquet", columns=["arithmetic"])["arithmetic"]
    kinds = sorted(kind for kind in column.unique().to_pylist() if kind is not None)
    return f"; they were trained under different arithmetic: {' and '.join(kinds)}" if len(kinds) > 1 else ""


def _own(study: OwnStudy, data: Path, table: Long | None) -> str:
    """Collect the runs of a table of the user's own."""
    from bnbench.own_results.files import used  # noqa: PLC0415 - pandas, which chunks do without
    from bnbench.plan import own_config  # noqa: PLC0415
    from bnbench.store import own_trials  # noqa: PLC0415

    runs = own_trials.write(study, own_config.read(study.results, table), data)
    preregistration.collect((), Path(), data)
    # A table that was passed in Python has no date.
    studies.note_newest([] if table else used(study.results["path"], study.results["pattern"]), data)
    return f"{study.name}: collected {runs} runs from {study.results['path']}"


def _by_setting(present: list[Chunk], read: Callable[[Chunk], pa.Table]) -> Iterator[pa.Table]:
    for _, group in groupby(present, key=lambda chunk: chunk.setting.address):
        own = list(group)
        yield chunk_files.labelled(own[0].setting, pa.concat_tables([read(chunk) for chunk in own]))
