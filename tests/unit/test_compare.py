"""The comparison on tables of known content: what is judged, and what is written."""

import json
import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
import synthetic
from synthetic import GRID

from bnbench import compare
from bnbench.errors import UserError
from bnbench.judging import sign_flips, stats
from bnbench.store import schemas
from bnbench.vocabulary import FACTORS

pytestmark = pytest.mark.filterwarnings("error")


def written(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.suffix in (".csv", ".json")}


def geometric_mean(losses):
    return math.exp(np.log(losses).mean())


def only(table):
    (row,) = table.to_dict("records")
    return row


def test_a_known_ratio_is_found_exactly_where_nothing_else_differs(compared):
    found, _ = compared(synthetic.plan(), ratio=synthetic.arms(batch=3.0))
    row = only(found["contexts"])
    assert row["effect"] == pytest.approx(3)
    assert (row["effect_low"], row["effect_high"]) == pytest.approx((3, 3))
    assert row["treatment_value"] / row["baseline_value"] == pytest.approx(3)
    assert row["baseline_value"] == pytest.approx(geometric_mean(found["pairs"]["baseline_value"]))
    assert (row["verdict"], row["p"], row["pairs"], row["win_rate"]) == ("hurts", 2 / 2**8, 8, 0)
    assert row["correlation"] == pytest.approx(1)
    assert row["variance_ratio"] == pytest.approx(0, abs=1e-9)


def test_each_context_has_its_own_ratio_with_an_interval_that_holds_it(compared):
    truth = {"full": {"adam lr=0.001": 4.0, "sgd lr=0.1": 0.25}, "25": {"adam lr=0.001": 1.0, "sgd lr=0.1": 1.5}}
    found, verdicts = compared(
        synthetic.plan(seeds=12, **GRID),
        ratio=lambda labels, _: truth[labels["batch_size"]][labels["optimizer"]] if labels["norm"] == "batch" else 1.0,
        noise=0.2,
    )
    contexts = found["contexts"].set_index(["batch_size", "optimizer"])
    for (batch_size, optimizer), row in contexts.iterrows():
        assert row["effect_low"] < truth[batch_size][optimizer] < row["effect_high"]
        assert row["effect_low"] < row["narrow_low"] < row["effect"] < row["narrow_high"] < row["effect_high"]
    assert contexts["verdict"].to_dict() == {
        ("full", "adam lr=0.001"): "hurts",
        ("full", "sgd lr=0.1"): "helps",
        ("25", "adam lr=0.001"): "undecided",
        ("25", "sgd lr=0.1"): "hurts",
    }
    np.testing.assert_allclose(contexts["p_holm"], stats.holm(contexts["p"]))
    assert contexts["seeds_needed"].notna().tolist() == (contexts["verdict"] == "undecided").tolist()
    assert len(verdicts["sentences"]) == 4


def test_the_numbers_of_a_context_are_those_of_its_pairs(compared):
    found, _ = compared(synthetic.plan(), ratio=synthetic.arms(batch=1.2), noise=0.4)
    row, pairs = only(found["contexts"]), found["pairs"]
    differences = np.log(pairs["treatment_value"] / pairs["baseline_value"]).to_numpy()
    assert row["effect"] == pytest.approx(geometric_mean(pairs["effect"]))
    assert row["p"] == row["p_adjusted"] == sign_flips.sign_flip(differences)
    assert row["hedges_dz"] == pytest.approx(stats.hedges_dz(differences))
    assert row["win_rate"] == np.mean(differences < 0)
    logs = np.log(pairs[["baseline_value", "treatment_value"]].to_numpy()).T
    assert row["correlation"] == pytest.approx(np.corrcoef(*logs)[0, 1])


def test_equal_arms_are_equivalent(compared):
    row = only(compared(synthetic.plan(), ratio=synthetic.arms(batch=1.01), noise=0.001)[0]["contexts"])
    assert (row["verdict"], row["within_margin"]) == ("hurts", True)
    row = only(compared(synthetic.plan())[0]["contexts"])
    assert (row["verdict"], row["within_margin"], row["effect"], row["p"]) == ("equivalent", True, 1, 1)


