"""Whether a loss still falls at the end: closed forms, the size of the interval, and how often it errs."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import synthetic
from hypothesis import given
from hypothesis import strategies as st
from named_pairs import TUNED, by_rate

from bnbench.judging import convergence, stats
from bnbench.outcomes import OUTCOMES
from bnbench.store.trials import Trials

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan(epochs=1000)


def judged(values, outcome="test_loss", window=0.2, settings=2):
    """The row of a setting that was measured every tenth epoch; `values` are losses, [measured epochs, seeds]."""
    report = SimpleNamespace(outcome=outcome, window=window, alpha=0.05)
    values = np.asarray(values, float)
    epochs = {outcome: np.arange(9, 10 * len(values), 10)}
    trials = Trials(STUDY.settings[0], pd.DataFrame(index=range(values.shape[1])), {outcome: values}, epochs, {})
    study = SimpleNamespace(report=report, settings=[None] * settings, outcome=OUTCOMES[outcome])
    (row,) = convergence.of_arm(study, trials).to_dict("records")
    return row


def curves(slope, noise=0.0, seeds=8, measured=100, key=0):
    """Log losses that fall by `slope` an epoch, about a level of each seed's own."""
    generator = np.random.default_rng(key)
    level = generator.normal(-5, 2, seeds)
    bouncing = noise * generator.normal(size=(measured, seeds))
    return level + slope * 10 * np.arange(measured)[:, None] + bouncing


def test_a_steady_fall_is_told_by_its_factor_from_the_first_epoch_of_the_window_to_the_last():
    row = judged(np.exp(curves(-0.002)))
    assert (row["first_epoch"], row["last_epoch"], row["measurements"]) == (809, 999, 20)
    assert row["change"] == pytest.approx(math.exp(-0.002 * 190))
    assert (row["change_low"], row["change_high"]) == (pytest.approx(row["change"]), pytest.approx(row["change"]))
    assert (row["trend"], row["seeds"]) == ("falls", 8)
    assert judged(np.exp(curves(0.002)))["trend"] == "rises"


def test_a_change_is_that_of_the_least_squares_line_whatever_bounces_between():
    logs = curves(-0.001, noise=0.7)
    slopes = np.polyfit(np.arange(809, 1000, 10), logs[-20:], 1)[0]
    row = judged(np.exp(logs))
    assert row["change"] == pytest.approx(math.exp(slopes.mean() * 190))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(0, 1000))
def test_the_line_is_by_the_epoch_also_where_the_measured_epochs_are_not_equally_spaced(steps, key):
    epochs = np.cumsum([3, *steps])
    values = np.random.default_rng(key).normal(size=(len(epochs), 3))
    expected = np.polyfit(epochs, values, 1)[0] * (epochs[-1] - epochs[0])
    np.testing.assert_allclose(convergence.fitted_changes(epochs, values), expected, atol=1e-9)


def test_the_interval_is_students_at_a_level_that_holds_for_all_settings_together():
    logs = curves(-0.001, noise=0.7)
    changes = convergence.fitted_changes(np.arange(809, 1000, 10), logs[-20:])
    for settings in (1, 8):
        row = judged(np.exp(logs), settings=settings)
        expected = np.exp(stats.t_interval(changes, 1 - 0.05 / settings))
        assert [row[name] for name in ("change", "change_low", "change_high")] == pytest.approx(expected)


def test_losses_that_stay_where_they_are_do_not_fall():
    row = judged(np.full((100, 8), 0.1) * np.arange(1, 9))
    assert (row["change"], row["change_low"], row["change_high"], row["trend"]) == (1, 1, 1, "unclear")


def test_losses_that_only_bounce_are_called_clear_no_more_often_than_promised():
    repetitions, settings, clear = 300, 4, 0
    for key in range(repetitions):
        rows = (judged(np.exp(curves(0.0, 0.5, key=[key, one])), settings=settings) for one in range(settings))
        clear += any(row["trend"] != "unclear" for row in rows)
    assert clear / repetitions < 0.05 + 3 * math.sqrt(0.05 * 0.95 / repetitions)


