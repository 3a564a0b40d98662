"""All contexts together: by hand, what must not change the numbers, and how often the bootstrap holds the truth."""

import math
from dataclasses import replace

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from bnbench.judging import aggregate, finals
from bnbench.judging.aggregate import by_seeds, improvement, interquartile_mean

pytestmark = pytest.mark.filterwarnings("error")

FOUR = synthetic.plan(**synthetic.GRID)
LEVEL = 0.95
NAN, INF = math.nan, math.inf

some_runs = arrays.arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=st.floats(-9, 9, width=16))
several = settings(max_examples=60, deadline=None, derandomize=True)


def contrasts_of(study, runs):
    """Contrasts whose differences are `runs`, [contexts, seeds]; NaN in a pair of which both arms diverged."""
    rows = iter(np.asarray(runs, float))

    def drawn(labels):
        row = next(rows)
        baseline = np.where(row == -INF, NAN, np.where(np.isnan(row), NAN, 1.0))
        treated = np.where(np.isnan(row) | (row == INF), NAN, 1.0 + np.where(np.isfinite(row), row, 0.0))
        return np.arange(len(row)), baseline, treated

    return synthetic.contrasts(study, drawn)


def row_of(runs, study=FOUR, verdicts=("undecided",) * 4):
    (row,) = aggregate.tables(study, contrasts_of(study, runs), verdicts)["aggregate"].to_dict("records")
    return row


def test_the_interquartile_mean_is_that_of_the_middle_half():
    assert interquartile_mean(np.array([[9.0, 1, 2, 3], [-50, 100, 4, 5]])) == np.mean([2, 3, 4, 5])
    assert interquartile_mean(np.array([[1.0, 7.0]])) == 4.0


@given(some_runs)
@several
def test_the_interquartile_mean_is_scipys_of_all_runs_and_knows_no_order(runs):
    assert interquartile_mean(runs) == pytest.approx(stats.trim_mean(np.sort(runs.ravel()), 0.25))
    stacked = np.stack([runs, runs[::-1, ::-1]])
    np.testing.assert_allclose(interquartile_mean(stacked), [interquartile_mean(runs)] * 2)


@given(some_runs)
@several
def test_the_share_of_improved_runs_is_that_of_wins_and_half_of_the_ties_and_of_the_other_side_the_rest(runs):
    expected = np.mean([[(run < 0) + (run == 0) / 2 for run in context] for context in runs])
    assert improvement(runs) == pytest.approx(expected)
    assert improvement(runs) + improvement(-runs) == pytest.approx(1.0)


@pytest.mark.parametrize("effect", [-1.5, 0.0, 0.3])
def test_a_constant_effect_comes_back_exactly(effect):
    row = row_of(np.full((4, 8), effect))
    for name in ("iqm", "low", "high", "effect_lowest", "effect_highest"):
        assert row[name] == pytest.approx(math.exp(effect), rel=1e-12)
    assert (row["contexts"], row["pairs"]) == (4, 8)
    assert row["improvement"] == {-1.5: 1.0, 0.0: 0.5, 0.3: 0.0}[effect]
    assert math.isnan(row["improvement_low"])  # seeds that all agree show no spread
    assert row["tau"] == pytest.approx(0.0, abs=1e-12)


def test_one_context_of_four_that_is_far_off_does_not_move_the_middle():
    runs = np.full((4, 8), -math.log(2.0))
    runs[3] = math.log(1e6)
    row = row_of(runs, verdicts=["helps", "helps", "helps", "hurts"])
    assert row["iqm"] == pytest.approx(0.5)
    assert (row["effect_lowest"], row["effect_highest"]) == pytest.approx((0.5, 1e6))
    assert row["improvement"] == 0.75
    assert (row["contexts_helped"], row["contexts_hurt"], row["contexts_undecided"]) == (3, 1, 0)
    assert row["i_squared"] == pytest.approx(1.0)


def test_the_order_of_the_contexts_changes_nothing():
    runs = np.random.default_rng(1).normal(size=(4, 8))
    assert row_of(runs) == pytest.approx(row_of(runs[[2, 0, 3, 1]]), nan_ok=True)


def test_a_trial_that_diverged_is_worse_than_any_other_and_a_pair_of_two_is_a_tie():
    runs = np.random.default_rng(2).normal(size=(4, 8))
    runs[0, 1], runs[1, 2] = INF, -INF
    row = row_of(runs)
    beyond = np.where(np.isinf(runs), np.sign(runs) * 99, runs)
    assert row["iqm"] == pytest.approx(math.exp(stats.trim_mean(beyond.ravel(), 0.25)))
    assert row["improvement"] == pytest.approx((runs < 0).mean())
    runs[3, 4] = NAN
    tied = row_of(runs)
    assert math.isnan(tied["iqm"])
    assert tied["improvement"] == pytest.approx(((runs < 0) + np.isnan(runs) / 2).mean())


