"""The sign flips: against all flips in exact arithmetic, against SciPy, and what must not change them."""

import math
import tracemalloc
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats as scipy_stats

from bnbench.judging import sign_flips, stats

pytestmark = pytest.mark.filterwarnings("error")

LEVEL = 0.95
NAN = math.nan

GOLDEN = {
    "p of 25 seeds": [[1108, 5619, 10337, 273], [2957, 9321, 10337, 1062]],
    "limits of 12 seeds": [
        [-0.5738196122918489, -0.1743960770308387, -0.17737123957634404, -0.34184120016831254],
        [1.8174114298384267, 1.7244255596625, 2.154676764860643, 1.3622328967310429],
    ],
    "limits of 25 seeds": [
        [-0.17141993184851828, -0.3494801329452811, -0.4495968577290269, -0.02888564435530505],
        [1.1224899415658114, 0.8246182327559177, 0.7352109591612271, 1.0609466549778745],
    ],
}
"""What version 0.2.0 made of `drawn(seeds, 4, 0.4, 0.3)`: p-values of drawn flips, in flips, and limits."""

MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)
"""Darwin's 15 pairs of maize, the example of Fisher (1935) for the test over all sign flips."""

# Small whole numbers, so that ties and columns of zeros come up.
whole = arrays.arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=st.integers(-3, 3)).map(
    lambda values: values.astype(float)
)
gaps = st.tuples(st.integers(1, 6), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(
        arrays.arrays(np.int64, shape, elements=st.integers(-3, 3)), arrays.arrays(np.bool_, shape)
    ).map(lambda drawn: np.where(drawn[1], drawn[0].astype(float), NAN))
)
"""The same, of which some are not there."""
several = settings(max_examples=60, deadline=None, derandomize=True)


def drawn(seeds, tests, together=0.0, effect=0.0, generator=None):
    """Normal differences of columns that share `together` of their variance."""
    generator = generator or np.random.default_rng([seeds, tests])
    common, own = generator.normal(size=(seeds, 1)), generator.normal(size=(seeds, tests))
    return effect + math.sqrt(together) * common + math.sqrt(1 - together) * own


def squared_statistic(column):
    """What rises with t² for a fixed number of seeds."""
    squares = sum(value**2 for value in column)
    return sum(column) ** 2 / squares if squares else Fraction(0)


def brute_force(values):
    """Alone and adjusted p by the definition of Westfall & Young's (1993) algorithm 4.1, in exact arithmetic."""
    columns = [[Fraction(value) for value in column] for column in values.T]
    observed = [squared_statistic(column) for column in columns]
    flipped = [
        [squared_statistic([sign * value for sign, value in zip(signs, column, strict=True)]) for column in columns]
        for signs in product([1, -1], repeat=len(values))
    ]
    alone = [np.mean([row[test] >= observed[test] for row in flipped]) for test in range(len(columns))]
    adjusted, so_far = [0.0] * len(columns), 0.0
    order = sorted(range(len(columns)), key=lambda test: -observed[test])
    for step, test in enumerate(order):
        still_open = order[step:]
        reached = np.mean([max(row[other] for other in still_open) >= observed[test] for row in flipped])
        adjusted[test] = so_far = max(so_far, reached)
    return alone, adjusted


def all_flips(values):
    """|t| of each column under all flips, [flips, tests], by the textbook's formula."""
    signs = 1.0 - 2.0 * (np.arange(2 ** len(values))[:, None] >> np.arange(len(values)) & 1)
    means = signs @ values / len(values)
    variances = ((values**2).mean(0) - means**2) * len(values) / (len(values) - 1)
    with np.errstate(divide="ignore"):
        return np.abs(means) / np.sqrt(np.maximum(variances, 0) / len(values))


def t_statistic(values, axis):
    return np.abs(values.mean(axis)) / values.std(axis, ddof=1)


def students(seeds, tests):
    """Student's two-sided critical value for `tests` means at once."""
    return scipy_stats.t.isf((1 - LEVEL) / 2 / tests, seeds - 1)


