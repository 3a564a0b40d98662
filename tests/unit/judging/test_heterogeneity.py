"""How much contexts differ: textbook formulas where they apply, and how often a further context is where it should."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t
from statsmodels.stats.anova import anova_lm

from bnbench.judging import heterogeneity

pytestmark = pytest.mark.filterwarnings("error")

LEVEL = 0.95


def drawn(contexts, seeds, tau, together=0.0, generator=None):
    """Differences of contexts that vary by `tau` and share `together` of the variance of what is chance, 1."""
    generator = generator or np.random.default_rng([contexts, seeds])
    truth = tau * generator.normal(size=(contexts, 1))
    common, own = generator.normal(size=seeds), generator.normal(size=(contexts, seeds))
    return truth + math.sqrt(together) * common + math.sqrt(1 - together) * own


def test_without_chance_it_is_the_spread_of_the_contexts_and_the_interval_for_one_more_value():
    effects = np.array([-1.0, 0.5, 0.7, 3.0, 4.0])
    found = heterogeneity.between(np.repeat(effects[:, None], 6, axis=1), LEVEL)
    half = t(3).ppf(0.975) * effects.std(ddof=1) * math.sqrt(1 + 1 / 5)
    assert found == pytest.approx((effects.std(ddof=1), 1.0, effects.mean() - half, effects.mean() + half))


def test_tau_is_the_variance_component_of_the_two_way_analysis_of_variance():
    values = drawn(6, 9, tau=2.0, together=0.5)
    table = pd.DataFrame(
        [(context, seed, values[context, seed]) for context in range(6) for seed in range(9)], columns=["c", "s", "y"]
    )
    squares = anova_lm(smf.ols("y ~ C(c) + C(s)", table).fit())
    means = squares["sum_sq"] / squares["df"]
    tau_squared = (means["C(c)"] - means["Residual"]) / 9
    found = heterogeneity.between(values, LEVEL)
    assert found.tau == pytest.approx(math.sqrt(tau_squared))
    assert found.i_squared == pytest.approx(1 - means["Residual"] / means["C(c)"])


@given(st.integers(0, 1000), st.floats(-5, 5), st.floats(0.1, 10))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_order_of_contexts_and_of_seeds_changes_nothing_and_shifts_and_units_do_what_they_say(key, shift, unit):
    generator = np.random.default_rng(key)
    values = drawn(5, 7, tau=1.0, generator=generator)
    tau, i_squared, low, high = heterogeneity.between(values, LEVEL)
    shuffled = generator.permutation(generator.permutation(values, axis=0), axis=1)
    assert heterogeneity.between(shuffled, LEVEL) == pytest.approx((tau, i_squared, low, high))
    moved = heterogeneity.between(shift + unit * values, LEVEL)
    assert moved == pytest.approx((unit * tau, i_squared, shift + unit * low, shift + unit * high), abs=1e-9)


def test_what_a_seed_does_to_all_contexts_alike_makes_them_no_more_alike():
    values = drawn(6, 9, tau=1.0)
    shared = values + 5 * np.random.default_rng(1).normal(size=9)
    alone, together = (heterogeneity.between(one, LEVEL) for one in (values, shared))
    assert (together.tau, together.i_squared) == pytest.approx((alone.tau, alone.i_squared))
    assert together.high - together.low > alone.high - alone.low


def test_contexts_that_do_not_differ_have_no_tau():
    found = heterogeneity.between(np.full((4, 5), 0.3), LEVEL)
    assert found == pytest.approx((0.0, 0.0, 0.3, 0.3), abs=1e-9)


@pytest.mark.parametrize("shape", [(2, 8), (3, 1), (3, 0)])
def test_of_two_contexts_or_one_seed_nothing_is_known(shape):
    assert np.isnan(heterogeneity.between(np.ones(shape), LEVEL)).all()


@pytest.mark.parametrize(("contexts", "together"), [(3, 0.0), (4, 0.6), (8, 0.0)])
def test_a_further_context_is_within_its_interval_as_often_as_it_says(contexts, together):
    generator, studies, hits = np.random.default_rng(contexts), 1500, 0
    for _ in range(studies):
        _, _, low, high = heterogeneity.between(drawn(contexts, 10, 2.0, together, generator), LEVEL)
        hits += low < 2.0 * generator.normal() < high
    assert hits / studies > 0.94 - 4 * math.sqrt(0.95 * 0.05 / studies)
