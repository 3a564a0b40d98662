"""What the comparison pairs, what it leaves out, and how it names whatever is amiss."""

import math
from itertools import product

import numpy as np
import pytest
import synthetic
from synthetic import GRID

from bnbench import compare, stats
from bnbench.errors import UserError

pytestmark = pytest.mark.filterwarnings("error")


def only(table):
    (row,) = table.to_dict("records")
    return row


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
    np.testing.assert_allclose(found["pairs"]["ratio"], 3)
    named = {(row["norm"], row["seed"]): row["reason"] for row in found["exclusions"].to_dict("records")}
    assert named == {
        ("none", 3): "missing",
        ("none", 9): "not asked for",
        ("batch", 1): "duplicated",
        ("batch", 2): "missing",
    }
    assert only(found["contexts"])["pairs"] == 5


def test_pairs_that_start_from_other_weights_are_left_out_and_named(compared):
    weights = synthetic.where("batch", [3], "other weights", "the same weights")
    found, _ = compared(synthetic.plan(), weights_hash=weights)
    assert found["pairs"]["seed"].tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert only(found["exclusions"])["reason"] == "starts from other weights than its pair"
    # The question's own order of draws gives the arms different weights.
    found, _ = compared(synthetic.plan(init="sequential"), weights_hash=weights)
    assert len(found["pairs"]) == 8


def mixed(verdicts):
    """What is said of each context's mixed provenance."""
    table = verdicts["tables"]["contexts"]
    return [row[table["columns"].index("mixed")] for row in table["data"]]


@pytest.mark.parametrize(("column", "kind"), [("torch", "torch"), ("device_name", "device")])
def test_pairs_of_mixed_provenance_are_named(compared, column, kind):
    study = synthetic.plan()
    assert mixed(compared(study, **{column: synthetic.where("batch", range(8), "one", "other")})[1]) == [
        f"{kind} one and other"
    ]
    # Seed 8 is in no pair: whatever it was made by mixes with nothing.
    alone = {column: lambda _, seed: "one" if seed < 8 else "other", "seeds": lambda _: range(9)}
    assert mixed(compared(study, **alone)[1]) == [""]


def test_devices_that_are_compared_are_mixed_only_within_an_arm(compared):
    study = synthetic.plan(norm=["none"], device=["cpu", "cuda"], report={"factor": "device", "baseline": "cpu"})
    assert mixed(compared(study, device_name=lambda labels, _: labels["device"])[1]) == [""]
    within = compared(study, device_name=lambda labels, seed: f"{labels['device']} {seed % 2}")[1]
    assert mixed(within) == ["device cpu 0 and cpu 1; device cuda 0 and cuda 1"]


def test_a_context_without_trials_is_no_data_and_the_others_are_judged_without_it(compared):
    study = synthetic.plan(**GRID)
    found, verdicts = compared(
        study, ratio=synthetic.arms(batch=3.0), seeds=lambda labels: [] if labels["batch_size"] == "25" else None
    )
    contexts = found["contexts"]
    assert contexts["verdict"].tolist() == ["hurts", "hurts", "no data", "no data"]
    np.testing.assert_allclose(contexts["p_holm"], [4 / 2**8, 4 / 2**8, math.nan, math.nan])
    assert contexts["pairs"].tolist() == [8, 8, 0, 0]
    assert (found["exclusions"]["reason"] == "missing").sum() == 32
    assert "no pairs yet with Adam at batch 25 and with SGD at batch 25" in verdicts["sentence"]


def test_a_study_of_which_nothing_is_trained_says_so(compared):
    found, verdicts = compared(synthetic.plan(), seeds=lambda labels: [])
    assert verdicts["sentence"] == "There are no pairs to compare yet."
    assert only(found["contexts"])["verdict"] == "no data"
    assert len(found["pairs"]) == len(found["curves"].dropna()) == 0


@pytest.mark.parametrize(("name", "spoil"), [*product(["trials", "curves", "predictions"], ["absent", "corrupt"])])
def test_a_spoilt_table_is_one_message_that_names_it(tmp_path, name, spoil):
    study = synthetic.plan(seeds=1)
    path = synthetic.collected(study, tmp_path) / f"{name}.parquet"
    path.write_bytes(b"no table") if spoil == "corrupt" else path.unlink()
    with pytest.raises(UserError, match=rf"{name}\.parquet: (no such file|not a readable table)"):
        compare.run(study, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_losses_below_the_floor_are_raised_and_counted_among_the_pairs_alone(compared):
    study = synthetic.plan(report={"outcome": "train_loss", "window": 0.1})
    seeds = {"none": range(1, 8), "batch": range(8)}
    found, _ = compared(study, loss=1e-40, shared=0.0, seeds=lambda labels: seeds[labels["norm"]])
    row = only(found["contexts"])
    assert (row["pairs"], row["floored"]) == (7, 7 * 2 * 4)
    assert row["baseline_loss"] == pytest.approx(stats.FLOOR)
