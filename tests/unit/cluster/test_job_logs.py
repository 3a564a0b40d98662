"""A job that is not done is told of with the log that has the reason: its own, SLURM's, or what was said to sbatch."""

from types import SimpleNamespace

import pytest

from bnbench.cluster import job_logs, plugin

WILDCARDS = ("sine-none-full-aefb2f09", "0", "1")
OWN = "logs/train/sine-none-full-aefb2f09/seeds-0-1.log"

FAILED = """\
Building DAG of jobs...
Using shell: /usr/bin/bash
Provided remote nodes: 1
Select jobs to execute...
[Sat Nov 28 04:18:54 2026]
rule train:
    output: results/losses/sine-none-full-aefb2f09/seeds-0-1.parquet (update)
srun: cluster configuration lacks support for cpu binding
{reason}RuleException:
CalledProcessError in file "/home/bnbench/workflow/rules/train.smk", line 24:
Command 'set -euo pipefail;  python -m bnbench train' returned non-zero exit status 127.
Error in rule train:
    message: None
        (command exited with non-zero exit code)
Shutting down, this might take some time.
Exiting because a job execution failed. Look above for error messages
Storing output in storage.
Elapsed time: 0:00:02.152064
WorkflowError:
At least one job did not complete successfully.
srun: error: cpu01: task 0: Exited with exit code 1
"""

REFUSED = """\
[Sat Nov 28 04:18:41 2026]
Error in rule train:
    message: SLURM sbatch failed. The error message was 'sbatch: error: one thing
sbatch: error: Batch job submission failed: {reason}'.
    sbatch call:
        sbatch --parsable --comment rule_train_wildcards_{setting}_0_1
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A function that says what is told of a job with these logs; SLURM's are of its tries, by number."""
    monkeypatch.chdir(tmp_path)

    def tell(own=None, slurm=(), snakemake="", executor="slurm"):
        for path, text in ((tmp_path / OWN, own), (tmp_path / "snakemake.log", snakemake)):
            if text is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        folder = tmp_path / ".snakemake" / "slurm_logs" / "rule_train" / "_".join(WILDCARDS)
        folder.mkdir(parents=True)
        for number, text in enumerate(slurm, 7):
            (folder / f"{number}.log").write_text(text)
        workflow = SimpleNamespace(
            executor_plugin=SimpleNamespace(name=executor),
            executor_settings=SimpleNamespace(logdir=None),
            logger_manager=SimpleNamespace(get_logfile=lambda: [str(tmp_path / "snakemake.log")]),
        )
        monkeypatch.setattr(plugin, "logs", lambda _: folder.parents[1] if executor == "slurm" else None)
        return job_logs.JobLogs(workflow).told(tmp_path / OWN, ("train", "train_cuda"), WILDCARDS).split("\n")

    return tell


def test_a_log_of_its_own_that_says_something_is_named(told, tmp_path):
    assert told(own="a loss is NaN\n", slurm=[FAILED]) == [f"; its log: {tmp_path / OWN}"]


def test_where_its_own_is_empty_slurms_newest_log_is_named_with_the_reason(told):
    reasons = ["slurm_script: line 4: python: No such file or directory\n", "FATAL: could not open image x.sif\n"]
    said = told(own="", slurm=[FAILED.format(reason=each) for each in reasons])
    assert said == [
        f"; its log is empty, SLURM's log of it: .snakemake/slurm_logs/rule_train/{'_'.join(WILDCARDS)}/8.log",
        "    FATAL: could not open image x.sif",
    ]


def test_a_log_of_slurms_that_gives_no_reason_is_said_to_give_none(told):
    assert told(slurm=[FAILED.format(reason="")])[1] == "    which gives no reason"


def test_a_job_that_was_never_submitted_is_told_of_with_what_sbatch_said_of_it(told):
    of_others = REFUSED.format(setting="another", reason="of another job")
    mine = REFUSED.format(setting=WILDCARDS[0], reason="Invalid qos specification")
    assert told(own="", snakemake=of_others + mine) == [
        ", not submitted: sbatch: error: Batch job submission failed: Invalid qos specification"
    ]


def test_a_job_that_has_no_log_has_not_begun(told):
    assert told() == [", not started"]


def test_without_a_cluster_there_is_no_other_log(told, tmp_path):
    assert told(own="", executor="local") == [f"; its log is empty: {tmp_path / OWN}"]


@pytest.mark.parametrize(
    "line",
    [
        "slurmstepd: error: *** JOB 12 ON cpu01 CANCELLED AT 2026-11-28T04:18:54 DUE TO TIME LIMIT ***",
        "slurmstepd: error: Detected 1 oom_kill event in StepId=12.0. Some of the step tasks have been OOM Killed.",
        "x: the study has no such setting; if the config or a file that it names has changed since the run was planned",
        "/var/spool/slurmd/job12/slurm_script: line 4: /home/x/.venv/bin/python: No such file or directory",
        "srun: error: Unable to create step for job 12: Memory required by task is not available",
    ],
)
def test_reasons_are_told_from_routine(tmp_path, line):
    log = tmp_path / "12.log"
    log.write_text(FAILED.format(reason=f"{line}\n"))
    assert job_logs.reason(log) == line
