"""Results of one's own as collected tables: every number to the bit, and nothing where nothing was measured."""

import math
from pathlib import Path

import numpy as np
import own_tables as tables
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_tables import grid, measured

from bnbench import collect
from bnbench.errors import UserError
from bnbench.judging import finals, pairing, time_to_target, trajectories
from bnbench.store import own_trials

TABLE = measured(grid(norm=["none", "batch"], seed=range(3), epoch=range(4)), "val_loss")
SAID = {"outcome": "val_loss", "empty": "stopped", "epoch": "epoch"}


def read(folder: Path, columns, **said):
    """Study and trials by arm of the columns, once they are collected."""
    study = tables.study(columns, **{**SAID, **said})
    collect.run(study, Path(), folder, tables.long(columns))
    return study, {setting.labels["norm"]: own_trials.read(study, folder, setting) for setting in study.settings}


cells = st.lists(st.sampled_from([0.5, 1.0, 2.5, 0.0, math.nan, None, None]), min_size=24, max_size=24)


@given(cells)
def test_values_are_carried_over_gaps_and_what_was_measured_is_marked(tmp_path_factory, losses):
    losses = [1.5, *losses[1:12], 2.5, *losses[13:]]
    columns = {**TABLE, "val_loss": losses}
    study, arms = read(tmp_path_factory.mktemp("data"), columns)
    by_run = {}
    for norm, seed, epoch, loss in zip(*columns.values(), strict=True):
        by_run.setdefault((norm, seed), {})[epoch] = loss
    epochs = sorted({epoch for own in by_run.values() for epoch, loss in own.items() if loss is not None})
    for norm, trials in arms.items():
        own = {seed: by_run[norm, seed] for seed in range(3)}
        own = {seed: run for seed, run in own.items() if any(loss is not None for loss in run.values())}
        assert trials.seeds.tolist() == [*own]
        assert trials.left_out == {seed: "missing" for seed in study.seeds if seed not in own}
        assert trials.epochs["val_loss"].tolist() == epochs
        for place, run in enumerate(own.values()):
            known = [epoch for epoch in epochs if run[epoch] is not None]
            held = [run[max([e for e in known if e <= epoch], default=known[0])] for epoch in epochs]
            np.testing.assert_array_equal(trials.losses["val_loss"][:, place], held)
            there = [epoch in known for epoch in epochs]
            assert trials.measured.get("val_loss", np.ones((len(epochs), 9), bool))[:, place].tolist() == there
            diverged = [epoch for epoch in known if all(math.isnan(run[e]) for e in known if e >= epoch)]
            at = trials.rows["diverged_at"].iloc[place]
            assert at == diverged[0] if diverged else math.isnan(at)


