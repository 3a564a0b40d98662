"""The runs of a table: which occur twice, which stopped early, and which lack epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bnbench.errors import UserError
from bnbench.own_results.cells import Cells, Flags, Whole
from bnbench.own_results.columns import Columns

NAMED = 3
"""The most runs that a message names."""

Empty = Literal["refuse", "stopped", "diverged"]


@dataclass(frozen=True)
class Runs:
    """All runs of a table, and their names in messages."""

    columns: Columns
    settings: Sequence[Mapping[str, str]]
    """Labels of each setting, by its code: of the arm first."""
    cells: Cells
    outcome: str
    """The one that decides."""
    seed: str | None
    """Column of the seeds."""
    seeds: Sequence[str]
    """Names of the seeds, if they are not numbers."""

    def called(self, run: int) -> str:
        """A run in a message: `norm=batch, seed 3`."""
        labels = ", ".join(f"{name}={text}" for name, text in self.settings[self.cells.of_run[run]].items())
        return f"{labels}, {'seed' if self.seed else 'run'} {self.seed_of(run)}"

    def seed_of(self, run: int) -> str:
        """The seed of a run as the table has it."""
        return self.seed_named(int(self.cells.seed[self.cells.starts[run]]))

    def seed_named(self, number: int) -> str:
        """A seed as the table has it."""
        return self.seeds[number] if self.seeds else str(number)

    @property
    def contexts(self) -> Whole:
        """The context of each setting, as a code, [settings]."""
        held = [tuple(labels.values())[1:] for labels in self.settings]
        codes = {context: code for code, context in enumerate(dict.fromkeys(held))}
        return np.array([codes[context] for context in held], np.int64)

    @property
    def arms(self) -> list[str]:
        """The arm of each setting."""
        return [next(iter(labels.values())) for labels in self.settings]

    def where(self, cell: int) -> str:
        """The file and the line of a cell."""
        return self.columns.long.where(int(self.cells.row[cell]))


def refuse_duplicates(runs: Runs, other_axis: str | None) -> None:
    """Refuse several values of a run at one epoch.

    Args:
        runs: of the table.
        other_axis: another column that could count the epochs.

    Raises:
        UserError: there are any.
    """
    twice = runs.cells.several[runs.outcome]
    if not twice.any():
        return
    some = np.unique(runs.cells.run[twice])
    more = f" and {len(some) - NAMED} more" if len(some) > NAMED else ""
    named = "; ".join(runs.called(int(run)) for run in some[:NAMED])
    axis = f"; or --epoch {other_axis}" if other_axis else ""
    raise UserError(
        f"{runs.where(int(np.argmax(twice)))}: found several values of {runs.outcome} of one run ({named}{more}), "
        "allowed: one for each seed and epoch; --context with the column that distinguishes them; or --duplicates "
        f"mean{axis}"
    )


def ended(runs: Runs, empty: Empty) -> Cells:
    """The cells, with a decision on runs that end without a value.

    Raises:
        UserError: a run has no value from some epoch on at which others have one, and `empty` is `refuse`.
    """
    name, cells = runs.outcome, runs.cells
    after, last = _after(cells, name), cells.last(name)
    of_run_with_values = after & (last[cells.run] >= 0)
    if empty == "refuse" and of_run_with_values.any():
        cell = int(np.argmax(of_run_with_values))
        raise UserError(
            f"{runs.where(cell)}, column {name}: found nothing from here on in the run "
            f"{runs.called(int(cells.run[cell]))}, where other runs have values, allowed: --empty diverged, if it was "
            "not finite there; or --empty stopped, if it was no longer measured"
        )
    if empty != "diverged":
        return cells
    lost = np.isin(cells.run, cells.run[after])  # then none of its outcomes is finite any more
    gone = {each: lost & _after(cells, each) for each in cells.there}
    values = {each: np.where(gone[each], np.nan, own) for each, own in cells.values.items()}
    return replace(cells, values=values, there={each: own | gone[each] for each, own in cells.there.items()})


def _after(cells: Cells, outcome: str) -> Flags:
    """Cells after the last value of their run, at epochs at which other runs have one, [cells]."""
    there = cells.there[outcome]
    elsewhere = np.isin(cells.epoch, np.unique(cells.epoch[there]))
    after: Flags = ~there & elsewhere & (np.arange(len(there)) > cells.last(outcome)[cells.run])
    return after


_SHARED = 0.5
"""Share of all epochs of a setting that its runs have, below which they are measured at steps of their own."""


def told(runs: Runs) -> dict[str, Any]:
    """Unusual facts about the runs.

    `diverged` counts the runs that were not finite at the end; `without` those without any value of the outcome;
    `stopped` those that ended before others of their context did, and `gaps` those that lack epochs before their end
    which others of their setting have: a count and the first of them by name; `unequal` counts the contexts in which
    one arm ended before another, and has the last epoch of each arm in the first of them; `averaged` counts cells that
    are the mean of several rows.

    Runs that are measured at steps of their own lack no steps, and end where others do if they end within their widest
    spacing of it.
    """
    name, cells = runs.outcome, runs.cells
    last = cells.last(name)
    known = last >= 0
    diverged = known & ~np.isfinite(cells.final(name))
    ends = np.where(known, cells.epoch[last], -1)
    context = runs.contexts[cells.of_run]
    latest = np.full(len(runs.settings), -1, np.int64)
    np.maximum.at(latest, context, ends)
    lacking, apart = _gaps(cells, cells.there[name], ends)
    nearly = np.where(apart, _spacing(cells, cells.there[name]), 0)
    stopped = known & ~diverged & (latest[context] - ends > nearly)
    return {
        "diverged": int(diverged.sum()),
        "without": _named(runs, ~known),
        "stopped": _named(runs, stopped),
        "unequal": _unequal(runs, np.where(diverged, -1, ends), nearly),
        "gaps": _named(runs, lacking & ~apart),
        "averaged": int(sum(each.sum() for each in cells.several.values())),
    }


def _unequal(runs: Runs, ends: Whole, nearly: Whole) -> dict[str, Any]:
    """The contexts in which one arm ended before another: how many, and in the first, each arm's last epoch."""
    last, slack = (np.full(len(runs.settings), -1, np.int64) for _ in range(2))
    np.maximum.at(last, runs.cells.of_run, ends)
    np.maximum.at(slack, runs.cells.of_run, nearly)
    of_context: dict[int, list[int]] = {}
    for setting, context in enumerate(runs.contexts.tolist()):
        if last[setting] >= 0:
            of_context.setdefault(context, []).append(setting)
    apart = [own for own in of_context.values() if np.ptp(last[own]) > slack[own].max()]
    first = [[runs.arms[setting], int(last[setting])] for setting in apart[0]] if apart else []
    return {"contexts": len(apart), "first": first}


