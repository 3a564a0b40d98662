"""Would SLURM accept what the jobs request? Where not, the message names the line to mend."""

import getpass
import os
import re
from collections.abc import Mapping

from bnbench.cluster import commands, plugin
from bnbench.cluster.partitions import Nodes, Partition
from bnbench.cluster.profile import Profile
from bnbench.cluster.requests import ON_CUDA, Request, described
from bnbench.errors import first_line, nearest

Partitions = Mapping[str, Partition]

_GPU_PARTS = ("gpu", "shard", "mps")  # generic resources that are a GPU, or a part of one

_LACKS = "node configuration is not available"
"""In what SLURM says where no node that is up could run a job, even if one that is down could."""

_UNKNOWN = "test-only"
"""In what `sbatch` says where the cluster has a script in its place, which does not know the option `--test-only`."""

_CHOICE = "SNAKEMAKE_SLURM_PARTITIONS"
"""An environment variable that names a file of partitions, from which the plugin chooses."""

_ABOUT = {
    "policy": "qos",
    "account": "slurm_account",
    "qos": "qos",
    "feature": "constraint",
    "generic resource": "gres",
    "gpus": "gpu",
    "gres": "gres",
    "time limit": "runtime",
    "memory": "mem_mb",
    "partition": "slurm_partition",
}
"""A word in what SLURM says → the resource that it is about."""


def refused(request: Request, profile: Profile | None, partitions: Partitions) -> str:
    """What SLURM would refuse in a request; nothing where it accepts it.

    Minutes and memory are within the limits of the partition, see `limits`.

    Raises:
        commands.NoAnswer: SLURM says nothing.
    """
    every = (_form,) if _is_elsewhere(request, profile) else (_partition, _form, _gpu, _account, _by_slurm)
    return next((said for check in every if (said := check(request, profile, partitions))), "")


def waits(request: Request, partitions: Partitions) -> str:
    """Why jobs that SLURM accepts would not start now; nothing where they would."""
    named = _named(request, partitions)
    if named and all(each.state != "UP" for each in named):
        return f"partition {named[0].name} is {named[0].state}: jobs wait until it is up"
    nodes = [node for each in named for node in each.nodes]
    if nodes and all(_is_down(node) for node in nodes):
        return f"all nodes of partition {named[0].name} are {nodes[0].state}: jobs wait until one is up"
    return ""


def place(request: Request, profile: Profile | None, name: str) -> str:
    """Where a resource of a request is written, or could be."""
    if profile is not None:
        found = profile.resource(request.rule, name)
        value = request.resources.get(name)
        if found.value is None or value is None or str(found.value) == str(value):
            return f"{found.where}: {name}"
    return f"--set-resources or --default-resources: {name}"


def _is_elsewhere(request: Request, profile: Profile | None) -> bool:
    """Whether another cluster runs the jobs, or the plugin chooses the partition: then we know too little."""
    others = any(request.resources.get(name) for name in ("cluster", "clusters", "slurm_cluster"))
    chosen = os.environ.get(_CHOICE) or (profile and profile.get("slurm-partition-config"))
    return bool(others or (chosen and not request.resources.get("slurm_partition")))


def _named(request: Request, partitions: Partitions) -> list[Partition]:
    """The partitions that a request names, or the default one; without those that do not exist."""
    if written := request.resources.get("slurm_partition"):
        return [partitions[name] for name in str(written).split(",") if name in partitions]
    return [each for each in partitions.values() if each.default]


def _partition(request: Request, profile: Profile | None, partitions: Partitions) -> str:
    written = request.resources.get("slurm_partition")
    where = place(request, profile, "slurm_partition")
    if not written:
        return "" if _named(request, partitions) else f"{where}: found none, and this cluster has no default partition"
    for name in str(written).split(","):
        if name not in partitions:
            return f"{where}: found '{name}', allowed: {', '.join(sorted(partitions))}{nearest(name, partitions)}"
        if partitions[name].state in ("DRAIN", "INACTIVE"):
            return f"{where}: partition {name} accepts no jobs now (its state is {partitions[name].state})"
    return ""