def test_losses_below_the_resolution_leave_shares_of_what_is_certain_but_no_mean_of_the_middle():
    runs = np.random.default_rng(3).normal(size=(4, 8))
    contrasts = contrasts_of(FOUR, runs)
    known = np.zeros((2, 8), int)
    known[0, 2] = finals.AT_MOST  # the baseline may be better still: only that it is better would be certain
    contrasts[1] = replace(contrasts[1], censored=known)
    (row,) = aggregate.tables(FOUR, contrasts, ["undecided"] * 4)["aggregate"].to_dict("records")
    certain = runs.copy()
    certain[1, 2] = max(certain[1, 2], 0.0)
    assert row["improvement"] == pytest.approx(((certain < 0) + (certain == 0) / 2).mean())
    assert math.isnan(row["iqm"])
    assert not math.isnan(row["tau"])  # over the seeds that were measured everywhere


def test_where_a_quarter_diverged_nothing_bounds_the_middle():
    runs = np.random.default_rng(3).normal(size=(4, 8))
    runs[:, :3] = INF
    row = row_of(runs)
    assert (row["iqm"], row["high"]) == (INF, INF)


@pytest.mark.parametrize("seeds", [0, 1])
def test_of_fewer_than_two_seeds_there_are_no_limits(seeds):
    row = row_of(np.zeros((4, seeds)))
    assert all(math.isnan(row[name]) for name in ("low", "high", "improvement_low", "improvement_high", "tau"))
    assert math.isnan(row["iqm"]) == (seeds == 0)


def test_two_contexts_are_not_taken_together():
    study = synthetic.plan(batch_size=["full", 25])
    found = aggregate.tables(study, contrasts_of(study, np.zeros((2, 8))), ["undecided"] * 2)
    assert found["aggregate"].empty
    assert found["profile"].empty


@pytest.mark.parametrize("outcome", ["test_accuracy", "generalization_gap"])
def test_on_the_scale_of_differences_it_is_a_difference(outcome):
    runs = np.random.default_rng(4).normal(size=(4, 8))
    scored, ratios = row_of(runs, synthetic.scored(FOUR, outcome)), row_of(runs)
    sign = -1 if outcome == "test_accuracy" else 1
    for names in (("iqm",), ("low", "high"), ("effect_lowest", "effect_highest")):
        assert [scored[name] for name in names] == pytest.approx(
            [sign * math.log(ratios[name]) for name in names[::sign]]
        )
    for name in ("improvement", "improvement_low", "improvement_high", "tau", "i_squared"):
        assert scored[name] == ratios[name]


def profile_of(runs, study=FOUR):
    return aggregate.tables(study, contrasts_of(study, runs), ["undecided"] * 4)["profile"]


def test_the_profile_is_the_distribution_of_the_effects_and_holds_no_effect():
    runs = np.random.default_rng(5).normal(size=(4, 8))
    runs[0, 0] = INF
    found = profile_of(runs)
    assert found["threshold"].is_monotonic_increasing
    expected = [(runs <= math.log(threshold) + 1e-12).mean() for threshold in found["threshold"]]
    np.testing.assert_allclose(found["reached"], expected)
    assert found["reached"].is_monotonic_increasing
    assert found["reached"].iloc[-1] == 31 / 32  # one diverged
    assert found.loc[found["threshold"] == 1.0, "reached"].item() == (runs <= 0).mean()
    assert (found["low"] <= found["reached"]).all()
    assert (found["reached"] <= found["high"]).all()


def test_where_higher_is_better_the_profile_falls():
    found = profile_of(np.random.default_rng(6).normal(size=(4, 8)), synthetic.scored(FOUR))
    assert found["threshold"].is_monotonic_increasing
    assert found["reached"].is_monotonic_decreasing


def test_a_profile_of_many_runs_has_no_more_rows_than_a_figure_shows():
    assert len(profile_of(np.random.default_rng(7).normal(size=(4, 60)))) <= aggregate.THRESHOLDS + 1


def test_the_bootstrap_of_a_mean_has_nearly_students_interval():
    values = np.random.default_rng(8).normal(size=(1, 12))
    low, high = by_seeds(values, lambda runs: runs.mean((-2, -1)), LEVEL)
    expected = stats.t.interval(LEVEL, 11, values.mean(), stats.sem(values[0]))
    assert (float(low), float(high)) == pytest.approx(expected, abs=0.12 * (expected[1] - expected[0]))


def test_contexts_that_say_the_same_of_every_seed_are_no_more_evidence_than_one():
    one = np.random.default_rng(9).normal(size=(1, 10))
    limits = [
        by_seeds(np.repeat(one, contexts, axis=0), lambda runs: runs.mean((-2, -1)), LEVEL) for contexts in (1, 8)
    ]
    np.testing.assert_allclose(limits[0], limits[1])


@pytest.mark.parametrize(("seeds", "together"), [(8, 0.0), (8, 0.7), (20, 0.7)])
def test_the_limits_of_the_interquartile_mean_hold_the_truth_about_as_often_as_they_say(monkeypatch, seeds, together):
    monkeypatch.setattr(aggregate, "DRAWS", 500)
    generator, studies, hits = np.random.default_rng(seeds), 400, 0
    effects = np.linspace(-1, 2, 4)[:, None]

    def drawn(seeds):
        common, own = generator.normal(size=seeds), generator.normal(size=(4, seeds))
        return effects + math.sqrt(together) * common + math.sqrt(1 - together) * own

    truth = float(interquartile_mean(drawn(200_000)))
    for _ in range(studies):
        low, high = by_seeds(drawn(seeds), interquartile_mean, LEVEL)
        hits += low <= truth <= high
    assert hits / studies > 0.935 - 4 * math.sqrt(0.95 * 0.05 / studies)
