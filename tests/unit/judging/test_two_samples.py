"""The statistics of two independent groups: published numbers, SciPy, statsmodels, and simulated coverage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

from bnbench.judging import two_samples

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
# Extra hours of sleep with two drugs, from R's `sleep` (Student 1908), as R documents `t.test(extra ~ group)`.
SLEEP = (
    np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]),
    np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]),
)
values = st.integers(-4000, 4000).map(lambda thousandths: thousandths / 1000)
group = st.lists(values, min_size=1, max_size=8).map(np.array)
several = settings(max_examples=60, deadline=None, derandomize=True)


def exact(costs):
    """Bounds of costs that were all measured; NaN where a run diverged."""
    worst = np.nan_to_num(np.asarray(costs, float), nan=math.inf)
    return worst, worst


def drawn(seed=1, sizes=(9, 14), shift=0.6, spread=2.0):
    generator = np.random.default_rng(seed)
    return generator.normal(size=sizes[0]), generator.normal(shift, spread, sizes[1])


def test_student_s_sleep_has_the_numbers_that_r_documents():
    found = two_samples.welch(*SLEEP)
    assert found.mean / found.error == pytest.approx(1.8608, abs=5e-5)
    assert found.freedom == pytest.approx(17.776, abs=5e-4)
    assert found.p == pytest.approx(0.07939, abs=5e-6)
    assert found.interval(0.95)[1:] == pytest.approx((-0.2054832, 3.3654832), abs=5e-8)


@pytest.mark.parametrize("seed", range(3))
def test_welch_is_that_of_scipy_and_of_statsmodels(seed):
    baseline, treated = drawn(seed)
    found, expected = two_samples.welch(baseline, treated), scipy_stats.ttest_ind(treated, baseline, equal_var=False)
    assert (found.mean / found.error, found.p, found.freedom) == pytest.approx(
        (expected.statistic, expected.pvalue, expected.df)
    )
    both = CompareMeans(DescrStatsW(treated), DescrStatsW(baseline))
    assert found.interval(0.9)[1:] == pytest.approx(both.tconfint_diff(0.1, usevar="unequal"))


def test_two_one_sided_tests_are_those_of_statsmodels():
    baseline, treated = drawn(shift=0.1)
    for margin in (0.05, 0.5, 2.0):
        p, _, _ = ttost_ind(treated, baseline, -margin, margin, usevar="unequal")
        assert two_samples.equivalence(baseline, treated, margin) == pytest.approx(p)


def test_equal_groups_without_spread_are_as_equivalent_as_one_choice_of_all_is_rare():
    assert two_samples.equivalence(np.full(4, 0.1), np.full(5, 0.1), 0.05) == 1 / math.comb(9, 4)
    assert two_samples.equivalence(np.full(4, 0.1), np.full(5, 0.2), 0.05) == 1
    assert two_samples.welch(np.full(4, 0.25), np.full(5, 0.5)) == (0.25, 0.0, 7.0)
    assert two_samples.welch(np.full(4, 0.25), np.full(5, 0.5)).interval(0.95) == (0.25, 0.25, 0.25)


def test_too_few_runs_have_a_mean_at_most():
    one, none, more = np.array([1.0]), np.empty(0), np.array([2.0, 4.0])
    np.testing.assert_array_equal(two_samples.welch(one, more), (2.0, NAN, NAN))
    np.testing.assert_array_equal(two_samples.welch(one, more).interval(0.95), (2.0, NAN, NAN))
    np.testing.assert_array_equal(two_samples.welch(none, more), (NAN, NAN, NAN))
    assert math.isnan(two_samples.equivalence(one, more, 1.0))
    assert math.isnan(two_samples.hedges_g(one, more))
    assert math.isnan(two_samples.mann_whitney(none, more))
    assert math.isnan(two_samples.superiority(exact(none), exact(more), 0.95).mean)
    np.testing.assert_array_equal(two_samples.hodges_lehmann(none, more, 0.95), (NAN, NAN, NAN))
    np.testing.assert_array_equal(two_samples.brown_forsythe(more, more), (NAN, NAN))


@pytest.mark.parametrize("sizes", [(5, 6), (8, 8), (12, 7)])
def test_the_rank_sum_interval_holds_the_shifts_that_the_exact_test_does_not_reject(sizes):
    baseline, treated = drawn(4, sizes)
    middle, low, high = two_samples.hodges_lehmann(baseline, treated, 0.95)
    assert middle == np.median(treated[:, None] - baseline)
    for limit, inwards in ((low, 1e-6), (high, -1e-6)):
        inside, outside = (
            scipy_stats.mannwhitneyu(treated - limit - step, baseline, method="exact").pvalue
            for step in (inwards, -inwards)
        )
        assert inside > 0.05 >= outside


def test_hollander_and_wolfe_s_permeability_constants_have_their_estimate_and_limits():
    # Example 4.1 of Nonparametric Statistical Methods, as R documents wilcox.test.
    at_term = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
    early = np.array([1.15, 0.88, 0.90, 0.74, 1.21])
    found = two_samples.hodges_lehmann(early, at_term, 0.95)
    assert found == pytest.approx((0.305, -0.15, 0.76))
    assert two_samples.mann_whitney(early, at_term) == pytest.approx(2 * 0.1272, abs=1e-4)


def test_many_runs_have_the_limits_of_the_normal_approximation():
    baseline, treated = drawn(5, (30, 21))
    exact_low = two_samples.hodges_lehmann(baseline[:29], treated, 0.95).low
    assert two_samples.hodges_lehmann(baseline, treated, 0.95).low == pytest.approx(exact_low, abs=0.1)
    generator, covered = np.random.default_rng(6), 0
    for _ in range(300):
        _, low, high = two_samples.hodges_lehmann(generator.normal(size=40), generator.normal(1, 1, 30), 0.95)
        covered += low <= 1 <= high
    assert scipy_stats.binomtest(covered, 300, 0.95).pvalue > 1e-4


def test_few_runs_have_an_estimate_without_limits():
    found = two_samples.hodges_lehmann(np.array([1.0, 2.0]), np.array([4.0, 8.0]), 0.95)
    np.testing.assert_array_equal(found, (4.5, NAN, NAN))


def test_the_rank_sum_test_is_scipy_s_and_equal_values_have_a_p_of_1():
    baseline, treated = drawn(7)
    assert two_samples.mann_whitney(baseline, treated) == scipy_stats.mannwhitneyu(treated, baseline).pvalue
    assert two_samples.mann_whitney(np.ones(3), np.ones(4)) == 1


@given(group, group)
@several
def test_scores_are_twice_the_ranks_about_their_mean_where_all_was_measured(baseline, treated):
    found = np.concatenate(two_samples.scores(exact(baseline), exact(treated)))
    ranks = scipy_stats.rankdata(np.concatenate([baseline, treated]))
    np.testing.assert_allclose(found, 2 * ranks - (len(ranks) + 1))


def test_a_diverged_run_is_the_worst_and_a_bound_counts_where_it_is_certain():
    # A cost of at most 0.1, one of at least 3, and one that is known not at all.
    low, high = np.array([1.0, -np.inf, 3.0, -9e99, math.inf]), np.array([1.0, 0.1, 9e99, 9e99, math.inf])
    of_baseline, of_treated = two_samples.scores((low, high), exact([2.0, NAN]))
    assert of_baseline.tolist() == [1 - 4, -5, 3 - 2, -2, 5]
    assert of_treated.tolist() == [2 - 3, 5]
    assert of_baseline.sum() + of_treated.sum() == 0


@given(group, group)
@several
def test_superiority_is_the_share_of_mann_and_whitney_and_lies_within_its_limits(baseline, treated):
    found = two_samples.superiority(exact(baseline), exact(treated), 0.95)
    assert found.mean == pytest.approx(np.mean((treated[:, None] < baseline) + 0.5 * (treated[:, None] == baseline)))
    assert 0 <= found.low <= found.mean <= found.high <= 1
    assert found.high > found.low
    other = two_samples.superiority(exact(treated), exact(baseline), 0.95)
    assert (other.mean, other.low, other.high) == pytest.approx((1 - found.mean, 1 - found.high, 1 - found.low))


@pytest.mark.parametrize(("shift", "spread"), [(0.0, 1.0), (1.0, 1.0), (2.0, 2.0)])
@pytest.mark.parametrize("sizes", [(10, 10), (8, 20)])
def test_the_limits_of_superiority_hold_the_truth_as_often_as_they_say(shift, spread, sizes):
    truth = scipy_stats.norm.sf(shift / math.hypot(1, spread))
    generator, studies, covered = np.random.default_rng(8), 400, 0
    for _ in range(studies):
        arms = generator.normal(size=sizes[0]), generator.normal(shift, spread, sizes[1])
        found = two_samples.superiority(*map(exact, arms), 0.95)
        covered += found.low <= truth <= found.high
    assert scipy_stats.binom.cdf(covered, studies, 0.94) > 1e-3


def test_hedges_g_is_the_corrected_difference_over_the_pooled_spread():
    baseline, treated = drawn(9)
    freedom = len(baseline) + len(treated) - 2
    pooled = math.sqrt((baseline.var(ddof=1) * 8 + treated.var(ddof=1) * 13) / freedom)
    expected = (treated.mean() - baseline.mean()) / pooled * (1 - 3 / (4 * freedom - 1))
    assert two_samples.hedges_g(baseline, treated) == pytest.approx(expected, rel=1e-3)
    assert two_samples.hedges_g(treated, baseline) == pytest.approx(-two_samples.hedges_g(baseline, treated))
    assert math.isnan(two_samples.hedges_g(np.full(3, 0.1), np.full(3, 0.2)))


def test_spreads_are_compared_by_brown_and_forsythe_and_divergences_by_fisher():
    baseline, treated = drawn(10)
    ratio, p = two_samples.brown_forsythe(baseline, treated)
    assert ratio == pytest.approx(treated.std(ddof=1) / baseline.std(ddof=1))
    assert p == scipy_stats.levene(baseline, treated).pvalue
    still, none = two_samples.brown_forsythe(baseline, np.full(5, 0.1))
    assert still == pytest.approx(0, abs=1e-12)
    assert math.isnan(none)
    assert two_samples.fisher_exact((0, 5), (8, 10)) == scipy_stats.fisher_exact([[0, 8], [5, 5]]).pvalue


@given(group, group, values, st.sampled_from([0.5, 3.0]))
@several
def test_shift_scale_and_order_change_what_they_must_and_nothing_else(baseline, treated, shift, scale):
    found = two_samples.welch(baseline, treated).interval(0.95)
    again = two_samples.welch(scale * baseline[::-1] + shift, scale * treated + shift).interval(0.95)
    np.testing.assert_allclose(again, scale * np.array(found), atol=1e-9)
    exchanged = two_samples.welch(treated, baseline).interval(0.95)
    np.testing.assert_allclose(exchanged, -np.array([found.mean, found.high, found.low]))


@pytest.mark.parametrize(("sizes", "spread"), [((5, 5), 1.0), ((5, 20), 1.0), ((20, 6), 3.0), ((12, 30), 0.3)])
def test_welch_s_interval_holds_the_truth_as_often_as_it_says(sizes, spread):
    generator, studies, covered = np.random.default_rng(13), 1000, 0
    for _ in range(studies):
        arms = generator.normal(size=sizes[0]), generator.normal(1, spread, sizes[1])
        _, low, high = two_samples.welch(*arms).interval(0.95)
        covered += low <= 1 <= high
    assert scipy_stats.binom.cdf(covered, studies, 0.94) > 1e-3
    assert scipy_stats.binom.sf(covered - 1, studies, 0.97) > 1e-3
