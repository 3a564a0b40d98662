"""Interactions: exactly what known effects make them, and what a least-squares fit of the same differences says."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import synthetic
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from bnbench.judge import interactions, sign_flips
from bnbench.wording import sentences

pytestmark = pytest.mark.filterwarnings("error")

ADAM, SGD = {"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.1}
GRID = synthetic.plan(batch_size=["full", 25, 5], optimizer=[ADAM, SGD, "rmsprop"])
SLOW = "batch momentum=0.01"
THREE_ARMS = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}], batch_size=["full", 25])


def measured(study, effect, seeds=8, noise=0.0, gone=lambda labels, seed: False, kept=lambda labels, seed: True):
    """Contrasts whose log ratio is `effect` of the labels plus `noise`; a trial that is `gone` diverged."""
    generator = np.random.default_rng(3)

    def drawn(labels):
        own = np.array([seed for seed in range(seeds) if kept(labels, seed)], dtype=int)
        baseline = generator.normal(size=seeds)[own]
        treated = baseline + effect(labels) + noise * generator.normal(size=seeds)[own]
        treated[[gone(labels, seed) for seed in own]] = np.nan
        return own, baseline, treated

    return synthetic.contrasts(study, drawn)


def rows_of(study, contrasts):
    found = interactions.table(study, contrasts)
    return {(row["treatment"], row["factor"], row["level"]): row for row in found.to_dict("records")}


def by_context(labels):
    """−0.2 a doubling of the batch; SGD four times as bad as Adam, RMSprop half as bad."""
    against_adam = {"adam lr=0.001": 1.0, "sgd lr=0.1": 4.0}.get(labels["optimizer"], 0.5)
    return 1.0 - 0.2 * math.log2(GRID.examples(labels)) + math.log(against_adam)


def test_known_effects_give_the_slope_per_doubling_and_the_ratios_of_ratios_exactly():
    contrasts = measured(GRID, by_context)
    rows = rows_of(GRID, contrasts)
    rmsprop = [*GRID.levels["optimizer"]][2]
    assert list(rows) == [
        ("batch", "main effect", ""),
        ("batch", "batch_size", "doubling"),
        ("batch", "optimizer", "sgd lr=0.1"),
        ("batch", "optimizer", rmsprop),
    ]
    main, doubling, sgd, half = rows.values()
    effects = [by_context(contrast.labels) for contrast in contrasts]
    assert main["effect"] == pytest.approx(math.exp(np.mean(effects)), rel=1e-12)
    assert (main["low"], main["high"]) == pytest.approx((main["effect"], main["effect"]), rel=1e-9)
    assert doubling["effect"] == pytest.approx(math.exp(-0.2), rel=1e-12)
    assert (sgd["effect"], half["effect"]) == pytest.approx((4.0, 0.5), rel=1e-12)
    assert (sgd["against"], half["against"]) == ("adam lr=0.001", "adam lr=0.001")
    assert {row["p"] for row in rows.values()} == {2 / 2**8}


def as_table(study, contrasts):
    rows = [
        {**contrast.labels, "logs": math.log2(study.examples(contrast.labels)), "seed": seed, "d": difference}
        for contrast in contrasts
        for seed, difference in zip(contrast.seeds, contrast.differences, strict=True)
    ]
    return pd.DataFrame(rows)


def test_estimates_are_those_of_least_squares_on_all_differences():
    contrasts = measured(GRID, by_context, noise=0.7)
    rows = rows_of(GRID, contrasts)
    table = as_table(GRID, contrasts)
    fit = smf.ols("d ~ logs + C(optimizer, Treatment('adam lr=0.001')) + C(seed, Sum)", table).fit()
    tolerance = {"rel": 0, "abs": 1e-10}
    assert math.log(rows["batch", "batch_size", "doubling"]["effect"]) == pytest.approx(fit.params["logs"], **tolerance)
    for level in [*GRID.levels["optimizer"]][1:]:
        (name,) = (name for name in fit.params.index if name.endswith(f"[T.{level}]"))
        assert math.log(rows["batch", "optimizer", level]["effect"]) == pytest.approx(fit.params[name], **tolerance)
    assert math.log(rows["batch", "main effect", ""]["effect"]) == pytest.approx(table["d"].mean(), **tolerance)


def test_intervals_and_p_are_of_one_number_a_seed():
    rows = rows_of(GRID, contrasts := measured(GRID, by_context, noise=0.7))
    table = as_table(GRID, contrasts)
    slopes = [np.polyfit(own["logs"], own["d"], 1)[0] for _, own in table.groupby("seed")]
    of_optimizer = table.pivot_table(index="seed", columns="optimizer", values="d")
    expected = {
        "doubling": np.array(slopes),
        "": table.groupby("seed")["d"].mean().to_numpy(),
        "sgd lr=0.1": (of_optimizer["sgd lr=0.1"] - of_optimizer["adam lr=0.001"]).to_numpy(),
    }
    for (_, _, level), row in rows.items():
        if level in expected:
            limits = np.exp(DescrStatsW(expected[level]).tconfint_mean(0.05))
            assert (row["low"], row["high"]) == pytest.approx(tuple(limits))
            assert row["p"] == sign_flips.sign_flip(expected[level])
    p_values = [row["p"] for row in rows.values()]
    np.testing.assert_allclose([row["p_holm"] for row in rows.values()], multipletests(p_values, method="holm")[1])


def test_a_seed_counts_only_where_all_contexts_have_it_finite():
    calm = measured(GRID, by_context, noise=0.5)
    hurt = measured(
        GRID,
        by_context,
        noise=0.5,
        gone=lambda labels, seed: seed == 2 and labels["batch_size"] == "25",
        kept=lambda labels, seed: seed != 5 or labels["optimizer"] != "sgd lr=0.1",
    )
    for row in rows_of(GRID, hurt).values():
        assert row["pairs"] == 6
    table = as_table(GRID, calm)
    kept = table[~table["seed"].isin([2, 5])]
    assert rows_of(GRID, hurt)["batch", "main effect", ""]["effect"] == pytest.approx(math.exp(kept["d"].mean()))


@pytest.mark.parametrize("left", [0, 1])
def test_without_two_common_seeds_nothing_is_said(left):
    found = interactions.table(GRID, measured(GRID, by_context, seeds=left))
    assert found["pairs"].tolist() == [left] * 4
    assert found[["low", "high"]].isna().all(axis=None)
    assert [sentences.interaction(GRID, row) for row in found.to_dict("records")] == [""] * 4


def test_each_of_three_arms_has_its_own_rows_and_all_are_one_family():
    slopes = {"batch": 0.3, SLOW: -0.1}
    contrasts = measured(
        THREE_ARMS, lambda labels: slopes[labels["treatment"]] * math.log2(THREE_ARMS.examples(labels)), noise=1e-3
    )
    rows = rows_of(THREE_ARMS, contrasts)
    assert [key[:2] for key in rows] == [
        ("batch", "main effect"),
        ("batch", "batch_size"),
        (SLOW, "main effect"),
        (SLOW, "batch_size"),
    ]
    for treatment, slope in slopes.items():
        ratio = rows[treatment, "batch_size", "doubling"]["effect"]
        assert math.log(ratio) == pytest.approx(slope, abs=2e-3)
    assert {row["p_holm"] for row in rows.values()} == {4 * 2 / 2**8}
    assert "BN momentum=0.01" in sentences.interaction(THREE_ARMS, rows[SLOW, "batch_size", "doubling"])


def test_the_slope_of_tasks_of_other_sizes_is_the_mean_of_their_own():
    small = {"name": "sine", "points": 50}
    study = synthetic.plan(task=["sine", small], batch_size=["full", 25])
    slope = dict(zip(study.levels["task"], (0.4, 0.2), strict=True))
    contrasts = measured(study, lambda labels: slope[labels["task"]] * math.log2(study.examples(labels)))
    rows = rows_of(study, contrasts)
    assert math.log(rows["batch", "batch_size", "doubling"]["effect"]) == pytest.approx(0.3, rel=1e-12)


@pytest.mark.parametrize("sizes", [["full", 100], ["full", 100, 25]], ids=["no slope", "a slope"])
def test_batches_of_the_same_size_by_two_names_have_no_slope_between_them(sizes):
    study = synthetic.plan(batch_size=sizes)
    rows = rows_of(study, measured(study, lambda labels: 0.1 * math.log2(study.examples(labels))))
    ratio = rows["batch", "batch_size", "doubling"]["effect"] if len(sizes) > 2 else math.exp(0.1)
    assert math.log(ratio) == pytest.approx(0.1)


def test_the_compared_factor_is_none_that_the_effect_depends_on():
    study = synthetic.plan(
        batch_size=["full", 25], optimizer=[ADAM, SGD], report={"factor": "batch_size", "baseline": 25}
    )
    rows = rows_of(study, measured(study, lambda labels: 1.0 if labels["norm"] == "batch" else 0.25))
    assert [key[1] for key in rows] == ["main effect", "norm", "optimizer"]
    assert math.log(rows["full", "norm", "batch"]["effect"]) == pytest.approx(0.75)


def test_one_context_depends_on_nothing():
    study = synthetic.plan()
    assert interactions.table(study, measured(study, lambda labels: 1.0)).empty


def test_equal_effects_are_no_interaction_end_to_end(compared):
    found, verdicts = compared(synthetic.plan(seeds=12, **synthetic.GRID), ratio=synthetic.arms(batch=3.0), noise=0.1)
    main, doubling, optimizer = found["interactions"].to_dict("records")
    assert main["low"] < 3 < main["high"]
    assert doubling["low"] < 1 < doubling["high"]
    assert optimizer["low"] < 1 < optimizer["high"]
    assert min(doubling["p_holm"], optimizer["p_holm"]) > 0.05 > main["p_holm"]
    assert verdicts["interactions"][0].startswith("Over all contexts together, the test loss with BN is ")
