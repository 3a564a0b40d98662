"""SLURM's commands as scripts that answer from files: no cluster is needed to see what is made of the answers."""

import os

PARTITIONS = """\
PartitionName=cpu AllowAccounts=ALL AllowQos=ALL Default=YES MaxTime=01:00:00 State=UP MaxMemPerNode=UNLIMITED
PartitionName=gpu AllowAccounts=ALL AllowQos=ALL Default=NO MaxTime=1-00:00:00 State=UP MaxMemPerNode=UNLIMITED
PartitionName=old AllowAccounts=ALL AllowQos=ALL Default=NO MaxTime=UNLIMITED State=DRAIN MaxMemPerNode=UNLIMITED
"""
NODES = """\
cpu|8|16000|(null)|idle
gpu|4|64000|gpu:a100:2(S:0-1),gpu:1g.10gb:7|mixed
old|8|16000|(null)|drained
"""
CONFIG = "AccountingStorageType   = accounting_storage/none\nMinJobAge               = 300 sec\n"

SCRIPTS = {
    "sinfo": "cat {folder}/nodes",
    "scontrol": 'case "$*" in *config*) cat {folder}/config;; *) cat {folder}/partitions;; esac',
    # A job runs at once, beside sbatch, and is done when its script is.
    "sbatch": """
cat >{folder}/script
echo "$*" >>{folder}/submitted
case "$*" in *--test-only*) [ ! -e {folder}/refusal ] || {{ cat {folder}/refusal >&2; exit 1; }}; exit 0;; esac
for each in "$@"; do case $each in --output=*) log=${{each#--output=}};; esac; done
[ -e {folder}/queued ] || SLURMD_NODENAME=node01 sh {folder}/script >$log 2>&1 || true
echo 17
""",
    "squeue": "[ ! -e {folder}/queued ] || cat {folder}/queued",
    "scancel": 'echo "$*" >>{folder}/cancelled',
    "sacctmgr": "cat {folder}/accounts",
    "sshare": "cat {folder}/accounts",
}


def installed(folder, monkeypatch):
    """Put the commands into a folder, which comes first on the path; give the folder."""
    folder.mkdir()
    for name, text in (("partitions", PARTITIONS), ("nodes", NODES), ("config", CONFIG), ("accounts", "lab\nguests\n")):
        (folder / name).write_text(text)
    for name, script in SCRIPTS.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script.format(folder=folder)}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder
