"""The modular engine on a GPU: equal to the CPU, and the same bits however its networks are trained."""

import os

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import pytest
import torch
from on_devices import MODULAR
from specs import named, spec

from bnbench.catalogue import tasks
from bnbench.trainer.chunk import train
from bnbench.trainer.examples import Dense
from bnbench.trainer.loop import train_networks
from bnbench.trainer.modular import ModularEngine

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
GPU = torch.device("cuda", 0)
NETWORKS = {
    "cnn": named("network", "cnn", channels=(8, 16)),
    "resnet": named("network", "resnet", width=4),
    "cnn with dropout": named("network", "cnn", channels=(8,), dropout=0.3),
}
ARMS = {
    "none": named("norm", "none"),
    "batch": named("norm", "batch"),
    "ghost": named("norm", "ghost"),
    "group": named("norm", "group", groups=4),
    "layer": named("norm", "layer"),
    "frozen": named("norm", "frozen"),
    "population": named("norm", "population", every=3),
    "after": named("norm", "batch", momentum=None, placement="after", on=("hidden", "input")),
}


def small(network, norm, **changes):
    return spec(
        **{
            "task": named("task", "digits", test_fraction=0.9),
            "network": NETWORKS[network],
            "norm": ARMS[norm],
            "optimizer": named("optimizer", "momentum", lr=0.02),
            "batch_size": 32,
            "epochs": 6,
            "evaluate_every": 2,
            **changes,
        }
    )


def trained(setting, seeds=range(4), device=GPU):
    return train(setting, seeds, [tasks.of(setting).data(seed) for seed in seeds], device)


def assert_same(one, other, seeds=slice(None)):
    for name, values in one.losses.items():
        np.testing.assert_array_equal(values[:, seeds], other.losses[name])


@pytest.mark.parametrize("norm", ARMS)
@pytest.mark.parametrize("network", ["cnn", "resnet"])
def test_losses_equal_the_cpus(network, norm):
    setting = small(network, norm, dtype="float64")
    one, other = trained(setting, device=torch.device("cpu")), trained(setting)
    assert one.hashes == other.hashes
    for name, values in one.losses.items():
        np.testing.assert_allclose(other.losses[name], values, rtol=1e-9)


# torch's Muon finds its directions in bfloat16.
ROUNDING = {name: 0.05 if name.startswith("muon") else 1e-8 for name in MODULAR}


@pytest.mark.parametrize("name", MODULAR)
def test_losses_by_every_optimizer_equal_the_cpus(name):
    one, other = (trained(MODULAR[name], range(2), device) for device in (torch.device("cpu"), GPU))
    for measured, values in one.losses.items():
        np.testing.assert_allclose(other.losses[measured], values, rtol=ROUNDING[name], err_msg=measured)


@pytest.mark.parametrize("norm", ["none", "batch", "frozen", "population"])
@pytest.mark.parametrize("network", NETWORKS)
def test_bits_are_the_same_twice_without_graphs_alone_and_in_another_chunk(network, norm, monkeypatch):
    setting = small(network, norm)
    found = trained(setting)
    assert_same(found, trained(setting))
    assert_same(found, trained(setting, range(2, 3)), slice(2, 3))
    assert_same(found, trained(setting, range(1, 4)), slice(1, 4))
    monkeypatch.setattr(Dense, "captures", False)
    assert_same(found, trained(setting))


RESUMED = {
    **{
        f"{network}, {optimizer}": small(network, "batch", optimizer=named("optimizer", optimizer))
        for network in NETWORKS
        for optimizer in ("momentum", "adam", "rmsprop")
    },
    **{name: {**setting, "dtype": "float32"} for name, setting in MODULAR.items()},
}


@pytest.mark.parametrize("name", RESUMED)
def test_bits_are_the_same_after_a_resumption(name):
    setting = RESUMED[name]
    data, kept = [tasks.of(setting).data(seed) for seed in range(4)], []

    def after_epoch(done, state):
        kept.extend([state()] if done == 3 else [])

    whole = train_networks(ModularEngine.of(setting, [0, 1, 2, 3], data, GPU), setting, after_epoch=after_epoch)
    resumed = train_networks(ModularEngine.of(setting, [0, 1, 2, 3], data, GPU), setting, start=kept[0])
    assert_same(whole, resumed)
