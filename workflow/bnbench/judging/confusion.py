"""Which class each arm predicts for which: what causes a difference of accuracies.

Of each seed, the share of the test points of a class that are classified as each class; the arms are compared by the
differences of these shares over the seeds that both have. All of it is exploratory. The cells of one comparison are one
family, and a cell is decided where its adjusted p is below α and its own interval excludes 0: on the diagonal more is
better, off it less.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench.catalogue import tasks
from bnbench.judging import sign_flips, stats
from bnbench.judging.stats import Array
from bnbench.store import tables
from bnbench.store.trials import Trials

_COUNTED = ("seed", "y", "y_fit", "points")


class Taken(NamedTuple):
    """What the trials of a setting took the classes for."""

    names: tuple[str, ...]
    """Of the classes."""
    seeds: NDArray[np.int64]
    """[seeds], ascending."""
    shares: Array
    """[seeds, classes, classes]: of the test points of the row's class, the share classified as the column's.

    NaN where a trial has no counts, and in rows of classes that none of its test points has.
    """

    def of(self, seeds: NDArray[np.int64]) -> Taken:
        """Of these seeds alone; each must be there."""
        return self._replace(seeds=seeds, shares=self.shares[np.searchsorted(self.seeds, seeds)])


def taken(data: Path, arm: Trials) -> Taken | None:
    """What the trials of a setting took the classes for; None where its task has no classes that are counted.

    Raises:
        UserError: the collected table is absent or corrupt.
    """
    task = tasks.of(arm.setting.spec)
    if not (classes := tasks.counted_classes(task)):
        return None
    counts = np.zeros((len(arm.seeds), classes, classes))
    table = tables.read_setting(data / "predictions.parquet", arm.setting.address, [*_COUNTED])
    if "points" in table.column_names:  # files that an earlier version collected have none
        seed, true, predicted, points = (table[name].to_numpy() for name in _COUNTED)
        known = np.isin(seed, arm.seeds) & (points > 0)
        places = np.searchsorted(arm.seeds, seed[known])
        counts[places, true[known].astype(int), predicted[known].astype(int)] = points[known]
    with np.errstate(invalid="ignore"):
        return Taken(tasks.class_names(task), arm.seeds, counts / counts.sum(2, keepdims=True))


def compared(labels: Mapping[str, str], alpha: float, baseline: Taken | None, treated: Taken | None) -> pd.DataFrame:
    """A row for each pair of classes that occurs: the shares of both arms, as means over the seeds, and the difference.

    Args:
        labels: what names the contrast.
        alpha: of the tests and intervals.
        baseline: of the same seeds as `treated`; None where nothing is counted.
        treated: its classes must be the baseline's, or there is nothing to compare.
    """
    columns = ("class", "predicted", "pairs", "baseline_share", "treatment_share", "effect", "low", "high")
    empty = pd.DataFrame(columns=[*labels, *columns, "p", "p_adjusted", "adjustment", "family", "verdict"])
    if baseline is None or treated is None or baseline.names != treated.names:
        return empty
    both = np.isfinite(baseline.shares) & np.isfinite(treated.shares)
    either = both & ((baseline.shares > 0) | (treated.shares > 0))
    true, predicted = np.nonzero(either.any(0))
    if not len(true):
        return empty
    known = both[:, true, predicted]
    shares = [np.where(known, arm.shares[:, true, predicted], np.nan) for arm in (baseline, treated)]
    differences = shares[1] - shares[0]
    pairs, effect, low, high = stats.column_intervals(differences.T, 1 - alpha)
    p_values = sign_flips.max_t(differences, sign_flips.draws(alpha))
    better = np.where(true == predicted, effect, -effect)
    decided = (p_values.adjusted < alpha) & ((low > 0) | (high < 0))
    values = (
        np.array(baseline.names)[true],
        np.array(baseline.names)[predicted],
        pairs.astype(int),
        *(np.nanmean(arm, axis=0) for arm in shares),
        *(effect, low, high),
    )
    return pd.DataFrame(
        {
            **labels,
            **dict(zip(columns, values, strict=True)),
            "p": p_values.alone,
            "p_adjusted": p_values.adjusted,
            "adjustment": "maxT",
            "family": len(true),
            "verdict": np.where(decided, np.where(better > 0, "helps", "hurts"), "undecided"),
        }
    )
