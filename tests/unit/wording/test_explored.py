"""The table of every outcome in words: short cells, and a note that says what concerns the table and nothing else."""

import math

import in_memory
import numpy as np
import pandas as pd
import pytest
import synthetic

from bnbench.judging import exploratory
from bnbench.wording import explored

pytestmark = pytest.mark.filterwarnings("error")

ROW = {
    "outcome": "train_loss",
    "pairs": 20,
    "finite_pairs": 20,
    "marked": False,
    "bound": None,
    "effect": 3.0,
    "low": 2.0,
    "high": 4.5,
    "reached_baseline": 20,
    "reached_treatment": 20,
    "at_once_baseline": 0,
    "at_once_treatment": 0,
}
EPOCHS = {**ROW, "outcome": "epochs_to_target"}
SECONDS = {**ROW, "outcome": "seconds"}
GAP = {**ROW, "outcome": "generalization_gap"}
NAN = math.nan
STUDY = synthetic.plan()


def cell(row):
    """What a cell says, and the note below it."""
    return explored.effect(STUDY, row), explored.note(STUDY, row)


@pytest.mark.parametrize(
    ("row", "text", "limits"),
    [
        (ROW, "3.0", "(2.0 to 4.5)"),
        (ROW | {"marked": True}, "3.0 †", "(2.0 to 4.5)"),
        (ROW | {"low": NAN, "high": NAN}, "3.0", ""),
        (ROW | {"effect": NAN, "low": NAN, "high": NAN}, "–", ""),
        (EPOCHS | {"bound": "at least", "high": NAN, "marked": True}, "at least 3.0 †", "(from 2.0)"),
        (EPOCHS | {"bound": "at most", "low": NAN}, "at most 3.0", "(to 4.5)"),
        (EPOCHS | {"bound": "at least", "low": NAN, "high": NAN}, "at least 3.0", ""),
        (EPOCHS | {"bound": "restricted", "marked": True}, "3.0 as counted †", "(2.0 to 4.5)"),
        (EPOCHS | {"bound": NAN}, "3.0", "(2.0 to 4.5)"),  # as pandas reads an empty cell
        (GAP | {"effect": 0.421, "low": -0.1, "high": 0.9}, "+0.42", "(−0.10 to 0.90)"),
        (GAP | {"effect": -0.0012, "low": -0.0102, "high": 0.0078}, "−0.0012", "(−0.0102 to 0.0078)"),
        (GAP | {"effect": -1e-17, "low": -2e-17, "high": 0.0}, "0.0000", "(0.0000 to 0.0000)"),
        (GAP | {"effect": 0.0, "low": 0.0, "high": 0.0}, "0.00", "(0.00 to 0.00)"),
    ],
)
def test_an_effect_is_said_on_its_own_scale_with_the_limits_that_it_has(row, text, limits):
    assert cell(row) == (text, limits)


def test_accuracies_are_said_in_points_with_the_means_of_the_arms():
    row = ROW | {"outcome": "test_accuracy", "effect": 0.013, "low": 0.004, "high": 0.022}
    row |= {"baseline_value": 0.812, "treatment_value": 0.825}
    assert cell(row) == ("+1.3 points", "(0.4 to 2.2), from 81.2 to 82.5 %")
    worse = row | {"effect": -0.013, "low": -0.03, "high": 0.0001, "marked": True, "finite_pairs": 18}
    assert cell(worse)[0] == "−1.3 points †"
    assert cell(worse)[1] == "(−3.0 to 0.0), from 81.2 to 82.5 %, 18 of 20 pairs"
    nothing = row | {"effect": NAN, "low": NAN, "high": NAN, "finite_pairs": 0}
    assert cell(nothing) == ("–", "0 of 20 pairs")


