"""The arms that normalize each example by itself: against PyTorch's, and what they refuse."""

import pytest
import torch
from configs import refusal
from stacked_norms import applied, assert_equals_module, normal

from bnbench.catalogue.example_norms import GroupNorm, InstanceNorm, LayerNorm, RMSNorm
from bnbench.catalogue.norms import NORMS

affinities = pytest.mark.parametrize("affine", [True, False])


@affinities
def test_layer_norm_is_torchs(affine):
    reference = torch.nn.LayerNorm(6, elementwise_affine=affine, dtype=torch.float64)
    assert_equals_module(LayerNorm(affine=affine), reference, normal(1, 9, 6), normal(1, 9, 6, seed=2))


@affinities
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_group_norm_is_torchs(groups, affine):
    norm, reference = GroupNorm(groups=groups, affine=affine), torch.nn.GroupNorm(groups, 6, affine=affine)
    assert_equals_module(norm, reference.double(), normal(1, 9, 6), normal(1, 9, 6, seed=2))


@affinities
def test_rms_norm_is_torchs(affine):
    norm, reference = RMSNorm(affine=affine, eps=1e-3), torch.nn.RMSNorm(6, eps=1e-3, elementwise_affine=affine)
    assert_equals_module(norm, reference.double(), normal(1, 9, 6), normal(1, 9, 6, seed=2))


def test_layer_norm_is_group_norm_of_one_group():
    x = normal(2, 9, 6)
    torch.testing.assert_close(applied(GroupNorm(groups=1), x)[0], applied(LayerNorm(), x)[0])


def test_group_norm_says_which_layers_it_does_not_fit():
    assert GroupNorm(groups=4).misfit(8) == ""
    said = "found 6 channels, allowed with norm 'group' groups=4: a multiple of 4"
    assert GroupNorm(groups=4).misfit(6) == said
    assert refusal(applied, GroupNorm(groups=4), normal(1, 9, 6)) == said
    said = "found 6 units in 6 groups, allowed: groups of at least 2 units"
    assert refusal(applied, GroupNorm(groups=6), normal(1, 9, 6)) == said


def test_norms_of_examples_say_of_how_many_units_nothing_is_left():
    norms = {"layer": LayerNorm(), "rms": RMSNorm(), "group": GroupNorm(groups=3), "instance": InstanceNorm()}
    found = {name: [units for units in (1, 2, 3, 6) if norm.leaves_nothing(units)] for name, norm in norms.items()}
    assert found == {"layer": [1], "rms": [1], "group": [3], "instance": [1, 2, 3, 6]}
    x = normal(1, 9, 1)
    assert applied(LayerNorm(), x)[0].std() < 1e-6
    assert applied(RMSNorm(eps=0.0), x)[0].abs().std() < 1e-6
    assert not any(NORMS[name]().leaves_nothing(1) for name in ("none", "batch", "ghost", "population", "frozen"))


def test_instance_norm_has_nothing_to_normalize_in_a_perceptron():
    assert [name for name, norm in NORMS.items() if norm.needs_positions] == ["instance"]
    assert "those with positions" in refusal(applied, InstanceNorm(), normal(1, 9, 6))
