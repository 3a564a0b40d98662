"""Outcomes that are made of what was measured, against plain loops."""

import math
from itertools import pairwise

import numpy as np
import pytest
from specs import spec

from bnbench.plan.settings import Setting
from bnbench.store import derived

SETTING = Setting.from_spec(spec())
SEEDS = 4


def drawn(epochs, name):
    values = np.exp(np.random.default_rng([epochs, len(name)]).standard_normal((epochs, SEEDS)))
    if epochs > 3:
        values[2, 1] = values[3, 1]  # equal ones
    return values


def measured(epochs, *more):
    return {name: drawn(epochs, name) for name in ("test_loss", "eval_loss", *more)}


@pytest.mark.parametrize("epochs", [1, 2, 7, 20])
def test_the_best_test_loss_is_that_of_the_epoch_of_the_lowest_validation_loss_so_far(epochs):
    losses = measured(epochs, "validation_loss")
    best = derived.of(SETTING, losses, 0.5)["best_test_loss"]
    for seed in range(SEEDS):
        for epoch in range(epochs):
            so_far = [losses["validation_loss"][each, seed] for each in range(epoch + 1)]
            assert best[epoch, seed] == losses["test_loss"][so_far.index(min(so_far)), seed]


def test_without_points_that_are_held_out_there_is_no_best_epoch():
    assert "best_test_loss" not in derived.of(SETTING, measured(5), 0.5)


@pytest.mark.parametrize("window", [0.0, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("epochs", [2, 7, 20])
def test_the_swing_is_the_root_mean_square_of_the_changes_within_the_window(epochs, window):
    losses = measured(epochs)
    swing = derived.of(SETTING, losses, window)["swing"]
    length = max(2, math.ceil(round(window * epochs, 9)))
    for seed in range(SEEDS):
        logs = [math.log(value) for value in losses["test_loss"][:, seed]]
        for epoch in range(epochs):
            seen = logs[max(0, epoch + 1 - length) : epoch + 1]
            squares = [(later - earlier) ** 2 for earlier, later in pairwise(seen)]
            expected = math.sqrt(sum(squares) / len(squares)) if squares else 0.0
            np.testing.assert_allclose(swing[epoch, seed], expected, rtol=1e-9, atol=1e-15)


def test_a_single_measurement_has_no_swing():
    assert "swing" not in derived.of(SETTING, measured(1), 0.5)


def test_losses_below_the_resolution_do_not_swing():
    losses = measured(6)
    losses["test_loss"][:, 0] = [0.0, 1e-300, 0.0, 1e-200, 0.0, 0.0]
    assert (derived.of(SETTING, losses, 1.0)["swing"][:, 0] == 0).all()


def test_from_a_divergence_on_they_are_not_known():
    losses = measured(7, "validation_loss")
    for values in losses.values():
        values[4:, 2] = np.nan
    found = derived.of(SETTING, losses, 0.5)
    for name in ("best_test_loss", "swing", "generalization_gap"):
        assert np.isnan(found[name][4:, 2]).all(), name
        assert np.isfinite(np.delete(found[name], 2, axis=1)).all(), name
        assert np.isfinite(found[name][:4, 2]).all(), name


def test_the_error_is_what_the_accuracy_leaves():
    losses = measured(5) | {"test_accuracy": np.linspace(0, 1, 20).reshape(5, 4)}
    np.testing.assert_allclose(derived.of(SETTING, losses, 0.5)["test_error"], 1 - losses["test_accuracy"])
    assert "test_error" not in derived.of(SETTING, measured(5), 0.5)