def assert_same(found, expected, tolerance=1e-10):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("seeds", "tests"), [(1, 3), (2, 2), (4, 4), (6, 5), (8, 3), (9, 1)])
@pytest.mark.parametrize("effect", [0.0, 0.8])
def test_max_t_is_the_textbooks_step_down_over_all_flips(seeds, tests, effect):
    values = drawn(seeds, tests, 0.5, effect) * np.arange(1, tests + 1)
    assert_same(sign_flips.max_t(values), brute_force(values))


@given(whole)
@several
def test_max_t_is_the_textbooks_step_down_with_ties_and_zeros(values):
    assert_same(sign_flips.max_t(values), brute_force(values))


@given(whole)
@several
def test_adjusted_p_are_never_below_those_alone_and_rise_with_them(values):
    alone, adjusted = sign_flips.max_t(values)
    assert (adjusted >= alone).all()
    assert (adjusted <= 1).all()
    statistic = [squared_statistic([Fraction(value) for value in column]) for column in values.T]
    order = sorted(range(len(statistic)), key=statistic.__getitem__)
    assert (np.diff(adjusted[order]) <= 0).all()


def test_adjusted_p_of_drawn_flips_are_never_below_those_alone_and_rise_with_them():
    values = drawn(25, 6, 0.3, 0.5)
    alone, adjusted = sign_flips.max_t(values)
    assert (adjusted >= alone).all()
    assert (np.diff(adjusted[np.argsort(np.abs(t_statistic(values, 0)))]) <= 0).all()


@pytest.mark.parametrize("seeds", [1, 6, 16, 20])
def test_a_test_without_others_needs_no_adjustment(seeds):
    alone, adjusted = sign_flips.max_t(drawn(seeds, 1, effect=0.5))
    assert alone == adjusted == sign_flips.sign_flip(drawn(seeds, 1, effect=0.5)[:, 0])


@pytest.mark.parametrize("seeds", [8, 20])
def test_columns_that_say_the_same_need_no_adjustment(seeds):
    column = drawn(seeds, 1, effect=0.5)
    alone, adjusted = sign_flips.max_t(column * [1.0, -3.0, 0.01])
    np.testing.assert_array_equal(adjusted, alone)


@given(whole, st.lists(st.floats(1e-3, 1e3), min_size=4, max_size=4), st.randoms(use_true_random=False))
@several
def test_the_names_of_the_arms_the_order_of_the_columns_and_of_the_seeds_and_units_change_nothing(
    values, units, random
):
    found = sign_flips.max_t(values)
    assert_same(sign_flips.max_t(-values), found, 0)
    assert_same(sign_flips.max_t(values * units[: values.shape[1]]), found, 0)
    order, seeds = (random.sample(range(length), length) for length in values.shape[::-1])
    assert_same(sign_flips.max_t(values[seeds][:, order]), [p[order] for p in found], 0)


def test_drawn_flips_know_neither_the_names_of_the_arms_nor_the_order_of_the_columns_nor_units():
    values = drawn(25, 4, 0.4, 0.3)
    found = sign_flips.max_t(values)
    assert_same(sign_flips.max_t(-values), found, 0)
    assert_same(sign_flips.max_t(values * [1.0, 7.0, 0.01, 300.0]), found, 0)
    assert_same(sign_flips.max_t(values[:, [2, 0, 3, 1]]), [p[[2, 0, 3, 1]] for p in found], 0)


def test_drawn_flips_are_the_same_each_time_and_another_order_of_seeds_is_another_draw_of_them():
    values = drawn(25, 3, 0.4, 0.3)
    alone, adjusted = sign_flips.max_t(values)
    assert_same(sign_flips.max_t(values), (alone, adjusted), 0)
    other = sign_flips.max_t(values[::-1])
    for p, drawn_again in ((alone, other.alone), (adjusted, other.adjusted)):
        assert (np.abs(p - drawn_again) < 5 * np.sqrt(2 * p * (1 - p) / sign_flips.DRAWS)).all()


def test_sign_flip_is_fishers_count():
    assert sign_flips.sign_flip(MAIZE) == 2 * 863 / 2**15


