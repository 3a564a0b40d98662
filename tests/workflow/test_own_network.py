"""Studies of the user's own code, from a config and its file to the page, and what is said of errors in the file."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from stores import text_of

from bnbench.vocabulary import FACTORS
from checkouts import finished_chunks

OWN = Path(__file__).parent / "own"
SMALL = {"seeds": 2, "seeds_per_job": {"cpu": 2}, "epochs": 4, "evaluate_every": 2}


def module(path, build, **options):
    return {"name": "module", "path": path, "build": build, **options}


STUDIES = {
    "an LSTM": {
        "task": {"name": "adding", "length": 6, "points": 60, "test_points": 30},
        "network": [module("lstm.py", "reader"), module("lstm.py", "reader", each_step=True)],
        "norm": ["none", "batch", "layer"],
        "batch_size": 20,
    },
    "a network with BatchNorm layers": {
        "task": "digits",
        "network": module("with_batchnorm.py", "Net", width=4),
        "norm": ["none", "batch", {"name": "group", "groups": 4, "layers": ["body*"]}],
        "batch_size": 500,
    },
    "a network, a norm, an optimizer and a loss": {
        "task": "diabetes",
        "network": module("parts.py", "two_layers", width=6),
        "norm": ["none", module("parts.py", "Centred", shrink=0.5)],
        "optimizer": module("parts.py", "SignDescent", lr=0.01, decay=0.1),
        "loss": module("parts.py", "pinball", share=0.7),
        "batch_size": 100,
    },
}
LABELS = {
    "an LSTM": {"network": {"reader", "reader each_step=True"}, "norm": {"none", "batch", "layer"}},
    "a network with BatchNorm layers": {
        "network": {"Net width=4"},
        "norm": {"none", "batch", "group groups=4 layers=body*"},
    },
    "a network, a norm, an optimizer and a loss": {
        "network": {"two_layers width=6"},
        "norm": {"none", "Centred shrink=0.5"},
        "optimizer": {"SignDescent lr=0.01 decay=0.1"},
        "loss": {"pinball of parts.py (share=0.7)"},
    },
}


@pytest.fixture
def own(new_checkout):
    """A function that makes a checkout with a study and its files in a folder of theirs."""

    def made(**changes):
        checkout = new_checkout(**SMALL | changes)
        shutil.copytree(OWN, checkout.folder / "study")
        (checkout.folder / "tiny.yaml").rename(checkout.folder / "study" / "tiny.yaml")
        return checkout

    return made


def run(checkout, *arguments, **options):
    return checkout.snakemake(*arguments, configfile="study/tiny.yaml", **options)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_of_ones_own_runs_to_a_page_that_has_the_users_names(own, name):
    checkout = own(**STUDIES[name])
    ended = run(checkout)
    assert ended.returncode == 0, ended.stderr
    trials = pd.read_parquet(checkout.results / "trials")
    assert trials["diverged_at"].isna().all()
    pairs = trials.groupby(["seed", "network"])
    assert pairs["weights_hash"].nunique().eq(1).all()  # the arms of a pair start alike
    assert pairs["test_loss"].nunique().eq(len(STUDIES[name]["norm"])).all()
    said = text_of(checkout.report / "index.html")
    for factor, labels in LABELS[name].items():
        assert factor not in FACTORS or {*trials[factor]} == labels
        assert [label for label in labels if label not in said] == []
    assert "Fully connected" not in said
    assert str(checkout.folder) not in said
    assert checkout.jobs(run(checkout, "-n")) == {}


def test_an_edited_comment_trains_anew_and_the_plan_says_so(own):
    checkout = own(**STUDIES["an LSTM"] | {"network": module("lstm.py", "reader"), "norm": ["none", "batch"]})
    assert run(checkout, "--until", "train").returncode == 0
    before = finished_chunks(checkout)
    with (checkout.folder / "study" / "lstm.py").open("a") as file:
        file.write("# edited\n")
    changed = "study/lstm.py changed: training starts again; 4 trials with other versions of it stay in results"
    check = checkout.bnbench("check", "--configfile", "study/tiny.yaml")
    plan = checkout.bnbench("plan", "--configfile", "study/tiny.yaml")
    planned = run(checkout, "-n")
    assert checkout.jobs(planned)["train"] == 2
    assert [said.splitlines().count(changed) for said in (check.stdout, plan.stdout, planned.stderr)] == [1, 1, 1]
    again = run(checkout, "--until", "train")
    assert again.stderr.splitlines().count(changed) == 1
    after = finished_chunks(checkout)
    assert len(after) == 4
    assert before.items() <= after.items()
    assert changed not in run(checkout, "-n").stderr


def test_a_file_that_is_moved_trains_nothing(own):
    checkout = own(**STUDIES["an LSTM"] | {"network": module("lstm.py", "reader"), "norm": ["none", "batch"]})
    assert run(checkout, "--until", "train").returncode == 0
    (checkout.folder / "study").rename(checkout.folder / "elsewhere")
    beside = checkout.snakemake("-n", configfile="elsewhere/tiny.yaml")
    (checkout.folder / "elsewhere" / "lstm.py").rename(checkout.folder / "lstm.py")
    here = checkout.snakemake("-n", configfile="elsewhere/tiny.yaml")
    for planned in (beside, here):
        assert "train" not in checkout.jobs(planned)
        assert "changed" not in planned.stderr


NETS = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, norm, inputs, outputs):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(inputs[0], 4), norm(4), nn.Linear(4, outputs)
        self.steps = 0

    def forward(self, x):
        self.steps += self.training
        return self.last(self.norm(self.first(x)).relu())


def net(norm, inputs, outputs):
    return Net(norm, inputs, outputs)


def loss(output, target):
    return (output - target).square().mean(1)
"""
BUILD, FORWARD, LOSS = "self.steps = 0", "self.steps += self.training", "(output - target).square().mean(1)"
"""Lines 9, 12 and 21."""
ERRORS = {
    "in the constructor": (
        (BUILD, "self.steps = none"),
        ["nets.py:9: in __init__: NameError: name 'none' is not defined", "    self.steps = none"],
        "while bnbench builds the network with net, called from nets.py:17 in net",
    ),
    "in forward": (
        (FORWARD, "x = x @ torch.ones(9, 3)"),
        ["nets.py:12: in forward: RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x1 and 9x3)"],
        "while bnbench runs the network",
    ),
    "in the loss": (
        (LOSS, "(output - targets).square().mean(1)"),
        ["nets.py:21: in loss: NameError: name 'targets' is not defined"],
        "while bnbench computes the loss",
    ),
    "a program that ends": (
        ("import torch\n", "import sys; sys.exit()\n"),
        ["nets.py:1: SystemExit", "    import sys; sys.exit()"],
        "while bnbench imports it",
    ),
    "a package that is not there": (
        ("import torch\n", "import torchnorms\n"),
        ["nets.py:1: ModuleNotFoundError: No module named 'torchnorms'", "    import torchnorms"],
        "while bnbench imports it",
    ),
    "a lack of memory": (
        (BUILD, "raise MemoryError"),
        ["nets.py:9: in __init__: MemoryError", "    raise MemoryError"],
        "while bnbench builds the network with net, called from nets.py:17 in net",
    ),
    "outputs of another shape": (
        ("self.last(self.norm(self.first(x)).relu())", "self.norm(self.first(x))"),
        ["nets.py: net: the network gives [2, 4] for 2 examples, allowed: [2, 1], which is [examples, outputs]"],
        None,
    ),
    "a loss of the batch": (
        (LOSS, "(output - target).square().mean()"),
        ["nets.py: loss: the loss gives [] for 2 examples, allowed: [2], a number for each of them"],
        None,
    ),
    "a network that ignores its arm": (
        ("norm(4)", "nn.Identity()"),
        ["nets.py: net never calls norm(channels), so all arms would be the same; allowed: at least one layer of it"],
        None,
    ),
}


