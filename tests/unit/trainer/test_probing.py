"""What a few steps of a network are said to take."""

import json
import subprocess
import sys

import pytest
import torch
from specs import named, spec

from bnbench.catalogue import tasks
from bnbench.trainer import modular, probing

MEASURE = """
import json, sys
from bnbench.catalogue import tasks
from bnbench.trainer import probing
spec = json.loads(sys.argv[1])
print(probing.measure(spec, 0, tasks.of(spec).data(0)).mebibytes)
"""


def digits(**changes):
    network = named("network", "cnn", channels=(64,))
    return spec(**{"task": named("task", "digits"), "network": network, "batch_size": 16, "epochs": 2, **changes})


def measured(setting):
    """The memory, in a process that has trained nothing before."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(setting)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say what a process had at its most")
def test_memory_is_that_of_an_evaluation_where_batches_are_small():
    block = 1437 * 64 * 8 * 8 * 4 / 2**20  # MiB of what a convolution gives for all training points at once
    assert measured(digits()) > 2 * block


def test_time_grows_with_the_batch_and_the_points_of_an_evaluation(monkeypatch):
    monkeypatch.setattr(probing, "_seconds", lambda work, times: work() is None or 1.0)
    few, many = digits(batch_size=256), digits(batch_size=1024)
    data = tasks.of(few).data(0)
    assert probing.measure(many, 0, data).step == 4 * probing.measure(few, 0, data).step
    assert probing.measure(few, 0, data).evaluation == pytest.approx(1797 / (256 + 256))


def test_the_most_that_is_run_at_once_is_a_block(monkeypatch):
    seen = []
    setting = digits(epochs=1)
    trainee = modular.Trainee(setting, 0, tasks.of(setting).data(0), torch.device("cpu"))
    trainee._module.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    trainee.run_block(100)
    trainee.run_block(100_000)
    assert seen == [100, 4096]