@pytest.mark.parametrize("seeds", [2, 5, 10, 13, 16])
def test_alone_p_are_scipys_exact_ones_of_the_mean_and_of_t(seeds):
    column = drawn(seeds, 1, effect=0.4)[:, 0]
    for statistic in (lambda x, axis: np.abs(x.mean(axis)), t_statistic):
        exact = scipy_stats.permutation_test(
            (column,),
            statistic,
            permutation_type="samples",
            alternative="greater",
            n_resamples=2**seeds,
            batch=4096,
        )
        assert sign_flips.sign_flip(column) == exact.pvalue


def test_drawn_flips_come_near_the_exact_p_and_are_never_zero():
    values = drawn(18, 3, 0.5, effect=np.array([0.35, 0.5, 0.65]))
    every = all_flips(values)
    observed = every[0] * (1 - 1e-9)
    order = np.argsort(-observed)
    alone = (every >= observed).mean(0)
    steps = [(every[:, order[step:]].max(1) >= observed[test]).mean() for step, test in enumerate(order)]
    adjusted = np.maximum.accumulate(steps)[np.argsort(order)]
    found = sign_flips.max_t(values)
    for p, exact in ((found.alone, alone), (found.adjusted, adjusted)):
        assert (exact > 0.001).all()
        assert (np.abs(p - exact) < 4 * np.sqrt(exact * (1 - exact) / sign_flips.DRAWS)).all()
    assert sign_flips.sign_flip(np.full(40, 1.0)) == 1 / (sign_flips.DRAWS + 1)
    assert sign_flips.sign_flip(np.full(40, 1.0), draws=499) == 1 / 500
    assert sign_flips.DRAWS >= 9_999


@pytest.mark.parametrize("seeds", [1, 2, 5, 6, 16])
def test_the_smallest_exact_p_is_2_of_all_flips_and_columns_of_equal_values_reach_it_together(seeds):
    alone, adjusted = sign_flips.max_t(np.full((seeds, 3), 0.1) * [1, -2, 3])
    assert alone.tolist() == adjusted.tolist() == [2 / 2**seeds] * 3


def test_five_seeds_can_never_reach_5_percent():
    assert sign_flips.max_t(np.full((5, 1), 3.0)).adjusted > 0.05
    assert sign_flips.max_t(np.full((6, 1), 3.0)).adjusted < 0.05


def test_thousands_of_seeds_overflow_nothing():
    assert sign_flips.can_decide(5_000, 1e-9)
    low, high, methods = sign_flips.simultaneous(drawn(5_000, 3), LEVEL, draws=499)
    assert (low < high).all()
    assert set(methods) == {"flips"}


@pytest.mark.parametrize("seeds", [4, 16, 30])
def test_a_column_of_zeros_is_no_evidence_and_burdens_no_other(seeds):
    column = drawn(seeds, 1, effect=0.7)
    (alone, zero), (adjusted, zero_adjusted) = sign_flips.max_t(np.hstack([column, np.zeros((seeds, 1))]))
    assert zero == zero_adjusted == 1
    assert alone == adjusted == sign_flips.sign_flip(column[:, 0])


def test_flips_have_an_answer_at_the_edges():
    assert np.isnan(sign_flips.max_t(np.empty((0, 2)))).tolist() == [[True, True]] * 2
    assert math.isnan(sign_flips.sign_flip(np.array([])))
    for nothing in (np.array([3.0]), np.zeros(4), np.zeros(30), np.array([1.0, -1.0])):
        assert sign_flips.sign_flip(nothing) == 1
    assert sign_flips.sign_flip(np.array([1e300, 1e300, -1e300])) == 1
    for unit in (1e300, 1e-300):
        assert sign_flips.sign_flip(np.full(6, unit)) == 2 / 2**6


@pytest.mark.parametrize("seeds", [2, 5, 6, 16, 20, 60])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_one_column_has_students_interval(seeds, level):
    values = drawn(seeds, 1, effect=2.0)
    (low,), (high,), (method,) = sign_flips.simultaneous(values, level)
    assert (low, high) == pytest.approx(stats.t_interval(values[:, 0], level)[1:], rel=1e-10)
    assert method == "Student"