@pytest.fixture
def wrong(checkout):
    """A function that changes a user's file, whose network and loss a study calls."""

    def made(old, new):
        assert NETS.count(old) == 1
        (checkout.folder / "nets.py").write_text(NETS.replace(old, new))
        own = {"network": module("nets.py", "net"), "loss": module("nets.py", "loss")}
        checkout.study(**SMALL | own | {"batch_size": 25})
        return checkout

    return made


def logs(checkout):
    return [path.read_text() for path in sorted((checkout.folder / "logs" / "train").rglob("*.log"))]


@pytest.mark.parametrize(("change", "first", "last"), ERRORS.values(), ids=ERRORS)
def test_an_error_in_the_users_file_is_told_with_its_line_and_in_three_lines(wrong, change, first, last):
    checkout = wrong(*change)
    check, ended = checkout.bnbench("check", "--configfile", "tiny.yaml"), checkout.snakemake()
    assert check.returncode == 2
    assert ended.returncode != 0
    for said in (check.stderr, ended.stderr):
        assert said.splitlines()[: len(first)] == first
        assert said.splitlines()[len(first) :][-1:] == ([last] if last else [])
        assert len(said.splitlines()) == (3 if last else 1)
    assert logs(checkout) == []
    assert checkout.chunks() == {}


