"""Where the arm stands in a network: the places of BatchNorm layers, and the layers that patterns mean."""

import numpy as np
import pytest
import torch
from configs import refusal
from torch import nn

from bnbench.catalogue import own
from bnbench.catalogue.norms import NORMS
from bnbench.trainer import running_norms
from bnbench.trainer.norm_layers import NormFactory, make, replace, restrict
from bnbench.trainer.norm_modules import GroupNorm, Shift


class Block(nn.Module):
    """A convolution and what follows it."""

    def __init__(self, norm):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(4, 4, 1, bias=False), norm

    def forward(self, x):
        return self.bn(self.conv(x)).relu()


def network(shared=None, **options):
    """Two blocks and a head; the second block may have the norm of the first."""
    first = shared or nn.BatchNorm2d(4, **options)
    blocks = [Block(first), Block(shared or nn.BatchNorm2d(4, **options))]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(16, 6), nn.BatchNorm1d(6, **options), nn.Linear(6, 1))


NAMES = ["0.bn", "1.bn", "4"]
X = torch.randn(5, 4, 2, 2, generator=torch.Generator().manual_seed(1))


def kinds(made):
    return [type(made.get_submodule(name)) for name in NAMES]


def test_every_batch_norm_layer_gives_way_to_the_arm():
    made = network()
    assert replace(made, NORMS["group"]()) == NAMES
    assert kinds(made) == [GroupNorm] * 3
    assert [made.get_submodule(name).channels for name in NAMES] == [4, 4, 6]
    assert made(X).shape == (5, 1)


