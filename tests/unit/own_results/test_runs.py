"""Runs that stop early, diverge, lack epochs or are there twice: told or refused."""

import math
from itertools import pairwise

import own_tables as tables
import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_tables import grid, measured

from bnbench.errors import UserError
from bnbench.own_results import runs

CURVES = measured(grid(norm=["none", "batch"], task=["a", "b"], seed=range(6), epoch=range(5)), "val_loss")

cell = st.sampled_from(["kept"] * 12 + ["nan", "empty", "no row"])


def changed(columns, changes):
    """The columns with some cells of the loss changed, and some rows left out."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    kept = []
    for row, change in zip(rows, changes, strict=True):
        if change != "no row":
            loss = {"nan": math.nan, "empty": None}.get(change, row["val_loss"])
            kept.append({**row, "val_loss": loss})
    return {name: [row[name] for row in kept] for name in columns}


def by_run(columns):
    """The slow way: labels and seed → epoch → loss, None where nothing was measured."""
    found = {}
    for norm, task, seed, epoch, loss in zip(*columns.values(), strict=True):
        found.setdefault((norm, task, seed), {})[epoch] = loss
    return {run: {epoch: found[run][epoch] for epoch in sorted(found[run])} for run in sorted(found)}


def oddities(columns, empty):
    """Which runs are odd, and how, by plain loops."""
    every = by_run(columns)
    known = {epoch for own in every.values() for epoch, loss in own.items() if loss is not None}
    if empty == "diverged":
        for own in every.values():
            last = max([epoch for epoch, loss in own.items() if loss is not None], default=-1)
            for epoch, loss in own.items():
                if loss is None and epoch in known and epoch > last:
                    own[epoch] = math.nan
    ends = {run: max([e for e, loss in own.items() if loss is not None], default=None) for run, own in every.items()}
    odd = {"without": [run for run, end in ends.items() if end is None], "diverged": [], "stopped": [], "gaps": []}
    for run, end in ends.items():
        if end is None:
            continue
        latest = max(other for peer, other in ends.items() if peer[1] == run[1] and other is not None)
        if math.isnan(every[run][end]):
            odd["diverged"].append(run)
        elif end < latest:
            odd["stopped"].append(run)
        peers = [
            {e for e, loss in own.items() if loss is not None} for peer, own in every.items() if peer[:2] == run[:2]
        ]
        alike = set.union(*peers)
        own = {e for e, loss in every[run].items() if loss is not None}
        if sum(map(len, peers)) >= 0.5 * len(peers) * len(alike) and {e for e in alike if e <= end} - own:
            odd["gaps"].append(run)
    return odd


def named(found):
    return [f"norm={norm}, task={task}, seed {seed}" for norm, task, seed in found]


@given(st.lists(cell, min_size=120, max_size=120), st.sampled_from(["stopped", "diverged"]))
def test_odd_runs_are_those_that_plain_loops_find(changes, empty):
    columns = changed(CURVES, changes)
    # By batch and none, as labels are in order; contexts are named, since holes could make them doubtful.
    found = tables.facts(columns, empty=empty, contexts=["task"], factor="norm")
    odd = oddities(columns, empty)
    assert found["diverged"] == len(odd["diverged"])
    for key in ("without", "stopped", "gaps"):
        assert (found[key]["count"], found[key]["first"]) == (len(odd[key]), named(odd[key])[: runs.NAMED])


def test_a_whole_table_has_no_odd_runs():
    found = tables.facts(CURVES)
    assert [found[key]["count"] for key in ("without", "stopped", "gaps")] == [0, 0, 0]
    assert (found["diverged"], found["averaged"], found["runs"]) == (0, 0, 24)


def test_a_run_that_is_as_long_as_its_context_has_not_stopped():
    keep = [
        place
        for place, (task, epoch) in enumerate(zip(CURVES["task"], CURVES["epoch"], strict=True))
        if task == "a" or epoch < 3
    ]
    shorter = {name: [cells[place] for place in keep] for name, cells in CURVES.items()}
    assert tables.facts(shorter)["stopped"] == {"count": 0, "first": []}


def test_an_outcome_that_ends_without_a_value_is_refused_until_it_is_said_what_that_means():
    losses = [None if place in (3, 4) else loss for place, loss in enumerate(CURVES["val_loss"])]
    columns = {**CURVES, "val_loss": losses}
    with pytest.raises(UserError) as error:
        tables.read(columns)
    assert str(error.value) == (
        "runs.csv, line 5, column val_loss: found nothing from here on in the run norm=none, task=a, seed 0, where "
        "other runs have values, allowed: --empty diverged, if it was not finite there; or --empty stopped, if it was "
        "no longer measured"
    )
    assert tables.facts(columns, empty="stopped")["stopped"]["first"] == ["norm=none, task=a, seed 0"]
    assert tables.facts(columns, empty="diverged")["diverged"] == 1


def test_an_outcome_that_is_measured_at_some_epochs_alone_has_no_gaps():
    losses = [loss if epoch % 2 == 0 else None for epoch, loss in zip(CURVES["epoch"], CURVES["val_loss"], strict=True)]
    found = tables.facts({**CURVES, "val_loss": losses})
    assert [found[key]["count"] for key in ("without", "stopped", "gaps")] == [0, 0, 0]


def test_infinity_and_nan_are_runs_that_diverged():
    losses = [{4: math.nan, 9: math.inf}.get(place, loss) for place, loss in enumerate(CURVES["val_loss"])]
    assert tables.facts({**CURVES, "val_loss": losses})["diverged"] == 2


def test_runs_that_are_there_twice_are_named_and_refused_until_their_mean_is_asked_for():
    twice = {name: [*cells, *cells[:10]] for name, cells in CURVES.items()}
    with pytest.raises(UserError) as error:
        tables.read(twice)
    assert str(error.value) == (
        "runs.csv, line 2: found several values of val_loss of one run (norm=none, task=a, seed 0; norm=none, task=a, "
        "seed 1), allowed: one for each seed and epoch; --context with the column that distinguishes them; or "
        "--duplicates mean"
    )
    assert tables.facts(twice, duplicates="mean")["averaged"] == 10


def test_an_epoch_that_does_not_tell_rows_apart_has_a_step_offered_in_its_place():
    columns = {**CURVES, "epoch": [0] * 60 + [1] * 60, "step": CURVES["epoch"]}
    columns["epoch"] = [place // 2 for place in CURVES["epoch"]]
    with pytest.raises(UserError, match=r"--duplicates mean; or --epoch step$"):
        tables.read(columns)


@given(st.sets(st.integers(-50, 50)))
def test_ranges_hold_each_number_once(numbers):
    found = runs.ranges([*numbers])
    spread = [number for first, last in found for number in range(first, last + 1)]
    assert spread == sorted(numbers)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(found))


def test_runs_that_are_measured_at_steps_of_their_own_neither_stop_early_nor_lack_steps():
    rows = [
        (arm, seed, 100 * k + 7 * seed + 3 * (arm == "new"))
        for arm in ("none", "new")
        for seed in range(6)
        for k in range(1, 9)
    ]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("arm", "seed", "step"))}
    found = tables.facts(measured(columns, "episode_return"))
    assert (found["stopped"]["count"], found["gaps"]["count"]) == (0, 0)
    short = [row for row in rows if row[:2] != ("new", 0) or row[2] < 400]
    columns = {name: [row[place] for row in short] for place, name in enumerate(("arm", "seed", "step"))}
    assert tables.facts(measured(columns, "episode_return"))["stopped"]["first"] == ["arm=new, seed 0"]


def test_arms_that_end_at_different_epochs_are_told():
    assert tables.facts(CURVES)["unequal"] == {"contexts": 0, "first": []}
    rows = [dict(zip(CURVES, row, strict=True)) for row in zip(*CURVES.values(), strict=True)]
    kept = [row for row in rows if row["norm"] == "none" or row["epoch"] < 3]
    shorter = {name: [row[name] for row in kept] for name in CURVES}
    assert tables.facts(shorter)["unequal"] == {"contexts": 2, "first": [["batch", 2], ["none", 4]]}
