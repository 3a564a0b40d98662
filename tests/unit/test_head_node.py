"""A head node without torch plans a study of the user's own code, and runs none of it."""

import json
import os
import subprocess
import sys

import pytest

from bnbench.vocabulary import PACKAGE
from checkouts import without

CODE = """\
open("it ran", "w").close()

import torch


def net(norm, inputs, outputs):
    return torch.nn.Sequential(torch.nn.Flatten(), norm(64), torch.nn.Linear(64, outputs))


class Norm(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()


class Descent(torch.optim.SGD):
    def __init__(self, params, lr):
        super().__init__(params, lr)


def loss(output, target):
    return (output - target).abs().mean(1)
"""


def own(build, **options):
    return {"name": "module", "path": "own.py", "build": build, **options}


STUDY = {
    "study": "own",
    "task": "digits",
    "network": own("net"),
    "norm": ["none", own("Norm")],
    "optimizer": own("Descent", lr=0.1),
    "loss": own("loss"),
    "batch_size": 100,
    "seeds": 6,
}


@pytest.fixture
def head_node(tmp_path):
    """A function that runs Python on a machine without torch, in a folder with the study and the user's file."""
    (tmp_path / "own.py").write_text(CODE)
    (tmp_path / "config.yaml").write_text(json.dumps(STUDY))
    (tmp_path / "path").mkdir()
    path = os.pathsep.join([without(tmp_path / "path", "torch"), str(PACKAGE.parent)])

    def run(*arguments):
        options = {"capture_output": True, "text": True, "env": {**os.environ, "PYTHONPATH": path}}
        return subprocess.run([sys.executable, *arguments], check=False, cwd=tmp_path, **options)

    return run


@pytest.mark.parametrize(
    ("verb", "said"),
    [("check", "own: 2 norms × 6 seeds = 12 trials in "), ("plan", "to train    12 of 12 trials, in ")],
)
def test_a_study_of_the_users_own_code_is_planned_without_torch_and_nothing_of_it_runs(head_node, tmp_path, verb, said):
    done = head_node("-m", "bnbench", verb)
    assert done.returncode == 0
    busy = "note: this machine is busy now ("  # as `plan` says where it is
    told = [line for line in done.stderr.splitlines() if not line.startswith(busy)]
    assert told == ["torch is not installed here: the networks are tried when their jobs start"]
    assert said in done.stdout
    assert not (tmp_path / "it ran").exists()


def test_the_users_code_would_fail_there_and_leave_a_trace(head_node, tmp_path):
    done = head_node("own.py")
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'torch'\n")
    assert (tmp_path / "it ran").exists()
