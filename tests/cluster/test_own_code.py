"""A network of the user's own on a SLURM cluster: its files reach the jobs, and so does an error in them the user."""

import re

import pandas as pd
import pytest
from clusters import described, slurm

import own_code
from bnbench.plan import cost
from bnbench.store import probes


def test_a_study_of_a_users_own_network_runs_to_its_page(own_network):
    run = own_network.snakemake()
    assert run.returncode == 0, run.stderr
    trials = pd.read_parquet(own_network.results / "trials").set_index(["norm", "seed"])
    assert {*trials.index} == {("none", 0), ("none", 1), ("batch", 0), ("batch", 1)}
    assert trials["test_loss"].nunique() == 4
    assert trials["test_accuracy"].between(0.5, 1).all()
    assert (trials["weights_hash"]["none"] == trials["weights_hash"]["batch"]).all()
    assert "my_net" in (own_network.report / "index.html").read_text()
    jobs = [described(job) for job in re.findall(r"SLURM jobid (\d+)", run.stderr)]
    settings = own_network.planned_study().settings
    probed = [probes.read(setting.address, own_network.results) for setting in settings]
    assert all(probed)
    asked = [cost.asked(setting.spec, 2, 1, probe) for setting, probe in zip(settings, probed, strict=True)]
    assert sorted(map(requested, jobs)) == sorted((each.minutes, each.mebibytes) for each in asked)


def requested(job):
    """The minutes and the MiB that a job has asked for."""
    hours, minutes, seconds = map(int, job["TimeLimit"].split(":"))
    assert (seconds, job["MinMemoryNode"][-1]) == (0, "M")
    return 60 * hours + minutes, int(job["MinMemoryNode"][:-1])


def test_an_error_in_the_users_file_is_told_before_any_job_is_queued(own_network):
    own_network.edit("blocks.py", *own_code.WRONG)
    run = own_network.snakemake()
    assert run.returncode != 0
    assert own_code.FAILS_AT in run.stderr
    assert "SLURM jobid" not in run.stderr


def test_an_error_on_a_node_alone_is_told_in_the_log_that_the_run_names(own_network):
    own_network.edit("blocks.py", *own_code.WRONG_ON_NODES)
    run = own_network.snakemake("--retries", "0")
    assert run.returncode != 0
    logs = re.findall(r", seeds 0 to 1; its log: (.*)$", run.stderr, re.MULTILINE)
    assert len(logs) == 2
    for log in logs:
        where, code, when = (own_network.folder / log).read_text().splitlines()
        assert where.startswith(own_code.FAILS_AT)
        assert (code, when) == ("    return self.last(hidden.reshape(examples, -1))", "while bnbench runs the network")
    assert not own_network.chunks()


@pytest.fixture
def waiting():
    """A partition whose jobs wait, until it is called to let them run."""
    slurm("scontrol", "update", "partitionname=cpu", "state=down")
    yield lambda: slurm("scontrol", "update", "partitionname=cpu", "state=up")
    slurm("scontrol", "update", "partitionname=cpu", "state=up")


def test_jobs_that_wait_refuse_a_file_that_has_changed_meanwhile(own_network, waiting, wait_until):
    run = own_network.start("--retries", "0", "--until", "train")
    wait_until(lambda: len(slurm("squeue", "-h", "-t", "PENDING").splitlines()) == 2)
    own_network.edit("blocks.py", "relu()", "tanh()")
    waiting()
    output, _ = run.communicate()
    assert run.returncode != 0
    logs = re.findall(r"SLURM jobid \d+ \(log: (.*)\)\.", output)
    assert len(logs) == 2
    for log in logs:
        text = (own_network.folder / log).read_text()
        assert "the study has no such setting; if the config or a file that it names has changed" in text
        assert "Traceback" not in text
    assert not own_network.chunks()
