"""The statistics: each function against a published value, a brute force or an independent formula, and its edges."""

import math
from itertools import combinations_with_replacement

import in_memory
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from bnbench.epochs import window_length
from bnbench.judging import sign_flips, stats

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan

several = settings(max_examples=100, deadline=None, derandomize=True)

SLEEP = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
"""Student's (1908) differences in hours of sleep; R prints the interval of `t.test(extra ~ group, sleep, paired)`."""


def near(interval):
    return pytest.approx(tuple(interval), nan_ok=True)


def test_logs_are_floored_and_what_is_not_finite_is_nan():
    losses = [[math.e, 0.0, 1e-50], [-1.0, math.inf, NAN]]
    floor = math.log(1e-38)
    np.testing.assert_allclose(stats.log_losses(losses, 1e-38), [[1.0, floor, floor], [floor, NAN, NAN]])


@pytest.mark.parametrize(
    ("measured", "share", "length"),
    [(100, 0.05, 5), (100, 0.0, 1), (101, 0.05, 6), (100, 1.0, 100), (1, 0.05, 1), (10, 0.3, 3), (100, 0.07, 7)],
)
def test_a_window_is_rounded_up_but_not_by_rounding_errors(measured, share, length):
    assert window_length(measured, share) == length


def test_the_t_interval_is_students():
    assert stats.t_interval(SLEEP, 0.95) == near((1.58, 0.7001142, 2.4598858))


def test_the_corrected_interval_is_nadeau_and_bengios():
    # t(9) = 2.262157, s² = 1.5129, n_test/n_train = 1/4: 1.58 ± 2.262157 √((1/10 + 1/4) s²).
    half = 2.2621572 * math.sqrt(0.35 * SLEEP.var(ddof=1))
    assert stats.corrected_interval(SLEEP, 0.95, 0.25) == near((1.58, 1.58 - half, 1.58 + half))
    assert stats.corrected_interval(SLEEP, 0.95, 0.0) == near(stats.t_interval(SLEEP, 0.95))
    assert stats.corrected_interval(SLEEP[:1], 0.95, 0.25) == near((1.2, NAN, NAN))
    assert stats.corrected_interval(SLEEP[:0], 0.95, 0.25) == near((NAN, NAN, NAN))


def test_more_splits_do_not_narrow_the_corrected_interval_below_what_their_rows_allow():
    many = np.tile(SLEEP, 1000)
    interval = stats.corrected_interval(many, 0.95, 0.25)
    assert interval.high - interval.mean == pytest.approx(1.96 * many.std() * 0.5, rel=1e-3)
    assert stats.t_interval(many, 0.95).high - interval.mean < 0.05


@pytest.mark.parametrize(
    ("n", "level", "quantile"), [(5, 0.95, 2.776), (20, 0.95, 2.093), (5, 0.90, 2.132), (2, 0.99, 63.657)]
)
def test_the_t_interval_has_the_quantiles_of_the_printed_tables(n, level, quantile):
    values = np.random.default_rng(n).normal(size=n)
    half = quantile * math.sqrt(sum((v - values.mean()) ** 2 for v in values) / (n - 1) / n)
    interval = stats.t_interval(values, level)
    assert interval.high - interval.mean == pytest.approx(half, rel=3e-4)
    assert interval.mean - interval.low == pytest.approx(half, rel=3e-4)


def test_few_values_have_the_interval_that_they_can_have():
    assert stats.t_interval(np.array([]), 0.95) == near((NAN, NAN, NAN))
    assert stats.t_interval(np.array([2.0]), 0.95) == near((2.0, NAN, NAN))
    assert stats.t_interval(np.array([2.0, 2.0]), 0.95) == (2.0, 2.0, 2.0)


def test_a_geometric_interval_is_that_of_the_logs_and_may_be_infinite():
    assert stats.geometric_interval(np.log([1.0, 4.0]), 0.5) == near((2.0, 1.0, 4.0))
    assert stats.geometric_interval(np.array([-80.0, 80.0]), 0.95) == near((1.0, 0.0, math.inf))


def test_intervals_of_rows_are_t_intervals_of_what_is_there():
    rows = np.random.default_rng(1).normal(size=(5, 6))
    rows[1, 2:4] = rows[2, 1:] = rows[3] = NAN
    for row, counted in zip(rows, zip(*stats.column_intervals(rows, 0.9), strict=True), strict=True):
        present = row[~np.isnan(row)]
        assert counted == near((len(present), *stats.t_interval(present, 0.9)))


