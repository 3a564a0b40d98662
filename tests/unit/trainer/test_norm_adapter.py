"""A norm that somebody added to the catalogue works in networks that are trained one at a time, too."""

from dataclasses import dataclass

import pytest
import torch
from configs import refusal
from norm_passes import assert_same, normal, passed, spread

from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import BatchNorm, FrozenBatchNorm, LayerNorm
from bnbench.catalogue.population_norms import PopulationGammaNorm
from bnbench.trainer.norm_layers import make


@dataclass(frozen=True)
class Halving(Norm):
    """It overwrites what it gets, and counts."""

    def parameters(self):
        return {"gamma": 1.0, "power": 2.0}

    def buffers(self):
        return {"seen": 0.0}

    def forward(self, x, parameters, buffers):
        buffers["seen"].add_(1)
        return x.mul_(0.5) * parameters["gamma"] + parameters["power"], None

    def evaluate(self, x, parameters, buffers):
        return x + buffers["seen"]


def test_a_forward_pass_is_all_that_is_needed():
    made = make(Halving(), 6, torch.float64)
    x, dy = normal(9, 6), normal(9, 6, seed=2)
    given = x.clone()
    found = passed(made, x, dy)
    expected = {"y": x / 2 + 2, "x": dy / 2, "weight": (dy * x / 2).sum(0), "power": dy.sum(0)}
    assert_same(found, expected)
    assert torch.equal(x, given)
    assert made.seen.tolist() == [1] * 6
    assert_same({"y": made.eval()(x)}, {"y": x + 1})
    assert made.seen.tolist() == [1] * 6
    assert not made.keeps


@dataclass(frozen=True)
class OwnBatchNorm(BatchNorm):
    """Another class with BN's methods, its gradient by hand among them."""


@dataclass(frozen=True)
class OwnLayerNorm(LayerNorm):
    """Another class with layer norm's methods, which autograd could not go back through."""


@dataclass(frozen=True)
class OwnFrozen(FrozenBatchNorm):
    """Another class that gives way to another norm."""


@pytest.mark.parametrize("own", [OwnBatchNorm, OwnLayerNorm, OwnFrozen])
@pytest.mark.parametrize("progress", [0.0, 0.9])
def test_a_class_that_inherits_does_what_the_module_of_its_base_does(own, progress):
    made, reference = make(own(), 6, torch.float64), make(own.__mro__[1](), 6, torch.float64)
    assert type(made) is not type(reference)
    spread(made)
    spread(reference)
    for step in range(3):
        if step == 1:
            made.begin(progress)
            reference.begin(progress)
        x, dy = normal(9, 6, seed=step), normal(9, 6, seed=step + 10)
        assert_same(passed(made, x, dy), passed(reference, x, dy))
    assert_same({"y": made.eval()(x)}, {"y": reference.eval()(x)})
    assert made.keeps == reference.keeps
    if made.keeps:
        made.measuring = reference.measuring = True
        assert_same({"y": made(x)}, {"y": reference(x)})
        assert_same({"mean": made.mean}, {"mean": x.mean(0)})
        made.take(x[0], x[1])
        assert_same({"mean": made.mean, "variance": made.variance}, {"mean": x[0], "variance": x[1]})


def test_positions_are_refused():
    said = refusal(make(Halving(), 6, torch.float64), normal(9, 6, 4))
    assert said == (
        "found activations with positions, [9, 6, 4], allowed with class Halving: [examples, channels], since its "
        "forward() is written for perceptrons"
    )


@dataclass(frozen=True)
class OwnGamma(PopulationGammaNorm):
    """It measures the loss."""


def test_what_measures_the_loss_is_refused():
    assert "found norm 'population_gamma', allowed in your own networks" in refusal(make, PopulationGammaNorm(), 6)
    assert "found norm 'population_gamma', allowed in your own networks" in refusal(make, OwnGamma(), 6)

    @dataclass(frozen=True)
    class Measuring(Halving):
        measures = True

    assert "found class Measuring, which measures the loss" in refusal(make, Measuring(), 6)