@pytest.mark.parametrize("seeds", [9, 10, 12])
def test_the_critical_value_is_the_quantile_over_all_flips_of_the_residuals(seeds):
    values = drawn(seeds, 5)
    residuals = values - values.mean(0)
    largest = all_flips(residuals).max(1)
    critical = sign_flips.critical_value(residuals, LEVEL)
    assert critical > students(seeds, 1)
    assert (largest <= critical * (1 + 1e-9)).mean() >= LEVEL > (largest < critical * (1 - 1e-9)).mean()


@given(
    arrays.arrays(np.float64, st.tuples(st.integers(2, 9), st.integers(1, 4)), elements=st.integers(-9, 9).map(float)),
    st.floats(-5, 5),
)
@several
def test_simultaneous_limits_are_at_least_students_and_move_with_the_values(values, shift):
    values = values + np.arange(len(values))[:, None] ** 2 / 7  # no column without spread
    low, high, _ = sign_flips.simultaneous(values, LEVEL)
    for column, one, other in zip(values.T, low, high, strict=True):
        mean, student_low, student_high = stats.t_interval(column, LEVEL)
        assert one <= student_low + 1e-9
        assert other >= student_high - 1e-9
        assert (one + other) / 2 == pytest.approx(mean, abs=1e-9)
    shifted = sign_flips.simultaneous(values + shift, LEVEL)[:2]
    assert_same(shifted, (low + shift, high + shift), 1e-9)
    assert_same(sign_flips.simultaneous(-values, LEVEL)[:2], (-high, -low), 1e-9)


@pytest.mark.parametrize("seeds", [12, 20, 50])
def test_limits_of_columns_that_say_the_same_are_about_one_columns(seeds):
    values = drawn(seeds, 1) * [1.0, -2.0, 0.1] + [0.0, 5.0, 1.0]
    low, high, methods = sign_flips.simultaneous(values, LEVEL)
    critical, one = (high - low) / 2 / scipy_stats.sem(values), students(seeds, 1)
    assert (critical > one * (1 - 1e-9)).all()
    assert (critical < 1.08 * one).all()
    assert (critical < 0.9 * students(seeds, 3)).all()
    assert set(methods) == {"flips"}


def test_limits_of_columns_that_have_nothing_in_common_are_about_bonferronis():
    values = drawn(50, 6)
    assert sign_flips.critical_value(values - values.mean(0), LEVEL) == pytest.approx(students(50, 6), rel=0.05)


@pytest.mark.parametrize("seeds", [2, 3, 5, 8])
def test_too_few_seeds_to_flip_for_a_quantile_have_bonferronis_limits(seeds):
    values = drawn(seeds, 4)
    low, high, methods = sign_flips.simultaneous(values, LEVEL)
    for column, *limits in zip(values.T, low, high, strict=True):
        assert limits == pytest.approx(stats.t_interval(column, 1 - (1 - LEVEL) / 4)[1:])
    assert set(methods) == {"Bonferroni"}


def test_limits_have_an_answer_at_the_edges():
    for shape in ((0, 2), (1, 2)):
        low, high, methods = sign_flips.simultaneous(np.ones(shape), LEVEL)
        assert np.isnan([low, high]).all()
        assert set(methods) == {""}
    assert sign_flips.simultaneous(np.empty((8, 0)), LEVEL).low.size == 0
    low, high, methods = sign_flips.simultaneous(np.hstack([np.zeros((12, 1)), drawn(12, 1)]), LEVEL)
    assert (low[0], high[0]) == (0, 0)
    assert (low[1], high[1]) == pytest.approx(stats.t_interval(drawn(12, 1)[:, 0], LEVEL)[1:], rel=0.2)
    assert set(methods) == {"flips"}