def test_holm_is_the_worked_example():
    # 4 × 0.005; 3 × 0.01; 2 × 0.03; then 1 × 0.04, which may not be less than the one before.
    np.testing.assert_allclose(stats.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_holm_stops_at_one_and_does_not_count_what_is_not_tested():
    np.testing.assert_allclose(stats.holm([0.4, NAN, 0.6]), [0.8, NAN, 0.8])
    np.testing.assert_allclose(stats.holm([NAN, NAN]), [NAN, NAN])
    assert stats.holm([]).size == 0


@given(st.lists(st.floats(0, 1) | st.sampled_from([0.01, 0.02, 0.5]), min_size=1, max_size=12))
@settings(several, max_examples=40)
def test_holm_and_benjamini_hochberg_are_those_of_statsmodels(p_values):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gc.collect", lambda: 0)  # at every call of theirs, for no reason, and slow beside other tests
        theirs = {method: multipletests(p_values, method=method)[1] for method in ("holm", "fdr_bh")}
    np.testing.assert_allclose(stats.holm(p_values), theirs["holm"], rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(stats.benjamini_hochberg(p_values), theirs["fdr_bh"], rtol=1e-10, atol=1e-300)


def test_false_discoveries_are_those_of_benjamini_and_hochbergs_example():
    # Their 15 p-values of a trial of thrombolysis: at .05 their procedure rejects four, Bonferroni's kind but three.
    values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
    values += [0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    adjusted = stats.benjamini_hochberg(values)
    assert (adjusted < 0.05).sum() == 4
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4)
    assert (stats.holm(values) < 0.05).sum() == 3


def test_benjamini_hochberg_does_not_count_what_is_not_tested():
    np.testing.assert_allclose(stats.benjamini_hochberg([0.01, NAN, 0.04]), [0.02, NAN, 0.04])
    assert np.isnan(stats.benjamini_hochberg([NAN])).all()


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9), st.floats(1.01, 3), st.sampled_from([0.01, 0.05, 0.2]))
@several
def test_equivalence_is_two_one_sided_t_tests_and_below_alpha_where_the_narrow_interval_is_inside(
    values, margin, alpha
):
    values = np.array(values)
    assume(values.std() > 1e-6)
    edge = math.log(margin)
    p = stats.equivalence(values, edge)
    tests = [(-edge, "greater"), (edge, "less")]
    one_sided = [scipy_stats.ttest_1samp(values, limit, alternative=side).pvalue for limit, side in tests]
    assert p == pytest.approx(max(one_sided), rel=1e-10, abs=1e-10)
    assert p == pytest.approx(DescrStatsW(values).ttost_mean(-edge, edge)[0], rel=1e-10, abs=1e-10)
    narrow = stats.t_interval(values, 1 - 2 * alpha)
    assume(abs(p - alpha) > 1e-9)
    assert (p < alpha) == (-edge < narrow.low and narrow.high < edge)


def test_equal_differences_are_equivalent_inside_the_margin_alone():
    assert [stats.equivalence(np.full(4, x), 0.05) for x in (0.0, 0.04, -0.04, 0.06, 1.0)] == [1 / 16] * 3 + [1, 1]
    assert math.isnan(stats.equivalence(np.array([0.0]), 0.05))


HAMILTON = np.array([0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01])
"""Falls of the Hamilton depression scale of nine patients: Hollander & Wolfe (1999), table 3.1."""


def test_hodges_lehmann_is_that_of_the_worked_example():
    # Hollander & Wolfe, examples 3.1, 3.3 and 3.4: T+ = 40, θ = 0.46, 96 % interval (.010, .786).
    estimate = stats.hodges_lehmann(HAMILTON, 0.96)
    assert estimate == near((0.46, 0.01, 0.786))
    assert stats.wilcoxon(HAMILTON) == pytest.approx(2 * 10 / 2**9)  # T+ is 40 or more for 10 of 2^9 signs


