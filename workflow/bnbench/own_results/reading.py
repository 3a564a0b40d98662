"""What a table of results holds: which column is what, and what each run measured at each epoch.

What comes in is the long table that a reader gives, what goes out are facts that are JSON-able, from which a study is
planned, and the cells of all runs. The order of rows and columns makes no difference to either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bnbench.errors import UserError, found, nearest
from bnbench.outcomes import Outcome, Scale
from bnbench.own_results import roles, runs, scales
from bnbench.own_results.cells import Cells, cells
from bnbench.own_results.roles import BASELINES, Columns, Roles, Wanted, in_order, label
from bnbench.own_results.scales import Better
from bnbench.own_results.table import Long

Array = NDArray[np.float64]

MOST_OUTCOMES = 30
"""Outcomes beside the one that decides, at most."""


@dataclass(frozen=True)
class Options:
    """What the user says of a table; None is left to be found."""

    wanted: Wanted = field(default_factory=Wanted)
    baseline: Any = None
    better: Better | None = None
    scale: Scale | None = None
    duplicates: Literal["refuse", "mean"] = "refuse"
    empty: Literal["refuse", "stopped", "diverged"] = "refuse"
    taken: frozenset[str] = frozenset()
    """Names that tables of a report have for something else, which a factor cannot have there."""
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


def of(long: Long, options: Options) -> Read:
    """What the table holds.

    The facts are `rows` and `runs`; `factors`, the compared one first, with the name, column and levels of each;
    `baseline`; `margin_share`, the part of what the baseline comes to that its margin is; `outcomes`, the one that
    decides first; `seed` and `epoch`, with their columns and ranges; `settings`
    with the seeds of each; `set_aside`, columns that are nothing of these; what `runs.told` says; and `notes`.

    Raises:
        UserError: the table does not hold what a comparison needs, or leaves open what is meant.
    """
    source = (
        long.parts[0].file if len(long.parts) == 1 else f"{long.parts[0].file} and {len(long.parts) - 1} more files"
    )
    columns = Columns(long.table, source)
    if not long.table.num_rows:
        raise UserError(f"{source}: found no rows, allowed: one for each run, or for each run and epoch")
    said = roles.found(columns, options.wanted, long.factors)
    held = [said.factor, *said.contexts]
    codes, levels = {}, {}
    for name in held:
        codes[name], levels[name] = _factor(long, columns, name)
    baseline = _baseline(source, said.factor, levels[said.factor], options.baseline)
    seed, coded = _seeds(long, columns, said, options)
    epoch = _whole(long, said.epoch, "epoch") if said.epoch else np.zeros(long.table.num_rows, np.int64)
    grid = np.ravel_multi_index([codes[name] for name in held], [len(levels[name]) for name in held])
    present, setting = np.unique(grid, return_inverse=True)
    deciding = _numbers(long, said.outcome)
    outcome = _outcome(source, said.outcome, deciding, options)
    own = _others(said, long)
    scale_of = {each.name: each.scale for each in (outcome, *own)}
    measured = {said.outcome: deciding} | {each.name: _numbers(long, each.name) for each in own}
    logs = {
        name
        for name, scale in scale_of.items()
        if scale == "ratio" and (measured[name][0][measured[name][1]] > 0).all()
    }

    def mean(name: str, sums: Array, counts: Array) -> Array:
        return np.exp(sums / counts) if name in logs else sums / counts

    several = {
        name: (np.log(values, where=known, out=values.copy()), known) if name in logs else (values, known)
        for name, (values, known) in measured.items()
    }
    first = cells(setting, seed, epoch, measured, lambda _, sums, counts: sums / counts)
    if any(each.any() for each in first.several.values()):
        averaged = cells(setting, seed, epoch, several, mean)
        values = {name: np.where(first.several[name], averaged.values[name], first.values[name]) for name in measured}
        first = Cells(first.setting, first.seed, first.epoch, first.row, values, first.there, first.several)
    names = [_renamed(name, options.taken) for name in held]
    of_settings = [
        dict(
            zip(
                names,
                (
                    levels[name][place]
                    for name, place in zip(
                        held, np.unravel_index(code, [len(levels[name]) for name in held]), strict=True
                    )
                ),
                strict=True,
            )
        )
        for code in present
    ]
    found_runs = runs.Runs(source, long, said, of_settings, first, outcome, coded)
    found_runs.refuse_duplicates(options.duplicates, _other_axis(columns, said))
    first, told = found_runs.ended(options.empty)
    runs.refuse_hopeless(found_runs, first, baseline, paired=not options.wanted.unpaired)
    decides = _with_margin(outcome, first, of_settings, names[0], baseline)
    margin_share = scales.SMALL if outcome.margin is None else None
    facts: dict[str, Any] = {
        "rows": long.table.num_rows,
        "runs": len(first.starts),
        "factors": [
            {"name": name, "column": column, "levels": levels[column], "numbers": columns.is_number(column)}
            for name, column in zip(names, held, strict=True)
        ],
        "baseline": baseline,
        "margin_share": margin_share,
        "outcomes": [
            {**_as_json(each, options.made), "smallest": _smallest(first.values[each.name])} for each in (decides, *own)
        ],
        "seed": {"column": said.seed, "coded": coded, "ranges": runs.ranges(first.seed)},
        "epoch": {"column": said.epoch, "first": int(first.epoch.min()), "last": int(first.epoch.max())},
        "settings": [
            {"labels": labels, "seeds": runs.ranges(first.seed[first.setting == place])}
            for place, labels in enumerate(of_settings)
        ],
        "set_aside": [list(each) for each in said.set_aside],
        **told,
        "notes": list(long.notes),
    }
    curves = _curves(first, of_settings, names, [decides, *own], options.made)
    return Read(facts, curves, first.setting)


def _factor(long: Long, columns: Columns, name: str) -> tuple[NDArray[np.int64], list[str]]:
    """Codes of the rows, and the labels that they stand for, in their order."""
    codes, values = columns.codes(name)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise UserError(f"{long.where(row)}, column {name}: found nothing, allowed: a level in every row")
    labels = [label(value) for value in values]
    ordered = in_order(set(labels))
    places = np.array([ordered.index(each) for each in labels], np.int64)
    return places[codes], ordered


def _baseline(source: str, factor: str, levels: Sequence[str], asked: Any) -> str:
    """The level that all others are compared with."""
    if len(levels) < 2:
        raise UserError(f"{source}, column {factor}: found one level, {levels[0]}, allowed: two at least, to compare")
    if asked is None:
        by_name = {level.lower(): level for level in reversed(levels)}
        if name := next((by_name[name] for name in BASELINES if name in by_name), None):
            return name
        raise UserError(
            f"{source}: which level of '{factor}' is the baseline? allowed: --baseline with one of "
            f"{roles.listed(levels)}"
        )
    written = label(float(asked)) if isinstance(asked, int | float) and not isinstance(asked, bool) else label(asked)
    for text in (written, _as_number(written)):
        if text in levels:
            return text
    hint = nearest(written, levels)
    raise UserError(
        f"{source}: --baseline: '{factor}' has no level '{written}'{hint}, allowed: one of {roles.listed(levels)}"
    )


def _as_number(text: str) -> str:
    try:
        return label(float(text))
    except ValueError:
        return text


def _seeds(long: Long, columns: Columns, said: Roles, options: Options) -> tuple[NDArray[np.int64], list[str]]:
    """What tells the runs of a setting apart, as numbers, and the names that these stand for, where they are texts.

    Runs that are not paired may have names alone, or a row each.
    """
    identity = (said.run or said.seed) if options.wanted.unpaired else said.seed
    if identity is None:
        if said.epoch:
            raise UserError(
                f"{columns.source}: no column says which rows are of one run, allowed: --seed with one of "
                f"{roles.listed(columns.names)}"
            )
        return _by_content(long, columns), []
    if columns.is_number(identity):
        return _whole(long, identity, "seed"), []
    codes, levels = _factor(long, columns, identity)
    return codes, levels


def _by_content(long: Long, columns: Columns) -> NDArray[np.int64]:
    """A number for each row, by what stands in it and not by where it stands."""
    keys = [columns.table[name].to_pandas().astype(str).to_numpy(str) for name in sorted(columns.names)]
    order = np.lexsort(keys[::-1])
    numbers = np.empty(long.table.num_rows, np.int64)
    numbers[order] = np.arange(len(order))
    return numbers


def _whole(long: Long, name: str, what: str) -> NDArray[np.int64]:
    """A column of whole numbers, a value in every row."""
    column = long.table[name]
    if not pa.types.is_floating(column.type):
        _refuse_text(long, name, "whole numbers")
    if column.null_count:
        row = int(np.argmax(pc.is_null(column).to_numpy()))
        raise UserError(f"{long.where(row)}, column {name}: found nothing, allowed: the {what} of the run in every row")
    values = column.to_numpy()
    odd = ~np.isfinite(values) | (values != np.floor(np.where(np.isfinite(values), values, 0)))
    if odd.any():
        row = int(np.argmax(odd))
        raise UserError(
            f"{long.where(row)}, column {name}: found {values[row]:g}, allowed: whole numbers, as the {what}"
        )
    whole: NDArray[np.int64] = values.astype(np.int64)
    return whole


def _numbers(long: Long, name: str) -> tuple[Array, NDArray[np.bool_]]:
    """A column of numbers, and whether a cell has one; infinite ones are NaN, as of any run that diverged."""
    column = long.table[name]
    if not pa.types.is_floating(column.type):
        _refuse_text(long, name, "numbers")
    known = ~pc.is_null(column).to_numpy()
    values = pc.fill_null(column, np.nan).to_numpy().astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan), known


def _refuse_text(long: Long, name: str, allowed: str) -> None:
    """Name the first cell that is no number."""
    for row, cell in enumerate(long.table[name].to_pylist()):
        if cell is None:
            continue
        try:
            float(cell)
        except ValueError:
            raise UserError(f"{long.where(row)}, column {name}: found {found(cell)}, allowed: {allowed}") from None


def _outcome(source: str, name: str, measured: tuple[Array, NDArray[np.bool_]], options: Options) -> Outcome:
    """How the runs are compared by the outcome that decides."""
    values, known = measured
    finite = values[known & np.isfinite(values)]
    if not len(finite):
        raise UserError(f"{source}, column {name}: found no number, allowed: an outcome that was measured")
    if finite.min() == finite.max():
        raise UserError(f"{source}, column {name}: found {finite[0]:g} in every row, allowed: an outcome that varies")
    outcome = scales.outcome(name, finite, options.better, options.scale)
    if outcome is None:
        raise UserError(f"{source}: is a lower or a higher '{name}' better? allowed: --better lower or --better higher")
    if outcome.is_ratio and finite.min() < 0:
        raise UserError(
            f"{source}, column {name}: found {finite.min():g}, allowed: 0 or more, to be compared by ratios; or "
            "--scale difference"
        )
    return outcome


def _others(said: Roles, long: Long) -> list[Outcome]:
    """The outcomes beside the one that decides; what is none is set aside."""
    own: list[Outcome] = []
    for name in said.others:
        values, known = _numbers(long, name)
        finite = values[known & np.isfinite(values)]
        outcome = scales.outcome(name, finite) if len(finite) else None
        if outcome is None:
            said.set_aside.append((name, "no known side", ""))
        elif len(own) == MOST_OUTCOMES:
            said.set_aside.append((name, "too many", ""))
        else:
            own.append(outcome)
    return own


def _with_margin(
    outcome: Outcome, first: Cells, settings: Sequence[Mapping[str, str]], factor: str, baseline: str
) -> Outcome:
    """The outcome with a margin; one that depends on the unit is a part of what the baseline's runs ended at."""
    if outcome.margin is not None:
        return outcome
    of_baseline = [place for place, labels in enumerate(settings) if labels[factor] == baseline]
    last = runs.last_values(first, outcome.name)
    kept = np.isin(first.setting[first.starts], of_baseline) & np.isfinite(last)
    return Outcome(**{**outcome.__dict__, "margin": scales.small(last[kept])})


