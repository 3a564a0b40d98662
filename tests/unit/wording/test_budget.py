"""Whether another budget would answer otherwise: no side, no size and no drift that the tables do not hold."""

import pandas as pd
import pytest
import synthetic

from bnbench.wording import budget, formats, sentences

ONE, FOUR = synthetic.plan(epochs=2000), synthetic.plan(**synthetic.GRID, epochs=2000)
COURSE = 1990


def held(study, place=0):
    return {**study.contexts()[place][0], "baseline": "none", "treatment": "batch"}


def stretch(study, side, first, last, effect=None, peak=None, place=0):
    """A row of the table of stretches; its effect is on its side."""
    size = effect or (0.4 if side == "below" else 2.5)
    return {
        **held(study, place),
        "side": side,
        "first_epoch": first,
        "last_epoch": last,
        "measurements": 9,
        "course_share": (last - first) / COURSE,
        "peak_epoch": peak or last,
        "effect": size,
        "low": 0.9 * size,
        "high": 1.1 * size,
    }


def drift(study, *trends):
    numbers = {"falls": (0.8, 0.7, 0.9), "rises": (1.2, 1.1, 1.3), "unclear": (1.0, 0.9, 1.1)}
    nothing = (float("nan"),) * 3
    rows = [
        {
            **held(study, place),
            "first_epoch": 1600,
            "last_epoch": 1999,
            "trend": trend,
            **dict(zip(("change", "change_low", "change_high"), numbers.get(trend, nothing), strict=True)),
        }
        for place, trend in enumerate(trends)
    ]
    return pd.DataFrame(rows)


TURNS = [stretch(ONE, "below", 39, 619, 1 / 6.1, 119), stretch(ONE, "above", 779, 1999)]
NO_STRETCH = pd.DataFrame(TURNS)[:0]


def test_a_change_of_sides_is_said_with_the_largest_effect_of_the_side_that_does_not_last():
    (said,) = budget.crossings(ONE, pd.DataFrame(TURNS))
    assert said == (
        "With Adam at full batch, the test loss with BN is lower than without BN from epoch 39 to 619 "
        "(at most 6.1-fold lower, at epoch 119) and higher from epoch 779 to 1,999."
    )
    assert budget.answer(ONE, pd.DataFrame(TURNS), drift(ONE, "unclear")) == "Yes: the effect changes sides on the way."


def test_stretches_of_one_side_are_one_with_the_largest_effect_of_all():
    rows = [stretch(ONE, "below", 39, 299, 0.5, 39), stretch(ONE, "below", 399, 619, 0.25, 499), TURNS[1]]
    (said,) = budget.crossings(ONE, pd.DataFrame(rows))
    assert "lower than without BN at times from epoch 39 to 619 (at most 4.0-fold lower, at epoch 499)" in said


@pytest.mark.parametrize("rows", [[], TURNS[:1], TURNS[1:], [stretch(ONE, "below", 39, 59), TURNS[1]]])
def test_one_side_or_a_moment_on_the_other_changes_no_answer(rows):
    table = pd.DataFrame(rows, columns=NO_STRETCH.columns)
    assert budget.crossings(ONE, table) == []
    assert budget.note(ONE, table, drift(ONE, "unclear")) == ""
    assert budget.answer(ONE, table, drift(ONE, "unclear")).startswith("Nothing shows that it does")


def test_of_many_changes_the_first_and_the_last_are_named():
    sides = ["below", "above", "below", "above"]
    rows = [stretch(ONE, side, 9 + 500 * n, 399 + 500 * n) for n, side in enumerate(sides)]
    (said,) = budget.crossings(ONE, pd.DataFrame(rows))
    assert "from epoch 9 to 399 (at most" in said
    assert said.endswith("and higher from epoch 1,509 to 1,899, changing sides 3 times.")


def test_a_note_on_one_comparison_is_short_and_one_on_several_counts_them():
    note = budget.note(ONE, pd.DataFrame(TURNS), drift(ONE, "unclear"))
    assert note.startswith("The answer depends on the budget. With Adam at full batch, ")
    assert "at most" not in note
    assert all(formats.length(each) <= sentences.LONGEST for each in note.split(". "))
    several = [{**row, **held(FOUR, 1)} for row in TURNS]
    note = budget.note(FOUR, pd.DataFrame(several), drift(FOUR, *["unclear"] * 4))
    assert note.startswith("The answer depends on the budget in 1 of 4 contexts")


def test_an_effect_that_drifts_says_for_whom_and_with_its_interval():
    (said,) = budget.drifts(ONE, drift(ONE, "rises"))
    assert "from epoch 1,600 to 1,999, the ratio of the test losses, BN to no BN, became 20 % higher" in said
    assert "(95 % interval 10 % to 30 %)" in said
    assert said.endswith("The effect still moves against BN.")
    assert budget.drifts(ONE, drift(ONE, "falls"))[0].endswith("The effect still moves in favour of BN.")
    assert budget.drifts(ONE, drift(ONE, "unclear")) == budget.drifts(ONE, drift(ONE, "no data")) == []
    assert budget.note(ONE, NO_STRETCH, drift(ONE, "rises")).startswith("The effect still moves against BN at the end")


@pytest.mark.parametrize(
    ("trends", "start"),
    [
        (["rises", "unclear", "unclear", "falls"], "It may. The effect still drifts at the end in 2 of 4 contexts"),
        (["unclear"] * 4, "Nothing shows that it does"),
        (["no data"] * 4, "It cannot be told"),
    ],
)
def test_the_answer_is_as_sure_as_the_drifts_are(trends, start):
    assert budget.answer(FOUR, NO_STRETCH, drift(FOUR, *trends)).startswith(start)