@given(cells, st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_a_run_ends_at_the_mean_over_its_own_last_epochs(tmp_path_factory, losses, share):
    losses = [1.5, *losses[1:12], 2.5, *losses[13:]]
    _, arms = read(tmp_path_factory.mktemp("data"), {**TABLE, "val_loss": losses})
    smallest = min(loss for loss in losses if loss is not None and loss > 0)
    for norm, trials in arms.items():
        ended = finals.final(trials, "val_loss", share)
        for seed in trials.seeds:
            rows = zip(TABLE["norm"], TABLE["seed"], losses, strict=True)
            own = [loss for arm, number, loss in rows if (arm, number) == (norm, seed) and loss is not None]
            last = own[-max(1, math.ceil(share * len(own) - 1e-9)) :]
            logs = [math.nan if math.isnan(loss) else math.log(max(loss, smallest)) for loss in last]
            assert ended[seed] == pytest.approx(sum(logs) / len(logs), rel=1e-6, nan_ok=True)


def test_collected_tables_hold_every_number_to_the_bit(tmp_path):
    study, _ = read(tmp_path, {**TABLE, "val_acc": TABLE["val_loss"][::-1]})
    curves = pq.read_table(tmp_path / "curves.parquet").to_pydict()
    by_key = {key: place for place, key in enumerate(zip(TABLE["norm"], TABLE["seed"], TABLE["epoch"], strict=True))}
    for place, key in enumerate(zip(curves["norm"], curves["seed"], curves["epoch"], strict=True)):
        assert curves["val_loss"][place] == TABLE["val_loss"][by_key[key]]
        assert curves["val_acc"][place] == TABLE["val_loss"][::-1][by_key[key]]
    trials = pq.read_table(tmp_path / "trials.parquet").to_pydict()
    assert [*zip(trials["norm"], trials["seed"], strict=True)] == [
        (arm, n) for arm in ("batch", "none") for n in range(3)
    ]
    assert {*trials["setting"]} == {setting.address for setting in study.settings}
    assert trials["seconds"] == [None] * 6
    assert trials["val_loss"] == [
        TABLE["val_loss"][by_key[norm, seed, 3]] for norm in ("batch", "none") for seed in range(3)
    ]
    assert pq.read_table(tmp_path / "predictions.parquet").num_rows == 0


def test_an_outcome_that_some_run_lacks_is_left_out_of_its_setting(tmp_path):
    accuracies = [None if seed == 1 else 0.5 + place / 100 for place, seed in enumerate(TABLE["seed"])]
    _, arms = read(tmp_path, {**TABLE, "val_acc": accuracies})
    assert [*arms["none"].losses] == ["val_loss"]


def test_seeds_of_the_other_arm_are_missing_in_pairs_alone(tmp_path):
    columns = {name: column[:20] for name, column in TABLE.items()}
    assert read(tmp_path, columns)[1]["batch"].left_out == {2: "missing"}
    assert read(tmp_path, columns, unpaired=True)[1]["batch"].left_out == {}


def test_a_table_that_was_not_collected_is_named(tmp_path):
    study = tables.study(TABLE, **SAID)
    with pytest.raises(UserError, match=r"curves.parquet"):
        own_trials.read(study, tmp_path, study.settings[0])


def test_curves_begin_where_all_runs_have_been_measured(tmp_path):
    late = [
        loss if seed or epoch > 1 else None
        for loss, seed, epoch in zip(*(TABLE[name] for name in ("val_loss", "seed", "epoch")), strict=True)
    ]
    _, arms = read(tmp_path, {**TABLE, "val_loss": late})
    assert [arm.begun("val_loss") for arm in arms.values()] == [2, 2]


def test_a_run_diverged_only_if_the_outcome_that_decides_did(tmp_path):
    precision = [math.nan if seed == 1 else 0.5 for seed in TABLE["seed"]]
    _, arms = read(tmp_path, {**TABLE, "precision": precision})
    assert pairing.left_out(arms["batch"], "val_loss") == []
    assert [row["seed"] for row in pairing.left_out(arms["batch"], "precision")] == [1]


def test_a_run_that_stopped_before_it_reached_a_target_counts_with_its_own_last_epoch(tmp_path):
    losses = [1.0, 0.9, 0.8, 0.7] * 6
    losses[-2:] = [None, None]
    study, arms = read(tmp_path, {**TABLE, "val_loss": losses})
    assert arms["batch"].last("val_loss").tolist() == [3, 3, 1]
    found = time_to_target.times(arms["batch"], study.outcome, 0.75)
    assert found.never.tolist() == [False, False, True]
    assert np.exp(found.logs) == pytest.approx([4, 4, 2])


def test_a_course_of_differences_ends_where_the_first_run_stops(tmp_path):
    losses = [1.0, 0.9, 0.8, 0.7] * 6
    losses[-2:] = [None, None]
    study, arms = read(tmp_path, {**TABLE, "val_loss": losses})
    pairs, _ = pairing.pair(study, {}, arms["none"], arms["batch"])
    course = trajectories.trajectory(study, pairs)
    assert course.epochs.tolist() == [0, 1]
    assert course.differences.shape == (3, 2)