def _renamed(name: str, taken: frozenset[str]) -> str:
    """What a column is called in the tables of a report, some of whose names mean something else there."""
    return f"your {name}" if name in taken else name


def _smallest(values: Array) -> float | None:
    """The smallest value above 0, below which nothing is told from 0; None where there is none."""
    positive = values[np.isfinite(values) & (values > 0)]
    return float(positive.min()) if len(positive) else None


def _as_json(outcome: Outcome, made: frozenset[str]) -> dict[str, Any]:
    return {
        "name": _renamed(outcome.name, made),
        "column": outcome.name,
        "scale": outcome.scale,
        "better": "lower" if outcome.lower_is_better else "higher",
        "margin": outcome.margin,
        "per_cent": outcome.per_cent,
    }


def _other_axis(columns: Columns, said: Roles) -> str:
    """Another column that could count the epochs."""
    able = [name for name in columns.names if name not in (said.epoch, said.seed) and roles.word(name) in roles.EPOCHS]
    return able[0] if able else ""


def _curves(
    first: Cells,
    settings: Sequence[Mapping[str, str]],
    names: Sequence[str],
    outcomes: Sequence[Outcome],
    reserved: frozenset[str],
) -> pa.Table:
    """The cells as a table."""

    def labels(name: str) -> pa.Array:
        texts = [each[name] for each in settings]
        levels = [*dict.fromkeys(texts)]
        codes = np.array([levels.index(text) for text in texts], np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(codes[first.setting]), pa.array(levels))

    measured = {
        _renamed(each.name, reserved): pa.array(first.values[each.name], mask=~first.there[each.name])
        for each in outcomes
    }
    columns = {name: labels(name) for name in names}
    return pa.table({**columns, "seed": first.seed, "epoch": first.epoch, **measured})
