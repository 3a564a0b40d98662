"""A command of SLURM's answers, refuses, or gives no answer: that is one message, and takes no longer than it may."""

import re
import time

import pytest

from bnbench.cluster import commands


@pytest.fixture
def command(tmp_path, monkeypatch):
    """A function that puts a command of SLURM's on the path."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(name, script):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return make


def test_a_command_gives_what_it_prints_and_gets_its_arguments_and_text(command):
    command("sinfo", 'echo "$# $1 $2 $(cat)"')
    assert commands.ask("sinfo", "--all", "x y", text="in") == "2 --all x y in\n"


def test_a_command_that_is_absent_is_one_message(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        commands.NoAnswer, match=r"SLURM's command sinfo cannot be started here .*: work on a login node"
    ):
        commands.ask("sinfo")


def test_a_command_that_hangs_is_one_message_in_time(command):
    command("sinfo", "exec sleep 60")
    begun = time.monotonic()
    with pytest.raises(commands.NoAnswer, match="SLURM does not answer: sinfo took more than 0 s"):
        commands.ask("sinfo", seconds=0.2)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "slurm_load_partitions: Unable to contact slurm controller (connect failure)",
            "slurm_load_partitions: Unable to contact slurm controller (connect failure)",
        ),
        ("scontrol: error: ...Unable to process configuration file", "Unable to process configuration file"),
        ("sinfo: fatal: Could not establish a configuration source", "Could not establish a configuration source"),
    ],
)
def test_a_controller_that_is_down_or_unknown_gives_no_answer(command, said, told):
    command("sinfo", f"echo '{said}' >&2; exit 1")
    with pytest.raises(commands.NoAnswer, match=re.escape(f"SLURM does not answer (sinfo: {told}). Its controller")):
        commands.ask("sinfo")


@pytest.mark.parametrize(
    "reason",
    [
        "Batch job submission failed: Invalid account or account/partition combination specified",
        "Batch job submission failed: Requested node configuration is not available",
    ],
)
def test_a_refusal_is_its_reason(command, reason):
    command("sbatch", f"echo 'sbatch: warning: this and that' >&2; echo 'sbatch: error: {reason}' >&2; exit 1")
    with pytest.raises(commands.Refused) as refused:
        commands.ask("sbatch")
    assert str(refused.value) == reason


def test_within_a_job_slurms_variables_are_no_options(command, monkeypatch):
    command("sbatch", "env")
    for name in ("SLURM_JOB_ID", "SLURM_MEM_PER_CPU", "SQUEUE_FORMAT"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("SLURM_CONF", "/etc/elsewhere.conf")
    seen = commands.ask("sbatch")
    assert "SLURM_CONF=/etc/elsewhere.conf" in seen
    assert not {line.partition("=")[0] for line in seen.splitlines()} & {"SLURM_JOB_ID", "SQUEUE_FORMAT"}
    assert "=x\n" not in seen
