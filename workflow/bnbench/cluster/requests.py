"""What the jobs of each rule request from SLURM, as the rules and the profile say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bnbench.cluster import plugin
from bnbench.cluster.profile import Profile
from bnbench.plan import cost
from bnbench.plan.chunks import Chunk, all_chunks
from bnbench.plan.study import Study
from bnbench.store import probes
from bnbench.store.chunk_files import is_there

ON_CPU, ON_CUDA = "train", "train_cuda"
"""The rules whose jobs go to the cluster."""

_SIZES = ("runtime", "mem_mb")  # minutes and MB: what jobs of one rule differ in

_TOLD = (
    "slurm_partition",
    "slurm_account",
    "qos",
    "constraint",
    "runtime",
    "mem_mb",
    "mem_mb_per_cpu",
    "gpu",
    "gpu_model",
    "gres",
    "slurm_extra",
)
"""The resources that are options of `sbatch`, in the order in which messages name them."""


@dataclass(frozen=True)
class Request:
    """What jobs of one rule request: of each resource, the most that any of them does."""

    rule: str
    jobs: int
    threads: int
    resources: Mapping[str, Any]
    """By the names that Snakemake gives them: `slurm_partition`, `runtime` in minutes, `mem_mb`, `gpu`, …"""

    def smaller(self, **resources: Any) -> "Request":
        """The same with other values of some resources."""
        return replace(self, resources={**self.resources, **resources})


def of_study(study: Study, results: Path, profile: Profile, attempt: int = 1) -> list[Request]:
    """What the jobs that a study still has to train request at this try; all of its jobs, where none is left."""
    chunks = all_chunks(study, cost.seeds_per_job)
    left = [chunk for chunk in chunks if not is_there(chunk, results)] or chunks
    threads = int(study.config["threads"])
    requests = []
    for chunk in left:
        rule = ON_CUDA if chunk.setting.spec.get("device") == "cuda" else ON_CPU
        requests.append(Request(rule, 1, threads, _resources(chunk, results, profile, rule, threads, attempt)))
    return largest(requests)


def largest(requests: Iterable[Request]) -> list[Request]:
    """One request, for the most of both, in place of those that differ only in minutes and memory."""
    found: dict[tuple[Any, ...], Request] = {}
    for each in requests:
        others = {name: value for name, value in each.resources.items() if name not in _SIZES}
        key = (each.rule, each.threads, *sorted((name, str(value)) for name, value in others.items()))
        found[key] = _both(found[key], each) if key in found else each
    return [*found.values()]


def _both(one: Request, other: Request) -> Request:
    sizes = {
        name: max(values)
        for name in _SIZES
        if (values := [each.resources[name] for each in (one, other) if each.resources.get(name) is not None])
    }
    return replace(one, jobs=one.jobs + other.jobs, resources={**one.resources, **sizes})


def _resources(
    chunk: Chunk, results: Path, profile: Profile, rule: str, threads: int, attempt: int
) -> Mapping[str, Any]:
    """What the rule requests for a chunk, and the profile in place of it."""
    setting = chunk.setting
    asked = cost.asked(setting.spec, chunk.count, attempt, probes.read(setting.address, results))
    by_rule = {"runtime": asked.minutes, "mem_mb": asked.mebibytes}
    if rule == ON_CUDA:
        by_rule |= {"gpu": 1, "gpu_share": 1}
    default, over = (_section(profile, *keys) for keys in (("default-resources",), ("set-resources", rule)))
    return plugin.evaluated({**default, **by_rule, **over}, threads, attempt)


def _section(profile: Profile, *keys: str) -> dict[str, Any]:
    """The resources directly under these keys of the profile."""
    depth = len(keys)
    return {key[-1]: value for key, value in profile.values.items() if len(key) == depth + 1 and key[:depth] == keys}


def described(request: Request) -> str:
    """A request in the profile's own words."""
    return ", ".join(f"{name} {request.resources[name]}" for name in _TOLD if request.resources.get(name))
