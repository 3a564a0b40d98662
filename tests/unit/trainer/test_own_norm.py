"""A norm of the user's own in a network: handed its channels, called as a layer, told where it does wrong."""

import pytest
import torch
from configs import refusal
from torch import nn

from bnbench.catalogue import userfiles
from bnbench.catalogue.norms import OwnNorm
from bnbench.errors import UserError
from bnbench.trainer.norm_layers import NormFactory, make, restrict
from bnbench.trainer.norm_modules import Shift

X = torch.randn(6, 3, 4, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def norm(tmp_path, monkeypatch):
    """A function that makes the entry of `norm` in a user's file of this text."""
    monkeypatch.chdir(tmp_path)

    def entry(text, bias=True, layers=("*",), **options):
        (tmp_path / "norms.py").write_text(f"from torch import nn\n{text}\n")
        found = userfiles.inspect("norms.py", "norm", options, OwnNorm.supplied)
        derived = {"sha256": found["sha256"], "takes": tuple(found["takes"]), "options": options}
        return OwnNorm(path="norms.py", build="norm", bias=bias, layers=layers, **derived)

    return entry


def test_it_is_the_users_layer_for_so_many_channels(norm):
    text = "def norm(channels, eps):\n    return nn.BatchNorm1d(channels, eps=eps)"
    ours, theirs = make(norm(text, eps=0.1), 3, torch.float64), nn.BatchNorm1d(3, eps=0.1).double()
    for _ in range(2):
        assert torch.equal(ours(X.double()), theirs(X.double()))
    assert torch.equal(ours.eval()(X.double()), theirs.eval()(X.double()))
    assert [name for name, _ in ours.named_parameters()] == ["layer.weight", "layer.bias"]


def test_a_function_may_do_without_the_channels(norm):
    assert torch.equal(make(norm("def norm():\n    return nn.Tanh()"), 3)(X), X.tanh())


@pytest.mark.parametrize("bias", [True, False])
def test_the_config_says_whether_the_layer_before_needs_a_bias(norm, bias):
    own = norm("def norm(channels):\n    return nn.BatchNorm1d(channels)", bias=bias, layers=("1",))
    factory = NormFactory(own)
    assert factory.bias is bias
    assert own.drops_bias() is not bias
    network = nn.Sequential(factory(3), factory(3))
    restrict(network, own)
    assert isinstance(network[0], nn.Identity if bias else Shift)
    assert isinstance(network[1].layer, nn.BatchNorm1d)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "def norm(channels):\n    return channels",
            "norms.py: norm gives a int, allowed: a layer (torch.nn.Module)",
        ),
        (
            "def norm(channels):\n    return nn.BatchNorm1d(channel)",
            "norms.py:3: in norm: NameError: name 'channel' is not defined\n    return nn.BatchNorm1d(channel)\n"
            "while bnbench makes the norm with norm",
        ),
    ],
    ids=["no layer", "an error"],
)
def test_a_function_that_gives_no_layer_is_refused(norm, text, message):
    with pytest.raises(UserError) as caught:
        make(norm(text), 3)
    assert str(caught.value) == message


def test_a_layer_that_changes_the_shape_is_refused(norm):
    own = norm("def norm(channels):\n    return nn.Flatten()")
    said = refusal(make(own, 3), X)
    assert said == "norms.py: norm gives [6, 12] for [6, 3, 4], allowed: the shape of its input"
