"""The statistics: each function against a published value, a brute force or an independent formula, and its edges."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats as scipy_stats

from bnbench import stats

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan

SLEEP = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
"""Student's (1908) differences in hours of sleep; R prints the interval of `t.test(extra ~ group, sleep, paired)`."""

MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)
"""Darwin's 15 pairs of maize, the example of Fisher (1935) for the test over all sign flips."""


def differences(effect, seeds=12):
    """Differences whose Hedges-corrected d_z is `effect`, by the textbook's √(2/m) Γ(m/2)/Γ((m−1)/2)."""
    m = seeds - 1
    correction = math.sqrt(2 / m) * math.gamma(m / 2) / math.gamma((m - 1) / 2)
    normal = np.random.default_rng(seeds).normal(size=seeds)
    return (normal - normal.mean()) / normal.std(ddof=1) + effect / correction


def brute_force_p(values):
    sums = [
        abs(math.fsum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in product([1, -1], repeat=len(values))
    ]
    observed = abs(math.fsum(values))
    return sum(total >= observed * (1 - 1e-12) for total in sums) / len(sums)


def near(interval):
    return pytest.approx(tuple(interval), nan_ok=True)


def test_logs_are_floored_and_what_is_not_finite_is_nan():
    losses = [[math.e, 0.0, 1e-50], [-1.0, math.inf, NAN]]
    floor = math.log(stats.FLOOR)
    np.testing.assert_allclose(stats.log_losses(losses), [[1.0, floor, floor], [floor, NAN, NAN]])
    assert np.float32(stats.FLOOR) == np.finfo(np.float32).tiny


@pytest.mark.parametrize(
    ("measured", "share", "length"),
    [(100, 0.05, 5), (100, 0.0, 1), (101, 0.05, 6), (100, 1.0, 100), (1, 0.05, 1), (10, 0.3, 3), (100, 0.07, 7)],
)
def test_a_window_is_rounded_up_but_not_by_rounding_errors(measured, share, length):
    assert stats.window_length(measured, share) == length


def test_the_t_interval_is_students():
    assert stats.t_interval(SLEEP, 0.95) == near((1.58, 0.7001142, 2.4598858))


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


def test_sign_flip_is_fishers_count():
    assert stats.sign_flip(MAIZE) == 2 * 863 / 2**15


@pytest.mark.parametrize("n", range(1, 11))
def test_sign_flip_is_the_brute_force_over_all_flips(n):
    generator = np.random.default_rng(n)
    for values in (generator.normal(0.4, 1, n), generator.integers(-2, 4, n).astype(float)):
        assert stats.sign_flip(values) == brute_force_p(values)


@pytest.mark.parametrize("n", [2, 5, 6, 16])
def test_the_smallest_exact_p_is_2_of_all_flips(n):
    assert stats.sign_flip(np.full(n, 0.1)) == 2 / 2**n


def test_sign_flip_has_an_answer_at_the_edges():
    assert math.isnan(stats.sign_flip(np.array([])))
    for nothing in (np.array([3.0]), np.zeros(4), np.zeros(30), np.array([1.0, -1.0])):
        assert stats.sign_flip(nothing) == 1
    assert stats.sign_flip(np.array([1e300, 1e300, -1e300])) == 1


def test_drawn_flips_come_near_the_exact_p_and_are_never_zero():
    values = np.random.default_rng(0).normal(0.75, 1, 18)
    signs = 1 - 2 * (np.arange(2**18)[:, None] >> np.arange(18) & 1).astype(np.int8)
    exact = float((np.abs(signs @ values) >= abs(values.sum()) * (1 - 1e-12)).mean())
    drawn = [stats.sign_flip(values, seed) for seed in range(5)]
    assert 0.01 < exact < 0.2
    assert np.abs(np.subtract(drawn, exact)).max() < 4 * math.sqrt(exact * (1 - exact) / stats.DRAWS)
    assert len(set(drawn)) > 1
    assert drawn[0] == stats.sign_flip(values)
    assert stats.sign_flip(np.full(40, 1.0)) == 1 / (stats.DRAWS + 1)
    assert stats.DRAWS >= 9_999


@pytest.mark.parametrize("n", [8, 25])
def test_sign_flip_knows_neither_the_order_of_the_seeds_nor_the_names_of_the_arms(n):
    generator = np.random.default_rng(n)
    for values in (generator.normal(0.3, 1, n), generator.integers(-3, 5, n).astype(float)):
        p = stats.sign_flip(values)
        assert stats.sign_flip(generator.permutation(values)) == p
        assert stats.sign_flip(-values) == p


def test_holm_is_the_worked_example():
    # 4 × 0.005; 3 × 0.01; 2 × 0.03; then 1 × 0.04, which may not be less than the one before.
    np.testing.assert_allclose(stats.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_holm_stops_at_one_and_does_not_count_what_is_not_tested():
    np.testing.assert_allclose(stats.holm([0.4, NAN, 0.6]), [0.8, NAN, 0.8])
    np.testing.assert_allclose(stats.holm([NAN, NAN]), [NAN, NAN])
    assert stats.holm([]).size == 0


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
    assert math.isnan(stats.seeds_needed(np.array(values), 0.05, 0.8))


@pytest.mark.parametrize(
    ("wins", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_win_rate_has_the_wilson_intervals_of_newcombe_1998(wins, n, low, high):
    values = np.where(np.arange(n) < wins, -1.0, 1.0)
    assert stats.win_rate(values, 0.95) == pytest.approx((wins / n, low, high), abs=5e-5)


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


@pytest.mark.parametrize(
    ("effect", "at_80", "at_90"),
    [(0.2, 199, 265), (0.3, 90, 119), (0.5, 34, 44), (0.8, 15, 19), (1.0, 10, 13), (1.5, 6, 7)],
)
def test_the_seeds_needed_are_those_of_the_simulated_table(effect, at_80, at_90):
    for sign in (1, -1):
        assert stats.seeds_needed(sign * differences(effect), 0.05, 0.8) == at_80
        assert stats.seeds_needed(sign * differences(effect), 0.05, 0.9) == at_90


@pytest.mark.parametrize(("contexts", "fewest"), [(1, 6), (8, 9), (16, 10), (24, 10), (48, 11), (96, 12)])
@pytest.mark.parametrize("effect", [10.0, 1e3])
def test_however_clear_the_difference_the_seeds_must_let_the_sign_flips_decide(contexts, fewest, effect):
    assert stats.seeds_needed(differences(effect), 0.05 / contexts, 0.8) == fewest


@pytest.mark.parametrize("effect", [0.003, 0.03])
def test_many_seeds_needed_follow_the_normal_approximation(effect):
    quantiles = scipy_stats.norm.isf([0.025, 0.2]).sum()
    assert stats.seeds_needed(differences(effect), 0.05, 0.8) == pytest.approx((quantiles / effect) ** 2, rel=0.01)


def test_more_than_a_million_seeds_are_infinity():
    assert stats.seeds_needed(differences(0.0025), 0.05, 0.8) == math.inf
    assert stats.seeds_needed(np.array([1.0, -1.0, 0.0]), 0.05, 0.8) == math.inf


@pytest.mark.parametrize(("one", "other"), [(0, 0), (1, 0), (5, 0), (2, 9), (9, 2), (7, 7), (40, 10)])
def test_mcnemar_is_a_fair_coin_on_the_discordant_pairs(one, other):
    expected = scipy_stats.binomtest(one, one + other).pvalue if one + other else 1.0
    assert stats.mcnemar_exact(one, other) == pytest.approx(expected)


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
    found = stats.worst_ranks(np.array(baseline, dtype=float), np.array(treatment, dtype=float))
    np.testing.assert_array_equal(found, ranks)


def test_without_divergence_worst_ranks_are_wilcoxons():
    x, y = np.random.default_rng(3).normal(size=(2, 9))
    ranks = stats.worst_ranks(x, y)
    assert stats.sign_flip(ranks) == pytest.approx(scipy_stats.wilcoxon(y, x, method="exact").pvalue)


@pytest.mark.parametrize(("value", "place"), [(0.5, 0), (1.0, 12.5), (2.5, 50), (4.0, 87.5), (9.0, 100)])
def test_a_percentile_counts_equal_values_half(value, place):
    assert stats.percentile(np.array([4.0, 1.0, 3.0, 2.0]), value) == place
