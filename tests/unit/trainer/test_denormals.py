"""Denormal numbers count as 0 where that changes no bit, in all threads of a job; and nowhere else."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from specs import RATES, named, own, spec

from bnbench.catalogue import tasks
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files
from bnbench.trainer import denormals
from bnbench.trainer.chunk import train
from bnbench.trainer.stacked import StackedEngine

CPU = torch.device("cpu")
SEEDS = range(4)
EPOCHS = 300

# A fast decay, and rates at which units die.
DECAYING = {
    "adam": named("optimizer", "adam", lr=0.05),
    "momentum": named("optimizer", "momentum", lr=0.1),
    "rmsprop": named("optimizer", "rmsprop", lr=0.02, alpha=0.9),
}


def points(setting):
    return [tasks.of(setting).data(seed) for seed in SEEDS]


def engine(setting):
    return StackedEngine.of(setting, list(SEEDS), points(setting), CPU)


def trained(networks, epochs=range(EPOCHS)):
    """The losses of every epoch, and the weights after the last."""
    losses = [networks.train_epoch(epoch, 1.0).numpy().tobytes() for epoch in epochs]
    kept = networks.snapshot().stacked
    return losses, {name: values.tobytes() for name, values in kept.items() if name.startswith("weights/")}


def kept_denormals(networks):
    """How many the optimizer keeps, by their bits alone."""
    kept = networks.snapshot().stacked.items()
    of_optimizer = [values.view(np.int32) for name, values in kept if not name.startswith(("weights/", "buffers/"))]
    return sum(int(((bits & 0x7F800000 == 0) & (bits & 0x007FFFFF != 0)).sum()) for bits in of_optimizer)


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("optimizer", DECAYING)
def test_losses_and_weights_have_the_same_bits_with_and_without_denormals(optimizer, norm):
    setting = spec(
        hidden=[32, 32], norm=named("norm", norm), optimizer=DECAYING[optimizer], batch_size=25, epochs=EPOCHS
    )
    assert denormals.come_of_decay(setting)
    plain = engine(setting)
    expected = trained(plain)
    assert kept_denormals(plain)
    with denormals.flushed():
        flushed = engine(setting)
        assert trained(flushed) == expected
    assert not kept_denormals(flushed)


def test_a_checkpoint_that_holds_denormals_goes_on_to_the_same_bits():
    setting = spec(
        hidden=[32, 32], norm=named("norm", "none"), optimizer=DECAYING["adam"], batch_size=25, epochs=EPOCHS
    )
    half = EPOCHS * 3 // 4
    plain = engine(setting)
    trained(plain, range(half))
    assert kept_denormals(plain)
    kept = plain.snapshot()
    with denormals.flushed():
        resumed = engine(setting)
        resumed.restore(kept, half)
        found = trained(resumed, range(half, EPOCHS))
    assert found == trained(plain, range(half, EPOCHS))


SIGNS = spec(
    task=named("task", "moons"),
    hidden=[16, 16],
    norm=named("norm", "none"),
    optimizer=named("optimizer", "rprop", **RATES["rprop"]),
    epochs=EPOCHS,
)


def test_rprop_trains_with_denormals_which_give_it_other_bits():
    plain = engine(SIGNS)
    losses, _ = trained(plain)
    with denormals.flushed():
        assert trained(engine(SIGNS))[0] != losses
    found = train(SIGNS, SEEDS, points(SIGNS), CPU).losses["train_loss"].astype(np.float32)
    np.testing.assert_array_equal(found, np.stack([np.frombuffer(each, np.float32) for each in losses]))


@pytest.mark.parametrize(
    "changes",
    [
        {"task": named("task", "digits")},
        {"task": named("task", "moons")},
        {"activation": "sigmoid"},
        {"activation": "silu"},
        {"activation": "gelu"},
        {"optimizer": named("optimizer", "rprop")},
        *({kind: own(kind)} for kind in ("network", "norm", "optimizer", "loss", "task")),
        {"metrics": [own("metric")]},
    ],
    ids="-".join,
)
def test_denormals_stay_where_they_may_have_an_effect(changes):
    assert not denormals.come_of_decay(spec(**changes))


JOB = """
import json, sys, torch
from pathlib import Path
from bnbench import train
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.trainer import chunk

def kept():
    # Made by their bits, since no arithmetic makes them any more; enough of them for all threads.
    numbers = torch.full((2**21,), 2**20, dtype=torch.int32).view(torch.float32)
    return int((numbers * 2).view(torch.int32).count_nonzero())

def watched(*arguments, whole=chunk.train_in_stacks):
    found = whole(*arguments)
    print("within", kept())
    return found

chunk.train_in_stacks = watched
train.run(Chunk(Setting.from_spec(json.loads(sys.argv[1])), 0, 8), Path(sys.argv[2]), int(sys.argv[3]))
"""


def job(setting, results, threads):
    """How many of 2²¹ denormals a product leaves while the job trains."""
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", JOB, setting.to_json(), str(results), str(threads)]
    said = subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout
    return int(said.split()[-1])


def test_all_threads_of_a_job_flush_denormals_and_their_number_changes_no_bit(tmp_path):
    # 8 networks of 17,000 parameters, which torch shares among threads; long enough for denormals.
    setting = Setting.from_spec(
        spec(hidden=[64, 256], norm=named("norm", "none"), optimizer=DECAYING["adam"], batch_size=10, epochs=120)
    )
    measured = []
    for threads in (1, 2):
        results = tmp_path / str(threads)
        assert job(setting, results, threads) == 0
        paths = chunk_files.paths(Chunk(setting, 0, 8), results)
        measured.append([pd.read_parquet(paths[kind]) for kind in ("losses", "predictions")])
    for one, other in zip(*measured, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_a_job_whose_bits_may_hang_on_denormals_keeps_them(tmp_path):
    assert job(Setting.from_spec({**SIGNS, "epochs": 2}), tmp_path, 2) == 2**21


def test_afterwards_denormals_are_numbers_again():
    tiny = torch.full((1,), 2**20, dtype=torch.int32).view(torch.float32)
    with denormals.flushed():
        assert not (tiny * 2).view(torch.int32).any()
    assert (tiny * 2).view(torch.int32).any()
    with denormals.flushed(wanted=False):
        assert (tiny * 2).view(torch.int32).any()
