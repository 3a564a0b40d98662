"""The table of optimizers, against torch.optim; the schedules, against torch's."""

import inspect
from dataclasses import dataclass, fields

import pytest
import torch

from bnbench.catalogue.optimizers import OPTIMIZERS, Optimizer
from bnbench.catalogue.parameters import parameter
from bnbench.catalogue.schedules import SCHEDULES, Cosine, Step
from bnbench.plan import config, cost

NOT_PARAMETERS = {"params", "self", "foreach", "fused", "capturable", "differentiable", "maximize"}


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if n != "momentum"])
def test_parameters_and_defaults_are_those_of_torch(name):
    entry = OPTIMIZERS[name]
    signature = inspect.signature(getattr(torch.optim, entry.torch_class)).parameters
    theirs = {k: v.default for k, v in signature.items() if k not in NOT_PARAMETERS}
    if name in ("adam", "adamw"):
        theirs.pop("decoupled_weight_decay", None)  # what tells AdamW from Adam
    assert {field.name: field.default for field in fields(entry)} == theirs


def test_momentum_is_sgd_with_momentum():
    assert OPTIMIZERS["momentum"]().arguments() == {**OPTIMIZERS["sgd"]().arguments(), "momentum": 0.9}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_torch_takes_the_arguments(name):
    entry = OPTIMIZERS[name]
    fused = {"fused": True} if entry.fused else {}
    getattr(torch.optim, entry.torch_class)([torch.nn.Parameter(torch.ones(3))], **entry().arguments(), **fused)


def test_contradictory_parameters_are_refused():
    with pytest.raises(ValueError, match="nesterov needs momentum"):
        OPTIMIZERS["sgd"](nesterov=True)
    with pytest.raises(ValueError, match="etas"):
        OPTIMIZERS["rprop"](etas=(1.5, 1.2))


@pytest.mark.parametrize(
    ("schedule", "theirs"),
    [
        (Cosine(final=0.1), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=20, eta_min=0.05)),
        (Step(every=6, gamma=0.3), lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=6, gamma=0.3)),
        (SCHEDULES["constant"](), lambda o: torch.optim.lr_scheduler.ConstantLR(o, factor=1.0)),
    ],
)
def test_schedules_are_torchs(schedule, theirs):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    scheduler = theirs(optimizer)
    for epoch in range(20):
        assert 0.5 * schedule.factor(epoch, 20) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()


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
