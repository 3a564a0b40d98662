"""A study on a SLURM cluster, and whatever may happen to it there: it goes on, to the bits of a local run."""

import os
import re
import signal
import time

import pytest
from clusters import caught_in_training, described, halted_in_training, preempt, running, slurm

from checkouts import assert_same_bits, finished_chunks


@pytest.fixture
def ended(undisturbed):
    """A function that asserts that a study ended well, and in the bits of an undisturbed run."""

    def check(checkout, before):
        assert before.items() <= finished_chunks(checkout).items(), "a finished chunk was touched"
        assert len(finished_chunks(checkout)) == 4
        assert not (checkout.results / "checkpoints").exists()
        assert [path.name for path in checkout.results.rglob(".*") if path.is_file()] == [".bnbench"]
        assert_same_bits(checkout, undisturbed)

    return check


def test_a_study_runs_through_both_partitions_to_the_bits_of_a_local_run(long, ended, wait_until):
    long.hold_training()
    run, seen = long.start("--until", "compare"), {}
    wait_until(long.holds)
    second = long.snakemake()
    long.let_train()
    while run.poll() is None:
        for job in running():
            if (found := described(job))["JobState"] == "RUNNING":
                seen[job] = found
        time.sleep(0.2)
    output, _ = run.communicate()
    assert run.returncode == 0, output
    assert sorted(job["Partition"] for job in seen.values()) == ["cpu", "cpu", "gpu", "gpu"]
    for job in seen.values():
        on_gpu = job["Partition"] == "gpu"
        assert job["NodeList"] == ("gpu01" if on_gpu else "cpu01")
        assert job.get("GRES", "").startswith("gpu:fake:1(IDX:" if on_gpu else "")
        assert ("gres:gpu:1" in (job.get("TresPerJob"), job.get("TresPerNode"))) == on_gpu
        assert bool(job.get("GRES")) == on_gpu
        assert job["NumCPUs"] == "1"
    assert all("trains on the CPU instead of CUDA" in text for text in long.log("cuda").values())
    assert not any("instead of CUDA" in text for text in long.log("cpu").values())
    assert second.returncode != 0
    assert "Another run is at work in this folder" in second.stderr
    assert long.jobs(long.snakemake("-n", "--until", "compare")) == {}
    ended(long, {})


def test_a_cancelled_job_is_told_of_and_the_next_run_goes_on_with_it_alone(long, ended, wait_until):
    run = long.start("--retries", "0", "--slurm-status-command", "sacct")  # which a cluster without accounting refuses
    job = halted_in_training(long, wait_until)
    comment = described(job)["Comment"]
    slurm("scancel", job)
    output, _ = run.communicate()
    assert run.returncode != 0
    setting = next(name for name in long.log("cpu") if name in comment)
    for said in (
        f"SLURM ended job {job} ({setting}, seeds 0 to 5) as CANCELLED",
        f"logs/train/{setting}/seeds-0-5.log",
        f"  {setting}, seeds 0 to 5; its log is empty, SLURM's log of it: .snakemake/slurm_logs/rule_train/{setting}_",
        "To continue, give the same command again",
    ):
        assert said in output
    finished = finished_chunks(long)
    assert len(finished) == 3
    assert [path.parent.parent.name for path in (long.results / "checkpoints").rglob("*.npz")] == [setting]
    partial = long.bnbench("rebuild", "--configfile", "tiny.yaml")
    assert partial.returncode == 0, partial.stderr
    assert "6 of 24 trials are not trained yet" in partial.stdout
    assert "A partial study: 6 of 24 trials are missing." in (long.report / "index.html").read_text()
    assert long.planned()["train"] == 1
    long.run()
    assert long.resumed() == {setting}
    ended(long, finished)


def test_a_job_that_reaches_its_time_limit_goes_on_from_its_checkpoint(long, ended, wait_until):
    # However slow the machine is, a minute is enough for some of the training, and the next try has less to do.
    resources = ["train:runtime=1", "train_cuda:slurm_partition=gpu"]  # all of them, in place of the profile's
    run = long.start("--set-resources", *resources, "--retries", "12", "--until", "compare")
    job = halted_in_training(long, wait_until)
    output, _ = run.communicate()
    assert run.returncode == 0, output
    assert re.search(rf"SLURM ended job {job} \(.*\) as TIMEOUT", output)
    assert long.resumed()
    ended(long, {})


def test_a_job_that_is_preempted_and_queued_again_goes_on(long, ended, wait_until):
    run = long.start("--until", "compare", "--retries", "0")
    job = halted_in_training(long, wait_until)
    preempt()
    output, _ = run.communicate()
    assert run.returncode == 0, output
    assert "PREEMPTED" not in output
    assert described(job)["Restarts"] == "1"
    assert long.resumed()
    ended(long, {})


def test_a_node_that_goes_down_and_comes_back_loses_nothing(long, ended, wait_until):
    run = long.start("--until", "compare")
    _, job = caught_in_training(long, wait_until)
    before = finished_chunks(long)
    slurm("scontrol", "update", "nodename=cpu01", "state=down", "reason=test")
    wait_until(lambda: job not in running())
    slurm("scontrol", "update", "nodename=cpu01", "state=resume")
    output, _ = run.communicate()
    assert run.returncode == 0, output
    assert described(job)["Restarts"] == "1"
    ended(long, before)


def test_after_kill_9_of_everything_the_same_command_goes_on(long, ended, wait_until):
    run = long.start()
    wait_until(lambda: finished_chunks(long))
    wait_until(lambda: long.processes("bnbench", "train"))
    before = finished_chunks(long)
    os.killpg(run.pid, signal.SIGKILL)
    long.kill_everything()
    run.communicate()
    again = long.run()
    assert "--unlock" not in again.stderr
    wait_until(lambda: not slurm("squeue", "-h"))  # a job that waited then has trained after all
    ended(long, before)
