"""Studies that tune, from collected trials to verdicts and sentences: what was chosen, for how many seeds, and why."""

import numpy as np
import pandas as pd
import pytest
import synthetic
from prose import assert_states
from synthetic import CHOSEN, arms, where

from bnbench.judging import tuning
from bnbench.store import trials

pytestmark = pytest.mark.filterwarnings("error")

RATES = (0.001, 0.01, 0.1)
ADAM = {"name": "adam", "lr": [*RATES]}
STUDY = synthetic.plan(optimizer=[ADAM], batch_size=["full", 25], tune={})
SGD = {"name": "sgd", "lr": [0.01, 0.1], "weight_decay": [0, 1e-4]}
BEST = {"none": "adam lr=0.01", "batch": "adam lr=0.1"}


def best(labels, seed):
    """Each arm is best at a rate of its own, where BN has half the loss; elsewhere it is ten times as bad."""
    at_best = labels["optimizer"] == BEST[labels["norm"]]
    return (1.0 if at_best else 10.0) * (0.5 if labels["norm"] == "batch" else 1.0)


def test_a_study_says_which_rates_were_chosen_and_the_ratio_there(compared, prose):
    found, verdicts = compared(STUDY, ratio=best, noise=0.05)
    tuned, rates = found["tuned"], found["rates"]
    assert tuned[[*CHOSEN]].to_numpy().tolist() == [["lr=0.01", "lr=0.1"]] * 2
    assert tuned[["agreeing_baseline", "agreeing_treatment"]].to_numpy().tolist() == [[8, 8]] * 2
    assert tuned["at_end_baseline"].isna().all()
    assert tuned["at_end_treatment"].tolist() == ["lr=0.1"] * 2
    assert tuned["verdict"].tolist() == ["helps"] * 2
    np.testing.assert_allclose(tuned["effect"], 0.5, rtol=0.1)
    assert set(tuned["family"]) == {2}
    assert set(tuned["adjustment"]) == {"maxT"}
    assert set(tuned["optimizer"]) == {"adam"}
    assert len(rates) == 2 * len(RATES)
    for arm, rate in (("baseline", 0.01), ("treatment", 0.1)):
        chosen = rates[rates[f"{arm}_chosen"] > 0]
        assert chosen["rate"].tolist() == [rate] * 2
        assert chosen[f"{arm}_chosen"].tolist() == [8] * 2
        np.testing.assert_allclose(chosen[f"{arm}_value"], tuned[f"{arm}_value"])
        lowest = rates.groupby("batch_size", sort=False)[f"{arm}_validation"].idxmin()
        assert chosen.index.tolist() == lowest.tolist()
    assert_states(verdicts["sentence"], ["With tuned learning rates, BN helps in 2 of 2 contexts", "lower"])
    assert_states(verdicts["equal_rates"], ["equal rates", "BN"])
    for said in verdicts["tuned"]:
        assert_states(said, ["no BN at lr=0.01 for all 8 seeds", "BN at lr=0.1 for all 8 seeds", "end of the list"])
    assert "\n".join([verdicts["sentence"], verdicts["equal_rates"], *verdicts["tuned"]]) == prose


def test_validation_losses_and_not_test_losses_say_which_rate_is_the_best(compared):
    def validation(labels, seed):
        return 100.0 if labels["optimizer"] == BEST[labels["norm"]] else 1.0

    found, _ = compared(STUDY, ratio=best, noise=0.05, validation=validation)
    assert (found["tuned"]["baseline_value"] > 5 * found["rates"]["baseline_value"].min()).all()
    assert not set(found["tuned"]["chosen_baseline"]) & {"lr=0.01"}
    assert not set(found["tuned"]["chosen_treatment"]) & {"lr=0.1"}


def test_other_test_losses_of_a_study_choose_the_same_rates(compared):
    frames = synthetic.frames(STUDY, noise=1.0)
    columns = [*CHOSEN, "agreeing_baseline", "agreeing_treatment"]
    chosen = [compared(STUDY, frames)[0]["tuned"][columns]]
    for generator in map(np.random.default_rng, range(3)):
        curves = frames["curves"]
        curves["test_loss"] = curves["test_loss"] * np.exp(3 * generator.normal(size=len(curves)))
        found, _ = compared(STUDY, frames)
        chosen.append(found["tuned"][columns])
        assert found["tuned"]["effect"].notna().all()
    assert all(table.equals(chosen[0]) for table in chosen)


def test_seeds_that_disagree_are_counted(compared):
    def validation(labels, seed):
        # Seeds 0 to 3 prefer another rate; they choose for the seeds that they follow.
        prefers = "adam lr=0.001" if seed < 4 else "adam lr=0.01"
        return 0.1 if labels["optimizer"] == prefers else 1.0

    study = synthetic.plan(optimizer=[ADAM], tune={})
    found, verdicts = compared(study, validation=validation)
    (row,), rates = found["tuned"].to_dict("records"), found["rates"]
    assert rates["baseline_chosen"].tolist() == [4, 4, 0]
    assert row["agreeing_baseline"] == 4
    assert "for 4 of 8 seeds" in verdicts["tuned"][0]


