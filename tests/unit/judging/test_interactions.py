"""Interactions: exactly what known effects make them, and what a least-squares fit of the same differences says."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import synthetic
from scipy.stats import t
from statsmodels.stats.weightstats import DescrStatsW

from bnbench.judging import interactions, sign_flips, verdicts
from bnbench.wording import together

pytestmark = pytest.mark.filterwarnings("error")

ADAM, SGD = {"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.1}
GRID = synthetic.plan(batch_size=["full", 25, 5], optimizer=[ADAM, SGD, "rmsprop"])
SLOW = "batch momentum=0.01"
THREE_ARMS = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}], batch_size=["full", 25])


def measured(study, effect, seeds=8, noise=0.0, gone=lambda labels, seed: False, kept=lambda labels, seed: True, key=3):
    """Contrasts whose log ratio is `effect` of the labels plus `noise`; a trial that is `gone` diverged."""
    generator = np.random.default_rng(key)

    def drawn(labels):
        own = np.array([seed for seed in range(seeds) if kept(labels, seed)], dtype=int)
        baseline = generator.normal(size=seeds)[own]
        treated = baseline + effect(labels) + noise * generator.normal(size=seeds)[own]
        treated[[gone(labels, seed) for seed in own]] = np.nan
        return own, baseline, treated

    return synthetic.contrasts(study, drawn)


def undecided(contrasts):
    return ["undecided"] * len(contrasts)


def rows_of(study, contrasts):
    found = interactions.table(study, contrasts, undecided(contrasts))
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
    rmsprop = [*GRID.levels["optimizer"]][2]
    expected[rmsprop] = (of_optimizer[rmsprop] - of_optimizer["adam lr=0.001"]).to_numpy()
    values = np.stack([expected["" if factor == "main effect" else level] for _, factor, level in rows], axis=1)
    p_values, limits = sign_flips.max_t(values), np.exp(sign_flips.simultaneous(values, 0.95)[:2])
    for place, row in enumerate(rows.values()):
        assert row["p"] == sign_flips.sign_flip(values[:, place])
        assert row["p_adjusted"] == pytest.approx(p_values.adjusted[place], abs=1e-12)
        assert (row["low"], row["high"]) == pytest.approx(tuple(limits[:, place]))
        assert row["low"] < math.exp(DescrStatsW(values[:, place]).tconfint_mean(0.05)[0])
        assert (row["adjustment"], row["family"]) == ("maxT", 4)


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
    contrasts = measured(GRID, by_context, seeds=left)
    found = interactions.table(GRID, contrasts, undecided(contrasts))
    assert found["pairs"].tolist() == [left] * 4
    assert found[["low", "high"]].isna().all(axis=None)
    assert [together.interaction(GRID, row) for row in found.to_dict("records")] == [""] * 4


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
    assert {row["p_adjusted"] for row in rows.values()} == {2 / 2**8}
    assert {row["family"] for row in rows.values()} == {4}
    assert "BN momentum=0.01" in together.interaction(THREE_ARMS, rows[SLOW, "batch_size", "doubling"])


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
    assert interactions.table(study, measured(study, lambda labels: 1.0), ["hurts"]).empty


def test_equal_effects_are_no_interaction_end_to_end(compared):
    found, said = compared(synthetic.plan(seeds=12, **synthetic.GRID), ratio=synthetic.arms(batch=3.0), noise=0.1)
    main, doubling, optimizer = found["interactions"].to_dict("records")
    assert main["low"] < 3 < main["high"]
    assert doubling["low"] < 1 < doubling["high"]
    assert optimizer["low"] < 1 < optimizer["high"]
    assert min(doubling["p_adjusted"], optimizer["p_adjusted"]) > 0.05 > main["p_adjusted"]
    assert said["interactions"][0].startswith("Over all 4 contexts together, the test loss with BN is ")
    assert "BN hurts in 4." in said["interactions"][0]


def test_six_seeds_that_all_say_the_same_decide_all_rows_together():
    contrasts = measured(GRID, by_context, seeds=6, noise=1e-6)
    found = interactions.table(GRID, contrasts, undecided(contrasts))
    assert found["p_adjusted"].tolist() == [2 / 2**6] * 4
    assert not found["low"].le(1).mul(found["high"].ge(1)).any()


def opposed(labels):
    """Three times lower in three of the contexts of `synthetic.GRID`, and a thousand times higher in the fourth."""
    alone = labels["batch_size"] == "25" and labels["optimizer"] == "sgd lr=0.1"
    return math.log(1000.0) if alone else -math.log(3.0)


FOUR = synthetic.plan(**synthetic.GRID)


def test_a_main_effect_comes_with_the_contexts_that_are_against_it_and_with_what_a_further_one_may_show():
    contrasts = measured(FOUR, opposed, noise=0.1)
    judged = [decision.verdict for decision in verdicts.decide(FOUR.report, contrasts)]
    main, *others = interactions.table(FOUR, contrasts, judged).to_dict("records")
    assert main["low"] > 1  # higher over all of them, though lower in three of four
    counted = ("contexts", "contexts_helped", "contexts_hurt", "contexts_equivalent", "contexts_undecided")
    assert [main[name] for name in counted] == [4, 3, 1, 0, 0]
    assert main["prediction_low"] < 1e-3
    assert main["prediction_high"] > 1e3
    said = together.interaction(FOUR, main)
    assert "The contexts disagree: by their own verdicts, BN helps in 3 and BN hurts in 1." in said
    assert "In a further context of this kind, the test loss with BN may be from " in said
    for row in others:
        assert all(math.isnan(row[name]) for name in (*counted, "prediction_low", "prediction_high"))


def test_what_a_further_context_may_show_is_the_textbooks_interval_for_one_more_value():
    contrasts = measured(FOUR, opposed)
    main = rows_of(FOUR, contrasts)["batch", "main effect", ""]
    effects = np.array([opposed(contrast.labels) for contrast in contrasts])
    half = t(2).ppf(0.975) * effects.std(ddof=1) * math.sqrt(1 + 1 / 4)
    limits = (main["prediction_low"], main["prediction_high"])
    assert np.log(limits) == pytest.approx([effects.mean() - half, effects.mean() + half])


def test_a_further_context_is_never_more_certain_than_the_mean_of_those_that_there_are():
    for seed in range(20):
        contrasts = measured(GRID, lambda labels: 0.0, noise=1.0, key=seed)
        main = rows_of(GRID, contrasts)["batch", "main effect", ""]
        assert main["prediction_low"] <= main["low"] < main["high"] <= main["prediction_high"]


def test_of_two_contexts_nothing_is_said_of_a_third():
    study = synthetic.plan(batch_size=["full", 25])
    main = rows_of(study, measured(study, lambda labels: 0.5, noise=0.1))["batch", "main effect", ""]
    assert math.isnan(main["prediction_low"])
    assert main["contexts"] == 2


@pytest.mark.parametrize("outcome", ["test_accuracy", "generalization_gap"])
def test_on_the_scale_of_differences_rows_are_differences_of_differences(outcome):
    study = synthetic.scored(GRID, outcome)
    contrasts = measured(study, by_context, noise=0.1)
    scored, ratios = (interactions.table(one, contrasts, undecided(contrasts)) for one in (study, GRID))
    sign = -1 if outcome == "test_accuracy" else 1  # costs are scores with the other sign where higher is better
    np.testing.assert_allclose(scored["effect"], sign * np.log(ratios["effect"]))
    ends = ["low", "high"][::sign], ["prediction_low", "prediction_high"][::sign]
    np.testing.assert_allclose(scored[["low", "high"]], sign * np.log(ratios[ends[0]].to_numpy()))
    predicted = scored[["prediction_low", "prediction_high"]]
    np.testing.assert_allclose(predicted, sign * np.log(ratios[ends[1]].to_numpy()))
    assert scored["p_adjusted"].equals(ratios["p_adjusted"])


def test_comparisons_of_different_seeds_are_judged_together_by_the_flips_of_all_seeds():
    def kept(labels, seed):
        return labels["treatment"] == "batch" or seed > 0

    contrasts = measured(THREE_ARMS, lambda labels: 0.3, seeds=9, noise=1.0, kept=kept)
    both = interactions.table(THREE_ARMS, contrasts, undecided(contrasts))
    for arm, seeds in (("batch", 9), (SLOW, 8)):
        own = both[both["treatment"] == arm]
        assert set(own["pairs"]) == {seeds}
        alone = [contrast for contrast in contrasts if contrast.labels["treatment"] == arm]
        judged = interactions.table(THREE_ARMS, alone, undecided(alone))
        np.testing.assert_allclose(own["p"], judged["p"])
        assert (own["p_adjusted"].to_numpy() >= judged["p_adjusted"].to_numpy()).all()
        assert (own["low"].to_numpy() < judged["low"].to_numpy()).all()
    assert set(both["adjustment"]) == {"maxT"}
    assert set(both["family"]) == {4}


@pytest.mark.parametrize("noise", ["normal", "skewed"])
def test_where_nothing_depends_on_anything_any_row_is_false_at_most_as_often_as_alpha_says(noise):
    generator, studies = np.random.default_rng(5), 600
    arms, false, covered = THREE_ARMS.arms, 0, 0

    def drawn():
        """Losses of three arms that do not differ, and share what a seed does to all of them."""
        for size in THREE_ARMS.levels["batch_size"]:
            own = generator.normal(size=(3, 8)) if noise == "normal" else generator.exponential(size=(3, 8))
            yield size, dict(zip(arms, own + generator.normal(size=8), strict=True))

    for _ in range(studies):
        costs = dict(drawn())
        contrasts = synthetic.contrasts(
            THREE_ARMS,
            lambda labels, costs=costs: (
                range(8),
                *(costs[labels["batch_size"]][labels[arm]] for arm in ("baseline", "treatment")),
            ),
        )
        found = interactions.table(THREE_ARMS, contrasts, undecided(contrasts))
        false += found["p_adjusted"].lt(0.05).any()
        covered += (found["low"].lt(1) & found["high"].gt(1)).all()
    error = math.sqrt(0.05 * 0.95 / studies)
    assert false / studies < 0.05 + 4 * error
    assert covered / studies > 0.945 - 4 * error
    if noise == "normal":
        assert false / studies > 0.045 - 4 * error
