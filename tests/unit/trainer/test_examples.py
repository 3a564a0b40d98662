"""Rows that are held once give the batches that their values give, and train to the same bits."""

import gc

import numpy as np
import pytest
import torch
from array_files import halves, written
from specs import named, spec
from tiny import theirs

from bnbench.catalogue import tasks
from bnbench.catalogue.parameters import build
from bnbench.catalogue.rows import Part, Shared, Stored
from bnbench.catalogue.task import Data
from bnbench.catalogue.tasks import TASKS
from bnbench.errors import UserError
from bnbench.plan import config
from bnbench.trainer import points, probing
from bnbench.trainer.chunk import train
from bnbench.trainer.examples import Blocks, Converted, Dense, Mapped, OnDevice
from bnbench.trainer.points import Seen

CPU = torch.device("cpu")
SEEDS = range(2)


def setting(path, network="cnn", *, task=(), **changes):
    """A short training on a file of arrays."""
    entry = config.resolve({"study": "s", "task": {"name": "arrays", "path": path, **dict(task)}}, "s")["task"][0]
    small = {"network": named("network", network, **({"channels": [4]} if network == "cnn" else {}))}
    return spec(**{"task": entry, **small, "batch_size": 16, "epochs": 3, "evaluate_every": 1, **changes})


def dense(shared, dtype=np.float64):
    """The same points as arrays of their own."""

    def both(part):
        x, y = part.source.x[part.rows], part.source.y
        inputs = torch.from_numpy(np.ascontiguousarray(x)).to(torch.float32) / (255 if x.dtype == np.uint8 else 1)
        inputs = inputs.numpy().astype(dtype).reshape(len(x), -1)
        if y is None:
            return inputs, inputs
        y = y[part.rows]
        return inputs, np.eye(part.source.classes)[y] if part.source.classes else y.astype(dtype)

    train_x, train_y = both(shared.train)
    test_x, test_y = both(shared.test)
    held = both(shared.validation) if shared.validation else (None, None)
    return Data(train_x, train_y, test_x, test_y, *held)


def assert_same(one, other):
    assert one.hashes == other.hashes
    assert one.losses.keys() == other.losses.keys()
    for name, values in one.losses.items():
        np.testing.assert_array_equal(values, other.losses[name], err_msg=name)


