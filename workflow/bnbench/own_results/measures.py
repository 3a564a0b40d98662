"""The outcomes of a table: how runs are compared by the one that decides, and by the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bnbench.errors import UserError
from bnbench.outcomes import Outcome, Scale
from bnbench.own_results import numbers, scales
from bnbench.own_results.cells import Array, Cells, Flags, Whole
from bnbench.own_results.columns import Columns
from bnbench.own_results.reasons import Reason
from bnbench.own_results.roles import Roles
from bnbench.own_results.scales import Better

MOST = 30
"""The most outcomes in addition to the one that decides."""

_TOLD = ("changes on the way", "follows another column", "follows the arms", "incomplete", "changes with the seed")
"""Reasons why a column of numbers is not a context that say more than that neither direction is known to be better."""


@dataclass(frozen=True)
class Measures:
    """The outcomes of a table and their values."""

    decides: Outcome
    others: tuple[Outcome, ...]
    columns: Mapping[str, tuple[Array, Flags]]
    """Outcome → its values, and whether there are any, [rows] each."""

    @property
    def all(self) -> tuple[Outcome, ...]:
        """The outcome that decides, and those beside it."""
        return (self.decides, *self.others)


def of(columns: Columns, said: Roles, better: Better | None, scale: Scale | None) -> Measures:
    """The outcomes; a column that turns out not to be one is set aside.

    Args:
        columns: of the table.
        said: which of them are outcomes.
        better: which side of the deciding one is, as the user says.
        scale: on which it is compared, as the user says.

    Raises:
        UserError: the outcome that decides cannot be compared, or leaves open how.
    """
    found = {said.outcome: numbers.measured(columns, said.outcome)}
    decides = _decides(columns, said.outcome, found[said.outcome], better, scale)
    others: list[Outcome] = []
    for name, reason in said.others.items():
        measured = numbers.measured(columns, name)
        outcome = scales.outcome(name, _finite(measured))
        if outcome is None or not len(_finite(measured)):
            said.set_aside.append((name, _why_none(columns, name, reason), ""))
        elif len(others) == MOST:
            said.set_aside.append((name, "too many", ""))
        else:
            others.append(outcome)
            found[name] = measured
    said.set_aside.sort()
    return Measures(decides, tuple(others), found)


def _why_none(columns: Columns, name: str, reason: Reason) -> Reason:
    """Why a column of numbers is not an outcome, from why it is not a context."""
    if scales.named(name).says_something and not scales.named(name).better:
        return "a spread, a count or a rank"
    if numbers.is_index(columns, name):
        return "an id"
    return reason if reason in _TOLD else "no known side"


def _finite(measured: tuple[Array, Flags]) -> Array:
    values, known = measured
    return values[known & np.isfinite(values)]


def _decides(
    columns: Columns, name: str, measured: tuple[Array, Flags], better: Better | None, scale: Scale | None
) -> Outcome:
    """How the runs are compared by the outcome that decides."""
    finite = _finite(measured)
    where = f"{columns.source}, column {name}"
    if not len(finite):
        raise UserError(f"{where}: found no number, allowed: an outcome that was measured")
    if finite.min() == finite.max():
        raise UserError(f"{where}: found {finite[0]:g} in every row, allowed: an outcome that varies")
    outcome = scales.outcome(name, finite, better, scale)
    if outcome is None:
        raise UserError(
            f"{columns.source}: is a lower or a higher '{name}' better? allowed: --better lower or --better higher"
        )
    if outcome.is_ratio and finite.min() < 0:
        row = int(np.argmax(np.nan_to_num(measured[0]) < 0))
        raise UserError(
            f"{columns.long.where(row)}, column {name}: found {measured[0][row]:g}, allowed: 0 or more, to be compared "
            "by ratios; or --scale difference"
        )
    return outcome


def with_margin(outcome: Outcome, cells: Cells, of_baseline: Flags, contexts: Whole) -> Outcome:
    """The outcome with a margin; one that depends on the unit is a share of the baseline's final values.

    All contexts have the same margin. So the one counts in which the baseline comes to least: a difference that is
    small beside what other contexts end at may be large there.

    Args:
        outcome: that decides.
        cells: of all runs.
        of_baseline: whether a run is one of the baseline, [runs].
        contexts: of each run, [runs], as a code.
    """
    if outcome.margin is not None:
        return outcome
    final = cells.final(outcome.name)
    known = of_baseline & np.isfinite(final)
    margins = [scales.small(final[known & (contexts == context)]) for context in np.unique(contexts[known])]
    return replace(outcome, margin=min(margins, default=scales.small(final[:0])))


def as_json(outcome: Outcome, name: str, cells: Cells) -> dict[str, Any]:
    """An outcome as the facts have it, by the name that it has in a report.

    `smallest` is its smallest value above 0, below which nothing can be distinguished from 0; None if there is none.
    """
    values = cells.values[outcome.name]
    positive = values[np.isfinite(values) & (values > 0)]
    return {
        "name": name,
        "column": outcome.name,
        "scale": outcome.scale,
        "better": "lower" if outcome.lower_is_better else "higher",
        "margin": outcome.margin,
        "per_cent": outcome.per_cent,
        "smallest": float(positive.min()) if len(positive) else None,
    }
