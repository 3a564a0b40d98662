"""How far a verdict is from its edge: in units that say how often a repetition would come out otherwise."""

import math

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from bnbench.judging import edges, sign_flips, stats, verdict_rows, verdicts

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan(report={"margin": 1.5})
ALPHA = STUDY.report.alpha


def row_of(differences):
    """The row of the one contrast that has these log differences."""
    seeds, baseline = np.arange(len(differences)), np.zeros(len(differences))
    contrasts = synthetic.contrasts(STUDY, lambda labels: (seeds, baseline, differences))
    (row,) = verdict_rows.table(STUDY, contrasts, verdicts.decide(STUDY.report, contrasts)).to_dict("records")
    return row


@given(st.integers(0, 2**32 - 1), st.integers(8, 24), st.floats(-1.5, 1.5))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_what_lies_beyond_its_edge_is_decided_and_what_falls_short_is_not(key, seeds, effect):
    row = row_of(effect + 0.5 * np.random.default_rng(key).standard_normal(seeds))
    by_interval = (row["effect_low"] > 1) or (row["effect_high"] < 1)
    if abs(row["edge_effect"]) > 0.4:  # nearer, flips of few seeds may say otherwise than Student's t
        assert (row["edge_effect"] > 0) == (row["verdict"] in ("helps", "hurts"))
    assert (row["edge_effect"] < 0) or by_interval
    assert (row["edge_equivalence"] > 0) == row["within_margin"]
    assert (row["edge_not_worse"] > 0) == (row["effect_high"] < STUDY.report.margin)


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_edges_do_not_depend_on_the_unit_of_the_differences_nor_on_their_sign(key, unit):
    values = np.random.default_rng(key).standard_normal(12) + 0.8
    half = 2.5 * values.std(ddof=1) / math.sqrt(12)
    expected = edges.of_effect(edges.mean_test(values, 0.02, 0.03, half), ALPHA)
    for scale in (unit, -unit):
        found = edges.of_effect(edges.mean_test(scale * values, 0.02, 0.03, abs(scale) * half), ALPHA)
        assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("distance", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("law", ["normal", "laplace", "skewed"])
def test_a_repetition_comes_out_otherwise_as_often_as_the_distance_says(law, distance):
    """Of pairs of runs, those whose first is about so far beyond the edge: how many second ones are not beyond it."""
    generator, seeds, runs = np.random.default_rng(1), 20, 60_000
    draw = {
        "normal": generator.standard_normal,
        "laplace": lambda size: generator.laplace(scale=math.sqrt(0.5), size=size),
        "skewed": lambda size: generator.gamma(4, 0.5, size=size) - 2,
    }[law]
    # A flat prior of true effects, since the distance alone is what is known of them.
    truth = generator.uniform(-0.5, 2.5, runs)
    skewed = law == "skewed"
    critical = scipy_stats.t.ppf(1 - ALPHA / 2, seeds - 1)

    def statistics():
        values = truth[:, None] + draw((runs, seeds))
        return values.mean(1) / (values.std(1, ddof=1) / math.sqrt(seeds))

    first, second = statistics(), statistics()
    away = np.array([edges.room(t, critical, seeds) for t in first])
    near = np.abs(away - distance) < 0.15
    otherwise = (second[near] < critical).mean()
    assert near.sum() > 1_000
    # Of skewed differences the spread falls and rises with the mean, so t varies less than of normal ones.
    assert otherwise == pytest.approx(scipy_stats.norm.cdf(-distance / math.sqrt(2)), abs=0.05 + 0.03 * skewed)


def test_an_effect_on_every_seed_is_not_close_however_few_they_are():
    row = row_of(np.log(3) + 0.05 * np.random.default_rng(0).standard_normal(8))
    assert row["p"] == 2 / 2**8
    assert row["edge_effect"] > 3 * edges.CLOSE


def test_seeds_that_can_decide_nothing_have_no_edge():
    row = row_of(np.log(3) + 0.05 * np.random.default_rng(0).standard_normal(5))
    assert math.isnan(row["edge_effect"])
    assert math.isnan(row["edge_equivalence"])
    assert math.isnan(edges.of_effect(edges.mean_test(np.empty(0), math.nan, math.nan), ALPHA))


def test_differences_without_spread_lie_as_far_beyond_as_so_many_seeds_can():
    row = row_of(np.full(8, math.log(4)))
    assert row["edge_effect"] == pytest.approx(math.sqrt(2 * 7))
    assert row["edge_not_worse"] == pytest.approx(-math.sqrt(2 * 7))
    assert row_of(np.zeros(8))["edge_not_worse"] > edges.CLOSE


def test_the_edge_of_a_limit_is_where_the_limit_meets_the_margin():
    values = np.random.default_rng(3).standard_normal(16)
    own = stats.t_interval(values, 1 - ALPHA)
    test = edges.mean_test(values, 1.0, 1.0, (own.high - own.low) / 2)
    assert edges.of_not_worse(test, own.high) == pytest.approx(0, abs=1e-12)
    error = values.std(ddof=1) / 4
    t = (own.high + 0.3 - own.mean) / error
    expected = 0.3 / error / math.sqrt(1 + t**2 / 30)
    assert edges.of_not_worse(test, own.high + 0.3) == pytest.approx(expected, rel=1e-12)


def test_an_adjusted_p_at_alpha_lies_at_its_edge():
    values = np.random.default_rng(4).standard_normal(20) + 0.7
    p = scipy_stats.ttest_1samp(values, 0).pvalue
    assert edges.of_effect(edges.mean_test(values, p, ALPHA), ALPHA) == pytest.approx(0, abs=1e-9)
    assert edges.of_effect(edges.mean_test(values, p, p), ALPHA) > 0
    assert sign_flips.sign_flip(values) == pytest.approx(p, abs=0.005)
