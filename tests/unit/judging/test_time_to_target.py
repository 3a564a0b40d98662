"""Epochs to a target: what is known of trials that never reach it, or had it at the first measurement."""

import math

import in_memory
import numpy as np
import pytest
import synthetic
from statsmodels.stats.weightstats import DescrStatsW

from bnbench.judging import exploratory, sign_flips, time_to_target
from bnbench.wording import explored

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan(report={"target": 1.0})
"""Measured after 10, 20, 30 and 40 epochs."""

NEVER = math.inf


def reaching(*after):
    """Test losses that are at the target from so many epochs on, [4 measurements, seeds]."""
    return {"test_loss": np.where(np.array([[10], [20], [30], [40]]) >= np.array(after), 0.5, 5.0)}


def row_of(baseline, treated, study=STUDY):
    pairs = in_memory.pairs(study, baseline, treated)
    table = exploratory.adjusted(study, exploratory.outcomes(study, pairs))
    return table.set_index("outcome").loc["epochs_to_target"]


def test_epochs_are_counted_from_one_at_the_first_measurement_that_is_there():
    row = row_of(reaching(*[12] * 8), reaching(*[21, 30] * 4))
    assert (row["baseline_value"], row["treatment_value"], row["effect"]) == pytest.approx((20, 30, 1.5))
    assert (row["p"], row["finite_pairs"], row["bound"]) == (2 / 2**8, 8, None)
    assert (row["reached_baseline"], row["reached_treatment"]) == (8, 8)


def test_where_five_of_twenty_reach_it_an_arm_is_not_three_times_as_fast():
    # The five are three times as fast, at 10 epochs instead of 30; the other fifteen never come there.
    row = row_of(reaching(*[30] * 20), reaching(*[11] * 5, *[NEVER] * 15))
    assert (row["reached_baseline"], row["reached_treatment"], row["pairs"], row["finite_pairs"]) == (20, 5, 20, 20)
    differences = np.log([20 / 30] * 5 + [40 / 30] * 15)
    assert row["effect"] == pytest.approx(math.exp(differences.mean()))
    assert row["effect"] > 1
    assert row["bound"] == "at least"
    assert row["low"] == pytest.approx(math.exp(DescrStatsW(differences).tconfint_mean(0.05)[0]))
    assert math.isnan(row["high"])
    assert row["p"] == sign_flips.sign_flip(differences)
    assert row["direction"] == 1
    # The other way round it is the same, upside down.
    mirrored = row_of(reaching(*[11] * 5, *[NEVER] * 15), reaching(*[30] * 20))
    assert mirrored["bound"] == "at most"
    assert mirrored["effect"] == pytest.approx(1 / row["effect"])
    assert mirrored["high"] == pytest.approx(1 / row["low"])
    assert math.isnan(mirrored["low"])
    assert mirrored["p"] == row["p"]


def test_a_bound_is_marked_on_the_side_that_it_closes_alone():
    # Eleven of twelve seeds are faster, and one never comes there. In the mean over the measured epochs that is faster,
    # but the true ratio is at least that, and may be anything above.
    open_side = row_of(reaching(*[30] * 12), reaching(*[20] * 11, NEVER))
    assert (open_side["bound"], open_side["direction"]) == ("at least", -1)
    assert open_side["p_bh"] < 0.05
    assert not open_side["marked"]
    closed = row_of(reaching(*[20] * 12), reaching(*[30] * 11, NEVER))
    assert (closed["bound"], closed["direction"]) == ("at least", 1)
    assert closed["marked"]


def test_trials_that_never_come_there_in_both_arms_leave_a_ratio_of_what_was_measured():
    row = row_of(reaching(20, 20, 20, NEVER), reaching(30, 30, NEVER, 30))
    assert row["bound"] == "restricted"
    assert row["effect"] == pytest.approx((1.5 * 1.5 * 2 * 0.75) ** 0.25)
    assert (row["reached_baseline"], row["reached_treatment"]) == (3, 3)
    assert row["low"] < row["effect"] < row["high"]


@pytest.mark.parametrize("first", [1, 10])
def test_what_is_there_at_the_first_measurement_was_there_at_once(first):
    row = row_of(reaching(*[first] * 8), reaching(*[20, 30] * 4))
    assert (row["at_once_baseline"], row["at_once_treatment"]) == (8, 0)
    assert (row["bound"], row["effect"]) == ("at least", pytest.approx(6**0.5))
    assert math.isnan(row["high"])
    mirrored = row_of(reaching(*[20, 30] * 4), reaching(*[first] * 8))
    assert (mirrored["bound"], mirrored["effect"]) == ("at most", pytest.approx(6**-0.5))


@pytest.mark.parametrize("first", [1, NEVER], ids=["at once", "never"])
def test_where_no_time_was_seen_in_either_arm_nothing_is_said_of_the_ratio(first):
    row = row_of(reaching(*[first] * 8), reaching(*[first] * 8))
    assert np.isnan(row[["effect", "low", "high", "p", "p_bh"]].astype(float)).all()
    assert (row["pairs"], row["direction"], row["marked"]) == (8, 0, False)
    assert row["reached_baseline"] == (8 if first == 1 else 0)


