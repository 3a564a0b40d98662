"""The test loss by each test batch's own statistics: which batches those are, and that measuring it changes nothing.

That it is what plain torch gives in training mode is tested where all losses of the engines are.
"""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from specs import named, spec
from tiny import data_of, engine_of, images, module_of, theirs, trained

from bnbench.catalogue import tasks
from bnbench.epochs import batch_blocks, batch_bounds
from bnbench.plan import engines
from bnbench.streams import stream
from bnbench.trainer import evaluation
from bnbench.trainer.chunk import train
from bnbench.trainer.loop import train_networks
from bnbench.trainer.norm_modules import ArmNorm
from bnbench.trainer.stacked import StackedEngine
from bnbench.vocabulary import BATCH

pytestmark = pytest.mark.usefixtures("tiny_images")
CPU = torch.device("cpu")
BY_BATCH = {"batch", "ghost", "frozen"}
"""Norms that train by the batch; frozen BN until it is frozen."""


def small(**changes):
    return spec(**{"batch_size": 10, "dtype": "float64", "epochs": 4, "evaluate_every": 1, **changes})


def losses(setting, seeds=range(3, 6)):
    return train(setting, seeds, [tasks.of(setting).data(seed) for seed in seeds], CPU).losses


def stacked_engine(setting, seeds=(3, 4)):
    return StackedEngine.of(setting, [*seeds], [tasks.of(setting).data(seed) for seed in seeds], CPU)


@given(points=st.integers(2, 60), size=st.integers(1, 70), at_once=st.integers(1, 40))
def test_blocks_are_made_of_all_batches_and_no_larger_than_they_need_to_be(points, size, at_once):
    blocks = batch_blocks(points, size, at_once)
    starts = [place for start, stop, each in blocks for place in range(start, stop, each)]
    assert [*starts, points] == batch_bounds(points, size)
    assert all((stop - start) % each == 0 for start, stop, each in blocks)
    assert all(stop - start <= max(at_once, each) for start, stop, each in blocks)


@pytest.mark.parametrize("engine", ["stacked", "modular"])
@pytest.mark.parametrize("norm", ["none", "batch", "ghost", "frozen", "population", "layer", "group", "rms"])
def test_it_is_the_test_loss_where_the_norm_does_not_train_by_the_batch(norm, engine, monkeypatch):
    monkeypatch.setattr(engines, "engine", lambda _: engine)
    found = losses(small(norm=named("norm", norm), epochs=4))
    same = (found[BATCH] == found["test_loss"]).all(axis=1)
    assert same.tolist() == [norm not in BY_BATCH] * 2 + [norm not in BY_BATCH - {"frozen"}] * 2


@pytest.mark.parametrize("batch_size", [8, "full"])
def test_it_is_the_test_loss_of_bn_that_evaluates_by_the_batch(batch_size):
    arm = named("norm", "batch", statistics="batch")
    measured, _ = trained(images(norm=arm, batch_size=batch_size))
    np.testing.assert_allclose(measured.losses[BATCH], measured.losses["test_loss"], rtol=1e-12)


@pytest.mark.parametrize("network", ["stacked", "cnn", "resnet"])
def test_to_measure_it_changes_nothing_that_training_keeps(network):
    setting = small() if network == "stacked" else images(network)
    engine = stacked_engine(setting) if network == "stacked" else engine_of(setting, [3, 4])
    engine.train_epoch(0, 1.0)
    before = engine.snapshot()
    first, second = engine.evaluate(1), engine.evaluate(1)
    for name, values in engine.snapshot().stacked.items():
        np.testing.assert_array_equal(values, before.stacked[name])
    assert all(torch.equal(values, second[name]) for name, values in first.items())
    assert not torch.equal(first[BATCH], first["test_loss"])


def by_hand(engine, setting, norms):
    """The loss with some layers in training mode, of batches in the order of the stream."""
    module, data = copy.deepcopy(module_of(engine)), data_of(setting, [3])[0]
    module.eval()
    for layer in norms(module):
        layer.train()
    order = stream(3, "forward.blocks.test_x").permutation(len(data.test_x))
    x = torch.from_numpy(data.test_x[order]).reshape(-1, *tasks.of(setting).shape())
    y = torch.from_numpy(data.test_y[order])
    size = len(data.train_x) if setting["batch_size"] == "full" else setting["batch_size"]
    bounds = batch_bounds(len(x), size)
    with torch.no_grad():
        output = torch.cat([module(x[start:stop]) for start, stop in pairwise(bounds)])
    return torch.nn.functional.cross_entropy(output, y).item()


def arms(module):
    return [each for each in module.modules() if isinstance(each, ArmNorm)]