@pytest.mark.parametrize(("n", "outside"), [(6, 0), (8, 3), (10, 8), (12, 13), (15, 25), (20, 52), (25, 89), (50, 434)])
def test_the_wilcoxon_interval_has_the_tabulated_critical_values(n, outside):
    values = np.random.default_rng(n).normal(size=n)
    walsh = sorted((x + y) / 2 for i, x in enumerate(values) for y in values[i:])
    assert stats.hodges_lehmann(values, 0.95) == near((np.median(walsh), walsh[outside], walsh[-1 - outside]))


@pytest.mark.parametrize("n", [9, 14, 60])
def test_the_wilcoxon_interval_holds_what_the_test_does_not_reject(n):
    values = np.random.default_rng(n).normal(0.2, 1, n)
    _, low, high = stats.hodges_lehmann(values, 0.95)
    for limit, inward in ((low, 1e-6), (high, -1e-6)):
        assert stats.wilcoxon(values - limit - inward) > 0.05
        assert stats.wilcoxon(values - limit + inward) <= 0.05


@given(st.lists(st.integers(-300, 300), min_size=4, max_size=9).map(lambda values: np.array(values) / 100))
@several
def test_hodges_lehmann_is_the_median_of_all_pairwise_means_and_moves_and_turns_with_the_values(values):
    walsh = [(one + other) / 2 for one, other in combinations_with_replacement(values.tolist(), 2)]
    middle, low, high = stats.hodges_lehmann(values, 0.8)
    assert middle == pytest.approx(np.median(walsh), abs=1e-12)
    assert low in walsh
    assert high in walsh
    assert low <= middle <= high
    assert stats.hodges_lehmann(-values, 0.8) == near((-middle, -high, -low))
    assert stats.hodges_lehmann(values + 3, 0.8) == near((middle + 3, low + 3, high + 3))


@pytest.mark.parametrize("n", [51, 80, 120])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_wilcoxon_interval_of_many_pairs_is_an_exact_one_but_for_a_few_of_the_pairwise_means(n, level):
    # Whole numbers: of the 2^n signs, how many have this sum of positive ranks.
    ways = [1] + [0] * (n * (n + 1) // 2)
    for rank in range(1, n + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    exact, below = -1, ways[0]
    while below <= round((1 - level) / 2 * 1000) * 2**n // 1000:
        exact += 1
        below += ways[exact + 1]
    values = np.random.default_rng(n).normal(size=n)
    walsh = np.sort([(one + other) / 2 for one, other in combinations_with_replacement(values.tolist(), 2)])
    _, low, high = stats.hodges_lehmann(values, level)
    found = np.searchsorted(walsh, [low, high])
    assert found[0] == len(walsh) - 1 - found[1] == pytest.approx(exact, abs=2)


@pytest.mark.parametrize("n", [5, 9, 16])
def test_wilcoxons_test_is_the_sign_flip_of_the_ranks(n):
    values = np.random.default_rng(n).normal(0.4, 1, n)
    ranks = np.sign(values) * scipy_stats.rankdata(np.abs(values))
    assert stats.wilcoxon(values) == pytest.approx(sign_flips.sign_flip(ranks), rel=1e-12)


def test_few_or_too_many_pairs_have_the_robust_line_that_they_can_have():
    assert stats.hodges_lehmann(np.array([]), 0.95) == near((NAN, NAN, NAN))
    assert stats.hodges_lehmann(np.array([3.0, 1.0]), 0.95) == near((2, NAN, NAN))
    assert stats.hodges_lehmann(np.zeros(5_001), 0.95) == near((NAN, NAN, NAN))
    assert math.isnan(stats.wilcoxon(np.array([])))
    assert stats.wilcoxon(np.zeros(5)) == 1


def test_pitman_morgan_is_the_t_test_of_the_variance_ratio():
    x, y = np.random.default_rng(4).normal(size=(2, 12)) * [[1], [1.7]]
    y = y + 0.6 * x
    ratio, p = stats.pitman_morgan(x, y)
    f, r = y.var(ddof=1) / x.var(ddof=1), np.corrcoef(x, y)[0, 1]
    # Snedecor & Cochran (1967), section 7.12: t = (F − 1) √(n − 2) / (2 √(F (1 − r²))).
    t = (f - 1) * math.sqrt(10) / (2 * math.sqrt(f * (1 - r**2)))
    assert ratio == pytest.approx(math.sqrt(f))
    assert p == pytest.approx(2 * scipy_stats.t.sf(abs(t), 10), rel=1e-10)
    assert stats.pitman_morgan(y, x) == pytest.approx((1 / ratio, p))


def test_equal_spreads_of_paired_samples_are_called_different_as_often_as_they_should():
    drawn = np.random.default_rng(4).multivariate_normal([0, 3], [[1, 0.6], [0.6, 1]], (1000, 8))
    alarms = np.mean([stats.pitman_morgan(*arms.T)[1] < 0.05 for arms in drawn])
    assert abs(alarms - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 1000)


def test_there_is_no_test_of_spread_where_nothing_varies():
    x = np.array([1.0, 2.0, 4.0])
    assert stats.pitman_morgan(x, x) == near((1, NAN))
    assert stats.pitman_morgan(x[:2], x[:2]) == near((NAN, NAN))
    assert stats.pitman_morgan(np.ones(5), np.arange(5.0)) == near((NAN, NAN))


@pytest.mark.parametrize(
    ("m", "correction"), [(2, 0.5642), (3, 0.7236), (4, 0.7979), (5, 0.8408), (10, 0.9228), (60, 1 - 3 / (4 * 60 - 1))]
)
def test_the_effect_size_has_hedges_table_of_corrections(m, correction):
    values = np.random.default_rng(m).normal(1, 1, m + 1)
    assert stats.hedges_dz(values) == pytest.approx(values.mean() / values.std(ddof=1) * correction, rel=1e-4)


def test_the_effect_size_is_unbiased():
    drawn = np.random.default_rng(0).normal(0.8, 1, (4000, 5))
    sizes = np.array([stats.hedges_dz(values) for values in drawn])
    assert abs(sizes.mean() - 0.8) < 4 * sizes.std() / math.sqrt(len(sizes))


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [0.1] * 7, [0.0] * 5])
def test_there_is_no_effect_size_without_spread_or_for_two_seeds(values):
    assert math.isnan(stats.hedges_dz(np.array(values)))


