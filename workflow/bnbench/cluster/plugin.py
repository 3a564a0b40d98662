"""All that this project knows of Snakemake's plugin for SLURM beyond its documentation. Tested with 2.8.0.

A new release is tried by running tests/cluster; what it breaks is repaired here.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class _Resources(dict[str, Any]):
    """Resources as the plugin reads them: by `get`, and as attributes."""

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(name)


def sbatch(
    rule: str, threads: int, resources: Mapping[str, Any], settings: Mapping[str, Any] | None = None
) -> list[str]:
    """The options of `sbatch` with which the plugin submits a job.

    Args:
        rule: of the job.
        threads: of the job.
        resources: of the job.
        settings: of all jobs, `qos` and `reservation`.

    Raises:
        WorkflowError: Snakemake's, where the plugin refuses the resources.
    """
    from snakemake_executor_plugin_slurm.submit_string import get_submit_command  # noqa: PLC0415 - asks SLURM
    from snakemake_executor_plugin_slurm.utils import set_gres_string  # noqa: PLC0415
    from snakemake_executor_plugin_slurm.validation import validate_slurm_extra  # noqa: PLC0415

    job = SimpleNamespace(resources=_Resources(resources), threads=threads, name=rule)
    validate_slurm_extra(job)
    params = {
        "run_uuid": "bnbench",
        "slurm_logfile": "/dev/null",
        "comment_str": rule,
        "account": _option("-A", _first(resources.get("slurm_account"))),
        "partition": _option("-p", resources.get("slurm_partition")),
        "workdir": "",
    }
    of_all = SimpleNamespace(
        **{"requeue": False, "no_requeue": False, "qos": None, "reservation": None, **(settings or {})}
    )
    return shlex.split(get_submit_command(job, params, of_all) + set_gres_string(job))[1:]


def evaluated(texts: Mapping[str, Any], threads: int, attempt: int) -> dict[str, Any]:
    """Resources of a profile as Snakemake takes them: `2h` is 120 minutes, `60 * attempt` at the second try as well."""
    from snakemake.resources import Resources  # noqa: PLC0415 - slow

    found = {}
    for name, text in texts.items():
        if not isinstance(text, str):
            found[name] = text
            continue
        for named, resource in Resources.parse([f"{name}={text}"], allow_expressions=True).items():
            arguments = {"attempt": attempt, "threads": threads, "rulename": "", "input": [], "async_run": None}
            known = resource.evaluate({}, **arguments) if resource.is_evaluable() else resource
            found[named] = known.value
    return found


def is_used(workflow: Any) -> bool:
    """Whether the jobs of this run go to SLURM."""
    found = workflow.executor_plugin
    return found is not None and found.name == "slurm"


def jobs(workflow: Any) -> list[tuple[str, tuple[int, dict[str, Any]]]]:
    """The rule of each job that the run will submit, with its threads and resources."""
    waiting = [job for job in workflow.dag.needrun_jobs() if not job.is_local]
    return [(job.rule.name, (job.threads, dict(job.resources.items()))) for job in waiting]


def logs(workflow: Any) -> Path | None:
    """The folder of SLURM's own logs of this run; None where no job goes to SLURM."""
    if not is_used(workflow):
        return None
    from snakemake_executor_plugin_slurm import _select_logdir  # noqa: PLC0415

    return Path(_select_logdir(workflow))


def job_logs(logs: Path, rule: str, wildcards: Sequence[str]) -> list[Path]:
    """SLURM's logs of one job, one of each try."""
    return sorted((logs / f"rule_{rule}" / "_".join(wildcards).replace("/", "_")).glob("*.log"))


def guess_no_account(workflow: Any) -> None:
    """Let jobs that name no account take SLURM's default one.

    The plugin would look for the last one that was used, by a command that `sacct` refuses; where there is no `sacct`,
    it would submit nothing.
    """
    executor: Any = getattr(workflow.scheduler, "_executor", None)
    if hasattr(executor, "_fallback_account_arg"):
        executor._fallback_account_arg = ""


def accounts_command(user: str) -> list[str]:
    """The command by which the plugin learns which accounts a user has."""
    return ["sacctmgr", "-n", "-s", "list", "user", user, "format=account%256"]


def _first(accounts: Any) -> str | None:
    """The account that is used, of one or several."""
    named = str(accounts).replace(",", " ").split() if accounts else []
    return named[0] if named else None


def _option(name: str, value: Any) -> str:
    return f" {name} {shlex.quote(str(value))}" if value else ""
