"""What the partitions of the cluster allow, by `scontrol show partition` and `sinfo`."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bnbench.cluster import commands

_NODES = "%R|%c|%m|%G|%T"  # name, cores, MiB and generic resources of each node of a kind, and its state


@dataclass(frozen=True)
class Nodes:
    """Nodes of one kind in a partition."""

    cores: int
    """Of each."""
    mebibytes: int
    """Memory of each."""
    gres: tuple[str, ...]
    """Generic resources of each, such as `gpu:a100:4`."""
    state: str
    """Such as `idle`, `allocated`, `down` or `drained`."""


@dataclass(frozen=True)
class Partition:
    """A partition and its limits; None where it has none."""

    name: str
    state: str
    """`UP`; `DOWN`, where jobs wait; or `DRAIN` and `INACTIVE`, which accept none."""
    default: bool
    """Whether jobs that name no partition go there."""
    minutes: int | None
    """The longest that a job may run."""
    mebibytes_per_node: int | None
    """The most memory of a job on one node."""
    mebibytes_per_core: int | None
    """The most memory for each core; SLURM raises the cores of a job that requests more."""
    accounts: tuple[str, ...]
    """The only accounts that may use it; empty where all may."""
    qos: tuple[str, ...]
    """The only qualities of service that may use it; empty where all may."""
    nodes: tuple[Nodes, ...] = ()

    @property
    def mebibytes(self) -> int | None:
        """The most memory that a job on one node can have; None where nobody says."""
        known = [limit for limit in (self.mebibytes_per_node,) if limit is not None]
        if self.nodes:
            known.append(max(each.mebibytes for each in self.nodes))
        return min(known, default=None)

    @property
    def gpus(self) -> tuple[str, ...]:
        """The GPUs of its nodes as generic resources, such as `gpu:a100:4`, sorted."""
        found = {gres for each in self.nodes for gres in each.gres if gres.partition(":")[0] == "gpu"}
        return tuple(sorted(found))


def read(seconds: float = commands.SECONDS) -> dict[str, Partition]:
    """All partitions of the cluster by name.

    Args:
        seconds: how long each of SLURM's two commands may take.

    Raises:
        commands.NoAnswer: SLURM says nothing.
    """
    said = commands.ask("scontrol", "--all", "--oneliner", "show", "partition", seconds=seconds)
    nodes = commands.ask("sinfo", "--all", "--exact", "--noheader", f"--format={_NODES}", seconds=seconds)
    return parsed(said, nodes)


def parsed(said: str, nodes: str = "") -> dict[str, Partition]:
    """Partitions by name.

    Args:
        said: by `scontrol --oneliner show partition`, a line for each partition.
        nodes: by `sinfo` in the format that `read` asks for.
    """
    kinds = _kinds(nodes)
    found = {}
    for line in said.splitlines():
        fields = dict(re.findall(r"(\w+)=(\S*)", line))
        if name := fields.get("PartitionName"):
            found[name] = _partition(fields, kinds.get(name, ()))
    return found


def minutes(text: str) -> int | None:
    """Minutes of a time as SLURM writes it (`30:00`, `01:00:00`, `1-12:00:00`), rounded down; None for no limit.

    Raises:
        ValueError: it is no time.
    """
    if text in ("UNLIMITED", "INFINITE", "NONE", "NOT_SET", ""):
        return None
    days, dash, rest = text.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if dash:  # days-hours:minutes:seconds, the last of them left out
        hours, mins, seconds = (*parts, 0, 0, 0)[:3]
    else:  # hours:minutes:seconds, the first of them left out
        hours, mins, seconds = (0, *(*parts, 0)[:2]) if len(parts) < 3 else parts
    return (int(days or 0) * 24 + hours) * 60 + mins + seconds // 60


def _partition(fields: Mapping[str, str], nodes: Sequence[Nodes]) -> Partition:
    return Partition(
        name=fields["PartitionName"],
        state=fields.get("State", "UP"),
        default=fields.get("Default") == "YES",
        minutes=minutes(fields.get("MaxTime", "")),
        mebibytes_per_node=_limit(fields.get("MaxMemPerNode")),
        mebibytes_per_core=_limit(fields.get("MaxMemPerCPU")),
        accounts=_names(fields.get("AllowAccounts")),
        qos=_names(fields.get("AllowQos")),
        nodes=tuple(nodes),
    )


def _limit(text: str | None) -> int | None:
    """MiB as `scontrol` writes them; None where there is no limit."""
    return int(text) if text and text.isdigit() and int(text) else None


def _names(text: str | None) -> tuple[str, ...]:
    return () if text in (None, "", "ALL", "(null)", "N/A") else tuple(str(text).split(","))


def _kinds(nodes: str) -> Mapping[str, Sequence[Nodes]]:
    found: dict[str, list[Nodes]] = defaultdict(list)
    for line in nodes.splitlines():
        name, cores, mebibytes, gres, state = (part.strip() for part in line.split("|"))
        found[name].append(Nodes(_leading(cores), _leading(mebibytes), _gres(gres), state.rstrip("*~#!%$@^-+")))
    return found


def _leading(text: str) -> int:
    """The number with which a text begins: `sinfo` writes `8+` for eight or more."""
    number = re.match(r"\d+", text)
    return int(number[0]) if number else 0


def _gres(text: str) -> tuple[str, ...]:
    """Generic resources without the sockets and indices that some are followed by: `gpu:a100:4(S:0-1)`."""
    without = re.sub(r"\([^)]*\)", "", text)
    return tuple(each for each in without.split(",") if each)
