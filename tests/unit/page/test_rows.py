"""Cells of the page: what they say, and what they sort by."""

import math

import pytest
import synthetic

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