def test_a_package_that_jobs_lack_is_told_in_their_logs(wrong):
    checkout = wrong("import torch\n", "import torchnorms\n")
    packages = checkout.folder / "packages"
    packages.mkdir()
    (packages / "torchnorms.py").touch()
    found = f"{checkout.folder / 'workflow'}:{packages}"
    assert checkout.bnbench("check", "--configfile", "tiny.yaml", PYTHONPATH=found).returncode == 0
    ended = checkout.snakemake("--keep-going")
    assert ended.returncode != 0
    first = "nets.py:1: ModuleNotFoundError: No module named 'torchnorms'"
    assert logs(checkout) == [f"{first}\n    import torchnorms\nwhile bnbench imports it\n"] * 2
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "Training remains for 2 jobs:" in ended.stderr


def test_an_error_at_a_later_step_loses_nothing_that_is_finished(wrong):
    checkout = wrong(
        FORWARD, f"{FORWARD}\n        if self.steps > 9 and type(self.norm) is nn.Identity:\n            1 / 0"
    )
    ended = checkout.snakemake("--keep-going")
    assert ended.returncode != 0
    (failed,) = [log for log in logs(checkout) if "trained" not in log]
    line = "nets.py:14: in forward: ZeroDivisionError: division by zero"
    assert failed.splitlines() == [line, "    1 / 0", "while bnbench trains"]
    assert "Traceback" not in ended.stdout + ended.stderr
    (kept,) = finished_chunks(checkout)
    assert "-batch-" in kept
    assert "Training remains for 1 job:" in ended.stderr
    assert re.search(r"^  sine-net-none-\S+, seeds 0 to 1; its log: logs/train/", ended.stderr, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def net(norm:\n", "nets.py:1: SyntaxError: '(' was never closed"),
        ("def nte(norm):\n    pass\n", "nets.py: no 'net' (did you mean 'nte'?); the file defines nte"),
        (None, "nets.py: cannot read the Python file (No such file or directory)"),
    ],
    ids=["no Python", "no such function", "no such file"],
)
def test_what_can_be_seen_without_running_the_file_is_told_before_anything_runs(checkout, text, message):
    if text is not None:
        (checkout.folder / "nets.py").write_text(text)
    checkout.study(network=module("nets.py", "net"))
    run, check = checkout.snakemake("-n"), checkout.bnbench("check", "--configfile", "tiny.yaml")
    for ended in (run, check):
        assert ended.returncode != 0
        assert ended.stderr == f"tiny.yaml: network: {message}\n"
    assert not checkout.results.exists()