def test_rows_in_any_order_give_the_same_files_and_so_does_a_second_run(compared, tmp_path):
    study = synthetic.plan(seeds=6, **GRID)
    diverged = synthetic.where("batch", [2], 20)
    frames = synthetic.frames(study, ratio=synthetic.arms(batch=2.0), noise=0.3, diverged=diverged)
    compared(study, frames)
    first = written(tmp_path)
    compared(study, {name: frame.sample(frac=1, random_state=1) for name, frame in frames.items()})
    assert written(tmp_path) == first
    assert set(first) >= {"verdicts.json", *(f"{name}.csv" for name in schemas.TABLES)}


def test_diverged_trials_count_as_the_worst_and_are_named(compared):
    found, verdicts = compared(
        synthetic.plan(), ratio=synthetic.arms(batch=0.5), diverged=synthetic.where("batch", range(5), 12)
    )
    row = only(found["contexts"])
    assert (row["test"], row["verdict"], row["pairs"], row["finite_pairs"]) == ("worst-rank", "undecided", 8, 3)
    assert (row["diverged_baseline"], row["diverged_treatment"]) == (0, 5)
    # Five ranks tie at 6, three favour BN by 2 each: of 2^8 flips, those of the five in one direction reach 24.
    assert row["p"] == sign_flips.sign_flip(np.array([6.0] * 5 + [-2.0] * 3))
    assert row["p_mcnemar"] == 2 * 0.5**5
    assert row["effect"] == pytest.approx(0.5)
    assert row["win_rate"] == 3 / 8
    assert math.isnan(row["seeds_needed"])
    assert found["pairs"]["treatment_value"].isna().sum() == 5
    assert set(zip(found["exclusions"]["reason"], found["exclusions"]["epoch"], strict=True)) == {("diverged", 12)}
    assert found["exclusions"]["seed"].tolist() == [0, 1, 2, 3, 4]
    assert only(found["provenance"].query("norm == 'batch'"))["diverged"] == 5
    assert "diverged" in verdicts["sentence"] or "nothing is decided" in verdicts["sentence"].lower()


@pytest.mark.parametrize(("arm", "verdict"), [("batch", "hurts"), ("none", "helps")])
def test_an_arm_that_always_diverges_is_the_worse_one(compared, arm, verdict):
    row = only(compared(synthetic.plan(), diverged=synthetic.where(arm, range(8), 0))[0]["contexts"])
    assert (row["verdict"], row["p"], row["finite_pairs"]) == (verdict, 2 / 2**8, 0)
    assert math.isnan(row["effect"])


def test_nothing_is_decided_where_both_arms_always_diverge(compared):
    row = only(compared(synthetic.plan(), diverged=lambda labels, seed: 3)[0]["contexts"])
    assert (row["verdict"], row["p"], row["p_mcnemar"], row["win_rate"]) == ("undecided", 1, 1, 0.5)


def test_a_loss_that_is_not_finite_is_divergence_even_where_the_trial_does_not_say_so(compared):
    study = synthetic.plan()
    frames = synthetic.frames(study, ratio=synthetic.arms(batch=0.5), noise=0.05)
    curves = frames["curves"]
    curves.loc[(curves["norm"] == "batch") & (curves["seed"] == 0) & (curves["epoch"] == 39), "test_loss"] = math.inf
    row = only(compared(study, frames)[0]["contexts"])
    assert (row["test"], row["diverged_treatment"], row["finite_pairs"]) == ("worst-rank", 1, 7)
    # Ranks decide here, and how many seeds they need is not known.
    assert (row["verdict"], math.isnan(row["seeds_needed"])) == ("undecided", True)


def test_one_seed_decides_nothing(compared):
    row = only(compared(synthetic.plan(seeds=1), ratio=synthetic.arms(batch=9.0))[0]["contexts"])
    assert (row["verdict"], row["pairs"], row["effect"]) == ("undecided", 1, pytest.approx(9))


