"""Networks are tried before any is trained: by `bnbench check` and `bnbench plan`, in a process of their own, once."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from specs import written_own

from bnbench import cli, dry_runs
from bnbench.plan import config, configfile
from bnbench.plan.study import Study
from bnbench.store import probes

STUDY = """\
study: small
network: {name: module, path: nets.py, build: my_net}
batch_size: [25, full]
optimizer: adam
seeds: 6
"""
NET = """\
from torch import nn


def my_net(norm, inputs, outputs):
    return nn.Sequential(nn.Linear(inputs[0], 4), norm(4), nn.ReLU(), nn.Linear(4, outputs))
"""


@pytest.fixture
def folder(write, tmp_path):
    write(STUDY, "config.yaml")
    write(NET, "nets.py")
    return tmp_path


@pytest.fixture
def started(monkeypatch):
    """The commands that are started, of which none runs; all networks count as tried afterwards."""
    commands = []

    def run(command, **options):
        commands.append(command)
        (results,) = command[command.index("--results") + 1 : command.index("--study")]
        for setting in Study(json.loads(options["input"])["study"]).settings:
            probes.write(setting.address, Path(results), None)
        return SimpleNamespace(returncode=0, stdout="", stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_check_tries_and_measures_each_network_once(folder, capsys):
    assert cli.main(["check"]) == 0
    assert "2 norms × 2 batch sizes × 6 seeds" in capsys.readouterr().out
    kept = {path: path.read_bytes() for path in (folder / "results" / "probes").glob("*.json")}
    study = config.load(configfile.read("config.yaml"), "config.yaml")
    assert {path.stem for path in kept} == {setting.address for setting in study.settings}
    for setting in study.settings:
        step, evaluation, mebibytes = probes.read(setting.address, folder / "results")
        assert min(step, evaluation) > 0 <= mebibytes
    assert cli.main(["plan"]) == 0
    assert "by a few steps of each network" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.parametrize("verb", ["check", "plan"])
def test_an_error_in_the_users_file_ends_the_verb_before_anything_is_trained(folder, write, capsys, verb):
    write(NET.replace("nn.Linear(4, outputs)", "nn.Linear(5, outputs)"), "nets.py")
    assert cli.main([verb]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "nets.py" in said.err
    assert "mat1 and mat2 shapes cannot be multiplied" in said.err
    assert "Traceback" not in said.err
    assert not [*(folder / "results").rglob("*.parquet")]


def test_a_study_of_plain_perceptrons_starts_no_process(started, tmp_path):
    dry_runs.run(config.load({"study": "x"}, "x.yaml"), tmp_path)
    assert started == []


def test_settings_that_were_tried_are_not_tried_again(started, tmp_path):
    study = config.load({"study": "x", "network": written_own("network")}, "x.yaml")
    for setting in study.settings[:-1]:
        probes.write(setting.address, tmp_path, None)
    dry_runs.run(study, tmp_path)
    assert len(started) == 1
    dry_runs.run(study, tmp_path)
    assert len(started) == 1


def test_where_torch_is_not_installed_the_jobs_try_the_networks(started, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    dry_runs.run(config.load({"study": "x", "network": written_own("network")}, "x.yaml"), tmp_path)
    assert started == []
    assert "torch is not installed here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("warnings.warn('slow'); print('x'); print('y', file=sys.stderr); 1 / 0", r"nets.py:7: in my_net: Zero"),
        ("sys.stderr.close(); sys.stdout.close(); 1 / 0", r"nets.py:7: in my_net: ZeroDivisionError: division by zero"),
        ("os._exit(0)", r"the dry run ended early, so the networks' code ends the program; allowed: code that returns"),
    ],
)
def test_what_a_users_code_prints_or_ends_hides_no_message(folder, write, capsys, code, said):
    write("import os, sys, warnings\n\n" + NET.replace("    return", f"    {code}\n    return"), "nets.py")
    assert cli.main(["check"]) == 2
    told = capsys.readouterr().err
    assert re.match(said, told)
    assert len(told.splitlines()) <= 3


def test_a_network_that_leaves_the_folder_is_tried_all_the_same(folder, write):
    forward = (
        "class Net(nn.Sequential):\n    def forward(self, x):\n        os.chdir('/')\n        return super().forward(x)"
    )
    write(f"import os\n{NET}\n\n{forward}\n".replace("return nn.Sequential", "return Net"), "nets.py")
    assert cli.main(["check"]) == 0
    assert Path.cwd() == folder
    assert len([*(folder / "results" / "probes").glob("*.json")]) == 4


SCORES = """\
def score(output, target):
    return {}


def unknown(output, target):
    return output.mean() * float("nan")
"""


def test_metrics_are_tried_too_whichever_engine_trains(write, capsys):
    write("study: small\nmetrics: [{name: module, path: scores.py, build: score}]\nseeds: 6\n", "config.yaml")
    write(SCORES.format("output.sum(1)"), "scores.py")
    assert cli.main(["check"]) != 0
    assert "scores.py: score: the metric gives [250] for 250 points, allowed: one number" in capsys.readouterr().err
    write(SCORES.format("output.missing"), "scores.py")
    assert cli.main(["check"]) != 0
    assert capsys.readouterr().err.splitlines() == [
        "scores.py:2: in score: AttributeError: 'Tensor' object has no attribute 'missing'",
        "    return output.missing",
        "while bnbench measures score",
    ]
    write(SCORES.format("output.mean()"), "scores.py")
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().err == ""


def test_a_metric_that_is_nan_is_told_of_before_anything_is_trained(write, capsys):
    write("study: small\nmetrics: [{name: module, path: scores.py, build: unknown}]\nseeds: 6\n", "config.yaml")
    write(SCORES.format("output.mean()"), "scores.py")
    assert cli.main(["check"]) == 0
    assert "scores.py: unknown: the metric gives NaN for outputs drawn at random" in capsys.readouterr().err
