"""Power: seeds that are needed and effects that can be seen, against tables, integrals and SciPy's distributions."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from bnbench.judging import power

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan


@pytest.mark.parametrize(
    ("effect", "at_80", "at_90"),
    [(0.2, 199, 265), (0.3, 90, 119), (0.5, 34, 44), (0.8, 15, 19), (1.0, 10, 13), (1.5, 6, 7)],
)
def test_the_seeds_needed_are_those_of_the_simulated_table(effect, at_80, at_90):
    for sign in (1, -1):
        assert power.seeds_needed(sign * effect, 0.05, 0.8) == at_80
        assert power.seeds_needed(sign * effect, 0.05, 0.9) == at_90


@pytest.mark.parametrize(("effect", "alpha"), [(0.5, 0.05), (0.4, 0.05 / 8), (1.2, 0.01)])
def test_the_seeds_needed_are_the_fewest_whose_power_by_the_noncentral_t_suffices(effect, alpha):
    def power_of(seeds):
        critical, shift = stats.t.isf(alpha / 2, seeds - 1), effect * math.sqrt(seeds)
        return stats.nct.sf(critical, seeds - 1, shift) + stats.nct.cdf(-critical, seeds - 1, shift)

    needed = int(power.seeds_needed(effect, alpha, 0.8))
    assert power_of(needed - 1) < 0.8 <= power_of(needed)


@pytest.mark.parametrize(("contexts", "fewest"), [(1, 6), (8, 9), (16, 10), (24, 10), (48, 11), (96, 12)])
@pytest.mark.parametrize("effect", [10.0, 1e3, math.inf])
def test_however_clear_the_difference_the_seeds_must_let_the_sign_flips_decide(contexts, fewest, effect):
    assert power.seeds_needed(effect, 0.05 / contexts, 0.8) == fewest


@pytest.mark.parametrize("effect", [0.003, 0.03])
def test_many_seeds_needed_follow_the_normal_approximation(effect):
    quantiles = stats.norm.isf([0.025, 0.2]).sum()
    assert power.seeds_needed(effect, 0.05, 0.8) == pytest.approx((quantiles / effect) ** 2, rel=0.01)


def test_more_than_a_million_seeds_are_infinity_and_no_effect_needs_none_that_is_known():
    assert power.seeds_needed(0.0025, 0.05, 0.8) == math.inf
    assert power.seeds_needed(0.0, 0.05, 0.8) == math.inf
    assert math.isnan(power.seeds_needed(NAN, 0.05, 0.8))


@pytest.mark.parametrize("seeds", [2, 3, 10, 20, 1000, 100_000])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_the_smallest_effect_has_the_power_that_is_asked_for(seeds, alpha):
    effect = power.smallest_effect(seeds, alpha, 0.8)
    critical = stats.t.isf(alpha / 2, seeds - 1)
    # P(|Z + √n d| > critical √(χ²/(n − 1))), by integration over χ².
    chi = stats.chi(seeds - 1)
    scale = critical / math.sqrt(seeds - 1)
    beyond = stats.norm(effect * math.sqrt(seeds))
    found = chi.expect(lambda x: beyond.sf(scale * x) + beyond.cdf(-scale * x), epsabs=1e-10)
    assert found == pytest.approx(0.8, abs=1e-6)


def test_one_seed_sees_nothing():
    assert power.smallest_effect(1, 0.05, 0.8) == math.inf


@pytest.mark.parametrize(("margin", "at_80"), [(1.0, 11), (0.5, 36), (0.3, 97)])
def test_the_seeds_for_equivalence_are_those_of_the_simulated_table(margin, at_80):
    assert power.seeds_for_equivalence(margin, 0.05, 0.8) == at_80


def test_the_power_of_equivalence_is_the_share_of_equal_arms_that_pass():
    generator, margin, seeds = np.random.default_rng(1), 0.6, 25
    passed = [DescrStatsW(generator.normal(size=seeds)).ttost_mean(-margin, margin)[0] < 0.05 for _ in range(2000)]
    promised = power.power_of_equivalence(margin, seeds, 0.05)
    assert abs(np.mean(passed) - promised) < 4 * math.sqrt(promised * (1 - promised) / 2000)


def test_the_range_of_seeds_is_that_of_the_spread():
    # Six seeds know their spread from .62 to 2.45 times what they saw; the seeds grow with its square.
    found = power.at_spread(lambda effect: 1 / effect**2, 1.0, 2.0, 6, 0.95)
    assert found == pytest.approx((4.0, 4 * 0.6242**2, 4 * 2.4526**2), rel=1e-3)


def test_of_differences_without_spread_no_seeds_are_said_to_be_needed():
    assert np.isnan(power.at_spread(lambda effect: 10.0, 1.0, 0.0, 8, 0.95)).all()
    assert np.isnan(power.at_spread(lambda effect: 10.0, 1.0, NAN, 0, 0.95)).all()
