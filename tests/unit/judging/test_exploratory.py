"""What does not decide: other outcomes beside the verdict, and the parts of a difference, from known losses."""

import math
from statistics import NormalDist

import in_memory
import numpy as np
import pandas as pd
import pytest
import synthetic
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from bnbench.judging import exploratory, pairing, sign_flips
from bnbench.store import trials
from bnbench.vocabulary import LOSSES

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def paired(tmp_path):
    """The pairs of a study's first context."""

    def run(study, frames=None, **options):
        data = synthetic.write(synthetic.frames(study, **options) if frames is None else frames, tmp_path / "data")
        (context, settings), *_ = study.contexts()
        arms = [trials.read(study, data, settings[label]) for label in study.arms[:2]]
        return pairing.pair(study, context, *arms)[0]

    return run


def by_outcome(study, pairs):
    return {row["outcome"]: row for row in exploratory.outcomes(study, pairs).to_dict("records")}


def multiplied(frames, of):
    """The frames, with the losses of the treatment multiplied: outcome → function of the seed."""
    curves = frames["curves"]
    treated = curves["norm"] == "batch"
    for outcome, factor in of.items():
        curves.loc[treated, outcome] *= curves.loc[treated, "seed"].map(factor)
    return frames


def test_every_outcome_has_its_ratio_its_interval_and_its_test(paired):
    study = synthetic.plan()
    factors = {outcome: (lambda seed, power=power: (1 + seed) ** power) for power, outcome in enumerate(LOSSES)}
    pairs = paired(study, multiplied(synthetic.frames(study, noise=0.2), factors))
    rows = by_outcome(study, pairs)
    assert list(rows) == [*LOSSES, "generalization_gap", "swing", "epochs_to_target", "seconds"]
    for outcome in LOSSES:
        row, (baseline, treated) = rows[outcome], pairs.final(outcome, 0.05)
        assert row["effect"] == pytest.approx(row["treatment_value"] / row["baseline_value"])
        assert row["baseline_value"] == pytest.approx(math.exp(baseline.mean()))
        limits = np.exp(DescrStatsW(treated - baseline).tconfint_mean(0.05))
        assert (row["low"], row["high"]) == pytest.approx(tuple(limits))
        assert row["p"] == sign_flips.sign_flip(treated - baseline)
        assert (row["pairs"], row["finite_pairs"]) == (8, 8)
    assert rows["train_loss"]["effect"] != rows["test_loss"]["effect"]


@pytest.mark.parametrize("outcome", LOSSES)
def test_the_outcome_of_the_config_alone_is_primary(paired, outcome):
    study = synthetic.plan(report={"outcome": outcome})
    rows = by_outcome(study, paired(study))
    assert {name for name, row in rows.items() if row["role"] == "primary"} == {outcome}
    assert {name for name, row in rows.items() if row["role"] == "descriptive"} == {"seconds"}
    assert {row["role"] for row in rows.values()} == {"primary", "exploratory", "descriptive"}


def test_p_values_are_adjusted_over_all_exploratory_rows_and_no_other(compared):
    study = synthetic.plan(**synthetic.GRID)
    kept = lambda labels: None if labels["batch_size"] == "full" else []  # noqa: E731
    table = compared(study, ratio=synthetic.arms(batch=1.3), noise=0.4, seeds=kept)[0]["outcomes"]
    assert table.loc[table["role"] == "primary", "p_bh"].isna().all()
    explored = table[(table["role"] == "exploratory") & table["p"].notna()]
    assert len(explored) == 2 * 6
    np.testing.assert_allclose(explored["p_bh"], multipletests(explored["p"], method="fdr_bh")[1])
    assert table.loc[table["pairs"] == 0, "p_bh"].isna().all()
    assert len(table) == 4 * 8


def with_accuracies(study, of):
    """Frames in which the accuracy is `of` the arm and the seed, wherever the test loss is finite."""
    frames = synthetic.frames(
        study, diverged=lambda labels, seed: 12 if (labels["norm"], seed) == ("none", 0) else None
    )
    curves = frames["curves"]
    accuracies = np.array([of(arm, seed) for arm, seed in curves[["norm", "seed"]].to_numpy()])
    curves["test_accuracy"] = np.where(curves["test_loss"].isna(), np.nan, accuracies)
    return frames


