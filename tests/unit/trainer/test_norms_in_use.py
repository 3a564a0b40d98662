"""Statistics of the whole training set, measured in a network: in one block or many, and given back as they were."""

import pytest
import torch
from beside_plain import PLAIN
from plain_networks import double, measure
from torch import nn

from bnbench.catalogue.norms import NORMS
from bnbench.trainer.norm_layers import NormFactory
from bnbench.trainer.norms_in_use import NormsInUse
from bnbench.trainer.running_norms import BatchNorm

KEPT = ("batch", "ghost", "frozen", "population")
OPTIONS = {"ghost": {"size": 4}}
X = torch.randn(21, 2, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 2 + 1


def network(norm):
    """Two convolutions and a linear layer; the layers stand in another order than the one they are called in."""
    factory = NormFactory(norm, torch.float64)
    torch.manual_seed(1)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.norm2, self.norm1 = factory(3), factory(5), factory(4)
            self.conv1, self.conv2 = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 5, 3)
            self.linear = nn.Linear(20, 3)

        def forward(self, x):
            x = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu())).relu()
            return self.last(self.linear(x.flatten(1)))

    made = Net().double()
    return made, NormsInUse(norm, made)


def statistics(module):
    return {name: values.clone() for name, values in module.named_buffers()}


def assert_close(found, expected):
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("name", KEPT)
def test_one_block_and_many_give_the_same_statistics(name):
    found = []
    for blocks in ([X], X.split(5), X.split(20)):
        made, norms = network(NORMS[name](**OPTIONS.get(name, {})))
        norms.measure([*blocks])
        assert not made.training
        found.append(statistics(made))
    assert_close(found[1], found[0])
    assert_close(found[2], found[0])
    assert (found[0]["last.running_mean"] != 0).all()


@torch.no_grad()
def test_they_are_those_of_plain_torch():
    made, norms = network(NORMS["batch"]())
    norms.measure([*X.split(5)])
    inputs = {}
    for name in ("norm1", "norm2", "last"):
        made.get_submodule(name).register_forward_hook(lambda _, x, y, name=name: inputs.update({name: x[0]}))
    made(X)
    for name, x in inputs.items():
        axes = [axis for axis in range(x.dim()) if axis != 1]
        layer = made.get_submodule(name)
        assert_close(layer.running_mean, x.mean(axes))
        assert_close(layer.running_var, x.var(axes, correction=0))


@torch.no_grad()
@pytest.mark.parametrize("blocks", [[X], [*X.split(5)]], ids=["one block", "many"])
def test_precise_statistics_are_gone_afterwards_also_after_an_error(blocks):
    made, norms = network(NORMS["batch"](momentum=None))
    made(X[:8])
    before = statistics(made)
    with norms.precise(blocks):
        assert not torch.equal(made.norm1.running_mean, before["norm1.running_mean"])
    torch.testing.assert_close(statistics(made), before, rtol=0, atol=0)
    with pytest.raises(ZeroDivisionError), norms.precise(blocks):
        raise ZeroDivisionError
    torch.testing.assert_close(statistics(made), before, rtol=0, atol=0)


@torch.no_grad()
def test_statistics_that_are_frozen_are_measured_no_more():
    made, norms = network(NORMS["frozen"](share=0.5))
    assert not norms.begin(0.4)
    assert norms.has_precise()
    assert norms.begin(0.5)
    assert not norms.has_precise()
    before = statistics(made)
    norms.measure([X])
    torch.testing.assert_close(statistics(made), before, rtol=0, atol=0)


@pytest.mark.parametrize(("name", "every"), [("population", 1), ("batch", 0), ("group", 0), ("none", 0)])
def test_steps_between_measurements_are_the_arms(name, every):
    options = {"groups": 1} if name == "group" else {}
    norms = network(NORMS[name](**options))[1]
    assert norms.refreshed_every() == every
    assert norms.has_precise() == (name in KEPT)
    assert norms.are_used(X) == (name != "none")


class Recurrent(nn.Module):
    """A layer that normalizes every state of a sequence."""

    def __init__(self, factory):
        super().__init__()
        self.linear, self.norm = nn.Linear(5, 3, bias=False), factory(3)

    def forward(self, x):
        state = x.new_zeros(len(x), 3)
        for place in range(x.shape[1]):
            state = self.norm(self.linear(torch.cat([x[:, place], state], dim=1))).tanh()
        return state


@torch.no_grad()
def test_a_layer_that_is_called_several_times_takes_the_statistics_of_all_calls():
    x = torch.randn(21, 6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = []
    for blocks in ([x], [*x.split(5)]):
        torch.manual_seed(1)
        made = Recurrent(NormFactory(NORMS["batch"](), torch.float64)).double().eval()
        seen = []
        hook = made.norm.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.append(inputs[0]))
        made(x)
        hook.remove()
        norms = NormsInUse(NORMS["batch"](), made)
        norms.measure(blocks)
        assert_close(made.norm.running_mean, torch.cat(seen).mean(0))
        assert_close(made.norm.running_var, torch.cat(seen).var(0, correction=0))
        found.append(statistics(made))
    assert_close(found[1], found[0])


@torch.no_grad()
def test_the_reference_measures_the_same():
    # The loop in plain torch, with which whole trainings are compared, has a function of its own for this.
    with double():
        plain = PLAIN["cnn"]({"name": "batch", "momentum": 0.1, "eps": 1e-5, "affine": True})
        measure(plain, X)
    torch.manual_seed(1)
    ours = nn.Sequential(plain.conv1, BatchNorm(NORMS["batch"](), 4, torch.float64))
    NormsInUse(NORMS["batch"](), ours).measure([*X.split(4)])
    assert_close(ours[1].running_mean, plain.norm1.running_mean)
