"""All contexts of independent groups together: by hand, what must not change it, and how often intervals hold."""

import math
from dataclasses import replace

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from bnbench.judging import aggregate, finals, group_aggregate
from bnbench.judging.groups import Groups
from bnbench.store import schemas

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan(**synthetic.GRID)
CONTEXTS = [context for context, _ in STUDY.contexts()]
UNDECIDED = ["undecided"] * 4
NAN = math.nan

values = st.integers(-4000, 4000).map(lambda thousandths: thousandths / 1000)
parts = st.lists(st.lists(values, min_size=1, max_size=9).map(np.array), min_size=1, max_size=4)
several = settings(max_examples=60, deadline=None, derandomize=True)


def contrasts(arms):
    """Of the four contexts, from the costs of both arms in each."""
    found = []
    for context, pair in zip(CONTEXTS, arms, strict=True):
        baseline, treated = (np.asarray(costs, float) for costs in pair)
        labels = {**context, "baseline": "none", "treatment": "batch"}
        found.append(Groups(labels, baseline, treated, baseline, treated))
    return found


def drawn(generator, sizes=(7, 5), shift=0.5, spread=1.0):
    return [(generator.normal(size=sizes[0]), generator.normal(shift, spread, sizes[1])) for _ in CONTEXTS]


def row_of(arms):
    (row,) = group_aggregate.tables(STUDY, contrasts(arms), UNDECIDED)["aggregate"].to_dict("records")
    return row


def test_the_middle_half_is_scipy_s_where_all_contexts_have_as_many_runs():
    generator = np.random.default_rng(1)
    arms = drawn(generator, (4, 6))
    every = np.concatenate([(treated[:, None] - baseline).ravel() for baseline, treated in arms])
    assert row_of(arms)["iqm"] == pytest.approx(math.exp(scipy_stats.trim_mean(every, 0.25)))


@given(parts)
@several
def test_a_context_counts_alike_however_many_runs_it_has(differences):
    found = group_aggregate.interquartile_mean(differences)
    assert group_aggregate.interquartile_mean([np.tile(part, 3)[::-1] for part in differences]) == pytest.approx(found)
    stacked = group_aggregate.interquartile_mean([np.stack([part, part + 1]) for part in differences])
    np.testing.assert_allclose(stacked, [found, found + 1])
    assert min(map(np.min, differences)) - 1e-9 <= found <= max(map(np.max, differences)) + 1e-9


def test_improvement_is_the_mean_probability_of_superiority():
    arms = drawn(np.random.default_rng(2), (8, 6))
    row = row_of(arms)
    shares = [scipy_stats.mannwhitneyu(baseline, treated).statistic / 48 for baseline, treated in arms]
    assert row["improvement"] == pytest.approx(np.mean(shares))
    assert row["improvement_low"] < row["improvement"] < row["improvement_high"]


def test_the_interval_of_one_context_is_brunner_and_munzel_s():
    generator = np.random.default_rng(3)
    baseline, treated = generator.normal(size=12), generator.normal(0.4, 2, 9)
    found = group_aggregate.share([(treated[:, None] < baseline).astype(float)], 0.95)
    test = scipy_stats.brunnermunzel(treated, baseline)
    error = (found.mean - 0.5) / abs(test.statistic)
    freedom = scipy_stats.t.isf(test.pvalue / 2, np.arange(2, 20, 0.001))
    half = scipy_stats.t.ppf(0.975, np.arange(2, 20, 0.001)[np.abs(freedom - abs(test.statistic)).argmin()]) * abs(
        error
    )
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half), rel=1e-3)


def test_exchanging_the_arms_turns_everything_round():
    arms = drawn(np.random.default_rng(4))
    row, other = row_of(arms), row_of([pair[::-1] for pair in arms])
    assert other["iqm"] == pytest.approx(1 / row["iqm"])
    assert other["improvement"] == pytest.approx(1 - row["improvement"])
    assert other["improvement_low"] == pytest.approx(1 - row["improvement_high"])
    assert row_of([(baseline[::-1], np.sort(treated)) for baseline, treated in arms])["iqm"] == pytest.approx(
        row["iqm"]
    )