@given(st.floats(1e-3, 1e3))
def test_in_which_units_a_loss_is_does_not_matter(factor):
    logs = curves(-0.0005, noise=0.3)
    one, other = judged(np.exp(logs)), judged(np.exp(logs) * factor)
    for name in ("change", "change_low", "change_high"):
        assert other[name] == pytest.approx(one[name])


def test_a_trial_that_diverged_does_not_count():
    losses = np.exp(curves(-0.001, noise=0.3))
    gone = losses.copy()
    gone[95:, 2] = np.nan
    some, fewer = judged(gone), judged(np.delete(losses, 2, axis=1))
    for name in ("change", "change_low", "change_high"):
        assert some[name] == pytest.approx(fewer[name])
    assert some["seeds"] == 7


@pytest.mark.parametrize(
    ("measured", "window", "expected", "enough"),
    [
        (100, 0.05, 5, True),
        (100, 0.2, 20, True),
        (100, 0.01, 5, True),
        (25, 0.05, 5, True),
        (10, 0.0, 5, True),
        (9, 0.05, 5, False),
        (6, 1.0, 6, True),
        (4, 0.05, 4, False),
        (1, 0.5, 1, False),
    ],
)
def test_a_trend_takes_five_measurements_that_are_no_more_than_half_of_all(measured, window, expected, enough):
    assert convergence.stretch(measured, window) == expected
    assert convergence.enough(measured, window) == enough


def test_two_points_make_no_trend():
    row = judged(np.exp(curves(-0.002, measured=4)), window=0.5)
    assert (row["trend"], row["seeds"], row["measurements"]) == ("no data", 0, 4)
    assert math.isnan(row["change"])


@pytest.mark.parametrize(("measured", "seeds"), [(1, 8), (10, 1), (10, 0)])
def test_one_measurement_or_fewer_than_two_seeds_say_nothing(measured, seeds):
    row = judged(np.exp(curves(-0.1, seeds=seeds, measured=measured)))
    assert row["trend"] == "no data"
    assert np.isnan([row["change_low"], row["change_high"]]).all()


def test_the_generalization_gap_changes_by_a_difference_in_log_units():
    row = judged(curves(0.002), "generalization_gap")
    assert row["change"] == pytest.approx(0.002 * 190)
    assert row["trend"] == "rises"
    still = judged(curves(0.0), "generalization_gap")
    assert (still["change"], still["trend"]) == (0, "unclear")


def test_an_accuracy_changes_by_a_difference_of_shares():
    shares = 0.5 + 0.0001 * 10 * np.arange(100)[:, None] + np.linspace(0, 0.1, 8)
    row = judged(shares, "test_accuracy")
    assert row["change"] == pytest.approx(0.0001 * 190)
    assert row["trend"] == "rises"


def test_there_is_a_row_for_each_setting_of_a_study(compared):
    study = synthetic.plan(**synthetic.GRID, evaluate_every=4)
    found, _ = compared(study, ratio=synthetic.arms(batch=2.0), noise=0.1)
    rows = found["convergence"]
    assert len(rows) == len(study.settings) == 8
    # Of synthetic losses, the log loss goes its way in 36 epochs.
    epochs = np.arange(23, 40, 4)
    steepness = np.polyfit(epochs, np.minimum((epochs + 1) / 36, 1), 1)[0]
    baseline = rows[rows["norm"] == "none"]
    shared = 0.3 * np.mean([np.random.default_rng(seed).normal() for seed in range(8)])
    fall = (np.log(1e-3 / synthetic.FIRST_LOSS) + shared) * steepness * 16
    np.testing.assert_allclose(baseline["change"], np.exp(fall), rtol=0.02)
    assert set(rows["trend"]) == {"falls"}


def test_where_rates_are_tuned_the_settings_at_the_chosen_rates_are_picked(compared):
    found, _ = compared(TUNED, ratio=by_rate, noise=0.05)
    rows = convergence.at_chosen_rates(TUNED, found["tuned"], found["convergence"])
    chosen = dict(rows[["norm", "optimizer"]].to_numpy().tolist())
    assert len(rows) == 3
    assert chosen == {"none": "adam lr=0.001", "batch": "adam lr=0.01", "layer": "adam lr=0.001"}
    everything = found["convergence"]
    assert convergence.at_chosen_rates(TUNED, found["tuned"].iloc[:0], everything) is everything
