"""Whether the effect drifts at the end, against what follows from the slopes of made-up losses in closed form."""

from types import SimpleNamespace

import numpy as np
import pytest
import synthetic
from scipy import stats

from bnbench.judging import convergence, drift
from bnbench.judging.pairing import Pairs

pytestmark = pytest.mark.filterwarnings("error")

ONE, FOUR = synthetic.plan(epochs=200), synthetic.plan(epochs=200, **synthetic.GRID)
EPOCHS = np.arange(9, 200, 10)
SLOPES = 1e-3 * np.array([1.0, 2.0, 3.0, 4.0, 5.0])
"""Of the log ratio of each pair, by epoch."""


def row_of(study, slopes, *, epochs=EPOCHS, bend=0.0, diverged=()):
    """The drift of pairs whose log losses fall by `bend` an epoch in both arms, and differ by `slopes` an epoch."""
    logs = -6 - bend * epochs[:, None] + np.linspace(0, 1, len(slopes))
    treated = np.exp(logs + epochs[:, None] * slopes)
    treated[-2:, list(diverged)] = np.nan
    setting = SimpleNamespace(outcomes=study.outcomes, resolution=lambda _: 0.0)
    arms = [
        SimpleNamespace(setting=setting, epochs={"test_loss": epochs}, measured={}, losses={"test_loss": losses})
        for losses in (np.exp(logs), treated)
    ]
    labels, _ = study.contexts()[0]
    (row,) = drift.of_pairs(study, Pairs(labels, ("none", "batch"), *arms)).to_dict("records")
    return row


@pytest.mark.parametrize("study", [ONE, FOUR])
def test_the_change_is_that_of_the_lines_and_its_interval_is_students(study):
    row = row_of(study, SLOPES)
    looked_at = EPOCHS[convergence.last(len(EPOCHS), study.report.window)]
    assert (row["first_epoch"], row["last_epoch"], row["measurements"]) == (looked_at[0], 199, len(looked_at))
    changes = SLOPES * (looked_at[-1] - looked_at[0])
    level = 1 - study.report.alpha / study.family
    half = stats.t.ppf((1 + level) / 2, len(changes) - 1) * stats.sem(changes)
    assert row["change"] == pytest.approx(np.exp(changes.mean()))
    assert row["change_low"] == pytest.approx(np.exp(changes.mean() - half))
    assert row["change_high"] == pytest.approx(np.exp(changes.mean() + half))
    assert row["trend"] == ("rises" if half < changes.mean() else "unclear")


def test_more_comparisons_widen_the_interval():
    one, four = row_of(ONE, SLOPES), row_of(FOUR, SLOPES)
    assert four["change_low"] < one["change_low"] < one["change_high"] < four["change_high"]


@pytest.mark.parametrize("bend", [0.0, 0.01, -0.01])
def test_what_both_arms_do_in_step_moves_nothing(bend):
    assert row_of(ONE, SLOPES, bend=bend)["change"] == pytest.approx(row_of(ONE, SLOPES)["change"])


def test_the_other_way_round_it_falls_by_as_much():
    up, down = row_of(ONE, SLOPES), row_of(ONE, -SLOPES)
    assert (up["trend"], down["trend"]) == ("rises", "falls")
    assert up["change"] * down["change"] == pytest.approx(1)


def test_a_pair_that_diverges_is_left_out():
    row = row_of(ONE, np.array([*SLOPES, 1.0]), diverged=[5])
    assert row["pairs"] == 5
    assert row["change"] == pytest.approx(row_of(ONE, SLOPES)["change"])


def test_slopes_around_none_and_too_little_that_was_measured_decide_nothing():
    assert row_of(ONE, np.array([-2e-3, -1e-3, 0.0, 1e-3, 2e-3]))["trend"] == "unclear"
    few = row_of(ONE, SLOPES, epochs=EPOCHS[:3])
    assert (few["trend"], few["pairs"]) == ("no data", 0)
    assert row_of(ONE, SLOPES[:1])["trend"] == "no data"
