"""The sign flips: against all flips in exact arithmetic, against SciPy, and what must not change them."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats as scipy_stats

from bnbench.judge import sign_flips, stats

pytestmark = pytest.mark.filterwarnings("error")

LEVEL = 0.95

MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)
"""Darwin's 15 pairs of maize, the example of Fisher (1935) for the test over all sign flips."""

# Small whole numbers, so that ties and columns of zeros come up.
whole = arrays.arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=st.integers(-3, 3)).map(
    lambda values: values.astype(float)
)
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
    (low,), (high,) = sign_flips.simultaneous(values, level)
    assert (low, high) == pytest.approx(stats.t_interval(values[:, 0], level)[1:], rel=1e-10)


@pytest.mark.parametrize("seeds", [9, 10, 12])
def test_the_critical_value_is_the_quantile_over_all_flips_of_the_residuals(seeds):
    values = drawn(seeds, 5)
    residuals = values - values.mean(0)
    largest = all_flips(residuals).max(1)
    critical = sign_flips.critical_value(residuals, LEVEL)
    assert critical > sign_flips.bonferroni(seeds, 1, LEVEL)
    assert (largest <= critical * (1 + 1e-9)).mean() >= LEVEL > (largest < critical * (1 - 1e-9)).mean()


@given(
    arrays.arrays(np.float64, st.tuples(st.integers(2, 9), st.integers(1, 4)), elements=st.integers(-9, 9).map(float)),
    st.floats(-5, 5),
)
@several
def test_simultaneous_limits_are_at_least_students_and_move_with_the_values(values, shift):
    values = values + np.arange(len(values))[:, None] ** 2 / 7  # no column without spread
    low, high = sign_flips.simultaneous(values, LEVEL)
    for column, one, other in zip(values.T, low, high, strict=True):
        mean, student_low, student_high = stats.t_interval(column, LEVEL)
        assert one <= student_low + 1e-9
        assert other >= student_high - 1e-9
        assert (one + other) / 2 == pytest.approx(mean, abs=1e-9)
    shifted = sign_flips.simultaneous(values + shift, LEVEL)
    assert_same(shifted, (low + shift, high + shift), 1e-9)
    assert_same(sign_flips.simultaneous(-values, LEVEL), (-high, -low), 1e-9)


@pytest.mark.parametrize("seeds", [12, 20, 50])
def test_limits_of_columns_that_say_the_same_are_about_one_columns(seeds):
    values = drawn(seeds, 1) * [1.0, -2.0, 0.1] + [0.0, 5.0, 1.0]
    residuals = values - values.mean(0)
    critical, one = sign_flips.critical_value(residuals, LEVEL), sign_flips.bonferroni(seeds, 1, LEVEL)
    assert one <= critical < 1.08 * one
    assert critical < 0.9 * sign_flips.bonferroni(seeds, 3, LEVEL)


def test_limits_of_columns_that_have_nothing_in_common_are_about_bonferronis():
    values = drawn(50, 6)
    critical, bonferroni = (
        sign_flips.critical_value(values - values.mean(0), LEVEL),
        sign_flips.bonferroni(50, 6, LEVEL),
    )
    assert critical == pytest.approx(bonferroni, rel=0.05)


@pytest.mark.parametrize("seeds", [2, 3, 5, 8])
def test_too_few_seeds_to_flip_for_a_quantile_have_bonferronis_limits(seeds):
    values = drawn(seeds, 4)
    low, high = sign_flips.simultaneous(values, LEVEL)
    for column, *limits in zip(values.T, low, high, strict=True):
        assert limits == pytest.approx(stats.t_interval(column, 1 - (1 - LEVEL) / 4)[1:])


def test_limits_have_an_answer_at_the_edges():
    for shape in ((0, 2), (1, 2)):
        assert np.isnan(sign_flips.simultaneous(np.ones(shape), LEVEL)).tolist() == [[True, True]] * 2
    assert sign_flips.simultaneous(np.empty((8, 0)), LEVEL)[0].size == 0
    low, high = sign_flips.simultaneous(np.hstack([np.zeros((12, 1)), drawn(12, 1)]), LEVEL)
    assert (low[0], high[0]) == (0, 0)
    assert (low[1], high[1]) == pytest.approx(stats.t_interval(drawn(12, 1)[:, 0], LEVEL)[1:], rel=0.2)


@pytest.mark.parametrize("together", [0.0, 0.9])
@pytest.mark.parametrize("seeds", [6, 10])
def test_limits_hold_all_means_together_as_often_as_they_say(seeds, together):
    generator, repetitions = np.random.default_rng(seeds), 1000
    hits = []
    for _ in range(repetitions):
        low, high = sign_flips.simultaneous(drawn(seeds, 6, together, 1.0, generator), LEVEL)
        hits.append(((low < 1) & (high > 1)).all())
    assert abs(np.mean(hits) - LEVEL) < 4 * math.sqrt(LEVEL * (1 - LEVEL) / repetitions)
