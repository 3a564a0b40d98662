"""Follow jobs in place of Snakemake's plugin for SLURM. Tested with version 2.8.0.

The plugin submits and cancels jobs. `watch` follows them, since the plugin waits for ever if a job is unknown, was
cancelled (in its mode `sacct`) or preempted, or can never start, or if SLURM does not answer for a while. So two
methods of the plugin's executor are replaced.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bnbench.cluster import limits, partitions, profile
from bnbench.cluster.profile import Found
from bnbench.cluster.watch import End, Job, Watch
from bnbench.errors import UserError

_PLUGIN = "snakemake_executor_plugin_slurm"

_UNITS = {"runtime": "minutes", "mem_mb": "MB"}

_IDLE = 1
"""Seconds between two looks while no job is in SLURM: Snakemake ends at the next one."""


def attend() -> None:
    """Follow the jobs of this process in SLURM, if it sends any there."""
    plugin = sys.modules.get(_PLUGIN)  # Snakemake imports all its plugins
    if plugin and plugin.Executor.check_active_jobs is not _check_active_jobs:
        plugin.Executor.check_active_jobs = _check_active_jobs
        plugin.Executor.run_jobs = _within_limits(plugin.Executor.run_jobs)


async def _check_active_jobs(executor: Any, active_jobs: Sequence[Any]) -> AsyncIterator[Any]:
    """Report the ends of jobs to Snakemake, and give the jobs that have not ended."""
    settings = executor.workflow.executor_settings
    jobs = [_job(info) for info in active_jobs]
    ends = _watch(executor).look(jobs) if jobs else {}
    for info in active_jobs:
        end = ends.get(info.external_jobid)
        if end is None:
            yield info
        else:
            _report(executor, info, end)
    executor.next_seconds_between_status_checks = (
        settings.init_seconds_before_status_checks if len(ends) < len(jobs) else _IDLE
    )


def _report(executor: Any, info: Any, end: End) -> None:
    log = info.aux["slurm_logfile"]
    if end.well:
        executor.report_job_success(info)
        if not executor.workflow.executor_settings.keep_successful_logs:
            Path(log).unlink(missing_ok=True)
        return
    if not end.again:
        info.job.attempt = info.job.restart_times + 1  # the last one
    executor.report_job_error(info, msg=f"{end.said}. ", aux_logs=[str(log)])


def _within_limits(run_jobs: Callable[[Any, Sequence[Any]], None]) -> Callable[[Any, Sequence[Any]], None]:
    """`run_jobs` of jobs that request no more than their partition allows."""
    told: set[tuple[str, str]] = set()

    def limited(executor: Any, jobs: Sequence[Any]) -> None:
        try:
            known = partitions.read()
        except UserError:
            known = {}  # a submission that fails says why
        for job in jobs:
            if job.is_group():
                continue  # its resources are sums, computed again at each use
            for name, limit in limits.capped(dict(job.resources.items()), known).items():
                if (job.name, name) not in told:
                    executor.logger.warning(_limited(job, name, limit))
                told.add((job.name, name))
                setattr(job.resources, name, limit)
        run_jobs(executor, jobs)

    return limited


def _limited(job: Any, name: str, limit: int) -> str:
    found = _place(job.name, name)
    where = f" ({found.where})" if found and found.value is not None else ""
    partition = job.resources.get("slurm_partition")
    allows = f"partition {partition} allows" if partition else "the default partition allows"
    asked = f"{limit:,} {_UNITS[name]} instead of {job.resources.get(name):,}"
    return f"jobs of rule {job.name} request {asked}: {allows} no more{where}"


@cache
def _watch(executor: Any) -> Watch:
    return Watch(_place, executor.logger.warning)


def _job(info: Any) -> Job:
    job = info.job
    named = {} if job.is_group() else dict(job.wildcards.items())
    trained = {"setting", "first", "last"} <= named.keys()
    sent_to = [job.resources.get(name) for name in ("cluster", "clusters", "slurm_cluster")]
    return Job(
        info.external_jobid,
        f"{named['setting']}, seeds {named['first']} to {named['last']}" if trained else job.name,
        job.name,
        tuple(Path(path) for path in job.output),
        next((str(name) for name in sent_to if name), ""),
    )


def _place(rule: str, resource: str) -> Found | None:
    """What the profile of this run says of a resource of a rule, and where; None where there is no profile."""
    read = _profile()
    return read.resource(rule, resource) if read else None


@cache
def _profile() -> profile.Profile | None:
    return profile.in_use(sys.argv[1:])
