"""Seeds that were trained before as part of another chunk: more seeds, or jobs of another size, train only what is new.

On a CPU a trial has the same bits in every chunk, so its rows can be taken from any. On CUDA it has them only in the
same chunk, so there nothing is taken over.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from bnbench import chunks, tables
from bnbench.errors import UserError
from bnbench.study import Chunk, Setting


def trained(setting: Setting, results: Path) -> list[Chunk]:
    """The chunks of a setting whose tables are all there, of whatever size, the longest first."""
    if setting.spec["device"] != "cpu":
        return []
    folders = [results / kind / setting.address for kind in tables.SCHEMAS]
    stems = set.intersection(*({path.stem for path in folder.glob("seeds-*.parquet")} for folder in folders))
    whole = filter(None, (Chunk.of_stem(setting, stem) for stem in stems))
    return sorted(whole, key=lambda chunk: (-chunk.count, chunk.first))


def rows(chunk: Chunk, results: Path) -> tuple[dict[str, list[pa.Table]], list[range]]:
    """By kind, the chunk's rows in other chunks' tables, without labels; and the runs of seeds that are in none."""
    missing = {*chunk.seeds}
    taken: dict[str, list[pa.Table]] = {kind: [] for kind in tables.SCHEMAS}
    for other in trained(chunk.setting, results):
        if not (wanted := missing.intersection(other.seeds)):
            continue
        try:
            found = {kind: chunks.read(other, kind, results) for kind in tables.SCHEMAS}
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
