"""The rules of the verdicts: every branch and boundary, and what must not change them whatever the numbers are."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bnbench import stats
from bnbench.stats import Interval

pytestmark = pytest.mark.filterwarnings("error")

ALPHA, MARGIN = 0.05, 1.05
LOWER, HIGHER, ACROSS = Interval(0.5, 0.4, 0.6), Interval(2.0, 1.5, 3.0), Interval(1.1, 0.8, 1.5)
INSIDE, OUTSIDE = Interval(1.0, 0.98, 1.02), Interval(1.0, 0.9, 1.1)
OPPOSITE = {"helps": "hurts", "hurts": "helps"}

# Log losses of pairs in thousandths, so that ties and equal differences come up.
log_losses = st.integers(-4000, 4000).map(lambda thousandths: thousandths / 1000)
pairs = st.lists(st.tuples(log_losses, log_losses), min_size=1, max_size=9).map(lambda rows: np.array(rows).T)
diverging = st.lists(st.tuples(*[st.one_of(log_losses, st.just(math.nan))] * 2), min_size=1, max_size=9).map(
    lambda rows: np.array(rows).T
)
several = settings(max_examples=100, deadline=None, derandomize=True)


def judged(baseline, treatment):
    """The verdict on arrays of log losses, as `compare` comes to it where one context is all there is."""
    differences = (treatment - baseline)[~np.isnan(treatment - baseline)]
    wide, narrow = (stats.geometric_interval(differences, level) for level in (1 - ALPHA, 1 - 2 * ALPHA))
    if np.isnan([baseline, treatment]).any():
        ranks = stats.worst_ranks(baseline, treatment)
        return stats.worst_rank_verdict(stats.sign_flip(ranks), ranks, wide, ALPHA), wide
    return stats.verdict(stats.sign_flip(differences), wide, narrow, MARGIN, ALPHA), wide


@pytest.mark.parametrize(
    ("p", "ratio", "narrow", "verdict"),
    [
        (0.01, LOWER, LOWER, "helps"),
        (0.01, HIGHER, HIGHER, "hurts"),
        (0.01, ACROSS, ACROSS, "undecided"),
        (0.05, HIGHER, HIGHER, "undecided"),
        (0.05, LOWER, LOWER, "undecided"),
        (0.9, ACROSS, INSIDE, "equivalent"),
        (0.9, ACROSS, OUTSIDE, "undecided"),
        (0.01, Interval(1.02, 1.01, 1.03), INSIDE, "hurts"),
        (0.01, Interval(0.98, 0.97, 0.99), INSIDE, "helps"),
        (0.2, Interval(1.02, 1.01, 1.03), INSIDE, "equivalent"),
        (0.01, Interval(2.0, 1.0, 3.0), OUTSIDE, "undecided"),
        (0.01, Interval(0.5, 0.3, 1.0), OUTSIDE, "undecided"),
        (0.9, ACROSS, Interval(1.0, 1 / MARGIN, 1.01), "undecided"),
        (0.9, ACROSS, Interval(1.0, 0.99, MARGIN), "undecided"),
        (1.0, Interval(3.0, math.nan, math.nan), Interval(3.0, math.nan, math.nan), "undecided"),
        (math.nan, Interval(math.nan, math.nan, math.nan), Interval(math.nan, math.nan, math.nan), "undecided"),
        (0.01, Interval(1.0, 0.0, math.inf), Interval(1.0, 0.0, math.inf), "undecided"),
    ],
)
def test_a_verdict_follows_its_rule_and_a_limit_on_the_line_decides_nothing(p, ratio, narrow, verdict):
    assert stats.verdict(p, ratio, narrow, MARGIN, ALPHA) == verdict


@pytest.mark.parametrize(
    ("p", "ranks", "ratio", "verdict"),
    [
        (0.01, [1, 2, -3, 4], ACROSS, "hurts"),
        (0.01, [-1, -2, 3, -4], ACROSS, "helps"),
        (0.01, [1, 2, 3], HIGHER, "hurts"),
        (0.01, [1, 2, 3], LOWER, "undecided"),
        (0.01, [-1, -2, -3], LOWER, "helps"),
        (0.01, [-1, -2, -3], HIGHER, "undecided"),
        (0.05, [1, 2, 3], HIGHER, "undecided"),
        (1.0, [0, 0], INSIDE, "undecided"),
        (0.01, [1, 2, 3], Interval(math.nan, math.nan, math.nan), "hurts"),
    ],
)
def test_where_trials_diverge_ranks_decide_unless_the_finite_pairs_clearly_contradict(p, ranks, ratio, verdict):
    assert stats.worst_rank_verdict(p, np.array(ranks, dtype=float), ratio, ALPHA) == verdict


@given(st.one_of(pairs, diverging))
@several
def test_exchanging_the_arms_exchanges_helps_and_hurts_and_nothing_else(arms):
    verdict, _ = judged(*arms)
    assert judged(*arms[::-1])[0] == OPPOSITE.get(verdict, verdict)


@given(st.one_of(pairs, diverging), st.floats(1e-3, 1e3))
@several
def test_the_unit_of_the_loss_changes_nothing(arms, unit):
    scaled = stats.log_losses(unit * np.exp(arms))
    verdict, ratio = judged(*arms)
    # Ties of the worst ranks are exact ties of numbers, which a change of unit may round apart.
    assume(not np.isnan(arms).any() or len(set(np.abs(arms[1] - arms[0]).round(9))) == arms.shape[1])
    assert judged(*scaled) == (verdict, pytest.approx(ratio, rel=1e-6, nan_ok=True))


@given(st.one_of(pairs, diverging), st.randoms(use_true_random=False))
@several
def test_the_order_of_the_seeds_changes_nothing(arms, random):
    order = random.sample(range(arms.shape[1]), arms.shape[1])
    verdict, ratio = judged(*arms)
    assert judged(*arms[:, order]) == (verdict, pytest.approx(ratio, nan_ok=True))


@given(pairs)
@several
def test_whoever_is_called_better_has_an_interval_on_one_side_of_1(arms):
    verdict, ratio = judged(*arms)
    assert verdict not in ("helps", "hurts") or not ratio.low <= 1 <= ratio.high
    assert {"helps": ratio.mean < 1, "hurts": ratio.mean > 1}.get(verdict, True)


@given(diverging)
@several
def test_nothing_is_equivalent_where_trials_diverge(arms):
    assert judged(*arms)[0] != "equivalent" or not np.isnan(arms).any()


@given(st.integers(1, 5), st.floats(1.5, 1e6))
@several
def test_five_seeds_never_decide_that_one_arm_is_better(seeds, ratio):
    assert judged(np.zeros(seeds), np.full(seeds, math.log(ratio)))[0] == "undecided"
