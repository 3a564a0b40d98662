"""The modular engine against plain torch: convolutional and residual networks in every arm, to 1e-9 in float64."""

import pytest
from beside_plain import PLAIN, assert_equals_plain_torch
from plain_torch import TORCH_OPTIMIZERS
from specs import RATES, named
from tiny import images

pytestmark = pytest.mark.usefixtures("tiny_images")


def entry(name, **parameters):
    return named("norm", name, **parameters)


def optimizer(name):
    return named("optimizer", name, **RATES[name])


@pytest.mark.parametrize("placement", ["before", "after"])
@pytest.mark.parametrize("kind", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("norm", ["none", "batch", "group", "instance", "layer", "ghost"])
@pytest.mark.parametrize("network", PLAIN)
def test_losses_and_statistics_of_every_epoch_equal_plain_torch_to_1e_9(network, norm, kind, placement):
    options = {"size": 3} if norm == "ghost" else {}
    placed = {} if norm == "none" else {"placement": placement}
    setting = images(network, norm=entry(norm, **options, **placed), optimizer=optimizer(kind))
    assert_equals_plain_torch(setting, TORCH_OPTIMIZERS[kind])


OTHERS = {
    "rms": entry("rms"),
    "rms after": entry("rms", placement="after"),
    "frozen": entry("frozen", share=0.4),
    "frozen after": entry("frozen", share=0.4, placement="after"),
    "population": entry("population"),
    "population, every 2": entry("population", every=2),
    "population after, every 3": entry("population", every=3, placement="after"),
    "statistics of the batch": entry("batch", statistics="batch"),
    "input": entry("batch", on=["input"]),
    "output": entry("batch", on=["output"]),
    "all three": entry("batch", on=["hidden", "input", "output"]),
    "input and output, after": entry("batch", on=["input", "output"], placement="after"),
    "all three, ghost": entry("ghost", size=4, on=["hidden", "input", "output"]),
    "all three, group": entry("group", groups=1, on=["hidden", "input", "output"]),
    "output of the population": entry("population", on=["hidden", "output"]),
    "cumulative": entry("batch", momentum=None),
    "cumulative ghost": entry("ghost", size=3, momentum=None),
    "momentum 0.5": entry("batch", momentum=0.5),
    "not affine": entry("batch", affine=False),
    "group, not affine": entry("group", affine=False),
    "instance, not affine": entry("instance", affine=False),
    "large eps": entry("batch", eps=0.1),
}


@pytest.mark.parametrize("norm", OTHERS)
@pytest.mark.parametrize("network", PLAIN)
def test_every_other_arm_and_place_equals_plain_torch(network, norm):
    # Statistics that are several steps old make training unstable at higher rates, where rounding grows.
    rate = 0.005 if "every" in norm else 0.05
    setting = images(network, norm=OTHERS[norm], optimizer=named("optimizer", "sgd", lr=rate))
    assert_equals_plain_torch(setting, lambda parameters: TORCH_OPTIMIZERS["sgd"](parameters, lr=rate))


@pytest.mark.parametrize("norm", ["none", "batch", "ghost", "statistics of the batch"])
def test_the_full_batch_equals_plain_torch(norm):
    arm = OTHERS[norm] if norm in OTHERS else entry(norm)
    assert_equals_plain_torch(images(norm=arm, batch_size="full"), TORCH_OPTIMIZERS["sgd"])


@pytest.mark.parametrize("kind", sorted({*TORCH_OPTIMIZERS} - {"sgd", "momentum", "adam"}))
def test_every_other_optimizer_equals_plain_torch(kind):
    # Rprop follows the sign of each gradient, which is chance where batch norm makes it zero but for rounding.
    norm = entry("none" if kind == "rprop" else "batch")
    assert_equals_plain_torch(images(norm=norm, optimizer=optimizer(kind)), TORCH_OPTIMIZERS[kind])