@pytest.mark.parametrize("together", [0.0, 0.9])
@pytest.mark.parametrize("seeds", [6, 10])
def test_limits_hold_all_means_together_as_often_as_they_say(seeds, together):
    generator, repetitions = np.random.default_rng(seeds), 1000
    hits = []
    for _ in range(repetitions):
        low, high, _ = sign_flips.simultaneous(drawn(seeds, 6, together, 1.0, generator), LEVEL)
        hits.append(((low < 1) & (high > 1)).all())
    assert abs(np.mean(hits) - LEVEL) < 4 * math.sqrt(LEVEL * (1 - LEVEL) / repetitions)


@given(gaps)
@several
def test_with_gaps_max_t_is_the_textbooks_over_flips_of_all_seeds_with_each_columns_own_pairs(values):
    some = ~np.isnan(values).all(0)
    found = sign_flips.max_t(values)
    # A seed without a pair adds nothing to the sums of its column, whatever its sign.
    assert_same([p[some] for p in found], brute_force(np.nan_to_num(values[:, some])) if some.any() else [[], []])
    assert np.isnan(found).all(0).tolist() == (~some).tolist()


@given(gaps)
@several
def test_a_columns_own_p_is_that_of_its_own_seeds_whatever_else_is_tested_and_never_below_the_smallest(values):
    found = sign_flips.max_t(values)
    for column, alone, adjusted in zip(values.T, *found, strict=True):
        own = column[~np.isnan(column)]
        if len(own):
            assert alone == sign_flips.sign_flip(own)
            assert adjusted >= alone >= 2 / 2 ** len(own)


@pytest.mark.parametrize("own", [5, 8, 16, 17, 29])
def test_that_holds_for_drawn_flips_too(own):
    values = drawn(30, 4, 0.3, 2.0)
    values[own:, 1] = NAN
    alone, adjusted = sign_flips.max_t(values)
    assert alone[1] == sign_flips.sign_flip(values[:own, 1])
    assert adjusted[1] >= alone[1] >= 2 / 2**own
    assert [*alone[[0, 2, 3]]] == [*sign_flips.max_t(values[:, [0, 2, 3]]).alone]


@pytest.mark.parametrize("seeds", [10, 25])
def test_a_gap_changes_the_p_of_the_other_columns_hardly_and_rows_without_any_pair_change_nothing(seeds):
    values = drawn(seeds, 5, 0.4, 0.5)
    whole = sign_flips.max_t(values)
    empty = np.vstack([values[:2], np.full((3, 5), NAN), values[2:]])
    assert_same(sign_flips.max_t(empty), whole, 0)
    assert_same(sign_flips.simultaneous(empty, LEVEL)[:2], sign_flips.simultaneous(values, LEVEL)[:2])
    values[3, 0] = NAN
    others = [p[1:] for p in sign_flips.max_t(values)]
    np.testing.assert_array_equal(others[0], whole.alone[1:])
    np.testing.assert_allclose(others[1], whole.adjusted[1:], atol=0.02)


def test_without_gaps_the_numbers_are_those_of_version_0_2():
    p = sign_flips.max_t(drawn(25, 4, 0.4, 0.3))
    np.testing.assert_allclose(np.array(p) * 20_000, GOLDEN["p of 25 seeds"], atol=1e-6)
    low, high, _ = sign_flips.simultaneous(drawn(12, 4, 0.4, 0.3), LEVEL)
    np.testing.assert_allclose([low, high], GOLDEN["limits of 12 seeds"], rtol=1e-12)
    low, high, _ = sign_flips.simultaneous(drawn(25, 4, 0.4, 0.3), LEVEL, draws=1_999)
    np.testing.assert_allclose([low, high], GOLDEN["limits of 25 seeds"], rtol=1e-12)


def test_with_gaps_the_critical_value_is_the_quantile_of_the_largest_own_t_over_flips_of_all_seeds():
    values = drawn(11, 4, 0.5)
    values[[0, 1], 1] = values[4, 3] = NAN
    residuals = values - np.nanmean(values, axis=0)
    signs = 1.0 - 2.0 * (np.arange(2**11)[:, None] >> np.arange(11) & 1)
    largest = np.zeros(len(signs))
    for column in residuals.T:
        own = ~np.isnan(column)
        flipped = signs[:, own] * column[own]
        largest = np.maximum(largest, t_statistic(flipped, 1) * math.sqrt(own.sum()))
    critical = sign_flips.critical_value(residuals, LEVEL)
    assert (largest <= critical * (1 + 1e-9)).mean() >= LEVEL > (largest < critical * (1 - 1e-9)).mean()
    low, high, methods = sign_flips.simultaneous(values, LEVEL)
    np.testing.assert_allclose((high - low) / 2, critical * scipy_stats.sem(values, nan_policy="omit"))
    assert set(methods) == {"flips"}


