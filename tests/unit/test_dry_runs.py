"""Networks are tried before any is trained: by `bnbench check` and `bnbench plan`, in a process of their own, once."""

import subprocess
from types import SimpleNamespace

import pytest
from specs import written_own

from bnbench import cli, dry_runs
from bnbench.plan import config, configfile
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
    """The commands that are started, of which none runs."""
    commands = []

    def run(command, **options):
        commands.append(command)
        return SimpleNamespace(returncode=0, stderr="")

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
    probes.write(study.settings[-1].address, tmp_path, None)
    dry_runs.run(study, tmp_path)
    assert len(started) == 1


def test_where_torch_is_not_installed_the_jobs_try_the_networks(started, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dry_runs.importlib.util, "find_spec", lambda name: None)
    dry_runs.run(config.load({"study": "x", "network": written_own("network")}, "x.yaml"), tmp_path)
    assert started == []
    assert "torch is not installed here" in capsys.readouterr().err
