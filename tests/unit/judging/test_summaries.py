"""What is shown beside the verdicts: curves, modes, fits, reference points and provenance, computed directly."""

import numpy as np
import pytest
import synthetic

from bnbench.judging import finals, stats, summaries
from bnbench.store import trials
from bnbench.vocabulary import LOSSES
from bnbench.wording import sentences

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def summarized(tmp_path):
    """The summary tables of a study's first context on synthetic tables, and the readings that they are of."""

    def run(study, **options):
        data = synthetic.collected(study, tmp_path / study.name, **options)
        ((_, settings), *_) = study.contexts()
        arms = {label: trials.read(study, data, settings[label]) for label in study.arms}
        return summaries.of_context(study, data, arms), arms

    return run


def of(table, norm, outcome=None):
    rows = table[table["norm"] == norm]
    return rows if outcome is None else rows[rows["outcome"] == outcome]


@pytest.mark.parametrize("epochs", [1, 2, 40, 200, 5000])
def test_curves_run_from_the_first_to_the_last_measured_epoch_at_200_log_spaced_ones_at_most(summarized, epochs):
    tables, arms = summarized(synthetic.plan(epochs=epochs, seeds=2))
    for outcome in ("train_loss", "test_loss"):
        shown = of(tables["curves"], "batch", outcome)["epoch"].tolist()
        measured = arms["batch"].epochs[outcome]
        assert set(shown) <= set(measured)
        assert shown == sorted(set(shown))
        assert (shown[0], shown[-1]) == (measured[0], measured[-1])
        assert len(shown) <= 200
        assert len(measured) > 40 or len(shown) == len(measured)


def test_long_curves_are_spaced_evenly_on_a_log_axis(summarized):
    tables, _ = summarized(synthetic.plan(epochs=5000, seeds=2))
    steps = np.diff(np.log(of(tables["curves"], "none", "train_loss")["epoch"] + 1))
    assert steps[-50:].max() < 1.1 * steps[-50:].min()


def test_the_band_of_a_curve_is_the_t_interval_of_the_mean_log_loss_of_the_trials_that_go_on(summarized):
    study = synthetic.plan(report={"alpha": 0.1})
    tables, arms = summarized(study, noise=0.5, diverged=lambda _, seed: 15 if seed in (1, 4) else None)
    curve = of(tables["curves"], "batch", "test_loss").set_index("epoch")
    # No curve bends because a trial is gone: those that go are left out from the start.
    assert curve["seeds"].to_dict() == dict.fromkeys([9, 19, 29, 39], 6)
    assert set(curve["diverged"]) == {2}
    for row, losses in zip(curve.itertuples(), arms["batch"].losses["test_loss"], strict=True):
        expected = stats.t_interval(np.log(np.delete(losses, [1, 4])), 0.9)
        np.testing.assert_allclose((row.loss, row.low, row.high), np.exp(expected))


def test_what_decides_and_the_train_loss_come_first_and_every_other_outcome_has_a_curve_of_60_epochs(summarized):
    curves = summarized(synthetic.plan(epochs=5000, seeds=2))[0]["curves"]
    assert [*dict.fromkeys(curves["outcome"])] == [
        *("train_loss", "test_loss", "eval_loss", "test_loss_precise", "generalization_gap"),
    ]
    lengths = of(curves, "batch").groupby("outcome").size()
    assert lengths["train_loss"] > 100
    assert (lengths[["eval_loss", "test_loss_precise", "generalization_gap"]] <= 60).all()
    study = synthetic.plan(report={"outcome": "train_loss"}, norm=["none", "layer"])
    assert [*dict.fromkeys(summarized(study)[0]["curves"]["outcome"])] == [
        *("train_loss", "eval_loss", "test_loss", "generalization_gap"),  # none of these keeps statistics
    ]


def test_the_curve_of_another_outcome_is_the_mean_of_its_own_values(summarized):
    tables, arms = summarized(synthetic.plan(), noise=0.4, diverged=synthetic.where("batch", [5], 3))
    kept = arms["batch"].seeds != 5
    for outcome, scaled in (("eval_loss", np.log), ("generalization_gap", np.asarray)):
        curve = of(tables["curves"], "batch", outcome)
        assert set(curve["seeds"]) == {7}
        for row, values in zip(curve.itertuples(), arms["batch"].losses[outcome], strict=True):
            expected = stats.t_interval(scaled(values[kept]), 0.95)
            np.testing.assert_allclose(scaled([row.loss, row.low, row.high]), expected, rtol=1e-9)


def test_finals_are_what_each_trial_came_to_by_the_outcomes_that_do_not_decide(summarized):
    tables, arms = summarized(synthetic.plan(), noise=0.4, diverged=synthetic.where("batch", [5], 3))
    table = of(tables["finals"], "batch")
    assert set(table["outcome"]) == {"train_loss", "eval_loss", "test_loss_precise", "generalization_gap", "swing"}
    for outcome, part in table.groupby("outcome"):
        expected = finals.final(arms["batch"], outcome, 0.05)
        assert part["seed"].tolist() == expected.index.tolist()
        is_ratio = arms["batch"].setting.outcomes[outcome].is_ratio
        np.testing.assert_allclose(part["final"], np.exp(expected) if is_ratio else expected)
        assert part["final"].isna().tolist() == [seed == 5 for seed in part["seed"]]


def test_a_study_of_more_finals_than_a_page_can_hold_has_none(summarized, monkeypatch):
    monkeypatch.setattr(summaries, "MOST_FINALS", 2 * 8 * 5)
    assert len(summarized(synthetic.plan())[0]["finals"]) == 80
    monkeypatch.setattr(summaries, "MOST_FINALS", 2 * 8 * 5 - 1)
    assert summarized(synthetic.plan())[0]["finals"].empty


