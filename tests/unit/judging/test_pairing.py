"""Pairs: which trials are compared with which, and how whatever is left out is named."""

import numpy as np
import pandas as pd
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import changed

from bnbench import compare
from bnbench.judging import pairing
from bnbench.store import tables, trials

pytestmark = pytest.mark.filterwarnings("error")

some_seeds = st.lists(st.integers(0, 6), max_size=8)


def only(table):
    (row,) = table.to_dict("records")
    return row


def arms_of(study, folder, **options):
    """The context of a study, and its readings by arm."""
    data = synthetic.collected(study, folder, **options)
    ((context, of_arm),) = study.contexts()
    return context, {arm: trials.read(study, data, setting) for arm, setting in of_arm.items()}


def test_pairs_are_made_by_seed_and_whatever_has_no_pair_is_named(compared):
    seeds = {"none": [7, 0, 1, 2, 4, 5, 6, 9], "batch": [0, 1, 1, 3, 4, 5, 6, 7]}
    found, _ = compared(
        synthetic.plan(),
        ratio=synthetic.arms(batch=3.0),
        noise=0.0,
        shared=5.0,
        seeds=lambda labels: seeds[labels["norm"]],
    )
    assert found["pairs"]["seed"].tolist() == [0, 4, 5, 6, 7]
    np.testing.assert_allclose(found["pairs"]["effect"], 3)
    named = {(row["norm"], row["seed"]): row["reason"] for row in found["exclusions"].to_dict("records")}
    assert named == {
        ("none", 3): "missing",
        ("none", 9): "not asked for",
        ("batch", 1): "duplicated",
        ("batch", 2): "missing",
    }
    assert only(found["contexts"])["pairs"] == 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pairs")


@given(none=some_seeds, batch=some_seeds, other=st.sets(st.integers(0, 6)))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_every_seed_is_in_a_pair_or_is_named_in_the_arm_that_is_to_blame(folder, none, batch, other):
    study = synthetic.plan(seeds={"first": 1, "count": 5}, epochs=1)
    have = {"none": none, "batch": batch}
    weights = synthetic.where("batch", other, "other", "same")
    context, arms = arms_of(study, folder, seeds=lambda labels: have[labels["norm"]], weights_hash=weights)
    pairs, dropped = pairing.pair(study, context, arms["none"], arms["batch"])
    usable = {arm: {seed for seed in study.seeds if seeds.count(seed) == 1} for arm, seeds in have.items()}
    assert pairs.seeds.tolist() == sorted((usable["none"] & usable["batch"]) - other)
    left_out = [row for arm in arms.values() for row in pairing.left_out(arm, study.report.outcome)]
    blamed = {(row["norm"], row["seed"]) for row in dropped + left_out}
    outside = {(arm, seed) for arm, seeds in have.items() for seed in set(seeds) - set(study.seeds)}
    unusable = {(arm, seed) for arm in have for seed in set(study.seeds) - usable[arm]}
    unequal = {("batch", seed) for seed in usable["none"] & usable["batch"] & other}
    assert blamed == outside | unusable | unequal


def test_a_pair_has_the_losses_of_its_own_seed_in_both_arms(tmp_path):
    study = synthetic.plan(seeds=6)
    have = {"none": [5, 3, 0, 1], "batch": [1, 2, 5, 3]}
    context, arms = arms_of(
        study,
        tmp_path,
        ratio=lambda labels, seed: 10.0 ** (seed + (labels["norm"] == "batch")),
        shared=0.0,
        seeds=lambda labels: have[labels["norm"]],
    )
    pairs, _ = pairing.pair(study, context, arms["none"], arms["batch"])
    assert pairs.seeds.tolist() == [1, 3, 5]
    baseline, treated = pairs.final("train_loss", 0.05)
    np.testing.assert_allclose(baseline / np.log(10) + 3, [1, 3, 5])
    np.testing.assert_allclose(treated - baseline, np.log(10))
    assert pairs.labels == {**context, "baseline": "none", "treatment": "batch"}


