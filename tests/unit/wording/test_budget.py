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


def verdict(study, place=0, **changes):
    """A row of the table of verdicts: BN hurts, by 1.43 (1.2 to 1.7)."""
    effect = changes.get("effect", 1.43)
    row = {**held(study, place), "verdict": "hurts" if effect > 1 else "helps", "test": "mean", "effect": effect}
    return pd.DataFrame([{**row, "effect_low": 0.84 * effect, "effect_high": 1.19 * effect, **changes}])


TURNS = [stretch(ONE, "below", 39, 619, 1 / 6.1, 119), stretch(ONE, "above", 779, 1999)]
NO_STRETCH = pd.DataFrame(TURNS)[:0]
JUDGED = verdict(ONE, effect=2.5)


def test_a_change_of_sides_is_said_with_the_largest_effect_of_the_side_that_does_not_last():
    (said,) = budget.crossings(ONE, pd.DataFrame(TURNS))
    assert said == (
        "With Adam at full batch, the test loss with BN is lower than without BN after 40 to 620 epochs "
        "(at most 6.1-fold lower, after 120 epochs) and higher after 780 to 2,000 epochs."
    )
    assert budget.answer(ONE, pd.DataFrame(TURNS), drift(ONE, "unclear"), JUDGED) == (
        "Yes: BN helps early and hurts later. A side counts as an answer where it holds over a tenth of the course or "
        "more."
    )


def test_stretches_of_one_side_are_one_with_the_largest_effect_of_all():
    rows = [stretch(ONE, "below", 39, 299, 0.5, 39), stretch(ONE, "below", 399, 619, 0.25, 499), TURNS[1]]
    (said,) = budget.crossings(ONE, pd.DataFrame(rows))
    assert "lower than without BN at times after 40 to 620 epochs (at most 4.0-fold lower, after 500 epochs)" in said


@pytest.mark.parametrize("rows", [[], TURNS[:1], TURNS[1:]])
def test_one_side_changes_no_answer(rows):
    table = pd.DataFrame(rows, columns=NO_STRETCH.columns)
    assert budget.crossings(ONE, table) == []
    assert budget.note(ONE, table, drift(ONE, "unclear")) == ""
    assert budget.answer(ONE, table, drift(ONE, "unclear"), JUDGED) == (
        "Nothing shows that it does: no effect changes sides for long, or clearly drifts at the end."
    )


MOMENT, LATER = stretch(ONE, "below", 39, 59), stretch(ONE, "below", 1199, 1219)
RISES = [stretch(ONE, "above", 779, 1159), stretch(ONE, "above", 1259, 1999)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([MOMENT, TURNS[1]], ["lower than without BN after 40 to 60 epochs alone: counted as early training"]),
        ([stretch(ONE, "below", 39, 39), TURNS[1]], ["after 40 epochs alone: counted as early training"]),
        (
            [RISES[0], LATER, RISES[1]],
            ["lower than without BN after 1,200 to 1,220 epochs alone: counted as too short"],
        ),
        (
            [MOMENT, RISES[0], LATER, RISES[1]],
            [
                "after 40 to 60 epochs alone: counted as early",
                "after 1,200 to 1,220 epochs alone: counted as too short",
            ],
        ),
    ],
)
def test_a_moment_on_the_other_side_is_named_and_changes_no_answer(rows, said):
    table = pd.DataFrame(rows)
    found = budget.crossings(ONE, table)
    assert len(found) == len(said)
    for sentence, fact in zip(found, said, strict=True):
        assert fact in sentence
        assert sentence.endswith(", not as another answer.")
    assert budget.note(ONE, table, drift(ONE, "unclear")) == ""
    answer = budget.answer(ONE, table, drift(ONE, "unclear"), JUDGED)
    assert answer.startswith("Nothing shows that it does, early training and short stretches aside: ")
    assert answer.endswith("; shorter stretches are named too.")


def test_a_moment_between_two_sides_that_matter_is_no_third_one():
    """Only what differs from a neighbour that matters would be news; between its own side and another it is not."""
    rows = [TURNS[0], stretch(ONE, "below", 659, 679), TURNS[1]]
    (said,) = budget.crossings(ONE, pd.DataFrame(rows))
    assert "alone" not in said


@pytest.mark.parametrize(
    ("rows", "judged", "said"),
    [
        ([stretch(ONE, "above", 99, 1999, 10.0, 99)], {}, "falls from 10 after 100 epochs to 1.43 at the end."),
        ([stretch(ONE, "below", 99, 1999, 0.1, 99)], {"effect": 0.7}, "rises from 0.10 after 100 epochs to 0.70"),
        # The peak's band and the interval of the verdict overlap.
        ([stretch(ONE, "above", 99, 1999, 1.5, 99)], {}, ""),
        ([stretch(ONE, "above", 99, 1999, 10.0, 99)], {"verdict": "undecided"}, ""),
        ([stretch(ONE, "above", 99, 1999, 10.0, 99)], {"test": "rank"}, ""),
        # The larger effect was on the other side: that is a change of sides, or too short for one.
        ([stretch(ONE, "below", 39, 59, 0.01, 39)], {}, ""),
        (TURNS, {"effect": 1.43}, ""),
    ],
)
def test_an_effect_that_shrinks_is_named_where_its_interval_says_so(rows, judged, said):
    table, contexts = pd.DataFrame(rows), verdict(ONE, **judged)
    found = budget.shrinking(ONE, table, contexts)
    assert len(found) == bool(said)
    for sentence in found:
        assert sentence.startswith("With Adam at full batch, the ratio of the test losses, BN to no BN, ")
        assert said in sentence
    answer = budget.answer(ONE, table, drift(ONE, "unclear"), contexts)
    assert ("The verdict holds, but the effect shrinks on the way." in answer) == bool(said)


def test_contexts_in_which_effects_shrink_are_counted():
    rows = [{**stretch(FOUR, "above", 99, 1999, 10.0, 99), **held(FOUR, place)} for place in (1, 3)]
    contexts = pd.concat([verdict(FOUR, place) for place in range(4)])
    assert len(budget.shrinking(FOUR, pd.DataFrame(rows), contexts)) == 2
    answer = budget.answer(FOUR, pd.DataFrame(rows), drift(FOUR, *["unclear"] * 4), contexts)
    assert answer.endswith("The verdict holds, but the effect shrinks on the way in 2 of 4 contexts.")


def test_of_many_changes_the_first_and_the_last_are_named():
    sides = ["below", "above", "below", "above"]
    rows = [stretch(ONE, side, 9 + 500 * n, 399 + 500 * n) for n, side in enumerate(sides)]
    (said,) = budget.crossings(ONE, pd.DataFrame(rows))
    assert "after 10 to 400 epochs (at most" in said
    assert said.endswith("and higher after 1,510 to 1,900 epochs, changing sides 3 times.")


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
    assert "between 1,601 and 2,000 epochs, the ratio of the test losses, BN to no BN, became 20 % higher" in said
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
    assert budget.answer(FOUR, NO_STRETCH, drift(FOUR, *trends), JUDGED).startswith(start)
