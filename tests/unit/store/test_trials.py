"""Trials out of the collected tables and into arrays: which seeds, which epochs, which window."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import synthetic

from bnbench.errors import UserError
from bnbench.judging import finals
from bnbench.store import trials
from bnbench.vocabulary import LOSSES

pytestmark = pytest.mark.filterwarnings("error")


def read(study, folder, frames):
    return trials.read(study, synthetic.write(frames, folder), study.settings[0])


@pytest.fixture
def study():
    return synthetic.plan(seeds=3, epochs=25)


def test_losses_stand_by_epoch_and_seed_in_whatever_order_the_rows_came(study, tmp_path):
    frames = synthetic.frames(study, ratio=lambda _, seed: 10.0**seed, shared=0.0)
    arm = read(study, tmp_path, {name: frame.sample(frac=1, random_state=2) for name, frame in frames.items()})
    assert arm.seeds.tolist() == [0, 1, 2]
    assert {outcome: values.shape for outcome, values in arm.losses.items()} == {
        "train_loss": (25, 3),
        **dict.fromkeys((*LOSSES[1:], "generalization_gap", "swing"), (3, 3)),
    }
    assert arm.epochs["test_loss"].tolist() == [9, 19, 24]
    np.testing.assert_allclose(arm.losses["train_loss"][-1], [1e-3, 1e-2, 1e-1])
    np.testing.assert_allclose(arm.losses["test_loss"][-1], [2e-3, 2e-2, 2e-1])
    assert (np.diff(arm.losses["train_loss"], axis=0) <= 0).all()


@pytest.mark.parametrize(("bad", "whole"), [((0, 0), True), ((9, 0), False), ((9, 1), True)])
def test_a_metric_that_is_no_number_in_the_window_of_a_finished_trial_is_not_known(bad, whole):
    values = np.ones((10, 2))
    values[bad] = np.nan
    chosen = SimpleNamespace(report=SimpleNamespace(outcome="mine", window=0.2))
    own = SimpleNamespace(own_metrics=["mine"])
    assert trials._is_whole(chosen, own, {"mine": values}, np.array([True, False])) == whole


@pytest.mark.parametrize(("share", "last"), [(0.0, 1), (0.05, 2), (0.5, 13), (1.0, 25)])
def test_the_final_loss_is_the_geometric_mean_over_the_window(study, tmp_path, share, last):
    arm = read(study, tmp_path, synthetic.frames(study, noise=0.3))
    expected = np.prod(arm.losses["train_loss"][-last:] ** (1 / last), axis=0)
    np.testing.assert_allclose(np.exp(finals.final(arm, "train_loss", share)), expected)


def test_a_trial_that_diverged_has_no_final_loss_and_leaves_the_others_alone(study, tmp_path):
    diverged = read(study, tmp_path, synthetic.frames(study, diverged=lambda _, seed: 24 if seed == 1 else None))
    whole = read(study, tmp_path, synthetic.frames(study))
    for outcome in LOSSES:
        final = finals.final(diverged, outcome, 0.05)
        assert final.isna().tolist() == [False, True, False]
        assert final.drop(1).equals(finals.final(whole, outcome, 0.05).drop(1))


def test_the_generalization_gap_is_how_much_the_log_test_loss_exceeds_the_log_train_loss(study, tmp_path):
    arm = read(study, tmp_path, synthetic.frames(study, noise=0.3, diverged=lambda _, seed: 12 if seed == 1 else None))
    ratios = arm.losses["test_loss"] / arm.losses["eval_loss"]
    np.testing.assert_allclose(arm.losses["generalization_gap"], np.log(ratios))
    assert arm.epochs["generalization_gap"].tolist() == [9, 19, 24]
    final = finals.final(arm, "generalization_gap", 0.05)
    np.testing.assert_allclose(final, np.log([1.6, np.nan, 1.6]))


def test_the_final_accuracy_is_its_mean_over_the_window_and_no_logarithm(study, tmp_path):
    frames = synthetic.frames(study, diverged=lambda _, seed: 12 if seed == 1 else None)
    curves = frames["curves"]
    curves["test_accuracy"] = np.where(curves["test_loss"].isna(), np.nan, curves["epoch"] / 100)
    arm = read(study, tmp_path, frames)
    np.testing.assert_allclose(finals.final(arm, "test_accuracy", 0.0), [0.24, np.nan, 0.24])
    np.testing.assert_allclose(finals.final(arm, "test_accuracy", 0.6), [(0.19 + 0.24) / 2, np.nan, 0.215])


def test_the_gap_of_losses_that_cannot_be_told_from_0_is_not_known(study, tmp_path):
    arm = read(study, tmp_path, synthetic.frames(study, loss=1e-60))
    assert set(finals.censored(arm, "generalization_gap", 0.05)) == {finals.AT_MOST + finals.AT_LEAST}


def test_losses_below_the_resolution_are_raised_to_it_and_known_to_be_at_most_that(study, tmp_path):
    tiny = synthetic.frames(study, loss=1e-40, ratio=lambda _, seed: 1.0 if seed == 2 else 1e30, shared=0.0)
    arm = read(study, tmp_path, tiny)
    assert finals.censored(arm, "train_loss", 0.08).to_dict() == {0: 0, 1: 0, 2: finals.AT_MOST}
    assert finals.final(arm, "train_loss", 0.08)[2] == pytest.approx(math.log(2**-46 / 100))
    gap = finals.censored(arm, "generalization_gap", 0.08)
    assert gap.to_dict() == {0: 0, 1: 0, 2: finals.AT_MOST + finals.AT_LEAST}


@pytest.mark.parametrize("name", ["train_loss", "test_loss", "validation_loss"])
def test_a_negative_loss_is_refused_by_name(tmp_path, name):
    tuned = synthetic.plan(seeds=3, optimizer=[{"name": "sgd", "lr": [0.1, 0.2]}], tune={})
    frames = synthetic.frames(tuned)
    frames["curves"].loc[frames["curves"].index[-1], name] = -0.25
    frames["curves"] = frames["curves"].assign(setting=tuned.settings[0].address)[-3 * 40 :]
    frames["trials"] = frames["trials"].assign(setting=tuned.settings[0].address)[-3:]
    with pytest.raises(UserError, match=rf"{name} is -0\.25 in one of its rows, allowed: 0 or more"):
        read(tuned, tmp_path, frames)


def test_seeds_that_cannot_be_used_have_their_reason(study, tmp_path):
    seeds = [4, 2, 2, 5, 5, 1]
    arm = read(study, tmp_path, synthetic.frames(study, seeds=lambda _: seeds))
    assert arm.seeds.tolist() == [1]
    assert arm.left_out == {0: "missing", 2: "duplicated", 4: "not asked for", 5: "not asked for"}


def test_a_setting_without_trials_is_empty_and_not_an_error(study, tmp_path):
    arm = read(study, tmp_path, synthetic.frames(study, seeds=lambda _: []))
    assert len(arm.seeds) == len(finals.final(arm, "test_loss", 0.05)) == 0
    assert arm.losses["train_loss"].shape == (25, 0)


@pytest.mark.parametrize("spoil", [lambda rows: rows.iloc[1:], lambda rows: rows.loc[[0, *rows.index]]])
def test_a_trial_without_each_epoch_once_is_refused(study, tmp_path, spoil):
    frames = synthetic.frames(study)
    frames["curves"] = spoil(frames["curves"])
    message = r"curves\.parquet: sine-none.* has 7[46] rows, allowed: each of 25 epochs once for each of 3 trials"
    with pytest.raises(UserError, match=message):
        read(study, tmp_path, frames)