def test_columns_of_too_few_pairs_have_bonferronis_limits_and_the_others_share_the_error_that_they_leave():
    values = drawn(20, 4, 0.5)
    values[8:, 0] = values[1:, 3] = NAN
    low, high, methods = sign_flips.simultaneous(values, LEVEL)
    assert methods.tolist() == ["Bonferroni", "flips", "flips", ""]
    # A column of one pair has no limits, so it is none of those that hold together.
    assert (low[0], high[0]) == pytest.approx(stats.t_interval(values[:8, 0], 1 - (1 - LEVEL) / 3)[1:])
    others = sign_flips.simultaneous(values[:, 1:3], 1 - (1 - LEVEL) * 2 / 3)
    assert_same((low[1:3], high[1:3]), others[:2])
    assert np.isnan([low[3], high[3]]).all()
    alone = sign_flips.simultaneous(values[:, [0, 1]], LEVEL)
    assert alone.methods.tolist() == ["Bonferroni"] * 2
    assert sign_flips.simultaneous(values[:, [1, 3]], LEVEL).methods.tolist() == ["Student", ""]


def test_few_columns_among_many_do_not_have_a_quantile_that_their_flips_cannot_reach():
    values = drawn(9, 40)
    values[8, 2:] = NAN
    # Two of 40 columns may err at .0025, of which 9 seeds have less than one flip.
    assert set(sign_flips.simultaneous(values, LEVEL).methods) == {"Bonferroni"}


@pytest.mark.parametrize("together", [0.0, 0.8])
@pytest.mark.parametrize("seeds", [10, 14])
def test_limits_hold_all_means_together_where_trials_are_missing(seeds, together):
    generator, repetitions = np.random.default_rng(seeds), 1000
    hits = []
    for _ in range(repetitions):
        values = drawn(seeds, 5, together, 1.0, generator)
        values[generator.integers(0, seeds, 3), [0, 1, 1]] = NAN
        low, high, _ = sign_flips.simultaneous(values, LEVEL)
        hits.append(((low < 1) & (high > 1)).all())
    assert np.mean(hits) > LEVEL - 4 * math.sqrt(LEVEL * (1 - LEVEL) / repetitions)


def test_values_are_aligned_by_their_seeds():
    seeds = [np.array([3, 7]), np.array([5]), np.array([], int)]
    found = sign_flips.aligned(seeds, [np.array([1.0, 2.0]), np.array([3.0]), np.array([])])
    np.testing.assert_array_equal(found, [[1, NAN, NAN], [NAN, 3, NAN], [2, NAN, NAN]])
    found = sign_flips.aligned(seeds, [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0]]), np.empty((0, 2))])
    np.testing.assert_array_equal(found[:, :3], [[1, 2, NAN], [NAN, NAN, 5], [3, 4, NAN]])
    assert found.shape == (3, 5)
    assert sign_flips.aligned([], []).shape == (0, 0)


@pytest.mark.parametrize(("alpha", "draws"), [(0.05, 19_999), (0.001, 19_999), (1e-5, 1_999_999)])
def test_the_smallest_p_of_drawn_flips_is_well_below_alpha(alpha, draws):
    assert sign_flips.draws(alpha) == draws
    assert 1 / (draws + 1) <= alpha / 20


def test_memory_is_bounded_however_many_tests_there_are():
    values = drawn(20, 30_000)
    for judge in (sign_flips.max_t, lambda values, draws: sign_flips.simultaneous(values, LEVEL, draws)):
        tracemalloc.start()
        judge(values, 300)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 100e6  # 1,000 flips of all tests would be 240 MB
