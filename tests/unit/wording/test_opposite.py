"""Where a study is judged in training mode: what evaluation mode and the test points say is said only where marked."""

import pandas as pd
import pytest
import synthetic

from bnbench.wording import opposite

JUDGED = synthetic.plan(report={"outcome": "train_loss"})
FOUR = synthetic.plan(**synthetic.GRID, report={"outcome": "train_loss"})


def tables(study, verdict, directions):
    """Verdicts, all alike, and outcomes whose direction and mark are given for each outcome."""
    held = [{**labels, "baseline": "none", "treatment": "batch"} for labels, _ in study.contexts()]
    contexts = pd.DataFrame([{**each, "verdict": verdict} for each in held])
    outcomes = [
        {**each, "outcome": name, "direction": direction, "marked": marked}
        for place, each in enumerate(held)
        for name, (direction, marks) in directions.items()
        for marked in [marks[place] if isinstance(marks, list) else marks]
    ]
    return contexts, pd.DataFrame(outcomes)


def said(study, verdict, **directions):
    return opposite.note(study, *tables(study, verdict, directions))


def test_what_is_marked_the_other_way_is_the_opposite():
    note = said(JUDGED, "hurts", train_loss=(1, True), eval_loss=(-1, True), test_loss=(-1, True))
    assert note == (
        "This is judged in training mode. The opposite holds by the train loss in evaluation mode and by the test loss "
        "(exploratory)."
    )
    assert note == said(JUDGED, "helps", train_loss=(-1, True), eval_loss=(1, True), test_loss=(1, True))


def test_what_is_not_marked_opposes_nothing():
    note = said(JUDGED, "hurts", train_loss=(1, True), eval_loss=(-1, False), test_loss=(-1, False))
    assert "opposite" not in note
    assert note == (
        "This is judged in training mode. Neither the train loss in evaluation mode nor the test loss shows a decided "
        "difference (exploratory)."
    )


def test_one_may_oppose_and_the_other_decide_nothing():
    note = said(JUDGED, "hurts", eval_loss=(-1, False), test_loss=(-1, True))
    assert note == (
        "This is judged in training mode. The opposite holds by the test loss (exploratory). The train loss in "
        "evaluation mode shows no decided difference (exploratory)."
    )


def test_where_all_agree_nothing_is_said():
    assert said(JUDGED, "hurts", eval_loss=(1, True), test_loss=(1, True)) == ""


@pytest.mark.parametrize("verdict", ["undecided", "equivalent"])
def test_a_verdict_without_a_side_has_no_opposite(verdict):
    assert "opposite" not in said(JUDGED, verdict, eval_loss=(-1, True), test_loss=(-1, True))


def test_contexts_that_oppose_are_counted():
    marks = [True, True, False, False]
    note = said(FOUR, "hurts", eval_loss=(-1, marks), test_loss=(1, True))
    assert "The opposite holds by the train loss in evaluation mode in 2 of 4 contexts" in note
    assert "test loss" not in note


def test_a_study_that_is_judged_by_the_test_loss_or_without_statistics_has_no_note():
    changed = {"eval_loss": (-1, True), "test_loss": (-1, True)}
    assert said(synthetic.plan(), "hurts", **changed) == ""
    plain = synthetic.plan(norm=["none", "layer"], report={"outcome": "train_loss"})
    assert said(plain, "hurts", **changed) == ""