NETWORKS = {
    "cnn": {},
    "mlp": {"hidden": [8, 6]},
    "cnn by the batch": {"network": "cnn", "norm": named("norm", "batch", statistics="batch")},
    "validation": {"network": "cnn", "validation": 0.25},
    "population": {"network": "cnn", "norm": named("norm", "population", every=2)},
    "autoencoder": {"network": "mlp", "hidden": [8, 3, 8], "task": {"target": "inputs"}},
    "numbers": {"network": "cnn", "task": {"classes": False}},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_that_are_held_once_train_to_the_bits_of_points_of_ones_own(tmp_path, name):
    wanted = dict(NETWORKS[name])
    network = wanted.pop("network", name)
    chosen = setting(written(tmp_path / "a.npz", halves()), network, **wanted)
    task = tasks.of(chosen)
    shared = [task.data(seed) for seed in SEEDS]
    assert_same(train(chosen, SEEDS, shared, CPU), train(chosen, SEEDS, [dense(each) for each in shared], CPU))


def test_a_compressed_file_trains_to_the_bits_of_one_that_is_not(tmp_path):
    found = []
    for compressed in (False, True):
        chosen = setting(written(tmp_path / f"{compressed}.npz", halves(), compressed=compressed))
        task = tasks.of(chosen)
        found.append(train(chosen, SEEDS, [task.data(seed) for seed in SEEDS], CPU))
    assert_same(*found)


def test_only_the_split_follows_a_seed_that_varies_the_data(tmp_path):
    arrays = {"x": halves()["x_train"], "y": halves()["y_train"]}
    chosen = setting(written(tmp_path / "a.npz", arrays), task={"test_fraction": 0.3}, seed_varies="data")
    task = tasks.of(chosen)
    same = train(chosen, SEEDS, [task.data(0)] * 2, CPU).losses["test_loss"]
    assert (same[:, 0] == same[:, 1]).all()
    varied = train(chosen, SEEDS, [task.data(seed) for seed in SEEDS], CPU).losses["test_loss"]
    assert (varied[:, 0] != varied[:, 1]).all()


def shared_source(**options):
    draws = np.random.default_rng(0)
    x = draws.integers(0, 256, (23, 1, 3, 3)).astype(np.uint8)
    return Stored(x, draws.integers(0, 3, 23), 3, **options)


ROWS = np.random.default_rng(1).permutation(23)[:17]


def examples(kind, source=None, dtype=torch.float32):
    source = source or shared_source()
    converted = Converted(source.classes, (1, 3, 3), dtype, CPU)
    return Mapped(source, ROWS, converted) if kind == "mapped" else OnDevice(source, ROWS, converted, CPU)


@pytest.mark.parametrize("kind", ["mapped", "on a device"])
def test_batches_are_the_rows_in_the_order_of_the_epoch(kind):
    source, order = shared_source(), torch.randperm(17, generator=torch.Generator().manual_seed(2))
    bounds = [(0, 8), (8, 17)]
    for places in (None, order):
        batches = [*examples(kind, source).batches(bounds, places, "forward.0")]
        rows = ROWS if places is None else ROWS[places.numpy()]
        assert torch.equal(torch.cat([x for x, _ in batches]), torch.from_numpy(source.x[rows]) / 255)
        assert torch.equal(torch.cat([y for _, y in batches]), torch.eye(3)[torch.from_numpy(source.y[rows])])
        assert [len(x) for x, _ in batches] == [8, 9]


@pytest.mark.parametrize("kind", ["mapped", "on a device"])
@pytest.mark.parametrize("dtype", [">f4", "<f8", "i2", "?"])
def test_numbers_of_any_type_and_order_of_bytes_become_the_networks(kind, dtype):
    x = (np.arange(23 * 9).reshape(23, 1, 3, 3) % 7).astype(dtype)
    found, y = examples(kind, Stored(x, np.ones((23, 2), dtype))).pick(torch.tensor([3, 0]), "")
    assert found.dtype == y.dtype == torch.float32
    np.testing.assert_array_equal(found.numpy(), x[ROWS[[3, 0]]].astype(np.float32))
    assert y.tolist() == [[1, 1], [1, 1]]


def test_a_source_comes_to_a_device_once_and_goes_with_its_last_user(monkeypatch):
    source = shared_source()
    one, other = examples("on a device", source), examples("on a device", source)
    assert one._x is other._x
    before = len(OnDevice._there)
    del one, other, source
    gc.collect()
    assert len(OnDevice._there) == before - 1


def test_targets_that_are_the_inputs_do_not_change_with_them():
    x, y = examples("mapped", Stored(shared_source().x, None)).few(2, "")
    x.zero_()
    assert y.any()


def test_blocks_can_be_gone_through_again_and_again():
    points_of = examples("mapped")
    blocks = Blocks(points_of, 8, "forward.evaluate")
    whole = points_of.few(17, "")[0]
    assert len(blocks) == 2
    for _ in range(2):
        assert torch.equal(torch.cat([*blocks]), whole)
    assert torch.equal(blocks[1], whole[8:])


def test_blocks_of_points_that_lie_ready_are_views():
    x = torch.randn(9, 2)
    for block in Blocks(Dense(x, x), 4, ""):
        assert block.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()


@pytest.mark.parametrize("y", [np.random.default_rng(3).normal(5, 2, (9000, 2)), None])
def test_the_variance_of_targets_is_that_of_all_of_them(y):
    x = np.random.default_rng(4).normal(size=(9000, 3))
    part = Part(Stored(x, y), np.arange(9000))
    expected = (x if y is None else y).var(0).mean()
    assert points.tested_variance(Shared(part, part), (3,)) == pytest.approx(expected, rel=1e-12)


def test_examples_are_cut_and_probed_as_points_are(tmp_path):
    chosen = setting(written(tmp_path / "a.npz", halves()), validation=0.25)
    data = tasks.of(chosen).data(0)
    few = points.cut(data, 2)
    assert [len(part) for part in few[:3]] == [2, 2, 2]
    assert points.cut(data, 2, validated=False).validation is None
    assert probing.measure(chosen, 0, data).step > 0


def test_the_examples_of_points_are_those_of_their_arrays():
    data = build(TASKS, named("task", "digits")).data(0)
    found = points.opened(data, Seen((1, 8, 8), torch.float32, CPU, 0))
    assert [*found] == ["train", "test"]
    x, y = found["test"].few(3, "")
    np.testing.assert_array_equal(x.numpy().reshape(3, 64), data.test_x[:3].astype(np.float32))
    assert y.argmax(1).tolist() == data.test_y[:3].argmax(1).tolist()


@pytest.mark.parametrize("by", ["network", "loss"])
def test_a_change_of_the_input_in_place_is_refused_of_shared_rows_too(tmp_path, by):
    code = tmp_path / "code.py"
    code.write_text(IN_PLACE, encoding="utf-8")
    changes = {by: theirs(by, {"network": "Net", "loss": "loss"}[by], code)}
    chosen = setting(written(tmp_path / "a.npz", halves())) | changes
    with pytest.raises(UserError, match=f"the {by} changes its input in place"):
        train(chosen, SEEDS, [tasks.of(chosen).data(seed) for seed in SEEDS], CPU)


IN_PLACE = """\
from torch import nn


class Net(nn.Module):
    def __init__(self, norm, inputs, outputs):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), norm(4), nn.Linear(4, outputs))

    def forward(self, x):
        x *= 2
        return self.body(x)


def loss(output, target):
    target *= 2
    return (output - target).square().sum(1)
"""
