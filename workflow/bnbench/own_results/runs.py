"""The runs of a table: which are there twice, which stopped early, and whether there is anything to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnbench.errors import UserError
from bnbench.outcomes import Outcome
from bnbench.own_results.cells import Array, Cells
from bnbench.own_results.roles import Roles
from bnbench.own_results.table import Long

NAMED = 3
"""Runs that a message names."""


@dataclass(frozen=True)
class Runs:
    """All runs of a table, and what messages say of them."""

    source: str
    long: Long
    said: Roles
    settings: Sequence[Mapping[str, str]]
    """Labels of each setting, by its code."""
    cells: Cells
    outcome: Outcome
    coded: Sequence[str]
    """Names of the seeds, where they are no numbers."""

    def called(self, run: int) -> str:
        """A run in a message: `norm=batch, seed 3`."""
        start = self.cells.starts[run]
        labels = self.settings[self.cells.setting[start]]
        return (
            f"{', '.join(f'{name}={text}' for name, text in labels.items())}, seed {self.seed(self.cells.seed[start])}"
        )

    def seed(self, number: int) -> str:
        """A seed as the table has it."""
        return self.coded[number] if self.coded else str(number)

    def of_cell(self) -> NDArray[np.int64]:
        """Which run each cell is of, [cells]."""
        return np.searchsorted(self.cells.starts, np.arange(len(self.cells.seed)), "right") - 1

    def refuse_duplicates(self, duplicates: str, other_axis: str) -> None:
        """Refuse several values of a run at an epoch, unless their mean is asked for."""
        twice = self.cells.several[self.outcome.name]
        if duplicates == "mean" or not twice.any():
            return
        some = np.unique(self.of_cell()[twice])
        row = int(self.cells.row[np.argmax(twice)])
        axis = f"; or --epoch {other_axis}" if other_axis else ""
        more = f" and {len(some) - NAMED} more runs" if len(some) > NAMED else ""
        named = "; ".join(self.called(run) for run in some[:NAMED])
        raise UserError(
            f"{self.long.where(row)}: found several values of {self.outcome.name} of one run ({named}{more}), allowed: "
            f"one for each seed and epoch; --context with the column that tells them apart; or --duplicates mean{axis}"
        )

    def ended(self, empty: str) -> tuple[Cells, dict[str, Any]]:
        """The cells, with what runs that end without a value count as; and what is to be told of the runs.

        `diverged` counts the runs that were not finite at the end; `stopped` those that ended before the last epoch,
        and `gaps` those that lack epochs which others of their setting have: a count and the first of them by name;
        `averaged` counts cells that are the mean of several rows.
        """
        name, cells, run = self.outcome.name, self.cells, self.of_cell()
        there, values = cells.there[name], cells.values[name]
        last, after = self._last(there, run), self._after(there, run)
        ends_empty = after & (last[run] >= 0)
        if empty == "refuse" and ends_empty.any():
            cell = int(np.argmax(ends_empty))
            raise UserError(
                f"{self.long.where(int(cells.row[cell]))}, column {name}: found nothing from here on in the run "
                f"{self.called(int(run[cell]))}, where other runs have values, allowed: --empty diverged, if it was "
                "not finite there; --empty stopped, if it was no longer measured"
            )
        if empty == "diverged":
            cells = self._as_diverged(run, np.isin(run, run[after]))
            there, values = cells.there[name], cells.values[name]
            last = self._last(there, run)
        known = last >= 0
        final = np.where(known, values[last], np.nan)
        diverged = known & ~np.isfinite(final)
        ends = np.where(known, cells.epoch[last], -1)
        stopped = known & ~diverged & (ends < ends.max(initial=-1))
        told = {
            "diverged": int(diverged.sum()),
            "without": self._named(~known),
            "stopped": {**self._named(stopped), "earliest": int(ends[stopped].min()) if stopped.any() else None},
            "gaps": self._named(self._gaps(cells, there, run, last)),
            "averaged": int(sum(each.sum() for each in self.cells.several.values())),
        }
        return cells, told

    def _last(self, there: NDArray[np.bool_], run: NDArray[np.int64]) -> NDArray[np.int64]:
        """The last cell of each run that has a value, [runs]; −1 where none has."""
        last = np.full(len(self.cells.starts), -1, np.int64)
        np.maximum.at(last, run[there], np.flatnonzero(there))
        return last

    def _after(self, there: NDArray[np.bool_], run: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Cells after the last value of their run, at epochs at which other runs have one."""
        elsewhere = np.isin(self.cells.epoch, np.unique(self.cells.epoch[there]))
        return ~there & elsewhere & (np.arange(len(run)) > self._last(there, run)[run])

    def _as_diverged(self, run: NDArray[np.int64], lost: NDArray[np.bool_]) -> Cells:
        """The cells with NaN where runs that are `lost`, [cells], have nothing any more, of whatever outcome."""
        values, there = {}, {}
        for name, known in self.cells.there.items():
            after = lost & self._after(known, run)
            there[name] = known | after
            values[name] = np.where(after, np.nan, self.cells.values[name])
        return replace(self.cells, values=values, there=there)

    def _gaps(
        self, cells: Cells, there: NDArray[np.bool_], run: NDArray[np.int64], last: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Runs that lack an epoch before their end which another run of their setting has."""
        lacking = np.zeros(len(cells.starts), np.bool_)
        of_run = cells.setting[cells.starts]
        for setting in np.unique(of_run):
            own = there & (cells.setting == setting)
            epochs = np.unique(cells.epoch[own])
            mine = np.flatnonzero((of_run == setting) & (last >= 0))
            counts = np.bincount(run[own], minlength=len(of_run))[mine]
            lacking[mine] = counts < np.searchsorted(epochs, cells.epoch[last[mine]]) + 1
        return lacking

    def _named(self, which: NDArray[np.bool_]) -> dict[str, Any]:
        return {"count": int(which.sum()), "first": [self.called(int(run)) for run in np.flatnonzero(which)[:NAMED]]}


def last_values(cells: Cells, outcome: str) -> Array:
    """What each run measured last, [runs]; NaN where nothing was."""
    run = np.searchsorted(cells.starts, np.arange(len(cells.seed)), "right") - 1
    there = cells.there[outcome]
    last = np.full(len(cells.starts), -1, np.int64)
    np.maximum.at(last, run[there], np.flatnonzero(there))
    return np.where(last >= 0, cells.values[outcome][last], np.nan)


def refuse_hopeless(runs: Runs, cells: Cells, baseline: str, *, paired: bool) -> None:
    """Refuse what no statistics could compare: one seed, no seed in common, one run in an arm."""
    factor = runs.said.factor
    starts = cells.starts
    seeds = cells.seed[starts]
    if paired and len(np.unique(seeds)) < 2:
        found = f"{runs.source}, column {runs.said.seed}: found one seed, {runs.seed(int(seeds[0]))}"
        raise UserError(f"{found}, allowed: two at least; below six nothing can be decided at α = 0.05")
    contexts = [tuple(labels.values())[1:] for labels in runs.settings]
    of_context = {
        context: {
            next(iter(runs.settings[place].values())): {*cells.seed[starts][cells.setting[starts] == place].tolist()}
            for place, each in enumerate(contexts)
            if each == context
        }
        for context in dict.fromkeys(contexts)
    }
    pairs = [
        (of_arm[baseline], own)
        for of_arm in of_context.values()
        if baseline in of_arm
        for name, own in of_arm.items()
        if name != baseline
    ]
    if not pairs:
        raise UserError(
            f"{runs.source}: no context has runs with {factor}={baseline} and with another level, allowed: --context "
            "with fewer columns"
        )
    if paired and not any(one & other for one, other in pairs):
        ours, others = (
            listed_ranges(ranges(np.array(sorted(set.union(*(pair[side] for pair in pairs)))))) for side in (0, 1)
        )
        raise UserError(
            f"{runs.source}, column {runs.said.seed}: no seed is in both arms (baseline {ours}; others {others}), "
            "allowed: seeds that the arms share; or --unpaired, if they shared none by design"
        )
    sizes = [(len(one), len(other)) for one, other in pairs]
    if not paired and all(min(size) < 2 for size in sizes):
        one, other = sizes[0]
        raise UserError(
            f"{runs.source}: found {one} and {other} runs in the two arms, allowed: two at least in each, since one "
            "run shows no spread"
        )


def ranges(numbers: NDArray[np.int64]) -> list[list[int]]:
    """Whole numbers as runs of consecutive ones, first and last of each."""
    every = np.unique(numbers)
    breaks = np.flatnonzero(np.diff(every) != 1)
    first, last = every[[0, *(breaks + 1)]], every[[*breaks, len(every) - 1]]
    return [[int(one), int(other)] for one, other in zip(first, last, strict=True)] if len(every) else []


def listed_ranges(found: Sequence[Sequence[int]]) -> str:
    """`0 to 9, 12`, not more than a reader can take in."""
    texts = [str(one) if one == other else f"{one} to {other}" for one, other in found]
    return f"{', '.join(texts[:5])}{' …' if len(texts) > 5 else ''}"
