"""Numbers in words: exactly, where they are read most, and never across a line that decides."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnbench.wording import formats

pytestmark = pytest.mark.filterwarnings("error")

several = settings(max_examples=200, deadline=None, derandomize=True)
ratios = st.floats(-20, 20).map(math.exp)


@pytest.mark.parametrize(
    ("p", "said"),
    [(5e-5, "p < 0.0001"), (0.00123, "p = 0.0012"), (0.0496, "p = 0.0496"), (0.3126, "p = 0.31"), (1.0, "p = 1")],
)
def test_a_p_value_is_not_rounded_across_an_error_rate(p, said):
    assert formats.p_value(p) == said


@given(st.integers(0, 15).flatmap(lambda n: st.integers(1, 2**n).map(lambda k: k / 2**n)))
@several
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_no_p_value_of_sign_flips_is_said_on_the_other_side_of_an_error_rate(alpha, p):
    said = formats.p_value(p)
    if said != "p < 0.0001":
        assert (float(said.removeprefix("p = ")) < alpha) == (p < alpha)


@pytest.mark.parametrize(
    ("p", "alpha"),
    [(1637 / 2**15, 0.05), (999 / 20_000, 0.05), (0.04999, 0.05), (327 / 2**15, 0.01), (3276 / 2**15, 0.1)],
)
def test_a_p_value_just_below_an_error_rate_is_said_to_be_below(p, alpha):
    assert float(formats.p_value(p).removeprefix("p = ")) < alpha


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.25, "0.25 s"),
        (9.4, "9.4 s"),
        (12.3, "12 s"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (302400, "3.5 days"),
        (0, "0 s"),
        (60, "1 min 0 s"),
        (3600, "1 h 0 min"),
        (172800, "2.0 days"),
    ],
)
def test_a_duration_has_the_units_that_fit_it(seconds, said):
    assert formats.duration(seconds) == said


@pytest.mark.parametrize("seconds", [59.7, 119.6, 3599.8])
def test_a_duration_carries_what_rounds_to_sixty(seconds):
    assert "60" not in formats.duration(seconds)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.04, "1.04"),
        (1.994, "1.99"),
        (1.004, "1.004"),
        (0.9996, "0.9996"),
        (1.0, "1.00"),
        (1.996, "2.0"),
        (3.14, "3.1"),
        (9.96, "10"),
        (120.4, "120"),
        (6312, "6,300"),
        (1.2e6, "1.2e+06"),
        (math.inf, "∞"),
        (0.5, "0.50"),
    ],
)
def test_a_ratio_has_the_digits_that_it_needs(value, said):
    assert formats.number(value) == said


@given(ratios)
@several
def test_a_ratio_keeps_two_digits_however_small_it_is(ratio):
    # A ratio of ratios of 0.004 must not read as "0.00", which no ratio can be.
    assert float(formats.number(ratio).replace(",", "")) == pytest.approx(ratio, rel=0.06)


@pytest.mark.parametrize(
    ("value", "said"),
    [(1, "1st"), (2.4, "2nd"), (13, "13th"), (83.3, "83rd"), (0, "0th"), (100, "100th"), (111, "111th")],
)
def test_a_percentile_is_in_order(value, said):
    assert formats.ordinal(value) == said


def test_lists_and_counts_read_as_people_write_them():
    assert formats.listed(["1 with a, b", "2 with a, c", "3 with d"]) == "1 with a, b; 2 with a, c; and 3 with d"
    assert [formats.listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert [formats.count(number, "seed") for number in (0, 1, 1234)] == ["0 seeds", "1 seed", "1,234 seeds"]
    assert [formats.percent(share) for share in (0.95, 0.999, 0.0512, 1.0)] == ["95 %", "99.9 %", "5.12 %", "100 %"]


@pytest.mark.parametrize(
    ("outcome", "several"),
    [
        ("test loss with precise statistics", "test losses with precise statistics"),
        ("swing of the test loss", "swings of the test loss"),
        ("generalization gap", "generalization gaps"),
        ("test accuracy", "test accuracies"),
        ("mean absolute error", "mean absolute errors"),
        ("AUC", "AUCs"),
        ("R²", "values of R²"),
        ("loss ratio", "values of loss ratio"),
    ],
)
def test_the_name_of_an_outcome_of_several(outcome, several):
    assert formats.plural(outcome) == several


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.366, "137 %"), (1.0, "100 %"), (0.496, "50 %"), (0.0251, "3 %"), (0.00123, "0.12 %"), (0.0, "0 %")],
)
def test_a_share_of_variance_is_said_in_whole_per_cent(share, text):
    assert formats.whole_percent(share) == text
