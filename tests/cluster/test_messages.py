"""What keeps jobs from running on a cluster is one message, with the line to mend or the log that tells the reason."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from clusters import PACE, PROFILE, described, slurm

NOISE = ("Cannot restore", "sacct", "account", "Traceback")
"""What no run says, whatever happens in it."""


@pytest.fixture
def small(on_cluster):
    """A checkout with two jobs on CPUs, of a second each."""
    return on_cluster(batch_size=["full"], seeds=2)


def line_of(checkout, text):
    """The number of the one line of the profile with this text."""
    lines = (checkout.folder / PROFILE).read_text().splitlines()
    (found,) = [number for number, line in enumerate(lines, 1) if text in line]
    return found


def test_a_misspelt_partition_is_one_line_and_nothing_is_submitted(small):
    small.edit(PROFILE, "slurm_partition: cpu ", "slurm_partition: cpuu ")
    run = small.snakemake("--until", "train")
    assert run.returncode != 0
    where = f"{PROFILE}, line {line_of(small, 'slurm_partition: cpuu')}: slurm_partition"
    assert run.stderr.strip().splitlines()[-2:] == [
        f"{where}: found 'cpuu', allowed: cpu, gpu, spare, urgent (did you mean 'cpu'?)",
        "Nothing was submitted.",
    ]
    assert not [word for word in (*NOISE, "SLURM jobid") if word in run.stderr]


def test_where_slurm_does_not_answer_that_is_one_line(small):
    small.stand_in("scontrol", "echo 'slurm_load: Unable to contact slurm controller (connect failure)' >&2; exit 1")
    run = small.snakemake("--until", "train")
    assert run.returncode != 0
    said, end = run.stderr.strip().splitlines()[-2:]
    assert said.startswith("SLURM does not answer (scontrol: slurm_load: Unable to contact slurm controller")
    assert end == "Nothing was submitted."


def test_an_image_that_is_absent_is_to_be_built(small):
    small.stand_in("apptainer", "echo apptainer version 1.3.4")
    small.stand_in("singularity", "echo apptainer version 1.3.4")
    small.edit(PROFILE, "# software-deployment-method: apptainer", "software-deployment-method: apptainer")
    run = small.snakemake("--until", "train")
    assert run.returncode != 0
    where = f"{PROFILE}, line {line_of(small, 'software-deployment-method: apptainer')}: software-deployment-method"
    assert (
        f"{where}: the jobs are to run in containers/bnbench.sif, which does not exist. Run `make image`" in run.stderr
    )
    assert "SLURM jobid" not in run.stderr


def test_a_job_that_never_began_is_told_of_with_slurms_log_and_the_reason_in_it(small):
    """On the node, Python ends at once, as where it is missing."""
    (small.folder / "odd").mkdir()
    (small.folder / "odd" / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'SLURM_JOB_ID' in os.environ:\n"
        "    print('python3.11: cannot open shared object file', file=sys.stderr)\n"
        "    os._exit(127)\n"
    )
    run = small.snakemake("--retries", "0", "--until", "train", PYTHONPATH=str(small.folder / "odd"))
    assert run.returncode != 0
    logs = re.findall(r", seeds 0 to 1; its log is empty, SLURM's log of it: (.*)\n    (.*)$", run.stderr, re.MULTILINE)
    assert len(logs) == 2
    for log, reason in logs:
        assert reason == "python3.11: cannot open shared object file"
        assert reason in (small.folder / log).read_text()
    assert not [word for word in NOISE if word in run.stderr.replace("not 'sacct'", "")]


def test_jobs_call_the_python_that_planned_them_and_hide_nothing_of_the_modules(small, tmp_path):
    """The shell finds no `python`, and has loaded modules: programs, libraries, Python's folders, `module` itself."""
    for name in ("bin", "lib", "python"):
        (tmp_path / name).mkdir()
    module = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin:/usr/sbin:/sbin",
        "LD_LIBRARY_PATH": str(tmp_path / "lib"),
        "PYTHONPATH": str(tmp_path / "python"),
        "BASH_ENV": str(tmp_path / "init"),
        "LOADEDMODULES": "gcc/12",
    }
    (tmp_path / "init").write_text("module() { echo module $1; }\n")
    (tmp_path / "bin" / "gcc").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "gcc").chmod(0o755)
    saw = "(env; command -v gcc python; module list) >saw-$SLURM_JOB_ID && "
    small.edit("workflow/rules/train.smk", '"python -m', f'"{saw}python -m')
    run = small.snakemake("--retries", "0", "--until", "train", **module)
    assert run.returncode == 0, run.stderr
    seen = [path.read_text() for path in small.folder.glob("saw-*")]
    assert len(seen) == 2
    for text in seen:
        assert f"LD_LIBRARY_PATH={tmp_path / 'lib'}\n" in text
        assert f"PYTHONPATH={small.folder / 'workflow'}:{tmp_path / 'python'}\n" in text
        assert "LOADEDMODULES=gcc/12\n" in text
        lent = small.folder / ".snakemake" / "interpreter" / "python"
        assert text.endswith(f"{tmp_path / 'bin' / 'gcc'}\n{lent}\nmodule list\n")
    asked = subprocess.run(
        [lent, "-c", "import sys; print(sys.executable)"], check=True, capture_output=True, text=True
    )
    assert asked.stdout.strip() == sys.executable


@pytest.fixture
def head(small):
    """A function that submits Snakemake itself as a job, by the project's script; gives the job."""
    (small.folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    script = small.folder / "workflow" / "profiles" / "slurm" / "head.sh"

    def submit(*arguments):
        options = ["--parsable", "--time", "30", "--partition", "gpu", "--chdir", str(small.folder)]
        often = ["--latency-wait", "5", "--slurm-init-seconds-before-status-checks", str(PACE)]
        return slurm("sbatch", *options, str(script), "--configfile", "tiny.yaml", *often, *arguments).strip()

    return submit


def has_ended(job):
    """Whether a job is over."""
    return described(job)["JobState"] not in ("PENDING", "RUNNING", "COMPLETING")


def test_snakemake_can_itself_run_in_a_job(small, head, wait_until):
    job = head("--until", "compare")
    wait_until(lambda: has_ended(job))
    said = (small.folder / f"bnbench-head-{job}.log").read_text()
    assert described(job)["JobState"] == "COMPLETED", said
    assert "localrule compare" in said
    assert len(re.findall(r"has been submitted with SLURM jobid \d+", said)) == 2
    assert len(small.chunks()) == 2


def test_a_head_whose_time_is_over_cancels_its_jobs_for_good(small, head, wait_until):
    small.hold_training()
    job = head("--until", "train")
    wait_until(small.holds)
    slurm("scancel", "--signal=INT", "--batch", job)  # as --signal=B:INT@300 has SLURM do
    wait_until(lambda: has_ended(job))
    wait_until(lambda: not slurm("squeue", "-h").strip(), 30)
    states = slurm("squeue", "-h", "--states=all", "--format=%T", "--partition=cpu").split()
    assert "CANCELLED" in states
    assert (small.folder / f"bnbench-head-{job}.log").read_text().count("has been submitted") == 2