@pytest.mark.parametrize(
    "changes",
    [
        {"network": theirs("network", "with_batch_norm")},
        {"network": theirs("network", "by_bias")},
        {"network": {"name": "cnn", "channels": [4, 6], "kernel": 3, "activation": None, "dropout": 0.5}},
        {"accumulate": 2},
        {"batch_size": "full"},
        {"norm": named("norm", "ghost", size=4)},
    ],
    ids=["replaced", "of the user's", "dropout", "accumulated", "full", "ghost"],
)
def test_the_layers_of_any_network_train_while_nothing_else_does(changes):
    setting = images(**changes)
    measured, engine = trained(setting)
    np.testing.assert_allclose(measured.losses[BATCH][-1, 0], by_hand(engine, setting, arms), rtol=1e-9)
    assert measured.losses[BATCH][-1, 0] != measured.losses["test_loss"][-1, 0]


def test_a_norm_of_the_users_is_in_training_mode_and_keeps_its_statistics(tmp_path):
    (tmp_path / "norms.py").write_text(
        "from torch import nn\n\n\ndef norm(channels):\n    return nn.BatchNorm2d(channels)\n"
    )
    setting = images(norm=theirs("norm", "norm", path=tmp_path / "norms.py"))
    engine = engine_of(setting, [3])
    engine.train_epoch(0, 1.0)
    before = {name: each.clone() for name, each in module_of(engine).named_buffers()}
    found = engine.evaluate(1)
    np.testing.assert_allclose(found[BATCH], by_hand(engine, setting, arms), rtol=1e-9)
    assert not torch.equal(found[BATCH], found["test_loss"])
    assert any("running_var" in name for name in before)
    assert all(torch.equal(each, before[name]) for name, each in module_of(engine).named_buffers())


@pytest.mark.parametrize("batch_size", [7, "full"])
@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu"])
@pytest.mark.parametrize("norm", ["batch", "ghost"])
def test_its_bits_do_not_depend_on_the_seeds_beside(norm, activation, batch_size):
    setting = small(norm=named("norm", norm), activation=activation, dtype="float32", batch_size=batch_size)
    together = losses(setting, range(3, 8))[BATCH]
    for place, seeds in ((0, range(3, 4)), (1, range(4, 5)), (3, range(6, 8))):
        np.testing.assert_array_equal(together[:, place : place + len(seeds)], losses(setting, seeds)[BATCH])


def test_its_batches_do_not_depend_on_how_many_are_evaluated_at_once(monkeypatch):
    whole = losses(small(batch_size=7))[BATCH]
    monkeypatch.setattr(evaluation, "BLOCK", 10)
    np.testing.assert_allclose(losses(small(batch_size=7))[BATCH], whole, rtol=1e-12)


def test_a_batch_holds_all_test_points_at_the_most():
    few = {"task": named("task", "sine", points=100, test_points=9)}
    engine = stacked_engine(small(**few, batch_size=20))
    full = stacked_engine(small(**few, batch_size="full"))
    found = [each.evaluate(0)[BATCH] for each in (engine, full)]
    assert torch.equal(*found)


def test_points_lie_in_an_order_of_the_seed_and_not_as_in_the_data():
    setting = small()
    engine = stacked_engine(setting)
    by_seed = [stream(seed, "forward.blocks.test_x").permutation(30) for seed in (3, 4)]
    engine.evaluate(0)
    np.testing.assert_array_equal(engine._evaluation.test_batches._order.numpy(), by_seed)
    fixed = stacked_engine(small(seed_varies="data"))
    fixed.evaluate(0)
    np.testing.assert_array_equal(*fixed._evaluation.test_batches._order.numpy())


@pytest.mark.parametrize("engine", ["stacked", "modular"])
def test_a_single_test_point_has_no_statistics_and_has_not_diverged(engine, monkeypatch):
    monkeypatch.setattr(engines, "engine", lambda _: engine)
    setting = small(task=named("task", "sine", points=100, test_points=1))
    found = train(setting, range(3, 5), data_of(setting, [3, 4]), CPU)
    assert np.isnan(found.losses[BATCH]).all()
    assert np.isfinite(found.losses["test_loss"]).all()
    assert found.diverged_at == [None, None]


def test_training_gives_the_same_bits_whether_it_is_measured_or_not(monkeypatch):
    setting = small(batch_size=25)

    def trained_stack():
        return train_networks(stacked_engine(setting), setting).losses

    measured = trained_stack()
    monkeypatch.setattr(evaluation._TestBatches, "loss", lambda *_: torch.zeros(2))
    for name, values in trained_stack().items():
        if name != BATCH:
            np.testing.assert_array_equal(values, measured[name])
