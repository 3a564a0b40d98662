"""Which class is predicted as which, in words."""

import pandas as pd
import pytest
import synthetic

from bnbench.wording import classes

ROW = {"baseline": "none", "treatment": "batch", "batch_size": "full", "optimizer": "adam lr=0.001"}


def row(true, predicted, effect, verdict="undecided", half=0.01):
    interval = {"effect": effect, "low": effect - half, "high": effect + half}
    return {**ROW, "class": true, "predicted": predicted, **interval, "verdict": verdict}


@pytest.mark.parametrize(
    ("effect", "said"),
    [(0.0132, "+1.3"), (-0.2, "−20"), (0.0, "0"), (0.0004, "0"), (-0.0994, "−9.9"), (0.0996, "+10"), (1.0, "+100")],
)
def test_differences_in_points_have_two_digits_and_a_sign(effect, said):
    assert classes.in_points(effect) == said


def test_what_is_decided_is_told_in_numbers_the_largest_first():
    rows = [row("8", "8", 0.021, "helps"), row("8", "3", -0.03, "helps"), row("1", "7", 0.2)]
    (said,) = classes.sentences(synthetic.plan(task="digits"), pd.DataFrame(rows))
    assert said == (
        "BN against no BN, Adam at full batch: 8 predicted as 3 less often, by 3.0 (2.0 to 4.0) percentage points; "
        "8 recognized more often, by 2.1 (1.1 to 3.1) percentage points."
    )


def test_where_nothing_is_decided_it_says_so():
    (said,) = classes.sentences(synthetic.plan(task="digits"), pd.DataFrame([row("8", "8", 0.021), row("8", "3", 0.0)]))
    assert (
        said == "BN against no BN, Adam at full batch: the arms cannot be distinguished in any of 2 pairs of classes."
    )


def test_what_is_decided_and_not_listed_is_counted():
    rows = [row(str(place), "x", 0.1 + place / 100, "hurts") for place in range(15)]
    (said,) = classes.sentences(synthetic.plan(task="digits"), pd.DataFrame(rows))
    assert said.endswith("; and 3 more pairs.")
    assert said.count("predicted as") == classes.LISTED