def test_batch_norm_in_place_of_batch_norm_changes_nothing():
    torch.manual_seed(1)
    before = network()
    for name in NAMES:  # as in a network that has been trained, or that starts with blocks of no effect
        layer = before.get_submodule(name)
        nn.init.uniform_(layer.weight)
        nn.init.uniform_(layer.bias)
        layer.running_mean.fill_(0.3)
        layer.num_batches_tracked.fill_(7)
    made = network()
    made.load_state_dict(before.state_dict())
    replace(made.eval(), NORMS["batch"]())
    assert kinds(made) == [running_norms.BatchNorm] * 3
    assert not made[0].bn.training
    torch.testing.assert_close(made.state_dict(), before.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(made(X), before.eval()(X))
    torch.testing.assert_close(made.train()(X), before.train()(X))


def test_where_there_is_no_norm_there_is_a_shift():
    made = network()
    nn.init.constant_(made[0].bn.bias, 0.5)
    assert replace(made, NORMS["none"]()) == NAMES
    assert kinds(made) == [Shift] * 3
    x = torch.randn(5, 4, 3, 2)
    torch.testing.assert_close(made[0].bn(x), x + 0.5)
    made(X).sum().backward()
    assert made[4].bias.grad.shape == (6,)


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_a_shift_is_one_of_each_channel(rank):
    made, x = Shift(3), torch.randn(2, 3, 4, 5, 6)[(..., *[0] * (5 - rank))]
    with torch.no_grad():
        made.bias.copy_(torch.arange(3))
    assert x.dim() == rank
    for channel in range(3):
        torch.testing.assert_close(made(x)[:, channel], x[:, channel] + channel)


@pytest.mark.parametrize(
    ("layers", "norms"),
    [
        (("*",), [True, True, True]),
        (("1.*",), [False, True, False]),
        (("4", "0.bn"), [True, False, True]),
        (("?.bn",), [True, True, False]),
    ],
)
def test_the_norm_stands_in_the_layers_that_a_pattern_means_and_a_shift_in_all_others(layers, norms):
    made = network()
    assert replace(made, NORMS["layer"](layers=layers)) == NAMES
    assert [kind is not Shift for kind in kinds(made)] == norms


def test_a_layer_that_stands_twice_is_replaced_by_one_that_stands_twice():
    made = network(shared=nn.BatchNorm2d(4))
    assert replace(made, NORMS["batch"](layers=("1.*",))) == ["0.bn", "4"]
    assert made[0].bn is made[1].bn
    assert kinds(made) == [running_norms.BatchNorm, running_norms.BatchNorm, Shift]


def test_what_comes_in_its_place_has_the_type_of_the_layer():
    made = network(affine=False).double()
    replace(made, NORMS["layer"](layers=("0.*",)))
    assert made(X.double()).dtype == torch.float64
    assert {values.dtype for values in made.parameters()} == {torch.float64}


def test_a_pattern_that_no_layer_matches_is_refused():
    assert refusal(replace, network(), NORMS["layer"](layers=("*", "1.bm"))) == (
        "norm.layers: found '1.bm' (did you mean '1.bn'?), which no layer matches; allowed: patterns of 0.bn, 1.bn, 4"
    )
    assert replace(nn.Sequential(nn.Linear(2, 2)), NORMS["layer"]()) == []
    said = refusal(replace, nn.Sequential(nn.Linear(2, 2)), NORMS["layer"](layers=("0",)))
    assert said.endswith("which no layer matches; allowed: *, since the network has no such layers")


class OwnBatchNorm(nn.BatchNorm2d):
    """Who knows what else it does."""


@pytest.mark.parametrize("layer", [nn.SyncBatchNorm(4), nn.LazyBatchNorm2d(), OwnBatchNorm(4)])
def test_a_layer_that_does_more_than_normalize_is_refused(layer):
    assert refusal(replace, nn.Sequential(nn.Conv2d(3, 4, 1), layer), NORMS["batch"]()) == (
        f"layer '1': found {type(layer).__name__}, allowed: BatchNorm1d, BatchNorm2d, BatchNorm3d"
    )


def test_a_network_that_is_a_batch_norm_itself_is_refused():
    assert refusal(replace, nn.BatchNorm1d(3), NORMS["batch"]()).startswith(
        "found a network that is a BatchNorm1d itself"
    )


def test_a_layer_that_the_arm_does_not_fit_is_named():
    assert refusal(replace, network(), NORMS["group"](groups=4)) == (
        "layer '4': found 6 channels, allowed with norm 'group' groups=4: a multiple of 4"
    )


def built(name, **options):
    """A network that is built with what its builder is handed."""
    norm = NORMS[name](**options)
    return nn.Sequential(
        Block(make(norm, 4)), Block(make(norm, 4)), nn.Flatten(), nn.Linear(16, 6), make(norm, 6)
    ), norm


def test_a_network_of_the_factory_keeps_the_norm_where_a_pattern_means_it():
    made, norm = built("batch", layers=("0.*",))
    restrict(made.double(), norm)
    assert kinds(made) == [running_norms.BatchNorm, Shift, Shift]
    assert made[4].bias.dtype == torch.float64
    made, norm = built("group", layers=("1.*", "4"))
    restrict(made, norm)
    assert kinds(made) == [nn.Identity, GroupNorm, GroupNorm]  # the layer before a group norm has its bias
    assert made(X).shape == (5, 6)


@pytest.mark.parametrize("name", ["none", "batch", "group"])
def test_by_default_nothing_is_left_out(name):
    made, norm = built(name)
    before = kinds(made)
    restrict(made, norm)
    assert kinds(made) == before


def test_a_pattern_that_no_layer_of_the_factory_matches_is_refused():
    made, norm = built("batch", layers=("2.*",))
    assert "norm.layers: found '2.*'" in refusal(restrict, made, norm)


def test_the_factory_makes_modules_and_counts_them():
    norm = NormFactory(NORMS["batch"](), torch.float64)
    assert norm.made == 0
    first, second = norm(4), norm(np.int64(8))
    assert (first.channels, second.channels, norm.made) == (4, 8, 2)
    assert first.weight.dtype == torch.float64
    assert isinstance(NormFactory(NORMS["none"]())(4), nn.Identity)


@pytest.mark.parametrize("name", [name for name in NORMS if name != own.NAME])
def test_the_layer_before_has_a_bias_unless_the_norm_stands_for_it(name):
    assert NormFactory(NORMS[name]()).bias == (name in ("none", "layer", "group", "rms"))


@pytest.mark.parametrize("channels", [0, -1, 2.0, "4", None, True, nn.Linear(2, 2)])
def test_what_is_no_number_of_channels_is_refused(channels):
    norm = NormFactory(NORMS["batch"]())
    assert refusal(norm, channels).endswith("allowed: the number of channels, such as norm(64)")
    assert norm.made == 0