def test_accuracies_are_compared_by_their_difference_and_a_diverged_trial_is_the_worst(paired):
    study = synthetic.plan()
    assert "test_accuracy" not in by_outcome(study, paired(study))
    higher = with_accuracies(study, lambda arm, seed: 0.6 + 0.01 * seed + (0.013 + 0.002 * seed) * (arm == "batch"))
    row = by_outcome(study, paired(study, higher))["test_accuracy"]
    differences = np.array([0.013 + 0.002 * seed for seed in range(1, 8)])
    assert row["effect"] == pytest.approx(differences.mean())
    assert (row["low"], row["high"]) == pytest.approx(DescrStatsW(differences).tconfint_mean(0.05))
    assert row["baseline_value"] == pytest.approx(0.64)  # of the finite pairs, and arithmetic
    assert row["treatment_value"] == pytest.approx(0.64 + differences.mean())
    assert (row["pairs"], row["finite_pairs"], row["p"], row["direction"]) == (8, 7, 2 / 2**8, 1)
    lower = with_accuracies(study, lambda arm, seed: 0.6 - 0.01 * seed - 0.3 * (arm == "batch"))
    opposite = by_outcome(study, paired(study, lower))["test_accuracy"]
    # In the test the baseline's diverged trial is a win of the treatment; the other seven are losses.
    assert opposite["p"] > 2 / 2**8
    assert (opposite["direction"], opposite["effect"]) == (-1, pytest.approx(-0.3))


def test_gaps_are_compared_by_the_difference_of_the_log_losses(paired):
    study = synthetic.plan()
    factors = {"test_loss": lambda seed: 3.0 + seed, "eval_loss": lambda seed: 0.5}
    row = by_outcome(study, paired(study, multiplied(synthetic.frames(study), factors)))["generalization_gap"]
    logs = np.log([(3.0 + seed) / 0.5 for seed in range(8)])
    assert row["effect"] == pytest.approx(logs.mean())
    assert (row["low"], row["high"]) == pytest.approx(DescrStatsW(logs).tconfint_mean(0.05))
    assert row["baseline_value"] == pytest.approx(math.log(2.0 / 1.25))
    assert row["p"] == 2 / 2**8


def test_the_primary_row_is_the_verdicts(compared):
    found, _ = compared(synthetic.plan(), ratio=synthetic.arms(batch=1.3), noise=0.4)
    (context,), rows = found["contexts"].to_dict("records"), found["outcomes"].set_index("role")
    primary = rows.loc["primary"]
    assert (primary["effect"], primary["p"]) == (context["effect"], context["p"])
    assert (primary["low"], primary["high"]) == (context["own_low"], context["own_high"])
    assert primary["baseline_value"] == context["baseline_value"]


# A small part of tests/benchmarks/calibration_exploratory.py.


def null_study(generator, study, censored):
    """The table of a study of four contexts without any effect; the treatment trains three times as long, in a job."""
    seeds = len(study.seeds)
    found = []
    for _ in range(4):
        common, arms = 0.5 * generator.standard_normal((5, seeds)), []
        for _ in range(2):
            parts = common + 0.5 * generator.standard_normal((5, seeds))
            slow = math.log(40) + math.sqrt(0.5) * NormalDist().inv_cdf(censored) + parts[0]
            measured = {"test_loss": np.exp(slow - np.log([10, 20, 30, 40])[:, None])}
            measured |= {"train_loss": np.exp(parts[1]), "eval_loss": np.exp(parts[2])}
            arms.append(measured | {"test_accuracy": 1 / (1 + np.exp(parts[3]))})
        found.append(exploratory.outcomes(study, in_memory.pairs(study, *arms, (1.0, 3.0))))
    return exploratory.adjusted(study, pd.concat(found, ignore_index=True))