@pytest.mark.parametrize(
    ("wins", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_win_rate_has_the_wilson_intervals_of_newcombe_1998(wins, n, low, high):
    values = np.where(np.arange(n) < wins, -1.0, 1.0)
    assert stats.win_rate(values, 0.95) == pytest.approx((wins / n, low, high), abs=5e-5)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
@pytest.mark.parametrize(("count", "total"), [(0, 7), (3, 7), (2.5, 4), (7, 7)])
def test_the_interval_of_a_share_ends_where_the_score_test_begins_to_reject(count, total, level):
    found = stats.share(count, total, level)
    assert found.mean == count / total
    assert -1e-15 <= found.low <= found.mean + 1e-15
    assert found.mean - 1e-15 <= found.high <= 1 + 1e-15
    for limit in (limit for limit in (found.low, found.high) if abs(limit - found.mean) > 1e-15):
        score = abs(found.mean - limit) / math.sqrt(limit * (1 - limit) / total)
        assert score == pytest.approx(scipy_stats.norm.ppf((1 + level) / 2))
    assert stats.share(0, 0, level) == near((NAN, NAN, NAN))


@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
@pytest.mark.parametrize("total", [1, 2, 9, 30, 1000])
def test_the_interval_of_a_share_is_that_of_statsmodels_to_the_last_digit(total, level):
    for count in np.arange(0, total + 0.5, 0.5 if total < 100 else 99.5):
        low, high = proportion_confint(count, total, alpha=1 - level, method="wilson")
        share = count / total
        assert stats.share(count, total, level) == (share, min(low, share), max(high, share))


def test_ties_are_half_a_win_and_a_lower_loss_is_a_whole_one():
    assert stats.win_rate(np.array([-1.0, -2.0, 0.0, 5.0]), 0.95).mean == 2.5 / 4
    assert stats.win_rate(np.zeros(3), 0.95).mean == 0.5
    assert stats.win_rate(np.array([]), 0.95) == near((NAN, NAN, NAN))


def test_the_correlation_is_pearsons():
    x, y = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2.0, 1.0, 4.0, 3.0, 5.0])
    assert stats.correlation(x, y) == pytest.approx(0.8)
    assert stats.correlation(x, -x) == pytest.approx(-1)
    for flat in ([0.1] * 7, np.arange(7.0)), (np.arange(7.0), [0.1] * 7), ([1.0, 2.0], [1.0, 2.0]), ([], []):
        assert math.isnan(stats.correlation(*map(np.array, flat)))


