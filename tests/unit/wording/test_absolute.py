"""The test losses on an absolute scale, in words: the numbers that each sentence states, with digits that tell.

As people read them in `__snapshots__`; here stand the facts that each must state, however worded.
"""

import math

import pandas as pd
import pytest
import synthetic
from hypothesis import given
from hypothesis import strategies as st
from prose import assert_states, cases

from bnbench.wording import absolute

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
ONE, FOUR = synthetic.plan(), synthetic.plan(**synthetic.GRID)
THREE_ARMS = synthetic.plan(norm=["none", "batch", "layer"])
ROW = {
    "baseline": "none",
    "treatment": "batch",
    "outcome": "test_loss",
    "pairs": 20,
    "finite_pairs": 20,
    "standardized": False,
    "baseline_left": 4.2e-5,
    "treatment_left": 0.022,
    "baseline_error": 0.0046,
    "treatment_error": 0.105,
    "baseline_accuracy": NAN,
    "treatment_accuracy": NAN,
}
CLASSES = {**dict.fromkeys(list(ROW)[6:10], NAN), "baseline_accuracy": 0.9721, "treatment_accuracy": 0.951}
SAME = {"baseline_left": 0.02204, "treatment_left": 0.02196}
UNITS = {"standardized": True, "baseline_left": 0.48, "treatment_left": 0.52}
UNITS |= {"baseline_error": 53.4, "treatment_error": 55.6}


@cases(
    of_a_function=({}, ["no BN leaves 0.0042 %", "target's variance", "BN 2.2 %", "R² 0.999958 and 0.978"]),
    of_a_standardized_target=(UNITS, ["no BN leaves 48 %", "BN 52 %", "0.52 and 0.48", "53 and 56", "own units"]),
    of_nearly_the_same=(SAME, ["no BN leaves 2.204 %", "BN 2.196 %", "0.97796 and 0.97804"]),
    of_equal_arms=({"treatment_left": 4.2e-5}, ["leaves 0.0042 %", "BN 0.0042 %", "0.999958 and 0.999958"]),
    that_is_worse_than_the_mean=({"treatment_left": 1.3}, ["BN 130 %", "and −0.3"]),
    of_next_to_nothing=({"baseline_left": 3.1e-15}, ["no BN leaves 3.1e-13 %", "R² 1 − 3.1e-15 and 0.978"]),
    of_classes=(CLASSES, ["no BN classifies 97.2 %", "test points correctly", "BN 95.1 %"]),
    of_classes_that_are_nearly_all_right=(
        {**CLASSES, "baseline_accuracy": 1.0, "treatment_accuracy": 0.99996},
        ["no BN classifies 100 %", "BN 99.996 %"],
    ),
    where_pairs_diverged=({"finite_pairs": 18}, ["18 pairs that stayed finite", "0.0042 %"]),
    where_another_loss_decides=({"outcome": "test_loss_precise"}, ["by the test loss with precise statistics"]),
)
def test_a_context(case, prose):
    changes, facts = case
    said = absolute.context(ONE, {**ROW, **changes})
    assert_states(said, ["In absolute terms", *facts])
    assert said == prose


@pytest.mark.parametrize("unknown", ["baseline_left", "treatment_left"])
def test_what_is_unknown_of_an_arm_is_said_of_none(unknown):
    assert absolute.context(ONE, {**ROW, unknown: NAN}) == ""


left = st.floats(1e-12, 1e3)


@given(left, left)
def test_two_arms_that_differ_by_a_thousandth_are_told_apart_and_no_r2_is_said_to_be_1(first, second):
    said = absolute.cells({**ROW, "baseline_left": first, "treatment_left": second})
    for name in ("left", "r2"):
        one, other = said[name]
        assert (one != other) or abs(first - second) <= 1e-3 * first
    for text, value in zip(said["left"], (first, second), strict=True):
        assert float(text.removesuffix(" %").replace(",", "")) == pytest.approx(100 * value, rel=0.05)
    for text in said["r2"]:
        assert float(text.replace("−", "-").replace(",", "")) < 1 if not text.startswith("1 − ") else text[4:] != "0"


@given(st.floats(0, 1))
def test_an_accuracy_is_said_to_be_100_percent_exactly_where_it_is(share):
    text, _ = absolute.cells({**ROW, "baseline_accuracy": share, "treatment_accuracy": share})["accuracy"]
    assert (float(text.removesuffix(" %")) == 100) == (share == 1) or share > 1 - 1e-11


def rows_of(*changes):
    return pd.DataFrame([{**ROW, **changed} for changed in changes])


@cases(
    of_four_contexts=(
        FOUR,
        [{}, {"baseline_left": 7e-5}, {"treatment_left": 0.004}, {}],
        ["4 contexts", "no BN leaves 0.0042 % to 0.0070 %", "variance", "BN 0.40 % to 2.2 %"],
    ),
    of_one_context=(ONE, [{}], ["no BN leaves 0.0042 %", "BN 2.2 %", "R² 0.999958 and 0.978"]),
    of_three_arms=(
        THREE_ARMS,
        [{}, {"treatment": "layer", "treatment_left": 0.5}],
        ["no BN leaves 0.0042 %", "BN 2.2 %", "layer norm 50 %"],
    ),
    of_classes=(
        FOUR,
        [CLASSES, {**CLASSES, "treatment_accuracy": 0.93}],
        ["2 contexts", "no BN classifies 97.2 %", "test points", "BN 93.0 % to 95.1 %"],
    ),
)
def test_the_answer(case, prose):
    study, changes, facts = case
    said = absolute.answer(study, rows_of(*changes))
    assert_states(said, ["In absolute terms", *facts])
    assert said == prose


def test_without_anything_known_there_is_no_answer():
    unknown = dict.fromkeys(CLASSES, NAN)
    assert absolute.answer(FOUR, rows_of(unknown, unknown)) == ""


@cases(
    of_a_function=([{}], ["test loss divided by the variance", "geometric means", "last 5 %"], ["standardized"]),
    of_a_standardized_target=([UNITS], ["own units", "standardized targets"], ["Accuracy"]),
    of_classes=([CLASSES], ["Accuracy", "means"], ["variance", "geometric"]),
    of_both=([{}, CLASSES], ["Unexplained variance", "Accuracy", "accuracies plain ones"], []),
)
def test_the_note_above_the_table(case, prose):
    changes, facts, absent = case
    said = absolute.note(ONE, rows_of(*changes))
    assert_states(said, facts)
    assert not any(words in said for words in absent)
    assert said == prose
