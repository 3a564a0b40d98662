"""The sentences beside the verdicts: the control, trajectories, reference points and cost.

As people read them in `__snapshots__`; here stand the facts that each must state, however worded.
"""

import math

import pandas as pd
import pytest
import synthetic
from prose import assert_states, cases

from bnbench.wording import sentences

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
ONE, FOUR = synthetic.plan(), synthetic.plan(**synthetic.GRID)
SLOW = "batch momentum=0.01"
THREE_ARMS = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}], batch_size=["full", 25])

CONTROL = {"splits": 1000, "pairs": 10, "contexts": 4, "share": 0.042, "low": 0.031, "high": 0.0562}


@cases(
    that_could_have_found_something=(
        {},
        ["the code", "no BN", "10 pairs", "4.2 %", "1,000", "3.1 % to 5.62 %", "not the study", "5 %"],
    ),
    of_too_few_pairs=(
        {"pairs": 4, "share": 0.0, "low": 0.0, "high": 0.00383},
        ["4 pairs", "no difference can ever be declared", "shows nothing"],
    ),
    of_too_few_seeds=({"splits": 0, "pairs": 1, "share": NAN, "low": NAN, "high": NAN}, ["too few seeds", "no BN"]),
)
def test_the_control(case, prose):
    changes, facts = case
    said = sentences.control(FOUR, {**CONTROL, **changes})
    assert_states(said, facts)
    assert said == prose


@pytest.mark.parametrize(("pairs", "ever"), [(5, False), (6, True)])
def test_the_control_says_never_exactly_where_no_verdict_ever_could_be(pairs, ever):
    said = sentences.control(ONE, {**CONTROL, "pairs": pairs})
    assert ("no difference can ever be declared" in said, "%" in said) == (not ever, ever)


LAST = {
    **ONE.contexts()[0][0],
    "baseline": "none",
    "treatment": "batch",
    "epoch": 39,
    "effect": 3.0,
    "low": 0.9,
    "high": 9.0,
    "pairs": 8,
}


@cases(
    higher_from_an_epoch_on=("hurts", {"decided_from": 19.0}, ["from 20 epochs on", "BN", "higher than without BN"]),
    lower_from_the_start=(
        "helps",
        {"decided_from": 0.0, "effect": 0.2},
        ["from 1 epoch on", "BN", "lower than without BN"],
    ),
    at_the_last_measurement=(
        "hurts",
        {"decided_from": 39.0},
        ["at the last measurement", "BN", "higher than without BN"],
    ),
    of_the_finite_pairs=(
        "hurts",
        {"decided_from": 19.0, "pairs": 7},
        ["from 20 epochs on", "higher", "the 7 pairs", "finite"],
    ),
    never_decided=("hurts", {"decided_from": NAN}, ["equal losses", "last measurement"]),
    against_the_verdict=("helps", {"decided_from": NAN, "low": 1.1}, ["band", "side of the verdict"]),
    undecided=("undecided", {"decided_from": NAN, "low": 1.1}, ["no epoch", "undecided"]),
    equivalent=("equivalent", {"decided_from": NAN, "low": 1.1}, ["no epoch", "equivalent"]),
    of_too_few_pairs=("undecided", {"decided_from": NAN, "pairs": 5}, ["no epoch", "5 finite pairs"]),
    of_one_pair=("undecided", {"decided_from": NAN, "pairs": 1}, ["no epoch", "1 finite pair "]),
)
def test_a_trajectory(case, prose):
    verdict, changes, facts = case
    said = sentences.decided(ONE, {**LAST, **changes}, {"verdict": verdict, "pairs": 8})
    assert_states(said, ["Adam at full batch", *facts])
    assert ("on, the" in said) == (changes["decided_from"] < 39)
    assert ("is higher" in said or "is lower" in said) == (not math.isnan(changes["decided_from"]))
    assert said == prose


