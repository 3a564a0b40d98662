"""The stacked engine on a GPU: equal to the CPU, and the same bits twice and after a resumption."""

import os

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import pytest
import torch
from on_devices import STACKED
from specs import named, spec

from bnbench.catalogue import tasks
from bnbench.plan import engines
from bnbench.trainer import fused
from bnbench.trainer.chunk import train
from bnbench.trainer.loop import train_networks
from bnbench.trainer.stacked import StackedEngine

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
GPU = torch.device("cuda", 0)
SEEDS = range(3)
REPEATED = [name for name in STACKED if name.startswith("optimizer ") or ", adam, " in name]


def data_of(setting):
    return [tasks.of(setting).data(seed) for seed in SEEDS]


def trained(setting, device=GPU):
    return train(setting, SEEDS, data_of(setting), device)


@pytest.mark.parametrize("name", STACKED)
def test_losses_equal_the_cpus_in_float64(name):
    one, other = trained(STACKED[name], torch.device("cpu")), trained(STACKED[name])
    assert one.hashes == other.hashes
    assert one.diverged_at == other.diverged_at == [None] * len(SEEDS)
    for measured, values in one.losses.items():
        np.testing.assert_allclose(other.losses[measured], values, rtol=1e-8, atol=1e-14, err_msg=measured)
    np.testing.assert_allclose(other.fit, one.fit, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", REPEATED)
def test_bits_in_float32_are_the_same_twice_and_after_a_resumption(name):
    setting = {**STACKED[name], "dtype": "float32", "device": "cuda", "epochs": 10}
    data, kept = data_of(setting), []

    def after_epoch(done, state):
        kept.extend([state()] if done == 4 else [])

    def engine():
        return StackedEngine.of(setting, [*SEEDS], data, GPU)

    whole = train_networks(engine(), setting, after_epoch=after_epoch)
    again, resumed = train_networks(engine(), setting), train_networks(engine(), setting, start=kept[0])
    for measured, values in whole.losses.items():
        np.testing.assert_array_equal(again.losses[measured], values)
        np.testing.assert_array_equal(resumed.losses[measured], values)
    np.testing.assert_array_equal(again.fit, whole.fit)
    np.testing.assert_array_equal(resumed.fit, whole.fit)


@pytest.mark.parametrize("batch_size", ["full", 33])
@pytest.mark.parametrize("hidden", [(16,), (257, 63), (64, 64, 64)])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
@pytest.mark.parametrize("arm", ["none", "batch"])
def test_fused_kernels_train_as_torchs_own(arm, optimizer, hidden, batch_size, monkeypatch):
    setting = spec(
        norm=named("norm", arm),
        optimizer=named("optimizer", optimizer),
        schedule=named("schedule", "cosine"),
        hidden=[*hidden],
        batch_size=batch_size,
        device="cuda",
        epochs=4,
        evaluate_every=1,
    )
    assert engines.fused(setting)
    assert StackedEngine.of(setting, [*SEEDS], data_of(setting), GPU).is_fused
    found = trained(setting)
    monkeypatch.setattr(fused, "kernels_for", lambda *_: None)
    for measured, values in trained(setting).losses.items():
        # Plain TF32 would be off by 1e-3 and more from the first epoch on; a score such as R² may be near 0.
        close = {"rtol": 1e-4} if measured == "train_loss" else {"rtol": 1e-3, "atol": 1e-3}
        np.testing.assert_allclose(found.losses[measured], values, **close, err_msg=measured)
