"""The contents of a table of results: the role of each column, and what each run measured at each epoch.

What comes in is the long table that a reader gives, what goes out are facts that are JSON-able, from which a study is
planned, and the cells of all runs. The order of rows and columns makes no difference to either.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bnbench.errors import UserError
from bnbench.outcomes import Scale
from bnbench.own_results import comparable, levels, measures, names, numbers, roles, runs, scales
from bnbench.own_results.cells import Cells, Whole, cells
from bnbench.own_results.columns import Columns, listed
from bnbench.own_results.measures import Measures
from bnbench.own_results.roles import Roles, Wanted
from bnbench.own_results.runs import Empty, Runs
from bnbench.own_results.scales import Better
from bnbench.own_results.table import Long


@dataclass(frozen=True)
class Options:
    """What the user says about a table; None if it is to be found out."""

    wanted: Wanted = field(default_factory=Wanted)
    baseline: Any = None
    better: Better | None = None
    scale: Scale | None = None
    duplicates: Literal["refuse", "mean"] = "refuse"
    empty: Empty = "refuse"
    taken: frozenset[str] = frozenset()
    """Names that tables of a report use for something else, so that a factor cannot have them."""
    made: frozenset[str] = frozenset()
    """Names that an outcome cannot have there."""


@dataclass(frozen=True)
class Read:
    """A table as it was read."""

    facts: dict[str, Any]
    """JSON-able: see `of`."""
    curves: pa.Table
    """A row per run and epoch: a column of labels for each factor, `seed`, `epoch`, and the outcomes.

    Null where nothing was measured, NaN where it was not finite; in the order of the settings, seeds and epochs.
    """
    settings: NDArray[np.int64]
    """Of each row, its place among the settings of the facts."""


@dataclass(frozen=True)
class _Factors:
    """The compared column first, then those that are held fixed."""

    columns: list[str]
    names: list[str]
    """Their names in the report."""
    levels: list[list[str]]
    settings: list[dict[str, str]]
    """Labels of each setting, by the names of the report."""
    setting: Whole
    """Of each row, [rows]."""


def of(long: Long, options: Options) -> Read:
    """The facts about the table.

    The facts are `rows` and `runs`; `factors`, the compared one first, with the name, column and levels of each;
    `baseline`; `margin_share`, the part of what the baseline comes to that its margin is; `outcomes`, the one that
    decides first; `seed` and `epoch`, with their columns and ranges; `settings` with the seeds of each; `set_aside`,
    columns that are nothing of these; what `runs.told` says; and `notes`.

    Raises:
        UserError: the table does not hold what a comparison needs, or leaves open what is meant.
    """
    try:
        return _of(Columns(long), options)
    except UserError as error:
        raise UserError(" ".join(str(error).split())) from error  # names of columns may have several lines


def _of(columns: Columns, options: Options) -> Read:
    long = columns.long
    if not columns.rows:
        raise UserError(f"{columns.source}: found no rows, allowed: one for each run, or for each run and epoch")
    said = roles.found(columns, options.wanted, long.factors)
    factors = _factors(columns, said, options.taken)
    baseline = levels.baseline(columns, said.factor, factors.levels[0], options.baseline)
    measured = measures.of(columns, said, options.better, options.scale)
    seed, seeds = _seeds(columns, said)
    epoch = numbers.whole(columns, said.epoch, "epoch") if said.epoch else np.zeros(columns.rows, np.int64)
    geometric = [outcome.name for outcome in measured.all if outcome.is_ratio]
    found = cells(factors.setting, seed, epoch, measured.columns, geometric)
    every = Runs(columns, factors.settings, found, said.outcome, said.seed, seeds)
    if options.duplicates == "refuse":
        runs.refuse_duplicates(every, _other_axis(columns, said))
    every = Runs(columns, factors.settings, runs.ended(every, options.empty), said.outcome, said.seed, seeds)
    comparable.refuse_hopeless(every, baseline, paired=not options.wanted.unpaired)
    if said.epoch:
        comparable.refuse_scattered(every, said.epoch)
    called = _renamed([outcome.name for outcome in measured.all], {*options.made, *factors.names})
    facts = {
        "rows": columns.rows,
        "runs": len(found.starts),
        "factors": [
            {"name": name, "column": column, "levels": own, "numbers": columns.is_number(column)}
            for name, column, own in zip(factors.names, factors.columns, factors.levels, strict=True)
        ],
        "baseline": baseline,
        "margin_share": scales.SMALL if measured.decides.margin is None else None,
        "outcomes": _outcomes(every, measured, called, baseline),
        "seed": {"column": said.seed, "coded": seeds, "ranges": runs.ranges(found.seed)},
        "epoch": {"column": said.epoch, "first": int(found.epoch.min()), "last": int(found.epoch.max())},
        "settings": _settings(every),
        "set_aside": [list(each) for each in said.set_aside],
        **runs.told(every),
        "notes": [*long.notes, *(note for name in factors.columns for note in levels.alike(columns, name))],
    }
    return Read(facts, _curves(every.cells, factors, measured, called), found.setting)


def _factors(columns: Columns, said: Roles, taken: Collection[str]) -> _Factors:
    """The settings of all rows."""
    held = [said.factor, *said.contexts]
    coded = [levels.of_column(columns, name) for name in held]
    sizes = tuple(len(own) for _, own in coded)
    # Without a size, as NumPy counts the cells of the grid in int64: far more than a table has rows.
    grid = np.zeros(columns.rows, np.int64)
    for (codes, _), size in zip(coded, sizes, strict=True):
        _, grid = np.unique(grid * size + codes, return_inverse=True)
    _, first, setting = np.unique(grid, return_index=True, return_inverse=True)
    called = _renamed(held, taken)
    settings = [
        {name: own[codes[row]] for name, (codes, own) in zip(called, coded, strict=True)} for row in first.tolist()
    ]
    return _Factors(held, called, [own for _, own in coded], settings, setting)


def _renamed(columns: Sequence[str], taken: Collection[str]) -> list[str]:
    """Names of columns in a report, where some original names mean something else."""
    called: list[str] = []
    for column in columns:
        name = column
        while name in taken or name in called or (name != column and name in columns):
            name = f"your {name}"
        called.append(name)
    return called


def _seeds(columns: Columns, said: Roles) -> tuple[Whole, list[str]]:
    """What distinguishes the runs of a setting, as numbers, and the names that these stand for, if they are texts."""
    if said.seed is None:
        if said.epoch:
            raise UserError(
                f"{columns.source}: no column says which rows belong to one run, allowed: --seed with one of "
                f"{listed(columns.names)}"
            )
        return _by_content(columns), []
    if columns.is_number(said.seed):
        return numbers.whole(columns, said.seed, "seed"), []
    return levels.of_column(columns, said.seed)


def _by_content(columns: Columns) -> Whole:
    """A number for each row, by its content and not by its place, [rows]."""

    def ranks(name: str) -> Whole:
        codes, values = columns.codes(name)
        of_value = np.empty(len(values) + 1, np.int64)
        of_value[sorted(range(len(values)), key=values.__getitem__)] = np.arange(len(values))
        of_value[-1] = -1
        return of_value[codes]

    order = np.lexsort([ranks(name) for name in sorted(columns.names)])
    places = np.empty(columns.rows, np.int64)
    places[order] = np.arange(columns.rows)
    return places


def _other_axis(columns: Columns, said: Roles) -> str | None:
    """Another column that could count the epochs."""
    able = (name for name in columns.names if name not in (said.epoch, said.seed, said.factor, *said.contexts))
    return next((name for name in able if names.word(name) in names.EPOCHS and columns.is_number(name)), None)


def _outcomes(every: Runs, measured: Measures, called: Sequence[str], baseline: str) -> list[dict[str, Any]]:
    """The outcomes as the facts have them, by the names of the report."""
    of_baseline = np.array([arm == baseline for arm in every.arms])[every.cells.of_run]
    contexts = every.contexts[every.cells.of_run]
    decides = measures.with_margin(measured.decides, every.cells, of_baseline, contexts)
    return [
        measures.as_json(outcome, name, every.cells)
        for outcome, name in zip((decides, *measured.others), called, strict=True)
    ]


def _settings(every: Runs) -> list[dict[str, Any]]:
    """The settings with their seeds."""
    of_run, seeds = every.cells.of_run, every.cells.seed[every.cells.starts]
    bounds = np.searchsorted(of_run, np.arange(len(every.settings) + 1))
    return [
        {"labels": labels, "seeds": runs.ranges(seeds[bounds[place] : bounds[place + 1]])}
        for place, labels in enumerate(every.settings)
    ]


def _curves(found: Cells, factors: _Factors, measured: Measures, called: Sequence[str]) -> pa.Table:
    """The cells as a table."""
    labels = {}
    for name, own in zip(factors.names, factors.levels, strict=True):
        place = {text: code for code, text in enumerate(own)}
        codes = np.array([place[setting[name]] for setting in factors.settings], np.int32)
        labels[name] = pa.DictionaryArray.from_arrays(pa.array(codes[found.setting]), pa.array(own))
    values = {
        name: pa.array(found.values[outcome.name], mask=~found.there[outcome.name])
        for outcome, name in zip(measured.all, called, strict=True)
    }
    return pa.table({**labels, "seed": found.seed, "epoch": found.epoch, **values})
