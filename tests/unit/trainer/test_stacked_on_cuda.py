"""The stacked engine on a GPU: equal to the CPU, and the same bits twice and after a resumption."""

import os

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import pytest
import torch
from on_devices import STACKED

from bnbench.catalogue import tasks
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
    setting = {**STACKED[name], "dtype": "float32", "epochs": 10}
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
