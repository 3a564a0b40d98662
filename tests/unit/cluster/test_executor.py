"""The plugin's jobs are followed by our own watch, and none requests more than its partition allows."""

import asyncio
from types import SimpleNamespace

import pytest
from snakemake.iocontainers import ResourceList, Wildcards
from snakemake_executor_plugin_slurm import Executor

from bnbench.cluster import commands, partitions, profile, watch
from bnbench.cluster import executor as following
from bnbench.cluster.jobs import Said

PROFILE = "executor: slurm\nset-resources:\n  train:\n    runtime: 90\n"


class Recorded:
    """An executor as far as it is used; it keeps what it is told."""

    def __init__(self, **settings):
        defaults = {"init_seconds_before_status_checks": 30, "keep_successful_logs": False}
        self.workflow = SimpleNamespace(executor_settings=SimpleNamespace(**{**defaults, **settings}))
        self.next_seconds_between_status_checks = None
        self.ended, self.failed, self.warned, self.submitted = [], {}, [], []
        self.logger = SimpleNamespace(warning=self.warned.append)

    def report_job_success(self, info):
        self.ended.append(info.external_jobid)

    def report_job_error(self, info, msg, aux_logs):
        self.failed[info.external_jobid] = (msg, aux_logs)


@pytest.fixture
def submitted(tmp_path):
    """A function that makes a submitted job that requests these resources."""

    def make(number, **resources):
        log = tmp_path / f"{number}.log"
        log.touch()
        job = SimpleNamespace(
            name="train",
            is_group=lambda: False,
            wildcards=Wildcards(fromdict={"setting": "norm-1234abcd", "first": "0", "last": "5"}),
            output=[str(tmp_path / "table")],
            resources=ResourceList(fromdict={"mem_mb": 500, "runtime": 5, **resources}),
            attempt=1,
            restart_times=3,
        )
        return SimpleNamespace(job=job, external_jobid=number, aux={"slurm_logfile": log})

    return make


@pytest.fixture(autouse=True)
def _profile(tmp_path, monkeypatch):
    path = tmp_path / "config.yaml"
    path.write_text(PROFILE)
    monkeypatch.setattr(following, "_profile", lambda: profile.read(path))


@pytest.fixture
def says(monkeypatch):
    """A function that lets SLURM say this of jobs."""

    def set_to(**states):
        monkeypatch.setattr(watch.slurm, "queue", lambda _: {number[1:]: said for number, said in states.items()})
        monkeypatch.setattr(watch.slurm, "accounted", lambda *_: {})
        monkeypatch.setattr(watch.slurm, "cancel", lambda *_: None)

    return set_to


def looked(executor, infos):
    """Numbers of the jobs that are still followed after a look."""

    async def look():
        return [info.external_jobid async for info in following._check_active_jobs(executor, infos)]

    return asyncio.run(look())


def test_ends_are_reported_and_the_others_followed_at_the_same_pace(says, submitted):
    executor, infos = Recorded(), [submitted(number) for number in "123"]
    says(_1=Said("COMPLETED"), _2=Said("PREEMPTED"), _3=Said("RUNNING"))
    assert looked(executor, infos) == ["3"]
    for _ in range(4):
        assert looked(executor, infos[2:]) == ["3"]
        assert executor.next_seconds_between_status_checks == 30
    assert executor.ended == ["1"]
    assert infos[1].job.attempt == 1
    message, logs = executor.failed["2"]
    assert message.startswith("SLURM ended job 2 (norm-1234abcd, seeds 0 to 5) as PREEMPTED")
    assert logs == [str(submitted("2").aux["slurm_logfile"])]


def test_slurms_log_of_a_job_that_ended_well_is_kept_where_that_is_asked_for(says, submitted):
    says(_1=Said("COMPLETED"), _2=Said("COMPLETED"))
    removed, kept = submitted("1"), submitted("2")
    looked(Recorded(), [removed])
    looked(Recorded(keep_successful_logs=True), [kept])
    assert not removed.aux["slurm_logfile"].exists()
    assert kept.aux["slurm_logfile"].exists()


def test_a_job_that_can_never_start_is_not_tried_again_and_the_profile_is_named(says, submitted, tmp_path):
    executor, info = Recorded(), submitted("1")
    says(_1=Said("PENDING", "PartitionTimeLimit"))
    assert looked(executor, [info]) == ["1"]
    assert looked(executor, [info]) == []
    assert info.job.restart_times == info.job.attempt - 1
    where = f"{tmp_path / 'config.yaml'}, line 4 (runtime)"
    assert executor.warned == [
        f"job 1 (norm-1234abcd, seeds 0 to 5) waits: PartitionTimeLimit; request less time in {where}"
    ]
    assert where in executor.failed["1"][0]


def test_a_run_without_jobs_in_slurm_asks_nothing_and_ends_soon(monkeypatch):
    monkeypatch.setattr(watch.slurm, "queue", None)
    executor = Recorded()
    assert looked(executor, []) == []
    assert executor.next_seconds_between_status_checks == 1


def test_jobs_that_are_submitted_as_a_group_are_followed_as_one(says, submitted):
    executor, info = Recorded(), submitted("1")
    info.job = SimpleNamespace(
        name="group", is_group=lambda: True, output=[], resources=ResourceList(fromdict={"clusters": "other"})
    )
    says(_1=Said("COMPLETED"))
    assert following._job(info).cluster == "other"
    assert looked(executor, [info]) == []
    assert executor.ended == ["1"]


@pytest.fixture
def run_jobs():
    return following._within_limits(lambda executor, jobs: executor.submitted.extend(jobs))


def test_no_job_requests_more_than_its_partition_allows_and_that_is_told_once(
    monkeypatch, run_jobs, submitted, tmp_path
):
    said = "PartitionName=cpu Default=YES MaxTime=01:00:00 State=UP"
    monkeypatch.setattr(partitions, "read", lambda: partitions.parsed(said, "cpu|8|16000|(null)|idle"))
    executor = Recorded()
    jobs = [submitted(number, runtime=90, mem_mb=20_000, slurm_partition="cpu").job for number in "12"]
    run_jobs(executor, jobs)
    assert executor.submitted == jobs
    for job in jobs:
        assert (job.resources.runtime, job.resources.get("mem_mb")) == (60, 16_000)
        assert dict(job.resources.items())["runtime"] == 60
    assert executor.warned == [
        "jobs of rule train request 60 minutes instead of 90: partition cpu allows no more "
        f"({tmp_path}/config.yaml, line 4)",
        "jobs of rule train request 16,000 MB instead of 20,000: partition cpu allows no more",
    ]


def test_jobs_are_submitted_as_they_are_where_slurm_does_not_say_its_limits(monkeypatch, run_jobs, submitted):
    def silent():
        raise commands.NoAnswer("SLURM does not answer")

    monkeypatch.setattr(partitions, "read", silent)
    executor, job = Recorded(), submitted("1", runtime=10**6).job
    run_jobs(executor, [job])
    assert executor.submitted == [job]
    assert job.resources.runtime == 10**6


def test_the_plugins_own_methods_are_replaced_once(monkeypatch):
    monkeypatch.setattr(Executor, "check_active_jobs", Executor.check_active_jobs)
    monkeypatch.setattr(Executor, "run_jobs", Executor.run_jobs)
    own = Executor.run_jobs
    following.attend()
    replaced = Executor.run_jobs
    following.attend()
    assert Executor.check_active_jobs is following._check_active_jobs
    assert own is not replaced
    assert Executor.run_jobs is replaced