def test_contexts_of_other_seeds_are_judged_by_joint_flips_too(compared):
    found, _ = compared(STUDY, noise=0.3, seeds=lambda labels: range(7) if labels["batch_size"] == "25" else None)
    assert found["tuned"]["pairs"].tolist() == [8, 7]
    np.testing.assert_array_equal(found["tuned"]["adjustment"], found["contexts"]["adjustment"][:2])


def test_a_seed_that_one_rate_lacks_is_left_out_at_all_rates(tmp_path, compared):
    def kept(labels):
        return range(1, 8) if labels["optimizer"] == "adam lr=0.1" and labels["norm"] == "none" else None

    frames = synthetic.frames(STUDY, noise=0.3, seeds=kept)
    found, _ = compared(STUDY, frames)
    assert found["tuned"]["pairs"].tolist() == [7, 7]
    data = tmp_path / "synthetic" / "data"
    settings_of = {setting.address: trials.read(STUDY, data, setting) for setting in STUDY.settings}
    own = {address: tuning.finals(STUDY, arm) for address, arm in settings_of.items()}
    common = {address: one.of(np.arange(1, 8)) for address, one in own.items()}
    expected = tuning.tables(STUDY, common)
    for name in ("tuned", "rates"):
        names = [column for column in found[name] if column != "mixed"]
        read = expected[name][names].astype(found[name][names].dtypes)  # as from a file, where nothing is NaN
        pd.testing.assert_frame_equal(found[name][names], read)


LOST = {"norm": "batch", "optimizer": "adam lr=0.1"}


@pytest.mark.parametrize(
    ("options", "verdicts"),
    [
        ({"diverged": lambda labels, seed: 0 if labels["optimizer"] == "adam lr=0.1" else None}, {"undecided"}),
        ({"diverged": lambda labels, seed: 0 if labels == {**labels, **LOST} else None}, {"undecided"}),
        ({"diverged": lambda labels, seed: 0}, {"undecided"}),
        ({"seeds": lambda labels: [] if labels["norm"] == "batch" else None}, {"no data"}),
        ({"seeds": lambda labels: [] if labels["optimizer"] == "adam lr=0.1" else None}, {"no data"}),
        ({"seeds": lambda labels: []}, {"no data"}),
        ({"seeds": lambda labels: [3]}, {"undecided"}),
    ],
    ids=["a rate diverged", "a rate of an arm diverged", "all diverged", "no arm", "no rate", "nothing", "one seed"],
)
def test_rates_that_no_trial_survived_or_that_are_not_trained_yet_are_no_error(compared, options, verdicts):
    found, said = compared(STUDY, noise=0.3, **options)
    assert set(found["tuned"]["verdict"]) == verdicts
    assert found["tuned"]["chosen_treatment"].isna().all() == (verdicts == {"no data"})
    assert found["rates"]["treatment_chosen"].any() == (verdicts != {"no data"})
    assert all(("Chosen" in sentence) == (verdicts != {"no data"}) for sentence in said["tuned"])
    if "diverged" in options and found["contexts"]["finite_pairs"].any():
        assert "lr=0.1" not in set(found["tuned"]["chosen_treatment"])
        assert set(found["tuned"]["test"]) == {"mean"}


def test_an_arm_that_diverges_at_every_rate_is_the_worse_one(compared):
    study = synthetic.plan(optimizer=[ADAM], tune={})
    found, verdicts = compared(study, diverged=where("batch", range(8), 12), noise=0.1)
    (row,) = found["tuned"].to_dict("records")
    assert (row["verdict"], row["test"], row["p"]) == ("hurts", "worst-rank", 2 / 2**8)
    assert found["rates"]["treatment_diverged"].tolist() == [8, 8, 8]
    assert "8 of 8 trials diverged with BN" in verdicts["tuned"][0]


def test_a_study_that_does_not_tune_has_neither_table_nor_sentence(compared):
    found, verdicts = compared(synthetic.plan())
    assert found["tuned"].empty
    assert found["rates"].empty
    assert verdicts["tuned"] == []
    assert "validation" not in verdicts["sentence"]
    assert verdicts["equal_rates"] == ""
    assert verdicts["tables"]["tuned"]["data"] == []


def test_the_ratio_at_equal_rates_is_that_of_its_context(compared):
    found, _ = compared(STUDY, ratio=arms(batch=2.0), noise=0.2)
    contexts, rates = found["contexts"], found["rates"]
    labels = [f"adam lr={rate:g}" for rate in rates["rate"]]
    equal = contexts.set_index(["batch_size", "optimizer"]).loc[list(zip(rates["batch_size"], labels, strict=True))]
    np.testing.assert_allclose(rates[["effect", "low", "high"]], equal[["effect", "own_low", "own_high"]])
    np.testing.assert_allclose(rates["baseline_value"], equal["baseline_value"])


