"""Tables of results of one's own, made up, and what is read of them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from bnbench import collect, compare, judgement
from bnbench.own_results import reading
from bnbench.own_results.roles import Wanted
from bnbench.own_results.table import Long, Part, of_columns
from bnbench.plan.own_study import OwnStudy

KEYS = (
    *("factor", "baseline", "outcome", "seed", "epoch", "contexts", "better", "scale", "duplicates", "empty"),
    "unpaired",
)


def grid(**levels):
    """Columns of a full grid: a row for each combination."""
    rows = [*itertools.product(*levels.values())]
    return {name: [row[place] for row in rows] for place, name in enumerate(levels)}


def measured(columns, *names, key=0):
    """The columns with positive numbers under further names."""
    rows = len(next(iter(columns.values())))
    drawn = np.random.default_rng(key)
    return {**columns, **{name: [*drawn.lognormal(0, 0.3, rows)] for name in names}}


def long(columns, factors=()) -> Long:
    """The columns as a reader gives them: their first row stands in line 2 of runs.csv."""
    return Long(of_columns(columns), (Part("runs.csv", 0, 2),), (), tuple(factors))


def read(columns, *, factors=(), **said: Any) -> reading.Read:
    """What is read of the columns, by what the user says."""
    wanted = {name: said.pop(name) for name in (*Wanted.__dataclass_fields__,) if name in said}
    return reading.of(long(columns, factors), reading.Options(Wanted(**wanted), **said))


def facts(columns, **said: Any) -> dict[str, Any]:
    """What is known of the columns."""
    return read(columns, **said).facts


def held(columns, **said: Any) -> list[str]:
    """The columns that are held fixed."""
    return [each["column"] for each in facts(columns, **said)["factors"][1:]]


def aside(columns, **said: Any) -> dict[str, str]:
    """The columns that are set aside, and why."""
    return {column: reason for column, reason, _ in facts(columns, **said)["set_aside"]}


def lines(columns) -> str:
    """The columns as CSV; None is an empty cell."""
    rows = [[*columns], *zip(*columns.values(), strict=True)]
    return "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows) + "\n"


def study(columns=None, path="runs.csv", *, report=None, name=None, pattern=None, **said: Any) -> OwnStudy:
    """The study of a table, as the command line plans it; without a path to columns, they are handed over."""
    table = None if columns is None else long(columns)
    return judgement.study_of(path, pattern, {key: said.get(key) for key in KEYS}, report or {}, name, table)


def compared(folder: Path, columns, *, splits=5, report=None, **said: Any) -> dict[str, Any]:
    """What `verdicts.json` says of the columns."""
    planned = study(columns, report=report, **said)
    collect.run(planned, Path(), folder / "data", long(columns))
    compare.run(planned, folder / "data", folder, splits=splits)
    return json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))


def rows_of(verdicts, table):
    """The rows of a table in `verdicts.json`."""
    found = verdicts["tables"][table]
    return [dict(zip(found["columns"], row, strict=True)) for row in found["data"]]
