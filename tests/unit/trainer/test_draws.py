"""Fair pairs: the arms of a seed see the same examples in the same order, and drop the same units."""

import pytest
import torch
from specs import named, spec
from tiny import data_of, engine_of, images, sequences, theirs
from torch.nn import functional

from bnbench.trainer import orders
from bnbench.trainer.loop import train_networks
from bnbench.trainer.stacked import StackedEngine

pytestmark = pytest.mark.usefixtures("tiny_images")

ARMS = {
    "none": named("norm", "none"),
    "batch": named("norm", "batch"),
    "ghost": named("norm", "ghost", size=3),
    "frozen": named("norm", "frozen"),
    "population": named("norm", "population"),
}
PERCEPTRON = {"name": "mlp", "hidden": [9, 7], "activation": None, "dropout": 0.3}
SETTINGS = {
    "perceptron": images(PERCEPTRON),
    "cnn": images({"name": "cnn", "channels": [4, 6], "kernel": 3, "activation": None, "dropout": 0.3}),
    "resnet": images({"name": "resnet", "depth": 8, "width": 4, "activation": None, "dropout": 0.3}),
    "a file's": images(theirs("network", "by_bias")),
    "LSTM of a file": sequences(),
}


@pytest.fixture
def masks(monkeypatch):
    """What every dropout layer keeps and drops in training, call by call."""
    seen, drop = [], functional.dropout

    def watched(x, p, training, inplace):
        if not training:
            return x
        kept = drop(torch.ones_like(x), p, training, inplace)
        seen.append(kept)
        return x * kept

    monkeypatch.setattr(functional, "dropout", watched)
    return seen


def of(masks, setting, seed=3, start=None, beside=()):
    """The masks of a training, and its states by the epochs done."""
    masks.clear()
    states = {}
    engine = engine_of(setting, [seed, *beside])
    train_networks(engine, setting, start, lambda done, state: states.update({done: state()}))
    return [*masks], states


def same(one, other):
    return len(one) == len(other) > 0 and all(map(torch.equal, one, other))


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_dropout_masks_are_equal_in_all_arms_and_after_a_resumption(setting, masks):
    expected, states = of(masks, setting | {"norm": ARMS["none"]})
    for norm in ARMS.values():
        assert same(of(masks, setting | {"norm": norm})[0], expected)
    per_epoch = len(expected) // setting["epochs"]
    further, _ = of(masks, setting | {"norm": ARMS["none"]}, start=states[1])
    assert same(further, expected[per_epoch:])
    shorter, _ = of(masks, setting | {"epochs": 1, "norm": ARMS["batch"]})
    assert same(shorter, expected[:per_epoch])


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_dropout_masks_differ_between_epochs_batches_and_seeds(setting, masks):
    found, other = (of(masks, setting, seed)[0] for seed in (3, 4))
    per_epoch = len(found) // setting["epochs"]
    assert not same(found[:per_epoch], found[per_epoch : 2 * per_epoch])
    assert not torch.equal(found[0], found[per_epoch // 3])
    assert not same(found, other)


def test_dropout_masks_follow_the_source_of_the_order(masks):
    by_weights, by_order = (images(PERCEPTRON, seed_varies=source) for source in ("weights", "order"))
    assert same(of(masks, by_weights, 3)[0], of(masks, by_weights, 4)[0])
    assert not same(of(masks, by_order, 3)[0], of(masks, by_order, 4)[0])


def test_an_optimizer_that_asks_again_gets_the_loss_of_the_same_masks_and_arms_stay_in_step(masks):
    # How often L-BFGS asks differs from arm to arm.
    setting = images(PERCEPTRON, optimizer=named("optimizer", "lbfgs", lr=0.3, max_iter=5), batch_size="full")
    distinct = []
    for norm in ("none", "batch"):
        found, _ = of(masks, setting | {"norm": ARMS[norm]})
        first = found[::2]
        assert len(first) > setting["epochs"]
        distinct.append(
            [mask for place, mask in enumerate(first) if not place or not torch.equal(mask, first[place - 1])]
        )
    assert len(distinct[0]) == setting["epochs"]
    assert same(*distinct)


@pytest.fixture
def drawn(monkeypatch):
    """The orders of the examples that an engine has drawn, epoch by epoch."""
    seen, draw = [], orders.orders

    def watched(*arguments, **options):
        for order in draw(*arguments, **options):
            seen.append(order)
            yield order

    for module in ("stacked", "modular"):
        monkeypatch.setattr(f"bnbench.trainer.{module}.orders", watched)
    return seen


@pytest.mark.parametrize("batch_size", [25, "full"])
@pytest.mark.parametrize("norm", ["none", "batch", "ghost"])
def test_both_engines_show_the_examples_in_the_same_order(norm, batch_size, drawn):
    setting = spec(norm=ARMS[norm], batch_size=batch_size, epochs=3)
    stacked = StackedEngine.of(setting, [3, 4], data_of(setting, [3, 4]), torch.device("cpu"))
    train_networks(stacked, setting)
    expected = [order[0] for order in drawn]
    drawn.clear()
    train_networks(engine_of(setting, [3]), setting)
    found = [order[0] for order in drawn]
    shown = batch_size != "full" or norm == "ghost"
    assert len(expected) == len(found) == (3 if shown else 0)
    assert all(map(torch.equal, found, expected))


def test_what_a_network_draws_in_evaluation_depends_on_its_seed_alone(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text(
        "import torch\n"
        "class Noisy(torch.nn.Module):\n"
        "    def __init__(self, norm, inputs, outputs):\n"
        "        super().__init__()\n"
        "        self.norm, self.linear = norm(inputs[0]), torch.nn.LazyLinear(outputs)\n"
        "    def forward(self, x):\n"
        "        x = self.norm(x).flatten(1)\n"
        "        return self.linear(x + torch.randn_like(x))\n"
    )
    setting = images(theirs("network", "Noisy", file))
    alone = train_networks(engine_of(setting, [4]), setting)
    together = train_networks(engine_of(setting, [3, 4, 5]), setting)
    for name, values in alone.losses.items():
        assert values[:, 0].tolist() == together.losses[name][:, 1].tolist()
    assert alone.fit[0].tolist() == together.fit[1].tolist()


def test_batches_of_evaluation_are_drawn_where_each_has_its_own_statistics():
    # The points of a function lie from left to right: as they lie, a batch would see a part of it alone.
    norm = named("norm", "batch", statistics="batch")
    setting = spec(norm=norm, hidden=[16], batch_size=25, epochs=30, evaluate_every=30)
    measured = train_networks(engine_of(setting, [3]), setting)
    train_loss, eval_loss = (measured.losses[name][-1, 0] for name in ("train_loss", "eval_loss"))
    assert 0.5 < eval_loss / train_loss < 2