def test_the_window_and_the_last_epoch_stand_side_by_side(compared):
    study = synthetic.plan(report={"window": 0.5})
    frames = synthetic.frames(study, shared=0.0)
    curves = frames["curves"]
    curves.loc[(curves["norm"] == "batch") & (curves["epoch"] == 39), "test_loss"] *= 9
    row = only(compared(study, frames)[0]["contexts"])
    # Half of the four measured epochs.
    assert (row["effect"], row["effect_last"]) == pytest.approx((3, 9))


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
    assert "lacks data in 2" in verdicts["sentence"]


def test_a_study_of_which_nothing_is_trained_says_so(compared):
    found, verdicts = compared(synthetic.plan(), seeds=lambda labels: [])
    assert verdicts["sentence"] == "There are no pairs to compare yet."
    assert only(found["contexts"])["verdict"] == "no data"
    assert len(found["pairs"]) == len(found["curves"].dropna()) == 0
    assert verdicts["trajectories"] == []


def test_a_study_of_which_nothing_is_trained_has_no_cost(compared):
    _, verdicts = compared(synthetic.plan(), seeds=lambda labels: [])
    assert verdicts["cost"] == "Nothing was trained yet."


@pytest.mark.parametrize(("name", "spoil"), [*product(["trials", "curves", "predictions"], ["absent", "corrupt"])])
def test_a_spoilt_table_is_one_message_that_names_it(tmp_path, name, spoil):
    study = synthetic.plan(seeds=1)
    path = synthetic.collected(study, tmp_path) / f"{name}.parquet"
    path.write_bytes(b"no table") if spoil == "corrupt" else path.unlink()
    with pytest.raises(UserError, match=rf"{name}\.parquet: (no such file|not a readable table)"):
        compare.run(study, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_losses_below_the_resolution_have_no_ratio_and_are_judged_by_ranks(compared):
    study = synthetic.plan(report={"outcome": "train_loss", "window": 0.1})
    seeds = {"none": range(1, 8), "batch": range(8)}
    found, _ = compared(study, loss=1e-40, shared=0.0, seeds=lambda labels: seeds[labels["norm"]])
    row = only(found["contexts"])
    assert (row["pairs"], row["floored"], row["test"], row["verdict"]) == (7, 7, "rank", "undecided")
    assert row["resolution"] == pytest.approx(2**-46 / 100)
    assert row["raised_effect"] == 1
    assert math.isnan(row["effect"])
    assert found["pairs"]["effect"].isna().all()


@pytest.mark.parametrize(
    ("changes", "report", "arm_labels"),
    [
        ({"optimizer": ["adam", "sgd"]}, {"factor": "optimizer", "baseline": "sgd"}, ("sgd lr=0.001", "adam lr=0.001")),
        ({"batch_size": ["full", 25]}, {"factor": "batch_size", "baseline": 25}, ("25", "full")),
        ({"device": ["cpu", "cuda"]}, {"factor": "device", "baseline": "cpu"}, ("cpu", "cuda")),
        ({"activation": ["relu", "tanh"]}, {"factor": "activation", "baseline": "tanh"}, ("tanh", "relu")),
        ({"hidden": [[4], [4, 8]]}, {"factor": "hidden", "baseline": [4, 8]}, ("4-8", "4")),
        ({"hidden": [[4], [4, 8]]}, {"factor": "hidden", "baseline": "4"}, ("4", "4-8")),
        ({"schedule": ["constant", "cosine"]}, {"factor": "schedule", "baseline": "constant"}, ("constant", "cosine")),
        (
            {"init": ["independent", "sequential"]},
            {"factor": "init", "baseline": "independent"},
            ("independent", "sequential"),
        ),
        ({"task": ["sine", "mixture"]}, {"factor": "task", "baseline": "sine"}, ("sine", "mixture")),
    ],
)
def test_any_factor_can_be_the_compared_one(compared, changes, report, arm_labels):
    study = synthetic.plan(**changes, report=report)
    treatment = arm_labels[1]
    found, verdicts = compared(
        study,
        ratio=lambda labels, _: 0.5 if labels[report["factor"]] == treatment else 1.0,
        # Weights are shared by what does not change them.
        weights_hash=lambda labels, _: " ".join(labels[factor] for factor in ("task", "hidden", "init")),
    )
    assert verdicts["arms"] == list(arm_labels)
    assert found["contexts"]["norm"].tolist() == ["none", "batch"]
    assert found["contexts"]["verdict"].tolist() == ["helps", "helps"]
    np.testing.assert_allclose(found["contexts"]["effect"], 0.5)


def test_three_arms_are_each_compared_with_the_baseline_in_one_family(compared):
    slow = {"name": "batch", "momentum": 0.01}
    study = synthetic.plan(norm=["batch", "none", slow])
    found, verdicts = compared(study, ratio=synthetic.arms(**{"batch": 2.0, "batch momentum=0.01": 0.5}))
    contexts = found["contexts"]
    assert contexts["treatment"].tolist() == ["batch", "batch momentum=0.01"]
    assert contexts["verdict"].tolist() == ["hurts", "helps"]
    np.testing.assert_allclose(contexts["p_holm"], 2 * contexts["p"])
    assert found["interactions"].empty  # one context cannot interact with anything
    assert verdicts["arms"] == ["none", "batch", "batch momentum=0.01"]
    assert len(found["pairs"]) == 16


def test_the_json_is_strict_and_holds_every_table_to_the_last_digit(compared, tmp_path):
    found, verdicts = compared(
        synthetic.plan(**GRID),
        ratio=synthetic.arms(batch=3.0),
        loss=1e-10,
        noise=0.1,
        diverged=synthetic.where("batch", [1], 2),
    )
    text = (tmp_path / "synthetic" / "verdicts.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == verdicts
    assert set(verdicts["tables"]) == set(schemas.TABLES)
    for name, table in found.items():
        stored = pd.DataFrame(verdicts["tables"][name]["data"], columns=verdicts["tables"][name]["columns"])
        assert stored.shape == table.shape
        for column, numbers in table.select_dtypes("number").dropna(axis=1, how="all").items():
            finite = numbers.astype(float).where(np.isfinite(numbers.astype(float)))
            np.testing.assert_allclose(stored[column].astype(float), finite, rtol=1e-14, err_msg=f"{name}.{column}")
    assert {len(row) for row in verdicts["tables"]["pairs"]["data"]} == {len(found["pairs"].columns)}


def test_every_row_and_every_context_has_its_sentence(compared):
    point = {"norm": "batch", "epoch": 39, "value": 1e-3, "source": "the paper"}
    study = synthetic.plan(**GRID, reference_points=[point])
    found, verdicts = compared(study, ratio=synthetic.arms(batch=3.0), noise=0.1)
    assert len(verdicts["sentences"]) == len(verdicts["trajectories"]) == len(found["contexts"]) == 4
    assert verdicts["interactions"] == found["interactions"]["sentence"].tolist()
    assert verdicts["reference"] == found["reference"]["sentence"].tolist()
    assert verdicts["aggregate"] == found["aggregate"]["sentence"].tolist()
    assert (len(verdicts["interactions"]), len(verdicts["aggregate"]), verdicts["ranks"]) == (3, 1, "")
    assert len(verdicts["reference"]) == 4
    assert verdicts["control"].startswith("A/A control of the code: no BN was compared with itself on two halves")
    arms = "32 s for 32 trials without BN and 32 s for 32 trials with BN"
    assert verdicts["cost"] == f"Training and evaluating took 1 min 4 s: {arms}."
    assert "trained for 40 epochs from 8 seeds in each of 4 contexts" in verdicts["methods"]


def test_tables_of_a_context_are_named_by_the_same_labels(compared):
    study = synthetic.plan(**GRID, norm=["none", "batch", {"name": "batch", "momentum": 0.01}])
    found, _ = compared(study, noise=0.1)
    names = [*(factor for factor in FACTORS if factor != "norm"), "baseline", "treatment"]
    expected = set(found["contexts"][names].itertuples(index=False, name=None))
    assert len(expected) == 8
    for name in ("pairs", "outcomes", "decomposition", "differences"):
        assert found[name].columns[: len(names)].tolist() == names
        assert set(found[name][names].itertuples(index=False, name=None)) == expected