@pytest.mark.parametrize(
    ("row", "over"),
    [
        (ROW, None),
        (ROW | {"finite_pairs": 18}, "18 of 20 pairs"),
        (EPOCHS, None),
        (EPOCHS | {"reached_treatment": 5}, "20 and 5 of 20 reach it"),
        (EPOCHS | {"at_once_baseline": 20}, "20 and 0 of 20 at once"),
        (EPOCHS | {"at_once_baseline": 3, "reached_treatment": 0}, "20 and 0 of 20 reach it, 3 and 0 of 20 at once"),
        (SECONDS | {"jobs_baseline": 1, "jobs_treatment": 1}, "1 job each"),
        (SECONDS | {"jobs_baseline": 2, "jobs_treatment": 2}, "2 jobs each"),
        (SECONDS | {"jobs_baseline": 1, "jobs_treatment": 3}, "1 and 3 jobs"),
    ],
)
def test_a_note_counts_what_an_effect_is_over_where_that_is_not_all_pairs(row, over):
    assert cell(row)[1] == ", ".join(filter(None, ["(2.0 to 4.5)", over]))


def test_a_row_without_pairs_counts_nothing():
    assert cell(ROW | {"pairs": 0, "finite_pairs": 0, "effect": NAN, "low": NAN, "high": NAN})[1] == ""


def below(study, baseline, treated):
    table = exploratory.adjusted(study, exploratory.outcomes(study, in_memory.pairs(study, baseline, treated)))
    return f"{explored.introduction(study)} {' '.join(explored.terms(study, table).values())}"


FALLING = np.array([[9.0], [4.0], [1.0], [0.5]])
PLAIN = {"test_loss": FALLING * np.ones(8)}
"""At twice its final loss from the third of four measurements on."""


def test_what_does_not_concern_a_table_is_not_said_of_it():
    said = below(synthetic.plan(), PLAIN, PLAIN)
    for word in ("ccuracy", "diverged", "does not reach", "at once", "bound", "cannot be", "never"):
        assert word not in said
    assert "All but the test loss are exploratory." in said
    assert "over all 5 tests" in said  # train, evaluation, precise, gap and epochs
    assert "twice the larger final loss of each pair" in said
    assert "job by job and not tested" in said
    assert "The target loss is 0.25." in below(synthetic.plan(report={"target": 0.25}), PLAIN, PLAIN)


def test_a_table_says_what_befell_its_trials():
    gone = {"test_loss": np.where(np.arange(8) < 2, np.nan, FALLING)}
    said = below(synthetic.plan(), PLAIN, gone)
    assert "Counted where trials diverged" in said
    assert "counts with the last measured epoch" in said
    assert "no BN and BN, in this order" in said
    assert "both arms have such trials" not in said
    assert "both arms have such trials" in below(synthetic.plan(), gone, gone)
    fast = {"test_loss": np.ones((4, 8))}
    assert "(at once)" in below(synthetic.plan(report={"target": 1.0}), fast, PLAIN)
    scored = {**PLAIN, "test_accuracy": np.linspace(0.8, 0.9, 8)}
    assert "in percentage points. Higher is better." in below(synthetic.plan(), scored, scored)


@pytest.mark.parametrize(
    ("seeds", "contexts", "said"),
    [
        (5, 1, "With so few seeds no p can be that small, so † can never appear."),
        (6, 1, "† appears only where at least 4 of the p-values are about as small as they can be."),
        (6, 6, "† appears only where at least 19 of the p-values are about as small as they can be."),
        (8, 1, None),
    ],
)
def test_a_mark_that_can_never_come_or_never_alone_is_said_to_be_so(seeds, contexts, said):
    study = synthetic.plan(seeds=seeds)
    losses = {"test_loss": FALLING * np.linspace(1, 2, seeds)}
    table = exploratory.outcomes(study, in_memory.pairs(study, losses, losses))
    judged = exploratory.adjusted(study, pd.concat([table] * contexts))
    text = explored.terms(study, judged)["†"]
    assert (said in text) if said else ("With so few seeds" not in text)
