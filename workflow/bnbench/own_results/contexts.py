"""Which columns are held fixed while the arms are compared: those by which a design distinguishes its runs.

A column is held fixed if runs of one arm and seed differ by it, or if the arms of every seed agree in it. What was
measured of a run does neither.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnbench.own_results import numbers, scales
from bnbench.own_results.columns import Codes, Columns, different, joined
from bnbench.own_results.reasons import Reason

MOST = 100
"""The most levels of a text column that is held fixed, unless the user names it."""

MOST_NUMBERS = 12
"""The same of a column of numbers."""

_CROSSED = 0.5
"""Share of its levels that a column of numbers has in each cell of the others, where these are a part of the design."""

_AGREE = 0.9
"""Share of the seeds whose arms must agree in a column that is held fixed."""

_MEET = 1.1
"""Levels that a column has at one epoch of a run, on average, below which this is chance."""

_FAR = 2**60


@dataclass(frozen=True)
class Design:
    """The columns whose role is known."""

    columns: Columns
    factor: str
    identity: Codes | None
    """Numbers that distinguish the runs of an arm, [rows]; None if each row is a run."""
    epoch: str | None
    paired: bool
    known: Collection[str] = ()
    """Columns that a reader knows to be factors."""

    def joined(self, names: Sequence[str], *more: Codes) -> Codes:
        """A code for each combination of these columns and of `more`, [rows]."""
        return joined([*(self.columns.codes(name)[0] for name in names), *more], self.columns.rows)

    def is_doubtful(self, name: str) -> bool:
        """Whether it is a column of numbers, which may have been measured."""
        return self.columns.is_number(name) and name not in self.known

    @cached_property
    def run(self) -> Codes:
        """Numbers that distinguish runs of one context, [rows]: the arm and the seed."""
        identity = np.arange(self.columns.rows) if self.identity is None else self.identity
        return self.joined([self.factor], identity)


def unfit(design: Design, name: str) -> Reason:
    """Why a column cannot be held fixed, regardless of the others; empty if it can."""
    columns, known, number = design.columns, name in design.known, design.is_doubtful(name)
    levels = columns.count(name)
    if number and scales.named(name).says_something:
        return "measured"
    if levels > (MOST_NUMBERS if number else MOST) and not known:
        return "many values" if number or levels < columns.rows / 2 else "an id"
    if columns.has_gaps(name):
        return "incomplete"
    arms = different(design.joined([design.factor]))
    if levels > arms and different(design.joined([name], design.run)) == levels:
        return "an id"
    with_arm = different(design.joined([design.factor, name]))
    return "follows the arms" if with_arm in (arms, levels) else ""


def held(design: Design, able: Sequence[str]) -> tuple[list[str], dict[str, Reason]]:
    """The columns that are held fixed, and why each of the others is not.

    Args:
        design: the columns that are known.
        able: further ones; the result does not depend on their order.
    """
    reasons: dict[str, Reason] = {name: reason for name in able if (reason := unfit(design, name))}
    doubted = [name for name in able if name not in reasons and design.is_doubtful(name)]
    reasons |= {name: reason for name in doubted if (reason := _why_not(design, name, []))}
    kept = [name for name in able if name not in reasons]
    # What is likely to have been measured goes first, so that it makes no column of the design seem superfluous.
    doubtful = sorted(
        kept,
        key=lambda name: (name in design.known, not design.columns.is_number(name), _crossed(design, name), name),
    )
    for name in doubtful:
        others = [each for each in kept if each != name]
        if reason := _why_not(design, name, others):
            reasons[name] = reason
            kept = others
    return sorted(kept, key=lambda name: (design.columns.is_number(name), name)), reasons


def _crossed(design: Design, name: str) -> float:
    """Share of its levels that a column has in each cell of arm, seed and epoch."""
    cell = design.joined([design.epoch] if design.epoch else [], design.run)
    return different(design.joined([name], cell)) / different(cell) / design.columns.count(name)


def _why_not(design: Design, name: str, others: Sequence[str]) -> Reason:
    """Why a column is not held fixed together with the others; empty if it is."""
    number = design.is_doubtful(name)
    codes, levels = design.columns.codes(name)
    run = design.joined(others, design.run)
    cell = design.joined([design.epoch], run) if design.epoch else run
    several = different(joined([cell, codes], len(cell))) / different(cell)
    if several > 1.02 and (not number or several >= _CROSSED * len(levels)):
        return ""
    if different(joined([run, codes], len(run))) > different(run):
        if several < _MEET and _side_by_side(design, run, codes):
            return ""
        return "changes on the way" if several < _MEET else "measured"
    if others and _follows(design, name, others):
        return "follows another column"
    if _follows(design, name, [design.factor, *others]):
        return "follows the arms"
    return _why_apart(design, name, others, number=number)


def _follows(design: Design, name: str, given: Sequence[str]) -> bool:
    """Whether other columns already contain a column's information."""
    return different(design.joined([*given, name])) == different(design.joined(given))


