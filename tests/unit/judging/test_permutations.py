"""Permutations between two groups: against SciPy's, and what must not change a p-value."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from bnbench.judging import permutations

pytestmark = pytest.mark.filterwarnings("error")

# In thousandths, so that ties and groups without spread come up.
values = st.integers(-4000, 4000).map(lambda thousandths: thousandths / 1000)
group = st.lists(values, min_size=2, max_size=6).map(np.array)
several = settings(max_examples=60, deadline=None, derandomize=True)


def studentized(first, second, **options):
    return float(permutations.studentized([(np.asarray(first, float), np.asarray(second, float))], **options)[0])


def drawn(first, second, spread=1.0, shift=0.0, seed=1):
    generator = np.random.default_rng(seed)
    return generator.normal(size=first), generator.normal(shift, spread, second)


@pytest.mark.parametrize(("first", "second"), [(2, 5), (4, 4), (5, 3), (6, 7)])
def test_all_choices_are_those_of_scipy(first, second):
    groups = drawn(first, second, spread=2.0, shift=1.0)
    welch = scipy_stats.permutation_test(
        groups,
        lambda a, b, axis: np.abs(scipy_stats.ttest_ind(a, b, axis=axis, equal_var=False).statistic),
        n_resamples=np.inf,
        alternative="greater",
    )
    assert studentized(*groups) == pytest.approx(welch.pvalue, abs=1e-12)


def test_random_choices_give_nearly_the_p_of_all_of_them():
    groups = drawn(9, 8, shift=0.9)  # 24,310 choices: one run more than all of which are gone through
    assert math.comb(17, 8) > permutations.EXACT
    everything = scipy_stats.permutation_test(
        groups,
        lambda a, b, axis: np.abs(scipy_stats.ttest_ind(a, b, axis=axis, equal_var=False).statistic),
        n_resamples=np.inf,
        alternative="greater",
    ).pvalue
    found = studentized(*groups)
    assert found * 20_000 == pytest.approx(round(found * 20_000))
    assert abs(found - everything) < 5 * math.sqrt(everything * (1 - everything) / 19_999)


def test_no_p_of_random_choices_is_0():
    assert studentized(np.arange(20.0), np.arange(20.0) + 1000) == 1 / 20_000
    assert studentized(np.arange(20.0), np.arange(20.0) + 1000, draws=99) == 1 / 100


@given(group, group, st.randoms(use_true_random=False))
@several
def test_the_order_of_runs_and_of_arms_changes_nothing(first, second, random):
    p = studentized(first, second)
    shuffled = [np.array(random.sample(list(arm), len(arm))) for arm in (first, second)]
    assert studentized(*shuffled) == p
    assert studentized(second, first) == p


@pytest.mark.parametrize("sizes", [(12, 12), (12, 15), (30, 4)])
def test_nor_does_it_where_choices_are_random(sizes):
    first, second = drawn(*sizes, shift=0.5)
    p = studentized(first, second)
    assert studentized(first[::-1], np.sort(second)) == p
    assert studentized(second, first) == p


@given(group, group, st.sampled_from([0.001, 0.5, 3.0, 1e200]), st.sampled_from([-7.0, 0.25, 100.0]))
@several
def test_neither_scale_nor_shift_changes_a_p(first, second, scale, shift):
    p = studentized(first, second)
    assert studentized(scale * first, scale * second) == p
    assert studentized(first + shift, second + shift) == p
    assert studentized(-first, -second) == p


def test_one_test_has_the_same_p_beside_others():
    families = [drawn(5, 5), drawn(10, 12, shift=1.0), drawn(5, 5, shift=2.0, seed=3), drawn(12, 10, seed=4)]
    found = permutations.studentized(families)
    assert found.tolist() == [studentized(*groups) for groups in families]
    assert permutations.studentized([]).tolist() == []


def test_equal_values_have_a_p_of_1_and_separate_ones_the_smallest():
    assert studentized([0.1] * 4, [0.1] * 5) == 1
    assert studentized([0.1] * 4, [0.3] * 5) == permutations.smallest_p(4, 5) == 1 / math.comb(9, 4)
    assert studentized([0.1] * 4, [0.3] * 4) == permutations.smallest_p(4, 4) == 2 / math.comb(8, 4)
    assert studentized([1, 2, 3, 4], [11, 12, 13, 14.5]) == permutations.smallest_p(4, 4)


@pytest.mark.parametrize("sizes", [(0, 0), (0, 5), (1, 5), (1, 1)])
def test_a_run_alone_cannot_be_compared(sizes):
    assert permutations.too_few(*sizes)
    assert math.isnan(studentized(*map(np.arange, sizes)))
    assert permutations.smallest_p(*sizes) == 1
    assert not permutations.can_decide(*sizes, 0.05)


@pytest.mark.parametrize(
    ("sizes", "decides"), [((2, 2), False), ((3, 3), False), ((4, 4), True), ((2, 5), True), ((2, 4), False)]
)
def test_runs_can_decide_where_their_smallest_p_is_below_alpha(sizes, decides):
    assert permutations.can_decide(*sizes, 0.05) is decides
    assert permutations.can_decide(*sizes[::-1], 0.05) is decides
    assert permutations.can_decide(50, 50, 1e-6)


@pytest.mark.parametrize(("sizes", "spread"), [((5, 5), 1.0), ((8, 4), 1.0), ((12, 20), 1.0), ((20, 40), 3.0)])
def test_a_difference_that_is_not_there_is_found_as_often_as_the_level_says(sizes, spread):
    generator, studies = np.random.default_rng(11), 600
    families = [(generator.normal(size=sizes[0]), generator.normal(0, spread, sizes[1])) for _ in range(studies)]
    found = int((permutations.studentized(families, 999) <= 0.05).sum())
    assert scipy_stats.binom.sf(found - 1, studies, 0.05) > 1e-4
    assert scipy_stats.binom.cdf(found, studies, 0.045 if spread == 1 else 0.04) > 1e-4


def test_where_the_smaller_group_has_the_larger_spread_no_more_is_found():
    generator, studies = np.random.default_rng(12), 400
    families = [(generator.normal(0, 4, 10), generator.normal(0, 1, 40)) for _ in range(studies)]
    found = (permutations.studentized(families, 499) < 0.05).mean()
    assert found < 0.05 + 4 * math.sqrt(0.05 * 0.95 / studies)