def test_equal_times_that_were_seen_are_a_ratio_of_one():
    row = row_of(reaching(*[20] * 8), reaching(*[20] * 8))
    assert (row["effect"], row["p"], row["bound"]) == (1, 1, None)


def test_differences_that_the_spacing_makes_equal_have_no_interval():
    row = row_of(reaching(*[20] * 8), reaching(*[30] * 8))
    assert row["effect"] == pytest.approx(1.5)
    assert np.isnan(row[["low", "high"]].astype(float)).all()


def test_a_trial_that_reached_the_target_and_then_diverged_did_not_reach_it():
    gone = reaching(*[10] * 8)
    gone["test_loss"][2:] = np.nan
    row = row_of(reaching(*[20] * 8), gone)
    assert (row["reached_treatment"], row["effect"], row["bound"]) == (0, pytest.approx(2), "at least")


def test_the_target_of_the_config_is_taken_as_it_is():
    pairs = in_memory.pairs(STUDY, reaching(20, 20), reaching(20, 20))
    assert time_to_target.target(STUDY, pairs) == 1.0


def test_without_a_target_it_is_twice_the_larger_final_loss_of_each_pair():
    study = synthetic.plan()
    losses = {"test_loss": [1.0, 4.0, np.nan]}, {"test_loss": [9.0, 1.0, 2.0]}
    pairs = in_memory.pairs(study, *losses)
    # Of a pair of which one diverged it is the other's.
    assert time_to_target.target(study, pairs) == pytest.approx(2 * (9 * 4 * 2) ** (1 / 3))
    swapped = {"test_loss": [9.0, 4.0, np.nan]}, {"test_loss": [1.0, 1.0, 2.0]}
    # Whichever arms of a seed are exchanged, it is the same, so sign flips know nothing of it.
    assert time_to_target.target(study, in_memory.pairs(study, *swapped)) == time_to_target.target(study, pairs)
    gone = {"test_loss": [np.nan, np.nan]}
    assert math.isnan(time_to_target.target(study, in_memory.pairs(study, gone, gone)))


def test_an_arm_that_always_diverges_never_reaches_what_the_other_does():
    study = synthetic.plan()
    falling = {"test_loss": np.array([[9.0], [9.0], [1.0], [1.0]]) * np.ones(8)}
    row = row_of(falling, {"test_loss": np.full((4, 8), np.nan)}, study)
    assert (row["reached_baseline"], row["reached_treatment"]) == (8, 0)
    assert (row["effect"], row["bound"], row["p"]) == (pytest.approx(4 / 3), "at least", 2 / 2**8)


def test_a_gap_has_no_target():
    study = synthetic.plan(report={"outcome": "generalization_gap"})
    pairs = in_memory.pairs(study, reaching(20, 20), reaching(20, 20))
    assert "epochs_to_target" not in set(exploratory.outcomes(study, pairs)["outcome"])


SCORED = synthetic.plan(task="digits", report={"outcome": "test_accuracy", "target": 0.9})


def scoring(*after):
    """Test accuracies that are at the target from so many epochs on, [4 measurements, seeds]."""
    there = np.array([[10], [20], [30], [40]]) >= np.array(after)
    return {"test_accuracy": np.where(there, 0.9, 0.4), "test_loss": np.ones_like(there, float)}


def test_a_score_reaches_its_target_from_below():
    row = row_of(scoring(*[12] * 8), scoring(*[21, 30] * 4), SCORED)
    assert (row["baseline_value"], row["treatment_value"], row["effect"]) == pytest.approx((20, 30, 1.5))
    assert (row["reached_baseline"], row["reached_treatment"], row["bound"]) == (8, 8, None)
    assert (row["direction"], row["p"]) == (1, 2 / 2**8)
    never = row_of(scoring(*[12] * 8), scoring(*[12] * 7, NEVER), SCORED)
    assert (never["reached_treatment"], never["bound"]) == (7, "at least")


def test_a_score_without_a_target_and_a_gap_have_no_epochs_to_it():
    for outcome, target in (("test_accuracy", None), ("generalization_gap", 0.5)):
        study = synthetic.plan(task="digits", report={"outcome": outcome, "target": target})
        pairs = in_memory.pairs(study, scoring(*[12] * 8), scoring(*[20] * 8))
        assert "epochs_to_target" not in exploratory.outcomes(study, pairs)["outcome"].tolist()


def test_the_target_of_a_score_is_told_in_its_unit():
    pairs = in_memory.pairs(SCORED, scoring(*[12] * 8), scoring(*[20] * 8))
    table = exploratory.adjusted(SCORED, exploratory.outcomes(SCORED, pairs))
    assert "The target test accuracy is 90.0 %." in explored.terms(SCORED, table)["epochs to the target value"]
