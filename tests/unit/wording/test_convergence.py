"""Whether the losses still change at the end, in words: no sentence says that they do where the interval does not.

As people read them in `__snapshots__`; here stand the facts that each must state, however worded.
"""

import math

import pandas as pd
import pytest
import synthetic
from prose import assert_states, cases

from bnbench.wording import convergence

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
ONE, FOUR = synthetic.plan(), synthetic.plan(**synthetic.GRID)
FALLS = {"change": 0.88, "change_low": 0.84, "change_high": 0.92, "trend": "falls"}
RISES = {"change": 2.5, "change_low": 2.2, "change_high": 3.0, "trend": "rises"}
UNCLEAR = {"change": 0.99, "change_low": 0.95, "change_high": 1.03, "trend": "unclear"}
NOTHING = {"change": NAN, "change_low": NAN, "change_high": NAN, "trend": "no data"}
GAP = {"outcome": "generalization_gap", "change": 0.021, "change_low": 0.012, "change_high": 0.03, "trend": "rises"}
EQUAL = {**GAP, "change": 0.0, "change_low": -0.01, "change_high": 0.01, "trend": "unclear"}
ACCURACY = {"outcome": "test_accuracy", "change": 0.012, "change_low": 0.004, "change_high": 0.02, "trend": "rises"}


def rows_of(none, batch):
    """The rows of a study, the baseline's and those with BN."""
    stretch = {"outcome": "test_loss", "first_epoch": 3809, "last_epoch": 3999, "measurements": 20}
    arms = {"none": none, "batch": batch}
    return pd.DataFrame([{"norm": arm, **stretch, **row} for arm, rows in arms.items() for row in rows])


CLEAR_IN_BOTH = [
    "etween 3,810 and 4,000 epochs",
    "fell without BN",
    "12 % lower",
    "95 % interval",
    "8 % to 16 %",
    "rose",
]


@cases(
    clear_in_both_arms=(ONE, [FALLS], [RISES], [*CLEAR_IN_BOTH, "with BN", "2.5 times as high", "2.2 to 3.0"]),
    unclear_in_one=(ONE, [FALLS], [UNCLEAR], ["fell without BN", "did not clearly change with BN", "5 % lower to 3 %"]),
    unclear_in_both=(ONE, [UNCLEAR], [UNCLEAR], ["20 measurements", "did not clearly change without BN", "with BN"]),
    of_one_arm_alone=(ONE, [FALLS], [NOTHING], ["fell without BN"]),
    of_nothing=(ONE, [NOTHING], [NOTHING], ["Too little", "test loss"]),
    of_four_contexts=(
        FOUR,
        [FALLS, {**FALLS, "change": 0.5}, UNCLEAR, RISES],
        [UNCLEAR] * 4,
        [
            "without BN in 2 of 4 contexts",
            "1.1- to 2.0-fold lower",
            "rose without BN in 1 of 4",
            "2.5 times as high",
            "without BN in 1 of 4 contexts (anything from 5 % lower to 3 % higher",
        ],
    ),
)
def test_the_sentence(case, prose):
    study, none, batch, facts = case
    said = convergence.clause(study, rows_of(none, batch))
    assert_states(said, facts)
    assert ("fell" in said) == any(row["trend"] == "falls" for row in (*none, *batch))
    assert ("rose" in said) == any(row["trend"] == "rises" for row in (*none, *batch))
    assert "nan" not in said
    assert said == prose


def test_contexts_without_data_count_among_those_in_which_nothing_is_known_to_fall():
    rows = rows_of([FALLS, FALLS, NOTHING, NOTHING], [FALLS, FALLS, FALLS, FALLS])
    note = convergence.note(FOUR, rows)
    assert "still falls without BN in 2 of 4 contexts and with BN in all 4 contexts" in note
    assert "without BN in 2 of 4 contexts" in convergence.clause(FOUR, rows)
    assert "still falls in all arms and contexts" in convergence.note(FOUR, rows_of([FALLS] * 4, [FALLS] * 4))


@cases(
    of_one_arm=(ONE, [FALLS], [UNCLEAR], ["test loss still falls without BN", "more epochs"]),
    of_both_arms=(ONE, [FALLS], [RISES], ["still falls without BN", "still rises with BN", "more epochs"]),
    of_four_contexts=(FOUR, [UNCLEAR] * 4, [FALLS] * 3 + [UNCLEAR], ["still falls with BN in 3 of 4 contexts"]),
)
def test_the_note_beside_the_answer(case, prose):
    study, none, batch, facts = case
    said = convergence.note(study, rows_of(none, batch))
    assert_states(said, facts)
    assert said == prose


def test_there_is_no_note_where_no_arm_clearly_changes():
    assert convergence.note(ONE, rows_of([UNCLEAR], [NOTHING])) == ""


@cases(
    gap=([GAP], [EQUAL], ["gap rose without BN", "0.021 higher", "0.012 to 0.03", "equal"]),
    accuracy=(
        [ACCURACY],
        [ACCURACY],
        ["accuracy rose without BN", "1.2 percentage points higher", "0.40 to 2.0 percentage points)"],
    ),
)
def test_what_is_compared_by_differences_changes_by_differences(case, prose):
    none, batch, facts = case
    said = convergence.clause(synthetic.scored(ONE, none[0]["outcome"]), rows_of(none, batch))
    assert_states(said, facts)
    assert said == prose


def test_the_method_counts_the_settings_and_promises_nothing_beyond_the_last_epoch(prose):
    said = convergence.method(FOUR)
    assert_states(
        said,
        ["logarithm of the test loss", "Bonferroni", "8 settings", "unclear one may be real", "after the last epoch"],
    )
    assert said == prose