def test_arms_that_are_alike_as_they_are_tuned_are_equivalent(compared):
    found, verdicts = compared(STUDY, noise=1e-4)
    assert set(found["tuned"]["verdict"]) == {"equivalent"}
    assert "equivalent" in verdicts["sentence"]


def test_several_comparisons_of_a_context_are_judged_together(compared):
    study = synthetic.plan(norm=["none", "batch", "layer"], optimizer=[ADAM], tune={})
    found, _ = compared(study, noise=0.1)
    assert set(found["tuned"]["adjustment"]) == {"maxT"}
    assert len(found["tuned"]) == 2


def test_several_parameters_are_chosen_together_and_all_combinations_are_shown(compared):
    study = synthetic.plan(optimizer=[SGD], tune={})
    chosen = {"none": "sgd lr=0.1", "batch": "sgd lr=0.01 weight_decay=0.0001"}
    found, verdicts = compared(
        study, ratio=lambda labels, _: 1.0 if labels["optimizer"] == chosen[labels["norm"]] else 9
    )
    (row,), rates = found["tuned"].to_dict("records"), found["rates"]
    assert [row[name] for name in CHOSEN] == ["lr=0.1, weight_decay=0", "lr=0.01, weight_decay=0.0001"]
    assert row["at_end_baseline"] == "lr=0.1"
    assert rates["parameter"].tolist() == ["lr"] * 4
    assert rates["rate"].tolist() == [0.01, 0.01, 0.1, 0.1]
    assert rates["beside"].tolist() == ["weight_decay=0", "weight_decay=0.0001"] * 2
    assert_states(verdicts["sentence"], ["With tuned arms: with SGD, BN and no BN are equivalent"])
    assert verdicts["equal_rates"].startswith("At equal values, ")


def test_an_arm_without_anything_to_choose_and_a_context_in_the_middle_of_its_list_are_passed_over(compared):
    norms = ["none", {"name": "ghost", "size": [4, 8, 16]}]
    study = synthetic.plan(norm=norms, batch_size=["full", 25], optimizer=["adam"], tune={})

    def loss(labels, seed):
        best = "ghost size=8" if labels["batch_size"] == "full" else "ghost size=4"
        return 1.0 if labels["norm"] in ("none", best) else 5.0

    found, verdicts = compared(study, ratio=loss)
    assert found["tuned"]["chosen_baseline"].isna().all()
    assert found["tuned"]["chosen_treatment"].tolist() == ["size=8", "size=4"]
    middle, end = verdicts["tuned"]
    assert middle.endswith("Chosen by the other seeds' validation losses: ghost BN at size=8 for all 8 seeds.")
    assert_states(end, ["At an end of the list lies size=4 of ghost BN"])
    assert "nan" not in middle + end


def test_optimizers_are_judged_each_at_its_own_rate_and_have_none_in_common(compared):
    report = {"factor": "optimizer", "baseline": "sgd", "compare": [["adam", "rmsprop"]]}
    optimizers = [{"name": "sgd", "lr": [0.05, 0.1]}, ADAM, {"name": "rmsprop", "lr": [0.01, 0.1]}]
    study = synthetic.plan(norm=["batch"], optimizer=optimizers, tune={}, report=report)
    losses = {"sgd lr=0.1": 1.0, "adam lr=0.01": 0.5, "rmsprop lr=0.01": 0.25}
    found, verdicts = compared(study, ratio=lambda labels, _: losses.get(labels["optimizer"], 20.0), noise=0.05)
    tuned, rates = found["tuned"].set_index(["baseline", "treatment"]), found["rates"]
    assert [*tuned.index] == [("sgd", "adam"), ("sgd", "rmsprop"), ("adam", "rmsprop")]
    assert tuned["verdict"].tolist() == ["helps"] * 3
    np.testing.assert_allclose(tuned["effect"], [0.5, 0.25, 0.5], rtol=0.1)
    assert tuned[[*CHOSEN]].to_numpy()[0].tolist() == ["lr=0.1", "lr=0.01"]
    assert_states(verdicts["sentence"], ["Adam", "SGD", "RMSprop"])
    assert verdicts["equal_rates"] == ""
    first = rates[(rates["baseline"] == "sgd") & (rates["treatment"] == "adam")].set_index("rate")
    assert [*first.index] == [0.05, 0.1, 0.001, 0.01]
    assert first["effect"].notna().tolist() == [False, True, False, False]
    assert first["baseline_value"].notna().tolist() == [True, True, False, False]
    assert first["treatment_chosen"].tolist() == [0, 0, 0, 8]