@pytest.mark.parametrize("censored", [0.25, 0.75])
def test_a_study_without_effects_marks_one_at_most_as_often_as_alpha_says(censored):
    study = synthetic.plan(norm=["none", "layer"], seeds=10, report={"target": 1.0})
    generator, alarms, epochs, share, tests = np.random.default_rng(1), [], [], [], []
    for _ in range(100):
        table = null_study(generator, study, censored)
        tests.append(exploratory.tested_rows(table))
        alarms.append(table["marked"].any())
        of_epochs = table[table["outcome"] == "epochs_to_target"]
        epochs += (of_epochs["p"] < 0.05).tolist()
        share.append((of_epochs["reached_baseline"] + of_epochs["reached_treatment"]).mean() / 20)
    assert max(tests) == 20  # 19 where no trial of a context reaches the target
    assert np.mean(share) == pytest.approx(1 - censored, abs=0.03)
    for hits in (alarms, epochs):
        assert np.mean(hits) < 0.05 + 4 * math.sqrt(0.05 * 0.95 / len(hits))


def parts(study, pairs):
    return exploratory.decomposition(study, pairs).set_index("component")


def test_a_difference_is_the_product_of_what_is_left_and_of_stale_averages(paired):
    study = synthetic.plan()
    # Left: 3 times as high. Stale: twice that. In training mode five times as high as in evaluation mode.
    known = {"test_loss_precise": 3.0, "test_loss": 6.0, "eval_loss": 0.5, "train_loss": 2.5}
    pairs = paired(study, multiplied(synthetic.frames(study), {name: lambda _, f=f: f for name, f in known.items()}))
    found = parts(study, pairs)
    assert found.index.tolist() == list(exploratory.COMPONENTS)
    expected = {"weights": 3, "stale averages": 2, "total": 6, "batch noise": 2.5 / 0.5 * 2}
    for name, factor in expected.items():
        np.testing.assert_allclose(found.loc[name, ["effect", "low", "high"]].astype(float), factor)


def test_the_product_is_that_of_every_seed_whatever_the_losses(paired):
    study = synthetic.plan(seeds=9)
    factors = {
        outcome: (lambda seed, index=index: float(np.random.default_rng([seed, index]).lognormal()))
        for index, outcome in enumerate(LOSSES)
    }
    pairs = paired(study, multiplied(synthetic.frames(study, noise=0.5), factors))
    found = parts(study, pairs)
    assert found.loc["total", "effect"] == pytest.approx(
        found.loc["weights", "effect"] * found.loc["stale averages", "effect"], rel=1e-12
    )
    of_seed = {outcome: np.subtract(*pairs.final(outcome, 0.05)[::-1]) for outcome in LOSSES}
    stale = of_seed["test_loss"] - of_seed["test_loss_precise"]
    for name, logs in (
        ("weights", of_seed["test_loss_precise"]),
        ("stale averages", stale),
        ("total", of_seed["test_loss"]),
        ("batch noise", of_seed["train_loss"] - of_seed["eval_loss"] + stale),
    ):
        expected = np.exp([logs.mean(), *DescrStatsW(logs).tconfint_mean(0.05)])
        np.testing.assert_allclose(found.loc[name, ["effect", "low", "high"]].astype(float), expected)


def test_a_seed_without_all_four_losses_is_in_no_part(paired):
    study = synthetic.plan()
    frames = synthetic.frames(study, noise=0.5)
    curves = frames["curves"]
    curves.loc[(curves["norm"] == "none") & (curves["seed"] == 3), "eval_loss"] = np.nan
    assert set(parts(study, paired(study, frames))["pairs"]) == {7}
    nothing = parts(study, paired(study, seeds=lambda labels: []))
    assert set(nothing["pairs"]) == {0}
    assert nothing[["effect", "low", "high"]].isna().all(axis=None)


def test_the_total_is_the_verdicts_ratio_where_the_test_loss_decides(compared):
    found, _ = compared(synthetic.plan(), ratio=synthetic.arms(batch=1.7), noise=0.3)
    total = found["decomposition"].set_index("component").loc["total"]
    assert total["effect"] == pytest.approx(found["contexts"]["effect"].item())
    assert 0 < total["low"] < total["effect"] < total["high"]
