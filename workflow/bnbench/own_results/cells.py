"""From rows to cells: what each run measured at each epoch, once, in one order whatever the order of the rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """A cell for each run and epoch with a row: in the order of settings, seeds and epochs."""

    setting: Whole
    """[cells], as are the next three."""
    seed: Whole
    epoch: Whole
    row: Whole
    """The first of its rows."""
    values: Mapping[str, Array]
    """Outcome → [cells]; also NaN if nothing was measured, see `there`."""
    there: Mapping[str, Flags]
    """Outcome → whether it was measured, [cells]."""
    several: Mapping[str, Flags]
    """Outcome → whether several rows of the cell have a value of it, [cells]."""

    @cached_property
    def starts(self) -> Whole:
        """Where each run begins, [runs]."""
        return _starts(self.setting, self.seed)

    @cached_property
    def run(self) -> Whole:
        """Which run each cell is of, [cells]."""
        return np.repeat(np.arange(len(self.starts)), np.diff([*self.starts, len(self.seed)]))

    @property
    def of_run(self) -> Whole:
        """Which setting each run is of, [runs]."""
        return self.setting[self.starts]

    def last(self, outcome: str) -> Whole:
        """The last cell of each run that has a value of an outcome, [runs]; −1 where none has."""
        last = np.full(len(self.starts), -1, np.int64)
        there = np.flatnonzero(self.there[outcome])
        last[self.run[there]] = there  # the last of several stays
        return last

    def final(self, outcome: str) -> Array:
        """The last measurement of each run, [runs]; NaN if there is none."""
        last = self.last(outcome)
        return np.where(last >= 0, self.values[outcome][last], np.nan)


def cells(
    setting: Whole,
    seed: Whole,
    epoch: Whole,
    columns: Mapping[str, tuple[Array, Flags]],
    geometric: Collection[str] = (),
) -> Cells:
    """The cells of all rows; several values of a cell become their mean.

    Args:
        setting: of each row, [rows], as a code; like the next two.
        seed: the seed, or another number that distinguishes the runs of a setting.
        epoch: the epoch; 0 of a run with one row.
        columns: outcome → its values and whether there are any, [rows] each; at least one row.
        geometric: outcomes whose mean is a geometric one, where all of its values are above 0.
    """
    order = np.lexsort((epoch, seed, setting))
    setting, seed, epoch = setting[order], seed[order], epoch[order]
    first = _starts(setting, seed, epoch)
    place = np.repeat(np.arange(len(first)), np.diff([*first, len(order)]))
    values, there, several = {}, {}, {}
    for name, (of_rows, known) in columns.items():
        rows = np.flatnonzero(known[order])
        kept, cell = of_rows[order[rows]], place[rows]
        counts = np.bincount(cell, minlength=len(first))
        there[name], several[name] = counts > 0, counts > 1
        values[name] = np.full(len(first), np.nan)
        values[name][cell] = kept
        if several[name].any():
            twice = several[name][cell]
            means = _means(kept[twice], cell[twice], geometric=name in geometric)
            values[name][several[name]] = means
    return Cells(setting[first], seed[first], epoch[first], np.minimum.reduceat(order, first), values, there, several)


def _means(values: Array, cell: Whole, *, geometric: bool) -> Array:
    """The mean of each cell, [cells], in ascending order; the cells are ascending, and the order of values is free."""
    order = np.lexsort((values, cell))  # sums depend on the order, which is not to be that of the rows
    values, first = values[order], _starts(cell)
    counts = np.diff([*first, len(cell)])
    plain: Array = np.add.reduceat(values, first) / counts
    if not geometric:
        return plain
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.exp(np.add.reduceat(np.log(values), first) / counts)
    above: Array = np.where(np.minimum.reduceat(values, first) > 0, logs, plain)
    return above


def _starts(*keys: Whole) -> Whole:
    """Where a new combination of keys begins, which are in order."""
    new = np.zeros(len(keys[0]), np.bool_)
    new[:1] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)
