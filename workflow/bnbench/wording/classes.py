"""Which classes are confused, in words."""

from __future__ import annotations

import math

import pandas as pd

from bnbench.plan.study import Study
from bnbench.wording import formats, titles
from bnbench.wording.titles import Row

MOST_IN_A_MATRIX = 12
"""Classes up to which a figure has a cell for each pair of them."""

LISTED = 12
"""Pairs of classes that are listed of more."""

PANELS = 6
"""Comparisons that the figure shows; the others are in the table."""


def in_points(effect: float) -> str:
    """A difference of shares in percentage points: `+1.3`, `−12`, `0`."""
    points = 100 * effect
    shown = f"{abs(points):.1f}" if abs(points) < 9.95 else f"{abs(points):.0f}"
    return "0" if float(shown) == 0 else f"{'−' if points < 0 else '+'}{shown}"


def named(row: Row) -> str:
    """What a row of the table is about: `8 predicted as 3`, or `8 recognized`."""
    return (
        f"{row['class']} recognized"
        if row["class"] == row["predicted"]
        else f"{row['class']} predicted as {row['predicted']}"
    )


def largest(group: pd.DataFrame) -> list[Row]:
    """The rows of a comparison with the largest differences, those that are decided first."""
    decided = group["verdict"].ne("undecided")
    order = group.assign(decided=decided, size=group["effect"].abs())
    ordered = order.sort_values(["decided", "size"], ascending=False, kind="stable")
    return list(ordered[:LISTED].to_dict("records"))


def sentences(study: Study, table: pd.DataFrame) -> list[str]:
    """A sentence a comparison: the pairs of classes whose shares differ, or that none does."""
    held = [name for name in table if name in (*study.factors, "baseline", "treatment")]
    return [_sentence(study, group) for _, group in table.groupby(held, sort=False)]


def _sentence(study: Study, group: pd.DataFrame) -> str:
    row = group.iloc[0].to_dict()
    treated, base = (titles.arm(study, row[name]) for name in ("treatment", "baseline"))
    where = ", ".join(filter(None, [f"{treated} against {base}", titles.context_name(study, row)]))
    decided = [row for row in largest(group) if row["verdict"] != "undecided"]
    if not decided:
        pairs = formats.count(len(group), "pair")
        return f"{where}: the arms cannot be distinguished in any of {pairs} of classes."
    said = [f"{named(row)} {_changed(row)}" for row in decided]
    more = int(group["verdict"].ne("undecided").sum()) - len(decided)
    rest = f"; and {formats.count(more, 'more pair')}" if more else ""
    return f"{where}: {'; '.join(said)}{rest}."


def _changed(row: Row) -> str:
    """`more often, by 2.1 (0.8 to 3.4) percentage points`."""
    sign = 1 if row["effect"] > 0 else -1
    ends = sorted(sign * 100 * row[name] for name in ("low", "high"))
    limits = "" if any(map(math.isnan, ends)) else f" ({ends[0]:.1f} to {ends[1]:.1f})"
    often = "more" if sign > 0 else "less"
    return f"{often} often, by {100 * abs(row['effect']):.1f}{limits} percentage points"
