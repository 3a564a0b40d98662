"""From which epoch to which one arm is better than the other: where the band of the differences excludes no effect.

The band holds for all contexts and epochs of a study together, so each of its epochs may be read for itself, whatever
the verdict at the end. A stretch never reaches over an epoch at which the band includes no effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from bnbench.judging import sign_flips
from bnbench.plan.study import Study

MATTERS = 0.1
"""Share of the course that stretches on one side span where they matter for a budget."""

Row = Mapping[Any, Any]

BELOW, ABOVE = "below", "above"
"""Sides of no effect on which a band lies."""


def table(study: Study, differences: pd.DataFrame) -> pd.DataFrame:
    """One row per stretch of epochs in a row whose band lies on one side; none of too few pairs to decide anything.

    `differences` is the table of `trajectories`. `effect`, `low` and `high` are those of `peak_epoch`, at which the
    effect is largest.
    """
    held = [name for name in differences if name in (*study.factors, "baseline", "treatment")]
    columns = [*held, "side", "first_epoch", "last_epoch", "measurements", "course_share"]
    columns += ["peak_epoch", "effect", "low", "high"]
    rows = [
        {**dict(zip(held, labels, strict=True)), **row}
        for labels, course in differences.groupby(held, sort=False)
        if sign_flips.can_decide(int(course["pairs"].iloc[0]), study.report.alpha)
        for row in _of_course(study, course)
    ]
    return pd.DataFrame(rows, columns=columns)


def runs(rows: Sequence[Row]) -> list[list[Row]]:
    """The stretches of one comparison, those on one side together that have no other side between them that matters.

    A side that holds over less than `MATTERS` of the course is left out: of a moment no budget is made.
    """
    by_side = [list(group) for _, group in groupby(rows, key=lambda row: row["side"])]
    long = [row for group in by_side if sum(row["course_share"] for row in group) >= MATTERS for row in group]
    return [list(group) for _, group in groupby(long, key=lambda row: row["side"])]


def _of_course(study: Study, course: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The stretches of one contrast, in order."""
    outcome = study.outcome
    side = np.where(course["low"] > outcome.no_effect, 1, 0) - np.where(course["high"] < outcome.no_effect, 1, 0)
    epochs = course["epoch"].to_numpy()
    whole = max(1, epochs[-1] - epochs[0])
    starts = np.flatnonzero(np.diff(side, prepend=0) * (side != 0))
    for start in starts:
        others = np.flatnonzero(side[start:] != side[start])
        stretch = course.iloc[start : start + others[0] if len(others) else None]
        effects = stretch["effect"].to_numpy(np.float64)
        with np.errstate(divide="ignore"):
            size = np.abs(np.log(effects) if outcome.is_ratio else effects)
        peak = stretch.iloc[int(size.argmax())]
        yield {
            "side": ABOVE if side[start] > 0 else BELOW,
            "first_epoch": int(stretch["epoch"].iloc[0]),
            "last_epoch": int(stretch["epoch"].iloc[-1]),
            "measurements": len(stretch),
            "course_share": float(stretch["epoch"].iloc[-1] - stretch["epoch"].iloc[0]) / whole,
            "peak_epoch": int(peak["epoch"]),
            **{name: float(peak[name]) for name in ("effect", "low", "high")},
        }
