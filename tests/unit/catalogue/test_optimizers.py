"""The table of optimizers, against torch.optim."""

import inspect
from dataclasses import dataclass, fields

import pytest
import torch

from bnbench.catalogue.optimizers import OPTIMIZERS, Optimizer
from bnbench.catalogue.parameters import parameter, schema
from bnbench.plan import config, cost

NOT_PARAMETERS = {"params", "self", "foreach", "fused", "capturable", "differentiable", "maximize"}
LEFT_OUT = {
    "adam": {"decoupled_weight_decay"},  # what tells AdamW from Adam
    "adamw": {"decoupled_weight_decay"},
    "lbfgs": {"max_eval"},  # follows from max_iter
    "adafactor": {"eps"},  # a pair of which the first depends on the type of numbers
    "muon": {"ns_coefficients", "eps"},  # constants of Newton and Schulz's iteration
}
"""Arguments of torch's classes that stay at their defaults."""

OURS = {"clip", "weight_decay_on"}
"""What every optimizer has besides."""

OF_TORCH = [name for name in OPTIMIZERS if name != "module"]


@pytest.mark.parametrize("name", [name for name in OF_TORCH if name != "momentum"])
def test_parameters_and_defaults_are_those_of_torch(name):
    entry = OPTIMIZERS[name]
    signature = inspect.signature(getattr(torch.optim, entry.torch_class)).parameters
    theirs = {k: v.default for k, v in signature.items() if k not in NOT_PARAMETERS | LEFT_OUT.get(name, set())}
    if name == "muon":  # so that its rates are of the size of Adam's
        assert theirs["adjust_lr_fn"] is None
        theirs["adjust_lr_fn"] = "match_rms_adamw"
    assert {field.name: field.default for field in fields(entry) if field.name not in OURS} == theirs
    assert {*inspect.signature(entry).parameters} >= OURS


@pytest.mark.parametrize("name", OF_TORCH)
def test_what_a_user_may_set_is_what_has_an_effect(name):
    offered = {*schema(OPTIMIZERS[name])["properties"]}
    assert ("weight_decay_on" in offered) == ("weight_decay" in offered)
    assert ("clip" in offered) == (name not in ("lbfgs", "rprop"))
    assert OURS.isdisjoint(OPTIMIZERS[name]().arguments())


def test_optimizers_that_mix_weights_are_those_whose_update_of_two_is_not_that_of_each():
    assert [name for name, entry in OPTIMIZERS.items() if not entry.elementwise] == [
        "lbfgs",
        "adafactor",
        "muon",
        "module",
    ]
    for name in OF_TORCH:
        entry = OPTIMIZERS[name]
        assert entry.elementwise == torch.equal(
            updated(entry, [[1.0, 5.0], [2.0, 3.0]])[0], updated(entry, [[1.0, 5.0]])[0]
        ), name


def updated(entry, gradients):
    """A matrix after three steps, each with these gradients times its number."""
    weights = torch.nn.Parameter(torch.ones(len(gradients), 2, dtype=torch.float64))
    optimizer = getattr(torch.optim, entry.torch_class)([weights], **{**entry().arguments(), "lr": 0.1})

    def closure():
        weights.grad = weights.detach() * torch.tensor(gradients, dtype=torch.float64)
        return (weights.square() * torch.tensor(gradients, dtype=torch.float64)).sum() / 2

    for _ in range(3):
        closure()
        optimizer.step(closure)
    return weights.detach()


def test_momentum_is_sgd_with_momentum():
    assert OPTIMIZERS["momentum"]().arguments() == {**OPTIMIZERS["sgd"]().arguments(), "momentum": 0.9}


@pytest.mark.parametrize("name", OF_TORCH)
def test_torch_takes_the_arguments(name):
    entry = OPTIMIZERS[name]
    fused = {"fused": True} if entry.fused else {}
    getattr(torch.optim, entry.torch_class)([torch.nn.Parameter(torch.ones(3, 2))], **entry().arguments(), **fused)


def test_contradictory_parameters_are_refused():
    with pytest.raises(ValueError, match="nesterov needs momentum"):
        OPTIMIZERS["sgd"](nesterov=True)
    with pytest.raises(ValueError, match="etas"):
        OPTIMIZERS["rprop"](etas=(1.5, 1.2))


def test_an_optimizer_needs_only_its_class_in_torch_and_its_parameters(monkeypatch):
    @dataclass(frozen=True)
    class Slow(Optimizer):
        """Plain stochastic gradient descent."""

        torch_class = "SGD"
        lr: float = parameter(0.01, "learning rate", exclusiveMinimum=0)

    monkeypatch.setitem(OPTIMIZERS, "slow", Slow)
    study = config.load({"study": "x", "optimizer": ["slow"]}, "x.yaml")
    assert study.settings[0].labels["optimizer"] == "slow lr=0.01"
    assert cost.seconds(study.settings[0].spec, 20) > 0
