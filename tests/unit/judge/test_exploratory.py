"""What does not decide: other losses, epochs to a target, seconds, and the parts of a difference, from known losses."""

import math

import numpy as np
import pytest
import synthetic
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from bnbench.judge import exploratory, pairing, sign_flips
from bnbench.store import trials
from bnbench.vocabulary import OUTCOMES

pytestmark = pytest.mark.filterwarnings("error")

NEVER = 10_000
"""No epoch of these studies."""


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


def reaching(study, first, loss=1.0):
    """Frames whose test loss is `loss` from the epoch `first` of (arm, seed) on, and ten times that before."""
    frames = synthetic.frames(study)
    curves = frames["curves"]
    reached = [epoch >= first(arm, seed) for arm, seed, epoch in curves[["norm", "seed", "epoch"]].to_numpy()]
    curves["test_loss"] = np.where(curves["test_loss"].isna(), np.nan, np.where(reached, loss, 10 * loss))
    return frames


def test_every_outcome_has_its_ratio_its_interval_and_its_test(paired):
    study = synthetic.plan()
    factors = {outcome: (lambda seed, power=power: (1 + seed) ** power) for power, outcome in enumerate(OUTCOMES)}
    pairs = paired(study, multiplied(synthetic.frames(study, noise=0.2), factors))
    rows = by_outcome(study, pairs)
    assert list(rows) == [*OUTCOMES, "generalization_gap", "epochs_to_target", "seconds"]
    for outcome in OUTCOMES:
        row, (baseline, treated) = rows[outcome], pairs.final(outcome, 0.05)
        assert row["effect"] == pytest.approx(row["treatment_value"] / row["baseline_value"])
        assert row["baseline_value"] == pytest.approx(math.exp(baseline.mean()))
        limits = np.exp(DescrStatsW(treated - baseline).tconfint_mean(0.05))
        assert (row["low"], row["high"]) == pytest.approx(tuple(limits))
        assert row["p"] == sign_flips.sign_flip(treated - baseline)
        assert (row["pairs"], row["finite_pairs"]) == (8, 8)
    assert rows["train_loss"]["effect"] != rows["test_loss"]["effect"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_outcome_of_the_config_alone_is_primary(paired, outcome):
    study = synthetic.plan(report={"outcome": outcome})
    rows = by_outcome(study, paired(study))
    assert {name for name, row in rows.items() if row["role"] == "primary"} == {outcome}
    assert {row["role"] for row in rows.values()} == {"primary", "exploratory"}


def test_p_values_are_adjusted_over_all_exploratory_rows_and_no_other(compared):
    study = synthetic.plan(**synthetic.GRID)
    kept = lambda labels: None if labels["batch_size"] == "full" else []  # noqa: E731
    table = compared(study, ratio=synthetic.arms(batch=1.3), noise=0.4, seeds=kept)[0]["outcomes"]
    assert table.loc[table["role"] == "primary", "p_bh"].isna().all()
    explored = table[(table["role"] == "exploratory") & table["p"].notna()]
    assert len(explored) == 2 * 6
    np.testing.assert_allclose(explored["p_bh"], multipletests(explored["p"], method="fdr_bh")[1])
    assert table.loc[table["pairs"] == 0, "p_bh"].isna().all()
    assert len(table) == 4 * 7


def with_accuracies(study, of):
    """Frames in which the accuracy is `of` the arm and the seed, wherever the test loss is finite."""
    frames = synthetic.frames(
        study, diverged=lambda labels, seed: 12 if (labels["norm"], seed) == ("none", 0) else None
    )
    curves = frames["curves"]
    accuracies = np.array([of(arm, seed) for arm, seed in curves[["norm", "seed"]].to_numpy()])
    curves["test_accuracy"] = np.where(curves["test_loss"].isna(), np.nan, accuracies)
    return frames


def test_of_an_accuracy_more_is_better_and_a_diverged_trial_the_worst(paired):
    study = synthetic.plan()
    assert "test_accuracy" not in by_outcome(study, paired(study))
    higher = with_accuracies(study, lambda arm, seed: (0.9 if arm == "batch" else 0.6) - 0.01 * seed)
    pairs = paired(study, higher)
    row = by_outcome(study, pairs)["test_accuracy"]
    assert row["effect"] == pytest.approx(0.3)
    assert row["effect"] == pytest.approx(row["treatment_value"] - row["baseline_value"])
    assert (row["low"], row["high"]) == pytest.approx((0.3, 0.3))
    assert (row["pairs"], row["finite_pairs"], row["p"]) == (8, 7, 2 / 2**8)
    lower = with_accuracies(study, lambda arm, seed: (0.3 if arm == "batch" else 0.6) - 0.01 * seed)
    assert by_outcome(study, paired(study, lower))["test_accuracy"]["p"] > 2 / 2**8


def test_the_primary_row_is_the_verdicts(compared):
    found, _ = compared(synthetic.plan(), ratio=synthetic.arms(batch=1.3), noise=0.4)
    (context,), rows = found["contexts"].to_dict("records"), found["outcomes"].set_index("role")
    primary = rows.loc["primary"]
    assert (primary["effect"], primary["p"]) == (context["effect"], context["p"])
    assert (primary["low"], primary["high"]) == (context["own_low"], context["own_high"])
    assert primary["baseline_value"] == context["baseline_value"]


def test_epochs_to_the_target_are_counted_from_one_at_the_first_measured_epoch_that_is_there(paired):
    study = synthetic.plan(report={"target": 1.0})
    # Measured after 10, 20, 30 and 40 epochs.
    pairs = paired(study, reaching(study, lambda arm, seed: 11 if arm == "none" else 29))
    row = by_outcome(study, pairs)["epochs_to_target"]
    assert (row["baseline_value"], row["treatment_value"], row["effect"]) == pytest.approx((20, 30, 1.5))
    assert (row["p"], row["finite_pairs"]) == (2 / 2**8, 8)


def test_a_target_that_is_never_reached_is_the_worst_in_the_test_and_not_in_the_ratio(paired):
    study = synthetic.plan(report={"target": 1.0})
    first = {**{("batch", seed): NEVER for seed in range(6)}, ("none", 7): NEVER}
    pairs = paired(study, reaching(study, lambda arm, seed: first.get((arm, seed), 0 if arm == "batch" else 19)))
    row = by_outcome(study, pairs)["epochs_to_target"]
    # Seed 6 alone is finite in both: 10 epochs against 20. Seven are infinitely far apart, six of them for the worse.
    assert (row["pairs"], row["finite_pairs"], row["effect"]) == (8, 1, pytest.approx(0.5))
    assert row["p"] == sign_flips.sign_flip(np.array([5.0] * 6 + [-1.0, -5.0]))


def test_a_target_that_no_trial_reaches_decides_nothing(paired):
    study = synthetic.plan(report={"target": 1e-9})
    row = by_outcome(study, paired(study))["epochs_to_target"]
    assert (row["finite_pairs"], row["p"]) == (0, 1)
    assert np.isnan([row["effect"], row["low"], row["baseline_value"]]).all()


def test_a_trial_that_reached_the_target_and_then_diverged_counts_as_the_worst(paired):
    study = synthetic.plan(report={"target": 1.0})
    frames = reaching(study, lambda arm, seed: 9)
    curves = frames["curves"]
    curves.loc[(curves["norm"] == "batch") & (curves["epoch"] >= 25), list(OUTCOMES)] = np.nan
    assert by_outcome(study, paired(study, frames))["epochs_to_target"]["finite_pairs"] == 0


def test_without_a_target_it_is_twice_the_larger_final_loss_of_the_arms(paired):
    study = synthetic.plan()
    options = {"ratio": synthetic.arms(batch=3.0), "shared": 0.0}
    assert exploratory.target(study, paired(study, **options)) == pytest.approx(2 * 3 * 2e-3)
    assert exploratory.target(study, paired(study, **{**options, "ratio": synthetic.arms(batch=0.2)})) == pytest.approx(
        2 * 2e-3
    )
    # A trial that diverged has no final loss; an arm without any leaves no target.
    gone = {"diverged": synthetic.where("none", range(7), 3)}
    assert exploratory.target(study, paired(study, **options, **gone)) == pytest.approx(2 * 3 * 2e-3)
    gone = {"diverged": synthetic.where("none", range(8), 3)}
    assert math.isnan(exploratory.target(study, paired(study, **options, **gone)))
    assert exploratory.target(synthetic.plan(report={"target": 0.25}), paired(study)) == 0.25


def test_seconds_are_those_of_the_pairs_whether_they_diverged_or_not(paired):
    study = synthetic.plan()
    seconds = lambda labels, seed: (seed + 1.0) * (3 if labels["norm"] == "batch" else 1)  # noqa: E731
    pairs = paired(study, seconds=seconds, diverged=synthetic.where("batch", [0], 3), seeds=lambda _: [0, 1, 2, 3, 9])
    row = by_outcome(study, pairs)["seconds"]
    assert (row["effect"], row["low"], row["high"]) == pytest.approx((3, 3, 3))
    assert (row["baseline_value"], row["treatment_value"]) == pytest.approx((24**0.25, 3 * 24**0.25))
    assert (row["pairs"], row["finite_pairs"], row["p"]) == (4, 4, 2 / 2**4)


def test_a_clock_that_did_not_move_is_no_error(paired):
    study = synthetic.plan()
    row = by_outcome(study, paired(study, seconds=synthetic.where("batch", [2], 0.0, 1.0)))["seconds"]
    assert math.isfinite(row["effect"])


def parts(study, pairs):
    return exploratory.decomposition(study, pairs).set_index("component")


def test_a_difference_is_the_product_of_what_is_left_and_of_stale_averages(paired):
    study = synthetic.plan()
    # Left: 3 times as high. Stale: twice that. In training mode five times as high as in evaluation mode.
    known = {"test_loss_precise": 3.0, "test_loss": 6.0, "eval_loss": 0.5, "train_loss": 2.5}
    pairs = paired(study, multiplied(synthetic.frames(study), {name: lambda _, f=f: f for name, f in known.items()}))
    found = parts(study, pairs)
    assert found.index.tolist() == list(exploratory.COMPONENTS)
    expected = {"what is left": 3, "stale averages": 2, "total": 6, "batch noise": 2.5 / 0.5 * 2}
    for name, factor in expected.items():
        np.testing.assert_allclose(found.loc[name, ["effect", "low", "high"]].astype(float), factor)


def test_the_product_is_that_of_every_seed_whatever_the_losses(paired):
    study = synthetic.plan(seeds=9)
    factors = {
        outcome: (lambda seed, index=index: float(np.random.default_rng([seed, index]).lognormal()))
        for index, outcome in enumerate(OUTCOMES)
    }
    pairs = paired(study, multiplied(synthetic.frames(study, noise=0.5), factors))
    found = parts(study, pairs)
    assert found.loc["total", "effect"] == pytest.approx(
        found.loc["what is left", "effect"] * found.loc["stale averages", "effect"], rel=1e-12
    )
    of_seed = {outcome: np.subtract(*pairs.final(outcome, 0.05)[::-1]) for outcome in OUTCOMES}
    stale = of_seed["test_loss"] - of_seed["test_loss_precise"]
    for name, logs in (
        ("what is left", of_seed["test_loss_precise"]),
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