SLOW = {"name": "batch", "momentum": 0.01}
"""Another arm that keeps statistics."""


def test_modes_have_every_outcome_over_the_trials_that_stay_finite(summarized):
    study = synthetic.plan(norm=["none", "batch", SLOW])
    tables, arms = summarized(study, noise=0.4, diverged=synthetic.where("batch", [5], 3))
    assert of(tables["modes"], "none").empty
    for norm, seeds in (("batch momentum=0.01", 8), ("batch", 7)):
        modes = of(tables["modes"], norm).set_index("outcome")
        assert modes.index.tolist() == list(LOSSES)
        assert set(modes["seeds"]) == {seeds}
        for outcome, row in modes.iterrows():
            own = finals.final(arms[norm], outcome, 0.05).dropna().to_numpy()
            np.testing.assert_allclose(row[["loss", "low", "high"]].astype(float), np.exp(stats.t_interval(own, 0.95)))


def test_the_ratio_of_the_modes_of_the_outcome_that_decides_is_the_verdicts(compared):
    study = synthetic.plan(norm=["batch", SLOW], report={"baseline": "batch"})
    found, _ = compared(study, ratio=synthetic.arms(batch=2.0), noise=0.4)
    loss = found["modes"].query("outcome == 'test_loss'").set_index("norm")["loss"]
    assert loss["batch momentum=0.01"] / loss["batch"] == pytest.approx(found["contexts"]["effect"].item())


def test_a_fit_has_the_percentiles_over_the_finite_seeds(summarized):
    study = synthetic.plan(seeds=9)
    frames = synthetic.frames(study, noise=1.0)
    gone = (frames["predictions"]["seed"] == 3) & (frames["predictions"]["norm"] == "batch")
    frames["predictions"].loc[gone, "y_fit"] = np.inf
    predictions = frames["predictions"]
    fit = fits_of(summarized, study, frames)
    own = predictions[(predictions["norm"] == "batch") & (predictions["seed"] != 3)]
    assert (of(fit, "batch")["seeds"].unique(), of(fit, "none")["seeds"].unique()) == (8, 9)
    for values, names in (
        (own["y_fit"], ["fit_low", "fit", "fit_high"]),
        ((own["y_fit"] - own["y"]).abs(), ["error_low", "error", "error_high"]),
    ):
        expected = values.groupby(own["x"]).quantile([0.05, 0.5, 0.95]).unstack()
        np.testing.assert_allclose(of(fit, "batch").set_index("x")[names], expected)
    np.testing.assert_allclose(fit["y"], np.sin(3 * fit["x"]))


def fits_of(summarized, study, frames):
    """The table of fits where the predictions are those of `frames`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "frames", lambda *_, **__: frames)
        return summarized(study)[0]["fit"]


@pytest.mark.parametrize("spoil", ["several inputs", "other points a seed", "all diverged"])
def test_there_is_no_fit_where_seeds_share_no_points_or_none_is_finite(summarized, spoil):
    study = synthetic.plan(task="diabetes" if spoil == "several inputs" else "sine")
    frames = synthetic.frames(study)
    predictions = frames["predictions"]
    if spoil == "other points a seed":
        predictions["x"] += predictions["seed"]
    if spoil == "all diverged":
        predictions["y_fit"] = np.nan
    fit = fits_of(summarized, study, frames)
    assert len(fit) == 0
    assert {"norm", "x", "fit", "error_high"} <= set(fit.columns)


def test_a_reference_point_has_its_percentile_among_the_finite_losses_of_its_arm(summarized):
    points = [
        {"norm": "batch", "epoch": 39, "value": 3.5e-3, "outcome": "test_loss", "source": "the paper"},
        {"norm": "none", "epoch": 39, "value": 1e-9},
        {"norm": "none", "epoch": 38, "value": 1e-9, "outcome": "test_loss"},
    ]
    study = synthetic.plan(reference_points=points)
    tables, _ = summarized(
        study,
        ratio=lambda _, seed: seed + 1.0,
        shared=0.0,
        diverged=lambda _, seed: 39 if seed == 7 else None,
    )
    unmeasured, train, test = sorted(
        tables["reference"].to_dict("records"), key=lambda row: row["value"] + row["epoch"]
    )
    # Seeds 0 to 6 have the test losses 2e-3 to 14e-3: one of the seven lies below.
    assert (test["seeds"], test["percentile"]) == (7, pytest.approx(100 / 7))
    assert (test["lowest"], test["median"], test["highest"]) == pytest.approx((2e-3, 8e-3, 14e-3))
    assert (train["norm"], train["epoch"], train["percentile"], train["printed_by"]) == ("none", 39, 0, "the reference")
    assert (unmeasured["epoch"], unmeasured["seeds"], np.isnan(unmeasured["percentile"])) == (38, 0, True)
    assert sentences.reference(study, unmeasured).endswith("has nothing beside it: no test loss was measured there.")
    assert sentences.reference(study, test).startswith(
        "The paper's 3.50e-03 at epoch 39 with BN is at the 14th percentile of 7 seeds"
    )


def test_provenance_counts_the_trials_and_names_every_version(summarized):
    tables, _ = summarized(
        synthetic.plan(seeds=3),
        seconds=lambda labels, seed: seed + 0.5,
        torch=lambda labels, seed: f"2.{seed % 2}",
        diverged=lambda _, seed: 3 if seed == 2 else None,
    )
    for norm, rows in tables["provenance"].groupby("norm"):
        counted = rows[["torch", "trials", "diverged", "seconds"]].to_dict("split")["data"]
        assert counted == [["2.0", 2, 1, 3.0], ["2.1", 1, 0, 1.5]]
        assert rows["setting"].str.startswith(f"sine-{norm}-full").all()