def test_pairs_that_start_from_other_weights_are_left_out_and_named(compared):
    weights = synthetic.where("batch", [3], "other weights", "the same weights")
    found, _ = compared(synthetic.plan(), weights_hash=weights)
    assert found["pairs"]["seed"].tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert only(found["exclusions"])["reason"] == "other weights"
    # The question's own order of draws gives the arms different weights.
    found, _ = compared(synthetic.plan(init="sequential"), weights_hash=weights)
    assert len(found["pairs"]) == 8


def test_tasks_that_are_compared_start_from_other_weights_by_design(compared):
    study = synthetic.plan(task=["sine", "mixture"], norm=["none"], report={"factor": "task", "baseline": "sine"})
    found, _ = compared(study, weights_hash=lambda labels, seed: f"{labels['task']} {seed}")
    assert (len(found["pairs"]), len(found["exclusions"])) == (8, 0)


def test_what_three_arms_leave_out_is_named_once_for_each_arm_that_is_to_blame(compared):
    study = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}])
    without = {"none": range(1, 8), "batch": range(7)}
    found, _ = compared(
        study,
        seeds=lambda labels: without.get(labels["norm"]),
        diverged=synthetic.where("batch momentum=0.01", [4], 30),
    )
    named = [(row["norm"], row["seed"], row["reason"], row["epoch"]) for row in found["exclusions"].to_dict("records")]
    assert sorted((*one, None if pd.isna(epoch) else epoch) for *one, epoch in named) == [
        ("batch", 7, "missing", None),
        ("batch momentum=0.01", 4, "diverged", 30),
        ("none", 0, "missing", None),
    ]
    assert found["contexts"]["pairs"].tolist() == [6, 7]


def test_a_trial_whose_losses_stop_without_its_saying_so_is_named_too(compared):
    study = synthetic.plan()
    frames = synthetic.frames(study)
    curves = frames["curves"]
    curves.loc[(curves["norm"] == "batch") & (curves["seed"] == 5) & (curves["epoch"] >= 30), "test_loss"] = np.nan
    found, _ = compared(study, frames)
    assert only(found["contexts"])["diverged_treatment"] == 1
    assert [(row["norm"], row["seed"]) for row in found["exclusions"].to_dict("records")] == [("batch", 5)]


def mixed(verdicts):
    """What is said of each context's mixed provenance."""
    table = verdicts["tables"]["contexts"]
    return [row[table["columns"].index("mixed")] for row in table["data"]]


@pytest.mark.parametrize(
    ("column", "kind"), [("torch", "torch"), ("device_name", "device"), ("arithmetic", "arithmetic")]
)
def test_pairs_of_mixed_provenance_are_named(compared, column, kind):
    study = synthetic.plan()
    assert mixed(compared(study, **{column: synthetic.where("batch", range(8), "one", "other")})[1]) == [
        f"{kind} one and other"
    ]
    # Seed 8 is in no pair: whatever it was made by mixes with nothing.
    alone = {column: lambda _, seed: "one" if seed < 8 else "other", "seeds": lambda _: range(9)}
    assert mixed(compared(study, **alone)[1]) == [""]


def test_tables_that_were_collected_before_the_arithmetic_was_recorded_are_read(tmp_path):
    study = synthetic.plan()
    data = synthetic.collected(study, tmp_path / "data")
    changed(data / "trials.parquet", lambda table: table.drop_columns(["arithmetic"]))
    compare.run(study, data, tmp_path, synthetic.SPLITS)
    assert mixed(tables.read_json(tmp_path / "verdicts.json")) == [""]


def test_devices_that_are_compared_are_mixed_only_within_an_arm(compared):
    study = synthetic.plan(norm=["none"], device=["cpu", "cuda"], report={"factor": "device", "baseline": "cpu"})
    assert mixed(compared(study, device_name=lambda labels, _: labels["device"])[1]) == [""]
    within = compared(study, device_name=lambda labels, seed: f"{labels['device']} {seed % 2}")[1]
    assert mixed(within) == ["device cpu 0 and cpu 1; device cuda 0 and cuda 1"]
