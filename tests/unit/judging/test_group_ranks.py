"""Every arm of independent runs against every other: by hand, and how often equal arms are told apart."""

import math
from itertools import combinations, product

import numpy as np
import pytest
import synthetic
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests

from bnbench.judging import group_ranks
from bnbench.judging.groups import Groups
from bnbench.store import schemas

pytestmark = pytest.mark.filterwarnings("error")

NORMS = ["none", "batch", "layer", "population"]
STUDY = synthetic.plan(norm=NORMS, batch_size=["full", 25])
ALPHA = STUDY.report.alpha


def drawn(effects=(0, 0, 0, 0), sizes=(6, 5, 9, 7), generator=None):
    """Costs of each arm in both contexts, [runs] each."""
    generator = np.random.default_rng(1) if generator is None else generator
    return [
        [generator.normal(effect, 1, size) for effect, size in zip(effects, sizes, strict=True)]
        for _ in STUDY.contexts()
    ]


def tables(costs, study=STUDY):
    contrasts = []
    for (context, _), arms in zip(study.contexts(), costs, strict=True):
        for treatment, treated in zip(study.arms[1:], arms[1:], strict=True):
            labels = {**context, "baseline": study.arms[0], "treatment": treatment}
            contrasts.append(Groups(labels, arms[0], treated, arms[0], treated))
    return group_ranks.tables(study, contrasts)


def test_a_mean_rank_is_that_of_a_run_of_each_arm_drawn_by_chance():
    costs = drawn((0, 1, 2, 3), sizes=(3, 4, 2, 3))
    of_contexts = [np.mean([scipy_stats.rankdata(runs) for runs in product(*arms)], axis=0) for arms in costs]
    found = tables(costs)["ranks"].set_index("arm")
    np.testing.assert_allclose(found.loc[[*STUDY.arms], "mean_rank"], np.mean(of_contexts, axis=0))
    assert found.loc[[*STUDY.arms], "seeds"].tolist() == [3, 4, 2, 3]


def test_two_arms_are_compared_by_the_mean_of_their_contexts():
    costs = drawn((0, 1, 2, 3))
    found = tables(costs)
    assert [*found["all_pairs"].columns] == schemas.TABLES["all_pairs"].names
    assert [*found["ranks"].columns] == schemas.TABLES["ranks"].names
    rows = found["all_pairs"]
    for row, (one, other) in zip(rows.to_dict("records"), combinations(range(4), 2), strict=True):
        assert (row["baseline"], row["treatment"]) == (STUDY.arms[one], STUDY.arms[other])
        means = [arms[other].mean() - arms[one].mean() for arms in costs]
        parts = [
            (arms[arm].var(ddof=1) / len(arms[arm]) / 4, len(arms[arm]) - 1) for arms in costs for arm in (one, other)
        ]
        error, freedom = sum(v for v, _ in parts), sum(v for v, _ in parts) ** 2 / sum(v**2 / n for v, n in parts)
        assert row["effect"] == pytest.approx(math.exp(np.mean(means)))
        assert row["p"] == pytest.approx(2 * scipy_stats.t.sf(abs(np.mean(means)) / math.sqrt(error), freedom))
        half = scipy_stats.t.ppf(1 - ALPHA / 12, freedom) * math.sqrt(error)
        assert row["high"] == pytest.approx(math.exp(np.mean(means) + half))
    np.testing.assert_allclose(rows["p_adjusted"], multipletests(rows["p"], method="holm")[1])
    assert set(rows["family"]) == {6}


def test_arms_that_are_told_apart_share_no_letter():
    found = tables(drawn((0, 0, 9, 9)))
    letters = {row["arm"]: {*row["groups"].split()} for row in found["ranks"].to_dict("records")}
    assert letters["none"] & letters["batch"]
    assert letters["layer"] & letters["population"]
    assert not letters["none"] & letters["layer"]
    assert found["all_pairs"]["told_apart"].sum() == 4
    assert found["ranks"]["mean_rank"].is_monotonic_increasing


def test_a_diverged_run_is_the_worst():
    costs = drawn((0, 0, 0, 5))
    for arms in costs:
        arms[2][:] = np.nan
    found = tables(costs)
    assert found["ranks"]["arm"].iloc[-1] == "layer"
    assert found["ranks"]["mean_rank"].iloc[-1] == 4
    rows = found["all_pairs"].set_index(["baseline", "treatment"])
    assert rows.loc[("none", "layer"), "test"] == "worst-rank"
    assert rows.loc[("none", "layer"), "told_apart"]
    assert rows.loc[("none", "batch"), "test"] == "mean"


def test_too_few_arms_or_runs_have_no_rows_or_no_p():
    two = synthetic.plan()
    assert not len(tables([[np.zeros(3), np.ones(3)]], two)["ranks"])
    assert not len(tables(drawn(sizes=(3, 0, 4, 4)))["all_pairs"])
    rows = tables(drawn(sizes=(3, 1, 4, 4)))["all_pairs"]
    assert rows["p"].isna().sum() == 3
    assert set(rows["family"]) == {3}
    assert not rows.loc[rows["p"].isna(), "told_apart"].any()


def test_arms_that_are_equal_are_told_apart_at_most_as_often_as_alpha_says():
    generator, studies = np.random.default_rng(2), 200
    alarms = sum(tables(drawn(generator=generator))["all_pairs"]["told_apart"].any() for _ in range(studies))
    assert scipy_stats.binom.sf(alarms - 1, studies, ALPHA) > 1e-3