def _spacing(cells: Cells, there: Flags) -> Whole:
    """The most epochs from one measurement of a run to its next, [runs]; 0 of a single one."""
    epoch, run = cells.epoch[there], cells.run[there]
    widest = np.zeros(len(cells.starts), np.int64)
    same = run[1:] == run[:-1]
    np.maximum.at(widest, run[1:][same], np.diff(epoch)[same])
    return widest


def _gaps(cells: Cells, there: Flags, ends: Whole) -> tuple[Flags, Flags]:
    """Runs that lack an epoch which another run of their setting has, and runs that share few steps, [runs] each."""
    counts = np.bincount(cells.run[there], minlength=len(ends))
    bounds = np.searchsorted(cells.setting, np.unique(cells.setting))
    lacking, apart = np.zeros(len(ends), np.bool_), np.zeros(len(ends), np.bool_)
    for first, behind in zip(bounds, [*bounds[1:], len(there)], strict=True):
        own = slice(first, behind)
        epochs = np.unique(cells.epoch[own][there[own]])
        mine = slice(cells.run[first], cells.run[behind - 1] + 1)
        lacking[mine] = counts[mine] < np.searchsorted(epochs, ends[mine], "right")
        apart[mine] = counts[mine].sum() < _SHARED * len(epochs) * len(counts[mine])
    return lacking, apart


def _named(runs: Runs, which: Flags) -> dict[str, Any]:
    return {"count": int(which.sum()), "first": [runs.called(int(run)) for run in np.flatnonzero(which)[:NAMED]]}


def ranges(numbers: NDArray[np.int64]) -> list[list[int]]:
    """Whole numbers as runs of consecutive ones, first and last of each."""
    every = np.unique(numbers)
    stretches = np.split(every, np.flatnonzero(np.diff(every) != 1) + 1)
    return [[int(own[0]), int(own[-1])] for own in stretches if len(own)]
