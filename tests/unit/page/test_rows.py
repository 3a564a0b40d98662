"""Cells of the page: what they say, and what they sort by."""

import math

import in_memory
import numpy as np
import pytest
import synthetic

from bnbench.judging import exploratory
from bnbench.page import rows


def test_numbers_sort_by_themselves_and_not_by_their_text(compared):
    study = synthetic.plan(**synthetic.GRID)
    found, _ = compared(study, ratio=synthetic.arms(batch=3.0), noise=0.2)
    shown = rows.contexts(study, found["contexts"])
    for row, numbers in zip(shown, found["contexts"].to_dict("records"), strict=True):
        assert float(row["effect"].value) == numbers["effect"]
        assert float(row["p_adjusted"].value) == numbers["p_adjusted"]
        assert row["effect"].text.startswith(f"{numbers['effect']:.1f} (")
        assert row["factors"] == {"batch_size": numbers["batch_size"], "optimizer": numbers["optimizer"]}
    assert len({row["name"] for row in shown}) == 4


def test_what_is_not_there_is_a_dash_that_sorts_last(compared):
    study = synthetic.plan()
    found, _ = compared(study, seeds=lambda labels: [])
    (row,) = rows.contexts(study, found["contexts"])
    assert row["effect"] == row["p"] == row["needed"] == rows.NOTHING == rows.Cell("–", "")
    assert row["class"] == "no-data"


def test_exploratory_outcomes_are_marked_where_their_adjusted_p_is_small(compared):
    study = synthetic.plan(seeds=12)
    found, _ = compared(study, ratio=synthetic.arms(batch=3.0), noise=0.1)
    names, (row,) = rows.outcomes(study, found["outcomes"])
    marked = dict(zip(names, (cell.text.endswith("†") for cell in row["cells"]), strict=True))
    assert marked["train loss"]
    assert not marked["test loss"]  # it decides, and is not explored
    assert not marked["seconds of training"]


def explored(study, baseline, treated, seconds=(1.0, 1.0)):
    """The cells of the table of all outcomes, by their heads, as they are read back from its file."""
    table = exploratory.outcomes(study, in_memory.pairs(study, baseline, treated, seconds))
    names, (row,) = rows.outcomes(study, exploratory.adjusted(study, table))
    return dict(zip(names, row["cells"], strict=True))


def reaching(*after, epochs=40):
    """Test losses that are at 0.5 from so many epochs on, measured after every tenth."""
    return {"test_loss": np.where(np.arange(10, epochs + 1, 10)[:, None] >= np.array(after), 0.5, 5.0)}


def test_seconds_of_one_job_are_a_ratio_without_interval_and_mark():
    losses = reaching(*[20] * 20)
    cell = explored(synthetic.plan(seeds=20), losses, losses, (1.0, 3.0))["seconds of training"]
    assert (cell.text, cell.note) == ("3.0", "1 job each")


def test_five_seeds_of_twenty_that_reach_the_target_do_not_make_an_arm_three_times_as_fast():
    study = synthetic.plan(seeds=20, epochs=80, report={"target": 1.0})
    arms = (reaching(*[60] * 20, epochs=80), reaching(*[20] * 5, *[math.inf] * 15, epochs=80))
    cell = explored(study, *arms)["epochs to the target value"]
    assert cell.text == "at least 0.94"  # (1/3)^(1/4) · (4/3)^(3/4), and nothing that says "faster"
    assert cell.note == "(from 0.71), 20 and 5 of 20 reach it"


def test_an_arm_that_is_there_at_once_makes_the_ratio_a_bound():
    study = synthetic.plan(seeds=20, report={"target": 1.0})
    cell = explored(study, reaching(*[1] * 20), reaching(*[20, 30] * 10))["epochs to the target value"]
    assert (cell.text, cell.note) == ("at least 2.4 †", "(from 2.2), 20 and 0 of 20 at once")
    both = explored(study, reaching(*[1] * 20), reaching(*[1] * 20))["epochs to the target value"]
    assert (both.text, both.note, both.value) == ("–", "20 and 20 of 20 at once", "")


def test_accuracies_are_shown_in_points_and_gaps_by_their_difference():
    study, seeds = synthetic.plan(seeds=20), np.linspace(-1, 1, 20)
    losses = {"test_loss": np.ones(20), "eval_loss": np.full(20, 0.5)}
    better = losses | {"eval_loss": 0.25 * np.exp(0.1 * seeds), "test_accuracy": 0.825 + 0.02 * seeds}
    cells = explored(study, losses | {"test_accuracy": np.full(20, 0.812)}, better)
    assert cells["test accuracy"].text == "+1.3 points †"
    assert cells["test accuracy"].note == "(0.7 to 1.9), from 81.2 to 82.5 %"
    assert (cells["generalization gap"].text, cells["generalization gap"].note) == ("+0.69 †", "(0.66 to 0.72)")
    assert float(cells["generalization gap"].value) == pytest.approx(math.log(2))


def test_rows_are_filtered_by_what_is_held_fixed_and_by_several_comparisons():
    assert rows.levels(synthetic.plan()) == {}
    assert set(rows.levels(synthetic.plan(**synthetic.GRID))) == {"batch_size", "optimizer"}
    three = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.5}])
    assert rows.levels(three) == {"comparison": ("BN", "BN momentum=0.5")}


@pytest.mark.parametrize(("seeds", "text"), [(math.inf, "> 1,000,000"), (1234.0, "1,234")])
def test_seeds_needed_are_whole_or_too_many(compared, seeds, text):
    study = synthetic.plan()
    contexts = compared(study, noise=0.2)[0]["contexts"].assign(seeds_needed=seeds, seeds_needed_low=math.nan)
    assert rows.contexts(study, contexts)[0]["needed"].text == text