def _form(request: Request, profile: Profile | None, partitions: Partitions) -> str:  # noqa: ARG001 - as all checks
    """Whether a GPU is requested in one form only, and in one that the plugin takes."""
    gpu, model, gres = (request.resources.get(name) for name in ("gpu", "gpu_model", "gres"))
    part = bool(gres) and str(gres).partition(":")[0] in _GPU_PARTS
    if part and (gpu or model):
        other = "gpu_model" if model else f"gpu {gpu}, which the rule {request.rule} requests by default"
        return (
            f"{place(request, profile, 'gres')}: found '{gres}' beside {other}; allowed: one of them, since SLURM "
            f"would read two requests. Write `gpu: 0` beside `gres: {gres}`{', and remove gpu_model' if model else ''}"
        )
    if model and not gpu:
        return f"{place(request, profile, 'gpu_model')}: found '{model}' beside gpu {gpu}, allowed: `gpu: 1`"
    extra = str(request.resources.get("slurm_extra") or "")
    if request.rule == ON_CUDA and not (gpu or part or re.search(r"gpu|gres|tres", extra)):
        return f"{place(request, profile, 'gpu')}: found {gpu} and no gres, allowed: `gpu: 1`, or a gres such as gpu:1"
    try:
        plugin.sbatch(request.rule, request.threads, request.resources)
    except Exception as error:  # of Snakemake's, which this room need not import
        name = "slurm_extra" if "slurm_extra" in str(error) else "gpu_model" if "model" in str(error) else "gres"
        advice = "; write it in slurm_extra, see docs/cluster.md" if name != "slurm_extra" else ""
        return f"{place(request, profile, name)}: {first_line(error).rstrip('. ')}{advice}"
    return ""


def _gpu(request: Request, profile: Profile | None, partitions: Partitions) -> str:
    """Whether the partition has such a GPU."""
    named = _named(request, partitions)
    wanted = _wanted_gpu(request)
    if wanted is None or not named or not all(each.nodes for each in named):
        return ""
    there = {gres for each in named for gres in each.gpus}
    names = " and ".join(each.name for each in named)
    if not there:
        others = sorted(name for name, each in partitions.items() if each.gpus)
        has = f"partitions with GPUs: {', '.join(others)}" if others else "this cluster lists no GPU (sinfo -o '%P %G')"
        return f"{place(request, profile, 'slurm_partition')}: found '{names}', which has no GPU; {has}"
    types = {gres.split(":")[1] for gres in there if gres.count(":") == 2}
    name, kind = wanted
    if kind and kind not in types:
        allowed = ", ".join(sorted(types)) or "none, leave the type out"
        return (
            f"{place(request, profile, name)}: found a GPU of type '{kind}', types in partition {names}: "
            f"{allowed}{nearest(kind, types)}"
        )
    return ""


def _wanted_gpu(request: Request) -> tuple[str, str] | None:
    """By which resource a GPU is requested, and of which type, empty for any; None where none is."""
    gres = str(request.resources.get("gres") or "").split(":")
    if gres[0] == "gpu":
        return "gres", gres[1] if len(gres) == 3 or (len(gres) == 2 and not gres[1].isdigit()) else ""
    if model := request.resources.get("gpu_model"):
        return "gpu_model", str(model)
    return ("gpu", "") if request.resources.get("gpu") else None


def _account(request: Request, profile: Profile | None, partitions: Partitions) -> str:  # noqa: ARG001
    """Whether the user has the account; the plugin looks for it before it submits."""
    written = request.resources.get("slurm_account")
    if not written:
        return ""
    where = place(request, profile, "slurm_account")
    try:
        said = commands.ask(*plugin.accounts_command(getpass.getuser()))
        if not said.strip():
            said = commands.ask("sshare", "-U", "--format", "Account%256", "--noheader")
    except commands.Refused as refusal:
        return (
            f"{where}: found '{written}', which cannot be looked up ({refusal}); leave it out, if there are no accounts"
        )
    accounts = {line.strip().lower() for line in said.splitlines() if line.strip()}
    unknown = [each for each in str(written).replace(",", " ").split() if each.lower() not in accounts]
    if not accounts or not unknown:
        return ""
    return f"{where}: found '{unknown[0]}', your accounts: {', '.join(sorted(accounts))}{nearest(unknown[0], accounts)}"


def _by_slurm(request: Request, profile: Profile | None, partitions: Partitions) -> str:
    """What SLURM itself says of the request; nothing is submitted."""
    of_all = {name: profile.get(f"slurm-{name}") for name in ("qos", "reservation")} if profile else {}
    options = plugin.sbatch(request.rule, request.threads, request.resources, of_all)
    try:
        commands.ask("sbatch", "--test-only", *options, text="#!/bin/sh\n")
    except commands.Refused as refusal:
        reason = str(refusal).removeprefix("allocation failure: ")
        if _UNKNOWN in reason:
            return ""
        if _LACKS in reason and any(_is_down(node) for each in _named(request, partitions) for node in each.nodes):
            return ""  # and a real job would wait
        name = next((name for word, name in _ABOUT.items() if word in reason.lower()), "slurm_partition")
        return (
            f"{place(request, profile, name)}: SLURM refuses the jobs of {request.rule} ({reason}); "
            f"they request {described(request)}"
        )
    return ""


def _is_down(node: Nodes) -> bool:
    return node.state.startswith(("down", "drain", "fail", "maint", "unknown", "reboot"))
