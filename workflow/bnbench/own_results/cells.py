"""From rows to cells: what each run measured at each epoch, once, in one order whatever the order of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """A cell for each run and epoch of which there is a row: in the order of settings, seeds and epochs."""

    setting: Whole
    """[cells], like the next three."""
    seed: Whole
    epoch: Whole
    row: Whole
    """The first of its rows."""
    values: Mapping[str, Array]
    """Outcome → [cells]; NaN where nothing was measured too, see `there`."""
    there: Mapping[str, NDArray[np.bool_]]
    """Outcome → whether it was measured, [cells]."""
    several: Mapping[str, NDArray[np.bool_]]
    """Outcome → whether several rows of the cell have a value of it, [cells]."""

    @property
    def starts(self) -> Whole:
        """Where each run begins, [runs]."""
        new = (np.diff(self.setting) != 0) | (np.diff(self.seed) != 0)
        return np.flatnonzero(np.concatenate([[True], new])) if len(self.seed) else np.empty(0, np.int64)


def cells(
    setting: Whole,
    seed: Whole,
    epoch: Whole,
    columns: Mapping[str, tuple[Array, NDArray[np.bool_]]],
    mean: Callable[[str, Array, Array], Array],
) -> Cells:
    """The cells of all rows.

    Args:
        setting: of each row, [rows], as a code; like the next two.
        seed: the seed, or whatever tells the runs of a setting apart.
        epoch: the epoch; 0 of a run with one row.
        columns: outcome → its values and whether there are any, [rows] each.
        mean: from an outcome, the sums over several rows of a cell and their counts to the mean.
    """
    order = np.lexsort((epoch, seed, setting))
    setting, seed, epoch = setting[order], seed[order], epoch[order]
    new = (np.diff(setting) != 0) | (np.diff(seed) != 0) | (np.diff(epoch) != 0)
    first = np.flatnonzero(np.concatenate([[True], new])) if len(order) else np.empty(0, np.int64)
    values, there, several = {}, {}, {}
    for name, (of_rows, known) in columns.items():
        kept = np.where(known, of_rows, 0.0)[order]
        counts = np.add.reduceat(known[order].astype(np.int64), first)
        # Rows that are in no order could be added in another one; so they are added by size.
        several[name] = counts > 1
        sums = np.add.reduceat(kept, first)
        if several[name].any():
            by_size = np.lexsort((kept, np.repeat(np.arange(len(first)), np.diff([*first, len(order)]))))
            sums = mean(name, np.add.reduceat(kept[by_size], first), np.maximum(counts, 1).astype(np.float64))
        there[name] = counts > 0
        values[name] = np.where(there[name], sums, np.nan)
    lowest = np.minimum.reduceat(order, first) if len(order) else order
    return Cells(setting[first], seed[first], epoch[first], lowest, values, there, several)
