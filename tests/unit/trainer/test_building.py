"""Fair pairs: the arms of a seed start from the same values wherever their networks agree, and a hash says so."""

import pytest
import torch
from specs import named
from tiny import images, sequences, theirs
from torch import nn

from bnbench.trainer import building
from bnbench.trainer.norm_modules import Shift

pytestmark = pytest.mark.usefixtures("tiny_images")

ARMS = {
    "none": named("norm", "none"),
    "batch": named("norm", "batch"),
    "batch after": named("norm", "batch", placement="after"),
    "batch of the output": named("norm", "batch", on=["output"]),
    "batch everywhere": named("norm", "batch", on=["hidden", "input", "output"]),
    "batch, not affine": named("norm", "batch", affine=False),
    "statistics of the batch": named("norm", "batch", statistics="batch"),
    "ghost": named("norm", "ghost", size=3),
    "group": named("norm", "group"),
    "instance": named("norm", "instance"),
    "layer": named("norm", "layer"),
    "rms": named("norm", "rms"),
    "frozen": named("norm", "frozen"),
    "population": named("norm", "population"),
}
NETWORKS = {
    "perceptron": images({"name": "mlp", "hidden": [8, 6], "activation": None, "dropout": 0.3}),
    "cnn": images("cnn"),
    "resnet": images("resnet"),
    "norm.bias of a file": images(theirs("network", "by_bias")),
    "BatchNorm layers of a file": images(theirs("network", "with_batch_norm")),
    "lazy layers of a file": images(theirs("network", "lazy")),
    "lazy BatchNorm layers of a file": images(theirs("network", "lazy_batch_norm")),
    "complex numbers of a file": images(theirs("network", "Fourier")),
    "LSTM of a file": sequences(),
}


def arms_of(setting):
    """The settings of all arms that this network can have, by their names: a function of a file places its norms."""
    placed = ("placement", "on") if setting["network"]["name"] == "module" else ()
    at = named("norm", "batch")
    return {
        name: setting | {"norm": norm}
        for name, norm in ARMS.items()
        if all(norm.get(key, at[key]) == at[key] for key in placed)
    }


def built(setting, seed):
    return building.network(setting, seed)


def values(module):
    return dict(module.named_parameters()) | dict(module.named_buffers())


@pytest.mark.parametrize("setting", NETWORKS.values(), ids=NETWORKS)
def test_all_arms_of_a_seed_start_from_the_same_values_wherever_names_and_shapes_agree(setting):
    arms = {name: values(built(each, 3).module) for name, each in arms_of(setting).items()}
    assert {*arms} >= {*ARMS} - {each for each in ARMS if each.startswith("batch ")}
    shared = [name for name, value in arms["none"].items() if name in arms["batch"] and value.ndim > 1]
    assert shared
    for one in arms.values():
        for other in arms.values():
            for name in one.keys() & other.keys():
                if one[name].shape == other[name].shape:
                    assert torch.equal(one[name], other[name]), name


@pytest.mark.parametrize("setting", NETWORKS.values(), ids=NETWORKS)
def test_the_hash_is_that_of_the_seed_whatever_the_arm(setting):
    hashes = [{built(each, seed).weights_hash for each in arms_of(setting).values()} for seed in (3, 4)]
    assert [len(each) for each in hashes] == [1, 1]
    assert hashes[0] != hashes[1]


def test_a_bias_goes_where_a_norm_makes_it_idle_and_the_rest_keeps_its_values():
    setting = NETWORKS["norm.bias of a file"]
    plain, with_bn = (values(built(setting | {"norm": ARMS[name]}, 3).module) for name in ("none", "batch"))
    assert plain.keys() - with_bn.keys() == {"0.bias", "3.bias"}
    assert torch.equal(plain["features"], with_bn["features"])


def test_batch_norm_layers_give_way_to_a_shift_where_there_is_no_norm():
    module = built(NETWORKS["BatchNorm layers of a file"] | {"norm": ARMS["none"]}, 3).module
    assert [type(module[place]) for place in (1, 6)] == [Shift, Shift]
    assert not any(isinstance(each, nn.modules.batchnorm._BatchNorm) for each in module.modules())


def test_a_network_keeps_its_imaginary_parts_and_whole_numbers_in_every_type():
    made = nn.Module()
    for name, values in {"turned": torch.polar(torch.ones(2), torch.ones(2)), "count": torch.tensor(3)}.items():
        made.register_buffer(name, values)
    made.linear = nn.Linear(2, 2, dtype=torch.bfloat16)
    building.cast(made, torch.float64, torch.device("cpu"))
    assert made.linear.weight.dtype == torch.float64
    assert made.count.dtype == torch.int64
    assert made.turned.dtype == torch.complex128
    assert made.turned.imag.tolist() == pytest.approx([0.8414709848] * 2)