def _side_by_side(design: Design, run: Codes, codes: Codes) -> bool:
    """Whether what seems to be one run is several, each with epochs of its own, which all begin early.

    Where runs share their epochs, those of several levels meet at some. Where each has its own, none do.
    """
    if not design.epoch:
        return False
    epoch = numbers.whole(design.columns, design.epoch, "epoch")
    if len(np.unique(epoch)) <= 2 * np.bincount(run).max():
        return False
    both = joined([run, codes], len(run))
    first, last, begins = (np.full(different(each), start) for each, start in ((run, _FAR), (run, -_FAR), (both, _FAR)))
    np.minimum.at(first, run, epoch)
    np.maximum.at(last, run, epoch)
    np.minimum.at(begins, both, epoch)
    of_both = np.empty_like(begins)
    of_both[both] = run
    early = begins <= first[of_both] + (last - first)[of_both] / 10
    return bool(early.mean() >= _AGREE)


def _why_apart(design: Design, name: str, others: Sequence[str], *, number: bool) -> Reason:
    """Why a column that distinguishes no runs is not held fixed; empty if the arms agree in it."""
    codes, levels = design.columns.codes(name)
    if not design.paired or design.identity is None:
        sparse = np.bincount(design.joined([design.factor, name])).min() < 2
        balanced = different(design.joined([design.factor, name])) == len(levels) * different(
            design.joined([design.factor])
        )
        return "measured" if number and (sparse or not balanced) else ""
    pair = design.joined(others, design.identity)
    arms, of_levels = (_different_in(pair, each) for each in (design.columns.codes(design.factor)[0], codes))
    shared = arms > 1
    if not shared.any() or (of_levels[shared] == 1).mean() < _AGREE:
        return "differs within the pairs"
    seeds = _different_in(codes, joined([design.identity], len(codes)))
    return "changes with the seed" if seeds.min() < 2 else ""


def _different_in(groups: Codes, codes: Codes) -> Codes:
    """How many codes each group has, [groups]."""
    both = joined([groups, codes], len(groups))
    _, first = np.unique(both, return_index=True)
    return np.bincount(groups[first])


def has_course(design: Design, able: Sequence[str]) -> bool:
    """Whether rows of one run differ by the epoch, and not by what is held fixed: else each row is a run."""
    assert design.epoch  # noqa: S101
    rows = design.columns.rows
    able = [name for name in able if not unfit(design, name)]
    if different(design.joined(able, design.run)) < rows:
        return True
    kept, _ = held(Design(design.columns, design.factor, design.identity, None, design.paired, design.known), able)
    if different(design.joined(kept, design.run)) < rows:
        return True
    rates = [name for name in kept if design.is_doubtful(name)]
    return bool(rates) and different(design.joined([*rates, design.epoch])) == different(design.joined(rates))
