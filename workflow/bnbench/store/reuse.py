"""Seeds that were trained before as part of another chunk: more seeds, or jobs of another size, train only what is new.

On a CPU a trial has the same bits in every chunk, so its rows can be taken from any. On CUDA it
has them only in the same chunk, so nothing is reused there.
"""

import glob
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from bnbench.errors import UserError
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files, schemas, tables


def trained(setting: Setting, results: Path) -> list[Chunk]:
    """The chunks of a setting from which trials can be taken, of whatever size, the longest first."""
    if setting.spec["device"] != "cpu":
        return []
    return sorted(_there(setting, results), key=lambda chunk: (-chunk.count, chunk.first))


def seeds_there(setting: Setting, results: Path) -> int:
    """How many seeds of a setting are trained, on any device."""
    return len({seed for chunk in _there(setting, results) for seed in chunk.seeds})


def of_same_slug(setting: Setting, results: Path) -> Iterator[Setting]:
    """Other settings that were trained and read alike in their addresses, as one file of each says."""
    slug = setting.address.rpartition("-")[0]
    for folder in sorted((results / "trials").glob(f"{glob.escape(slug)}-????????")):
        first = next(folder.glob("seeds-*.parquet"), None)
        if folder.name != setting.address and first is not None:
            with suppress(UserError, KeyError, TypeError, ValueError):  # spoilt, or of a version that knew other keys
                yield Setting.from_spec(tables.footer(first)["setting"])


def _there(setting: Setting, results: Path) -> list[Chunk]:
    """The chunks of a setting whose tables are all there."""
    folders = [results / kind / setting.address for kind in schemas.SCHEMAS]
    stems = set.intersection(*({path.stem for path in folder.glob("seeds-*.parquet")} for folder in folders))
    return [*filter(None, (_of_stem(setting, stem) for stem in stems))]


def _of_stem(setting: Setting, stem: str) -> Chunk | None:
    """The chunk whose files are called `stem`; None where no chunk's are."""
    match = re.fullmatch(r"seeds-(\d+)-(\d+)", stem)
    if match is None or int(match[1]) > int(match[2]):
        return None
    return Chunk(setting, int(match[1]), int(match[2]) - int(match[1]) + 1)


def rows(chunk: Chunk, results: Path) -> tuple[dict[str, list[pa.Table]], list[range]]:
    """By kind, the chunk's rows in other chunks' tables, without labels; and the runs of seeds that are in none."""
    missing = {*chunk.seeds}
    taken: dict[str, list[pa.Table]] = {kind: [] for kind in schemas.SCHEMAS}
    for other in trained(chunk.setting, results):
        if not (wanted := missing.intersection(other.seeds)):
            continue
        try:
            found = chunk_files.read_all(other, results)
        except UserError:
            continue  # `collect` names it to the studies that ask for it
        for kind, table in found.items():
            taken[kind].append(table.filter(pc.is_in(table["seed"], pa.array(sorted(wanted)))))
        missing -= wanted
    return taken, [*_runs(missing)]


def _runs(seeds: set[int]) -> Iterator[range]:
    """Seeds as runs of consecutive ones, in their order."""
    ordered = sorted(seeds)
    starts = [i for i, seed in enumerate(ordered) if i == 0 or seed != ordered[i - 1] + 1]
    for start, stop in pairwise([*starts, len(ordered)]):
        yield range(ordered[start], ordered[stop - 1] + 1)