def test_the_variance_ratio_is_one_less_twice_the_covariance():
    x, y = np.random.default_rng(0).multivariate_normal([0, 1], [[1, 0.6], [0.6, 2]], 50).T
    cov = np.cov(x, y)
    assert stats.variance_ratio(x, y) == pytest.approx(1 - 2 * cov[0, 1] / (cov[0, 0] + cov[1, 1]))
    assert stats.variance_ratio(x, x + 1) == pytest.approx(0, abs=1e-12)
    for flat in ([0.1] * 7, [0.3] * 7), ([1.0], [2.0]), ([], []):
        assert math.isnan(stats.variance_ratio(*map(np.array, flat)))


@pytest.mark.parametrize(("one", "other"), [(0, 0), (1, 0), (5, 0), (2, 9), (9, 2), (7, 7), (40, 10)])
def test_mcnemar_is_a_fair_coin_on_the_discordant_pairs(one, other):
    expected = scipy_stats.binomtest(one, one + other).pvalue if one + other else 1.0
    assert stats.mcnemar_exact(one, other) == pytest.approx(expected)
    assert stats.mcnemar_exact(one, other) == mcnemar([[0, one], [other, 0]], exact=True).pvalue


@pytest.mark.parametrize(
    ("baseline", "treatment", "ranks"),
    [
        ([0, 0, 0], [1, -3, 2], [1, -3, 2]),
        ([0, 0, 0], [1, -1, 2], [1.5, -1.5, 3]),
        ([0, 0, NAN], [1, NAN, 2], [1, 2.5, -2.5]),
        ([NAN, NAN, 0], [NAN, 1, 0], [0, -3, 0]),
        ([NAN], [NAN], [0]),
        ([], [], []),
    ],
)
def test_a_diverged_trial_ranks_as_the_worst_and_two_of_a_pair_tie(baseline, treatment, ranks):
    found = in_memory.worst_ranks(np.array(baseline, dtype=float), np.array(treatment, dtype=float))
    np.testing.assert_array_equal(found, ranks)


def test_without_divergence_worst_ranks_are_wilcoxons():
    x, y = np.random.default_rng(3).normal(size=(2, 9))
    ranks = in_memory.worst_ranks(x, y)
    assert sign_flips.sign_flip(ranks) == pytest.approx(scipy_stats.wilcoxon(y, x, method="exact").pvalue)


@pytest.mark.parametrize(("value", "place"), [(0.5, 0), (1.0, 12.5), (2.5, 50), (4.0, 87.5), (9.0, 100)])
def test_a_percentile_counts_equal_values_half(value, place):
    assert stats.percentile(np.array([4.0, 1.0, 3.0, 2.0]), value) == place


EXACT, BELOW, ABOVE, OPEN = 0, 1, 2, 3
MOST = 1e300


def bounds(costs, known):
    """Lower and upper bounds of costs, of which some are known by a bound alone."""
    costs, known = np.array(costs, dtype=float), np.array(known)
    low = np.where(known & BELOW, -MOST, costs)
    high = np.where(known & ABOVE, MOST, costs)
    return low, high


@pytest.mark.parametrize(
    ("baseline", "treatment", "ranks"),
    [
        # What is known to be lower than a number is so, whatever it is; of two such trials nothing is known.
        (([0, 0, 0], [BELOW] * 3), ([1, 3, 2], [EXACT] * 3), [1, 3, 2]),
        (([1, 3, 2], [EXACT] * 3), ([0, 0, 0], [BELOW] * 3), [-1, -3, -2]),
        (([0, 0], [BELOW, BELOW]), ([0, 5], [BELOW, BELOW]), [0, 0]),
        (([2, 0], [BELOW, EXACT]), ([1, 1], [EXACT, EXACT]), [0, 2]),
        (([0, 0], [ABOVE, ABOVE]), ([-1, 1], [EXACT, EXACT]), [-2, 0]),
        (([0, 0], [OPEN, EXACT]), ([9, 9], [EXACT, OPEN]), [0, 0]),
    ],
)
def test_of_costs_that_are_not_measured_only_what_is_certain_counts(baseline, treatment, ranks):
    found = stats.signed_ranks(bounds(*baseline), bounds(*treatment))
    expected = np.sign(ranks) * scipy_stats.rankdata(np.abs(ranks))
    np.testing.assert_array_equal(found, expected)
