"""Keep what a job requests within what its partition allows: SLURM refuses more, or lets the job wait for ever.

A job that gets less time than it needs continues from its checkpoint at the next try.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bnbench.cluster.partitions import Partition


def capped(requested: Mapping[str, Any], partitions: Mapping[str, Partition]) -> dict[str, int]:
    """The resources of which a job requests more than it can get → what it can get.

    Args:
        requested: resource → value, as Snakemake names them.
        partitions: of the cluster, by name.
    """
    allowed = _allowed(str(requested.get("slurm_partition") or ""), partitions)
    if requested.get("mem_mb_per_cpu"):
        del allowed["mem_mb"]  # which is not requested then
    if requested.get("qos"):
        del allowed["runtime"]  # a quality of service may allow more than the partition
    found = {name: limit for name, limit in allowed.items() if limit and isinstance(requested.get(name), int)}
    return {name: limit for name, limit in found.items() if requested[name] > limit}


def _allowed(names: str, partitions: Mapping[str, Partition]) -> dict[str, int | None]:
    """The minutes and the MiB that a job can get in one of these partitions, or else in the default one."""
    if names:
        possible = [partitions.get(name.strip()) for name in names.split(",")]
    else:
        possible = [each for each in partitions.values() if each.default]
    known = [each for each in possible if each]
    if len(known) < len(possible):  # a name that nobody knows is SLURM's to complain of
        known = []
    return {"runtime": _most(each.minutes for each in known), "mem_mb": _most(each.mebibytes for each in known)}


def _most(limits: Iterable[int | None]) -> int | None:
    """The highest limit; None where one is unlimited, or nothing is known."""
    found = [*limits]
    return None if None in found else max((limit for limit in found if limit is not None), default=None)
