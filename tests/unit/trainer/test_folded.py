"""A setting and the one that stands for it train to the same numbers, with either engine."""

import numpy as np
import pytest
import torch
from specs import named, spec
from tiny import added, data_of, engine_of, images

from bnbench.plan import folded
from bnbench.trainer.loop import train_networks
from bnbench.trainer.stacked import StackedEngine

SEEDS = [3, 4]
CPU = torch.device("cpu")
GHOST, BATCH = named("norm", "ghost", size=10), named("norm", "batch")


def stacked(setting):
    return train_networks(StackedEngine.of(setting, SEEDS, data_of(setting, SEEDS), CPU), setting)


def modular(setting):
    return train_networks(engine_of(setting, SEEDS), setting)


def sine(points, **changes):
    task = named("task", "sine", points=points, test_points=30, noise=0.3)
    return spec(**{"task": task, "epochs": 12, "evaluate_every": 3, **changes})


def of_both_norms(train, setting):
    """What was measured with ghost batch normalization and with batch normalization."""
    return [train({**setting, "norm": norm}) for norm in (GHOST, BATCH)]


def are_same(ghost, batch):
    """Whether all that was measured has the same bits."""
    assert ghost.hashes == batch.hashes
    assert ghost.losses.keys() == batch.losses.keys()
    losses = all(np.array_equal(ghost.losses[name], batch.losses[name], equal_nan=True) for name in ghost.losses)
    return losses and np.array_equal(ghost.fit, batch.fit)


CASES = [(13, 5, True), (13, 10, True), (11, 10, True), (10, "full", True), (13, "full", False), (24, 12, False)]


@pytest.mark.parametrize(("points", "batch_size", "same"), CASES)
@pytest.mark.parametrize("train", [stacked, modular])
def test_ghost_batch_normalization_of_whole_batches_has_the_bits_of_batch_normalization(
    train, points, batch_size, same
):
    setting = sine(points, batch_size=batch_size)
    assert (folded.normalized({**setting, "norm": GHOST}, points)["norm"] == BATCH) == same
    assert are_same(*of_both_norms(train, setting)) == same


@pytest.mark.parametrize(("batch_size", "same"), [(8, True), (12, False)])
@added
def test_so_it_has_in_a_network_for_images(batch_size, same):
    setting = images("cnn", batch_size=batch_size)
    assert (folded.normalized({**setting, "norm": GHOST}, 23)["norm"] == BATCH) == same
    assert are_same(*of_both_norms(modular, setting)) == same


@pytest.mark.parametrize("train", [stacked, modular])
@pytest.mark.parametrize("norm", [GHOST, BATCH, named("norm", "none")])
def test_a_batch_of_all_points_has_the_numbers_of_the_full_batch_but_for_rounding(train, norm):
    full = sine(20, dtype="float64", norm=norm)
    of_all = {**full, "batch_size": 20}
    assert folded.normalized(of_all, 20) == folded.normalized(full, 20)
    one, other = train(full).losses, train(of_all).losses
    for name, values in one.items():
        np.testing.assert_allclose(other[name], values, rtol=1e-9)
