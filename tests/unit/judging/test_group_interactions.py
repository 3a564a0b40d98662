"""How the effect on independent groups depends on the context: by hand, and how often it errs."""

import math

import numpy as np
import pytest
import synthetic
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests

from bnbench.judging import group_interactions, heterogeneity
from bnbench.judging.groups import Groups
from bnbench.store import schemas

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan(**synthetic.GRID)
ALPHA = STUDY.report.alpha
CONTEXTS = [context for context, _ in STUDY.contexts()]
UNDECIDED = ["undecided"] * 4
SGD = next(context["optimizer"] for context in CONTEXTS if context["optimizer"].startswith("sgd"))


def contrasts(effects, sizes=(6, 9), spread=0.3, generator=None):
    """Of the four contexts, which differ in batch size and optimizer."""
    generator = np.random.default_rng(5) if generator is None else generator
    found = []
    for context, effect in zip(CONTEXTS, effects, strict=True):
        arms = generator.normal(0, spread, sizes[0]), generator.normal(effect, 2 * spread, sizes[1])
        found.append(Groups({**context, "baseline": "none", "treatment": "batch"}, *arms, *arms))
    return found


def rows_of(family, verdicts=UNDECIDED):
    table = group_interactions.table(STUDY, family, verdicts)
    return table, {(row["factor"], row["level"]): row for row in table.to_dict("records")}


def by_hand(family, weights):
    """Estimate, error and degrees of freedom of a sum of independent means."""
    parts = [
        (sign * weight * values.mean(), weight**2 * values.var(ddof=1) / len(values), len(values) - 1)
        for contrast, weight in zip(family, weights, strict=True)
        for sign, values in ((-1, contrast.baseline), (1, contrast.treated))
    ]
    variance = sum(part[1] for part in parts)
    return sum(part[0] for part in parts), math.sqrt(variance), variance**2 / sum(v**2 / n for _, v, n in parts)


def test_the_main_effect_and_a_difference_of_optimizers_are_sums_of_independent_means():
    family = contrasts([0.4, 0.1, 0.6, 0.2])
    table, rows = rows_of(family)
    assert {*table.columns} | {"sentence"} == {*schemas.TABLES["interactions"].names}
    optimizer = np.array([0.5 if context["optimizer"].startswith("sgd") else -0.5 for context in CONTEXTS])
    p_values = []
    for row, weights in ((rows["main effect", ""], np.full(4, 0.25)), (rows["optimizer", SGD], optimizer)):
        mean, error, freedom = by_hand(family, weights)
        half = scipy_stats.t.ppf(1 - ALPHA / 2 / len(table), freedom) * error
        assert row["effect"] == pytest.approx(math.exp(mean))
        assert (row["low"], row["high"]) == pytest.approx((math.exp(mean - half), math.exp(mean + half)))
        assert row["p"] == pytest.approx(2 * scipy_stats.t.sf(abs(mean) / error, freedom))
        assert (row["pairs"], row["diverged"], row["family"]) == (6, 0, 3)
    p_values = table["p"].to_numpy()
    np.testing.assert_allclose(table["p_adjusted"], multipletests(p_values, method="holm")[1])
    assert set(table["adjustment"]) == {"Holm"}
    assert rows["main effect", ""]["contexts_undecided"] == 4


def test_what_a_further_context_would_show_is_no_narrower_than_the_mean():
    _, rows = rows_of(contrasts([0.4, 0.1, 0.6, 0.2]))
    row = rows["main effect", ""]
    assert row["prediction_low"] <= row["low"] < row["high"] <= row["prediction_high"]


def test_groups_without_spread_have_the_p_of_all_permutations_and_few_runs_have_none():
    still = contrasts([0.4, 0.1, 0.6, 0.2], spread=0.0)
    _, rows = rows_of(still)
    assert rows["main effect", ""]["p"] == pytest.approx(math.comb(15, 6) ** -4.0)
    assert not math.isnan(rows["main effect", ""]["edge_effect"])
    _, rows = rows_of(contrasts([0.4, 0.1, 0.6, 0.2], sizes=(1, 5)))
    assert math.isnan(rows["main effect", ""]["p"])
    assert math.isnan(rows["main effect", ""]["low"])
    table, _ = rows_of(contrasts([0.4, 0.1, 0.6, 0.2], sizes=(0, 5)))
    assert table["effect"].isna().all()


def test_diverged_runs_are_left_out_and_counted():
    family = contrasts([0.4, 0.1, 0.6, 0.2])
    family[0].treated[:2] = np.nan
    _, rows = rows_of(family)
    assert rows["main effect", ""]["diverged"] == 2
    assert rows["main effect", ""]["pairs"] == 6
    assert not math.isnan(rows["main effect", ""]["effect"])


@pytest.mark.parametrize("sizes", [(5, 5), (5, 12)])
def test_no_interaction_is_found_more_often_than_alpha_where_all_contexts_have_the_same_effect(sizes):
    generator, studies, alarms = np.random.default_rng(6), 300, 0
    for _ in range(studies):
        table, _ = rows_of(contrasts([1.0] * 4, sizes, generator=generator))
        alarms += (table.loc[table["factor"] != "main effect", "p_adjusted"] < ALPHA).any()
    assert scipy_stats.binom.sf(alarms - 1, studies, ALPHA) > 1e-3
    assert scipy_stats.binom.cdf(alarms, studies, 0.4 * ALPHA) > 1e-3


def test_the_spread_of_true_effects_is_what_chance_leaves_of_that_of_the_means():
    means, errors = np.array([0.1, 0.5, -0.2, 0.9]), np.array([0.1, 0.2, 0.1, 0.1])
    found = heterogeneity.of_means(means, errors, 0.95)
    tau_squared = means.var(ddof=1) - (errors**2).mean()
    assert found.tau == pytest.approx(math.sqrt(tau_squared))
    assert found.i_squared == pytest.approx(tau_squared / means.var(ddof=1))
    half = scipy_stats.t.ppf(0.975, 2) * math.sqrt(tau_squared + means.var(ddof=1) / 4)
    assert (found.low, found.high) == pytest.approx((means.mean() - half, means.mean() + half))
    alike = heterogeneity.of_means(np.full(3, 0.1), np.full(3, 0.2), 0.95)
    assert (alike.tau, alike.i_squared) == (0, 0)
    assert np.isnan(heterogeneity.of_means(means[:2], errors[:2], 0.95)).all()


def test_a_prediction_holds_the_effect_of_a_further_context_as_often_as_it_says():
    generator, studies, held = np.random.default_rng(7), 500, 0
    for _ in range(studies):
        truths = generator.normal(1, 0.5, 7)
        means = truths[:6] + generator.normal(0, 0.2, 6)
        found = heterogeneity.of_means(means, np.full(6, 0.2), 0.95)
        held += found.low <= truths[6] <= found.high
    assert scipy_stats.binom.cdf(held, studies, 0.94) > 1e-3
