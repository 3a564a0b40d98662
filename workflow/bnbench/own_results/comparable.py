"""Whether the runs of a table can be compared at all; refuses what no statistics could decide."""

from __future__ import annotations

from itertools import islice

import numpy as np

from bnbench.errors import UserError
from bnbench.own_results.runs import Runs

MOST_CELLS = 50_000_000
"""Runs of a setting times epochs at which any run was measured: as much as fits into memory."""

_Sides = list[tuple[set[int], set[int]]]


def refuse_hopeless(runs: Runs, baseline: str, *, paired: bool) -> None:
    """Refuse a single seed, arms without a seed in common, and arms of one run.

    Args:
        runs: of the table.
        baseline: label of the arm that all others are compared with.
        paired: whether runs of the same seed are compared.

    Raises:
        UserError: no comparison is left.
    """
    source, factor = runs.columns.source, next(iter(runs.settings[0]))
    has_value = runs.cells.last(runs.outcome) >= 0
    seeds, of_run = runs.cells.seed[runs.cells.starts][has_value], runs.cells.of_run[has_value]
    if paired and len(np.unique(seeds)) < 2:
        raise UserError(
            f"{source}, column {runs.seed}: found one seed, {runs.seed_named(int(seeds[0]))}, allowed: at least two; "
            "with fewer than six nothing can be decided at α = 0.05"
        )
    of_setting: dict[int, set[int]] = {}
    for setting, seed in zip(of_run.tolist(), seeds.tolist(), strict=True):
        of_setting.setdefault(setting, set()).add(seed)
    arms, contexts = runs.arms, runs.contexts
    controls = {int(contexts[place]): own for place, own in of_setting.items() if arms[place] == baseline}
    sides = [
        (controls[int(contexts[place])], own)
        for place, own in of_setting.items()
        if arms[place] != baseline and int(contexts[place]) in controls
    ]
    if not sides:
        raise UserError(
            f"{source}: no context has runs with {factor}={baseline} and with another level, allowed: --context with "
            "fewer columns"
        )
    if paired:
        _refuse_strangers(runs, sides)
    elif all(min(len(one), len(other)) < 2 for one, other in sides):
        one, other = (len(side) for side in sides[0])
        raise UserError(
            f"{source}: found {one} and {other} runs in the two arms, allowed: at least two in each, since one run "
            "shows no spread"
        )


def refuse_scattered(runs: Runs, epoch: str) -> None:
    """Refuse runs that are measured at different epochs, if there are so many that the curves do not fit into memory.

    Args:
        runs: of the table.
        epoch: column of the epochs.

    Raises:
        UserError: there are.
    """
    epochs = len(np.unique(runs.cells.epoch))
    if epochs * int(np.bincount(runs.cells.of_run).max()) > MOST_CELLS:
        raise UserError(
            f"{runs.columns.source}, column {epoch}: found {epochs:,} different values, allowed: such as runs share; "
            "round each up to the next thousand, say"
        )


def _refuse_strangers(runs: Runs, sides: _Sides) -> None:
    """Refuse arms of which no two runs have the same seed."""
    if any(one & other for one, other in sides):
        return
    ours, others = (set[int]().union(*each) for each in zip(*sides, strict=True))
    raise UserError(
        f"{runs.columns.source}, column {runs.seed}: no seed is in both arms (baseline {_listed(runs, ours)}; others "
        f"{_listed(runs, others)}), allowed: seeds that the arms share; or --unpaired, if they share none by design"
    )


def _listed(runs: Runs, seeds: set[int]) -> str:
    named = ", ".join(runs.seed_named(seed) for seed in islice(sorted(seeds), 5))
    return f"{named} …" if len(seeds) > 5 else named