def test_a_diverged_run_is_worse_than_any_other():
    arms = drawn(np.random.default_rng(5))
    arms[0][1][0] = NAN
    row = row_of(arms)
    assert math.isfinite(row["iqm"])
    arms[0][1][0] = 1e9
    assert row["iqm"] == pytest.approx(row_of(arms)["iqm"])
    arms[0][1][0] = arms[0][0][0] = NAN
    assert math.isnan(row_of(arms)["iqm"])
    assert 0 < row_of(arms)["improvement"] < 1


def test_bounds_have_shares_but_no_middle():
    arms = drawn(np.random.default_rng(6))
    family = contrasts(arms)
    known = np.array([finals.AT_MOST, *[0] * 4])
    family[1] = replace(family[1], censored=(0, known))
    (row,) = group_aggregate.tables(STUDY, family, UNDECIDED)["aggregate"].to_dict("records")
    assert math.isnan(row["iqm"])
    assert 0 < row["improvement"] < 1


@pytest.mark.parametrize("sizes", [(0, 3), (1, 3), (3, 1)])
def test_few_runs_have_no_limits(sizes):
    row = row_of(drawn(np.random.default_rng(7), sizes))
    assert math.isnan(row["low"])
    assert math.isnan(row["improvement_low"])
    assert math.isnan(row["iqm"]) == (0 in sizes)
    assert row["pairs"] == min(sizes)


def test_fewer_than_three_contexts_are_not_taken_together():
    family = contrasts(drawn(np.random.default_rng(8)))[:2]
    found = group_aggregate.tables(STUDY, family, UNDECIDED[:2])
    assert not len(found["aggregate"])
    assert not len(found["profile"])


def test_the_columns_are_those_of_pairs_and_the_profile_rises():
    found = group_aggregate.tables(STUDY, contrasts(drawn(np.random.default_rng(9))), UNDECIDED)
    assert {*found["aggregate"].columns} | {"sentence"} == {*schemas.TABLES["aggregate"].names}
    assert [*found["profile"].columns] == schemas.TABLES["profile"].names == aggregate.PROFILE
    profile = found["profile"]
    assert profile["reached"].is_monotonic_increasing
    assert profile["reached"].iloc[-1] == 1
    assert (profile["low"] <= profile["reached"] + 1e-12).all()
    assert (profile["reached"] <= profile["high"] + 1e-12).all()
    assert 1.0 in profile["threshold"].tolist()


def test_many_runs_are_stood_for_by_their_quantiles():
    arms = drawn(np.random.default_rng(10), (150, 120))
    row = row_of(arms)
    assert row["low"] < row["iqm"] < row["high"]
    half = 1.96 * math.sqrt((1 / 150 + 1 / 120) / 4)
    assert math.log(row["high"] / row["low"]) / 2 == pytest.approx(half, rel=0.25)


@pytest.mark.parametrize(("sizes", "spread"), [((5, 5), 1.0), ((6, 12), 2.0)])
def test_the_limits_hold_the_truth_about_as_often_as_they_say(sizes, spread):
    generator, studies, held = np.random.default_rng(11), 100, np.zeros(2)
    better = scipy_stats.norm.cdf(-0.5 / math.hypot(1, spread))
    for _ in range(studies):
        row = row_of(drawn(generator, sizes, 0.5, spread))
        held += [
            row["low"] <= math.exp(0.5) <= row["high"],
            row["improvement_low"] <= better <= row["improvement_high"],
        ]
    assert scipy_stats.binom.cdf(held[0], studies, 0.94) > 1e-3
    assert scipy_stats.binom.cdf(held[1], studies, 0.93) > 1e-3
