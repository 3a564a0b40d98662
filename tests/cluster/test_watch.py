"""No run waits for ever without a word: what SLURM cancels, forgets, preempts or never starts is told, and ends."""

import os
import re
import signal
import time
from itertools import pairwise

import pytest
from clusters import PACE, PROFILE, STUDY, described, halted_in_training, preempt, running, slurm

from checkouts import finished_chunks

SACCT = """\
for job in $(cat cancelled); do echo "$job|CANCELLED by $(id -u)"; done"""
"""What `sacct --parsable2` of SLURM 22.05 with its database printed of cancelled jobs."""

SQUEUE = """\
date +%s.%N >>looks
PATH=${PATH#*:} exec squeue "$@\""""


@pytest.fixture
def two(on_cluster):
    """A checkout with two jobs on CPUs to run."""
    return on_cluster(**{**STUDY, "epochs": 8000, "evaluate_every": 2000, "device": ["cpu"]})


@pytest.fixture
def asleep(cluster):
    """A function that lets a run stand still while something happens; then SLURM knows no job any more."""

    def during(run, happens):
        os.killpg(run.pid, signal.SIGSTOP)
        happens()
        cluster("halt")
        cluster("resume", "-c")
        os.killpg(run.pid, signal.SIGCONT)

    return during


def ended_well(run):
    """What a run said that must end well."""
    output, _ = run.communicate()
    assert run.returncode == 0, output
    assert "Traceback" not in output
    return output


def test_how_jobs_ended_that_were_forgotten_while_snakemake_stood_still_is_found_out(two, asleep, wait_until):
    two.stand_in("sacct", SACCT)
    two.hold_training()
    run = two.start("--until", "train", "--slurm-status-command", "sacct")
    wait_until(lambda: len(running()) == 2 and two.holds())
    cancelled, trained = running()

    def end():
        (two.folder / "cancelled").write_text(cancelled)
        slurm("scancel", cancelled)
        two.let_train()
        wait_until(lambda: not slurm("squeue", "-h"))

    asleep(run, end)
    output = ended_well(run)
    assert re.search(rf"SLURM ended job {cancelled} \(.*\) as CANCELLED: somebody cancelled it", output)
    assert re.search(rf"SLURM no longer knows job {trained} \(.*, seeds 0 to 5\); all its tables are there", output)
    assert output.count("Trying to restart job") == 1
    assert len(finished_chunks(two)) == 2


def test_a_job_that_slurm_forgot_in_training_is_tried_again_and_goes_on(two, asleep, wait_until):
    run = two.start("--until", "train")
    job = halted_in_training(two, wait_until)
    asleep(run, lambda: None)
    output = ended_well(run)
    assert re.search(rf"SLURM no longer knows job {job} \(.*\), and its tables are missing", output)
    assert "Trying to restart job" in output
    assert two.resumed()


def test_a_job_that_was_preempted_for_good_is_tried_again_and_goes_on(two, wait_until):
    run = two.start("--until", "train", "--default-resources", "slurm_partition=spare")
    job = halted_in_training(two, wait_until, "spare")
    preempt()
    output = ended_well(run)
    assert described(job)["JobState"] == "PREEMPTED"
    assert re.search(rf"SLURM ended job {job} \(.*\) as PREEMPTED: another job took its place", output)
    assert two.resumed()


def test_jobs_are_looked_at_in_one_pace_and_waited_for_while_slurm_is_down(two, cluster, wait_until):
    two.stand_in("squeue", SQUEUE)
    two.hold_training()
    run = two.start("--retries", "0", "--until", "train")
    wait_until(two.holds)
    time.sleep(8 * PACE)
    looks = [float(line) for line in (two.folder / "looks").read_text().split()]
    assert len(looks) >= 6
    assert max(after - before for before, after in pairwise(looks)) < 3 * PACE
    cluster("halt")
    assert any("; this run waits until SLURM answers" in line for line in run.stdout)
    cluster("resume")
    assert any("SLURM answers again" in line for line in run.stdout)
    two.let_train()
    assert "this run waits" not in ended_well(run)
    assert len(finished_chunks(two)) == 2


@pytest.fixture
def partition():
    """A function that changes the partition of jobs on CPUs; in the end it is as it was."""
    yield lambda change: slurm("scontrol", "update", "partitionname=cpu", change)
    slurm("scontrol", "update", "partitionname=cpu", "maxtime=60", "state=up")


def test_a_request_that_can_never_start_ends_and_the_next_run_requests_what_is_allowed(two, partition, wait_until):
    lines = two.profile("train", runtime=30)
    where = f"{PROFILE}, line {lines.index('    runtime: 30') + 1}"
    partition("state=down")
    run = two.start("--until", "train")
    wait_until(lambda: len(slurm("squeue", "-h", "-t", "PENDING").splitlines()) == 2)
    partition("maxtime=2")
    partition("state=up")
    output, _ = run.communicate()
    assert run.returncode != 0
    assert re.search(
        rf"job \d+ \(.*\)( and 1 more wait| waits): PartitionTimeLimit; request less time in {where}", output
    )
    assert len(re.findall(rf"SLURM would never start job \d+ .*: PartitionTimeLimit; .*{where}", output)) == 2
    assert "Trying to restart job" not in output
    assert "To continue, give the same command again" in output
    assert not slurm("squeue", "-h")

    again = two.run("--until", "train")
    assert f"jobs of rule train request 2 minutes instead of 30: partition cpu allows no more ({where})" in again.stderr
    jobs = re.findall(r"SLURM jobid (\d+)", again.stderr)
    assert [described(job)["TimeLimit"] for job in jobs] == ["00:02:00"] * 2