@pytest.mark.parametrize(("verdict", "side"), [("helps", "higher"), ("hurts", "lower")])
def test_a_trajectory_of_scores_is_higher_where_the_treatment_helps(verdict, side):
    row = {**LAST, "decided_from": 19.0, "low": 0.01, "high": 0.02}
    said = sentences.decided(synthetic.scored(ONE), row, {"verdict": verdict, "pairs": 8})
    assert f"from 20 epochs on, the test accuracy with BN is {side} than without BN" in said
    open_still = {**row, "decided_from": NAN, "low": -0.01}
    said = sentences.decided(synthetic.scored(ONE), open_still, {"verdict": verdict, "pairs": 8})
    assert "the band still includes equal scores" in said


def test_a_trajectory_of_one_of_three_arms_says_of_which():
    labels = {**LAST, **THREE_ARMS.contexts()[0][0]}
    rows = [{**labels, "treatment": arm, "decided_from": NAN} for arm in THREE_ARMS.arms[1:]]
    first, second = (sentences.decided(THREE_ARMS, row, {"verdict": "undecided", "pairs": 8}) for row in rows)
    assert "between BN and no BN" in first
    assert "between BN momentum=0.01 and no BN" in second


def test_one_pair_has_no_band_that_could_hold_anything(compared):
    _, verdicts = compared(synthetic.plan(seeds=1), ratio=synthetic.arms(batch=9.0))
    assert not any("the band still includes equal losses" in sentence for sentence in verdicts["trajectories"])


REFERENCE = {
    **ONE.contexts()[0][0],
    "norm": "batch",
    "epoch": 4000,
    "outcome": "train_loss",
    "printed_by": "the question",
    "value": 4e-4,
}
GONE = {"percentile": NAN, "seeds": 0, "lowest": NAN, "median": NAN, "highest": NAN, "outcome": "test_loss"}


@cases(
    high_among_the_seeds=({"percentile": 83.3}, ["4.00e-04", "83rd percentile of 30 seeds"]),
    low_among_the_seeds=({"percentile": 11.2}, ["4.00e-04", "11th percentile of 30 seeds"]),
    above_them_all=({"percentile": 100, "value": 2e-2}, ["2.00e-02", "above all of 30 seeds"]),
    below_the_only_one=({"percentile": 0, "value": 1e-9, "seeds": 1}, ["1.00e-09", "below all of 1 seed"]),
)
def test_a_reference_point(case, prose):
    changes, facts = case
    point = {**REFERENCE, "seeds": 30, "lowest": 1e-5, "highest": 1e-2, **changes}
    alone, one_of_four = (sentences.reference(study, point) for study in (ONE, FOUR))
    for said in (alone, one_of_four):
        assert_states(said, ["The question", facts[0], "epoch 4000", "with BN", facts[1], "1.00e-05 to 1.00e-02"])
    assert "(Adam at full batch)" in one_of_four
    assert "Adam" not in alone
    assert alone == prose
    assert one_of_four == prose


def test_a_reference_point_where_nothing_was_measured_says_so(prose):
    said = sentences.reference(ONE, {**REFERENCE, **GONE})
    assert "no test loss was measured there" in said
    assert said == prose


@cases(
    of_both_arms=(
        [(30.0, 8), (90.5, 8)],
        ["2 min 0 s", "30 s for 8 trials without BN", "1 min 30 s for 8 trials", "BN"],
    ),
    of_one_arm=([(7200.0, 1), (0.0, 0)], ["2 h 0 min", "2 h 0 min for 1 trial without BN", "0 s for 0 trials", "BN"]),
    of_nothing=([(0.0, 0), (0.0, 0)], ["Nothing was trained"]),
)
def test_the_cost(case, prose):
    of_arm, facts = case
    arms = zip(ONE.arms, of_arm, strict=True)
    rows = [{"norm": arm, "seconds": seconds, "trials": trials} for arm, (seconds, trials) in arms]
    said = sentences.cost(ONE, pd.DataFrame(rows))
    assert_states(said, facts)
    assert said == prose


def test_without_rows_there_is_no_cost():
    assert "Nothing was trained" in sentences.cost(ONE, pd.DataFrame(columns=["norm", "seconds", "trials"]))
