"""Checkouts of the project in which Snakemake really runs, on a study so small that a whole run takes some seconds."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

PROJECT = Path(__file__).parents[1]

THREADS = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
"""How the tests' own process computes; what Snakemake runs is left as it is."""

TINY = {
    "study": "tiny",
    "hidden": [8],
    "epochs": 6,
    "evaluate_every": 3,
    "seeds": 4,
    "seeds_per_job": {"cpu": 2},
    "norm": ["none", "batch"],
    "batch_size": ["full", 25],
    "optimizer": [{"name": "adam", "lr": 0.01}],
}
"""16 trials in 8 jobs."""


class Checkout:
    """The project's files in a folder of their own, with the study in `tiny.yaml`, and Snakemake at home there."""

    def __init__(self, folder):
        self.folder = folder
        self.results, self.report = folder / "results", folder / "reports" / "tiny"

    @classmethod
    def of(cls, source, folder):
        """The project's files out of its working tree."""
        folder.mkdir()
        shutil.copytree(source / "workflow", folder / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Snakefile", "config.yaml"):
            shutil.copy2(source / name, folder)
        return cls(folder)

    def copied(self, folder):
        """A copy of this checkout with all that was made in it, Snakemake's notes and timestamps included."""
        return type(self)(shutil.copytree(self.folder, folder))

    def study(self, **changes):
        """Make `tiny.yaml` the tiny study with `changes`."""
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump({**TINY, **changes}, sort_keys=False))

    def edit(self, file, old, new):
        """Replace the one `old` in a file of the checkout."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} in {file}"
        path.write_text(text.replace(old, new))

    def hold_training(self):
        """Have every job wait before it trains until `let_train` is called, so that a run is at work for that long."""
        held = "(touch held; until [ -e go ]; do sleep 0.1; done) && "
        self.edit("workflow/rules/train.smk", '"python -m', f'"{held}python -m')

    def holds(self):
        """Whether a job waits."""
        return (self.folder / "held").exists()

    def let_train(self):
        """Let all jobs train."""
        (self.folder / "go").touch()

    def snakemake(self, *arguments, configfile="tiny.yaml", **environment):
        """Run Snakemake to its end."""
        return self._ended(self._command(arguments, configfile), {**self._environment(), **environment})

    def planned(self, *arguments):
        """How many jobs of each rule Snakemake would run, by a dry run."""
        return self.jobs(self.snakemake("-n", *arguments))

    @staticmethod
    def jobs(run):
        """How many jobs of each rule are counted by a run that went well."""
        assert run.returncode == 0, run.stdout + run.stderr
        jobs = dict(re.findall(r"^(\w+) +(\d+)$", run.stdout, re.MULTILINE))
        return {rule: int(count) for rule, count in jobs.items() if rule not in ("all", "total")}

    def run(self, *arguments, **environment):
        """Run the study, which must go well."""
        run = self.snakemake(*arguments, **environment)
        assert run.returncode == 0, run.stdout + run.stderr
        return run

    def bnbench(self, *arguments, **environment):
        """Run a verb of the command line."""
        package = {"PYTHONPATH": str(self.folder / "workflow")}
        return self._ended(
            [sys.executable, "-m", "bnbench", *arguments], {**self._environment(), **package, **environment}
        )

    def start(self, *arguments):
        """Start Snakemake with all that it starts in a process group of its own."""
        return subprocess.Popen(
            self._command(arguments, "tiny.yaml"),
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def processes(self, *words):
        """Ids of the processes at work in this checkout whose command line holds all `words`."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if (process / "cwd").readlink() == self.folder and set(words) <= set(command):
                    found.append(int(process.name))
        return found

    def training(self):
        """Ids of the processes that train: they listen for the signal that is answered by a checkpoint."""
        return [process for process in self.processes("bnbench", "train") if _listens(process, signal.SIGUSR1)]

    def checkpoints(self):
        """The checkpoints that are there."""
        return sorted((self.results / "checkpoints").rglob("*.npz"))

    def chunks(self, kind="losses"):
        """The finished files of a kind → what tells a file from a later one of the same name."""
        files = sorted((self.results / kind).glob("*/seeds-*.parquet"))
        # Not the time of the last change: Snakemake touches what a job has made when it hears of its end.
        told = subprocess.run(["stat", "-c", "%i born %w", *files], check=False, capture_output=True, text=True).stdout
        names = [str(file.relative_to(self.results / kind)) for file in files]
        return dict(zip(names, told.splitlines(), strict=True))

    def contents(self, *patterns):
        """Files of the report → their bytes."""
        files = [file for pattern in patterns for file in sorted(self.report.glob(pattern))]
        assert files
        return {str(file.relative_to(self.report)): file.read_bytes() for file in files}

    def _command(self, arguments, configfile):
        study = ["--configfile", configfile] if configfile else []
        return [sys.executable, "-m", "snakemake", *study, "--cores", "2", *arguments]

    def _environment(self):
        own = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "SNAKEMAKE_PROFILE", *THREADS)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # Where SLURM is installed, Snakemake's plugin asks its controller when it is imported, and waits ten seconds
        # for one that does not run. Without a configuration there is nobody to ask.
        no_cluster = {"PATH": path, "SLURM_CONF": os.devnull}
        return {**{key: value for key, value in os.environ.items() if key not in own}, **no_cluster}

    def _ended(self, command, environment):
        options = {"capture_output": True, "text": True, "timeout": 1200}
        return subprocess.run(command, check=False, cwd=self.folder, env=environment, **options)


def without(folder, *packages):
    """A value of PYTHONPATH under which Python does not find these packages; `folder` is to hold what hides them."""
    (folder / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "def find_spec(name, path=None, target=None):\n"
        f"    return None if name.partition('.')[0] in {packages} else find(name, path, target)\n"
        "PathFinder.find_spec = find_spec\n"
    )
    return str(folder)


def _listens(process, number):
    """Whether a process has a handler of its own for a signal."""
    with contextlib.suppress(OSError):
        caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)[1]
        return bool(int(caught, 16) >> (number - 1) & 1)
    return False


KINDS = ("losses", "trials", "predictions")


def finished_chunks(checkout):
    """Each chunk whose three tables are there → what tells these files from later ones."""
    files = {kind: checkout.chunks(kind) for kind in KINDS}
    return {chunk: [files[kind][chunk] for kind in KINDS] for chunk in set.intersection(*map(set, files.values()))}


def assert_same_bits(ours, theirs, but=("seconds",)):
    """All results are equal, but for the seconds that the jobs took, or for other columns."""
    for kind in KINDS:
        one, other = (pd.read_parquet(it.results / kind).drop(columns=[*but], errors="ignore") for it in (ours, theirs))
        pd.testing.assert_frame_equal(one, other, check_exact=True)
