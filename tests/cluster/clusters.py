"""Checkouts whose jobs run on the SLURM cluster of these tests, and what SLURM says of them."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

from bnbench.plan import config, configfile
from checkouts import Checkout

LIMIT = 900
"""Seconds after which a run of Snakemake is killed."""

PACE = 2
"""Seconds between two looks at the jobs."""

PROFILE = "workflow/profiles/slurm/config.yaml"

STUDY = {
    "hidden": [32, 32],
    "epochs": 20_000,
    "evaluate_every": 5000,
    "seeds": 6,
    "seeds_per_job": {"cpu": 6},
    "batch_size": ["full"],
    "device": ["cpu", "cuda"],
}
"""Changes of the tiny study that make it two jobs on CPUs and two on GPUs, of some seconds."""


class OnCluster(Checkout):
    """A checkout whose jobs are SLURM's, by the project's own profile but for how often jobs are looked at."""

    def _command(self, arguments, configfile):
        profile = ["--workflow-profile", "workflow/profiles/slurm", "--jobs", "2", "--latency-wait", "5"]
        often = ["--slurm-init-seconds-before-status-checks", str(PACE)]
        command = [sys.executable, "-m", "snakemake", "--configfile", configfile, *profile, *often, *arguments]
        return ["timeout", "-k", "10", str(LIMIT), *command]

    def _environment(self):
        environment = {**super()._environment(), "BNBENCH_TEST_CUDA_ON_CPU": "1"}
        del environment["SLURM_CONF"]
        return {**environment, "PATH": f"{self.folder / 'commands'}{os.pathsep}{environment['PATH']}"}

    def stand_in(self, command, script):
        """Have a script of the shell take the place of a command for Snakemake."""
        path = self.folder / "commands" / command
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def profile(self, rule, **resources):
        """Let the profile say what jobs of a rule request; give the file's lines."""
        path = self.folder / PROFILE
        profile = yaml.safe_load(path.read_text())
        profile["set-resources"].setdefault(rule, {}).update(resources)
        path.write_text(yaml.safe_dump(profile))
        return path.read_text().splitlines()

    def kill_everything(self):
        """Kill -9 all processes at work in this checkout, whoever started them, and what they start meanwhile."""
        while found := [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if self._is_home_of(folder)]:
            for process in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.1)

    def _is_home_of(self, process):
        with contextlib.suppress(OSError):
            return (process / "cwd").readlink() == self.folder
        return False

    def log(self, device):
        """What the present log of a job of a setting on `device` says, by setting."""
        logs = (self.folder / "logs" / "train").glob(f"*-{device}-*/*.log")
        return {path.parent.name: path.read_text() for path in logs}

    def trains(self, partition):
        """A process of the partition's that trains, and the id of its job; None while there is none."""
        for process in self.training():
            with contextlib.suppress(OSError):
                told = Path(f"/proc/{process}/environ").read_text().split("\0")
                if f"SLURM_JOB_PARTITION={partition}" in told:
                    return process, next(line.split("=")[1] for line in told if line.startswith("SLURM_JOB_ID="))
        return None

    def planned_study(self):
        """The study as it is planned in this checkout."""
        with contextlib.chdir(self.folder):
            return config.load(configfile.read("tiny.yaml"), "tiny.yaml")

    def resumed(self):
        """Settings whose last job went on from a checkpoint."""
        return {
            name
            for device in ("cpu", "cuda")
            for name, text in self.log(device).items()
            if "continues after epoch" in text
        }


def slurm(*command):
    """What one of SLURM's commands says."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def running(partition="cpu,gpu"):
    """Ids of the jobs that run in these partitions."""
    return slurm("squeue", "-h", "-t", "RUNNING", "-o", "%i", "-p", partition).split()


def described(job):
    """What SLURM knows of a job, one field after the other."""
    return dict(re.findall(r"(\S+?)=(\S*)", slurm("scontrol", "-d", "show", "job", job)))


def caught_in_training(checkout, wait_until, partition="cpu"):
    """A process of a partition's that trains and has written a checkpoint, and its job."""
    process, job = wait_until(lambda: checkout.trains(partition))
    os.kill(process, signal.SIGUSR1)
    wait_until(checkout.checkpoints)
    return process, job


def halted_in_training(checkout, wait_until, partition="cpu"):
    """A job that has written a checkpoint, and stands still until SLURM ends it: it cannot end by itself."""
    process, job = caught_in_training(checkout, wait_until, partition)
    os.kill(process, signal.SIGSTOP)
    return job


def preempt():
    """Have a job take the whole node of the jobs on CPUs for a moment."""
    slurm("sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=true")
