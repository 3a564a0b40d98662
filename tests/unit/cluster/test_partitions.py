"""Partitions and their limits, from what SLURM prints."""

import pytest

from bnbench.cluster import partitions
from bnbench.cluster.partitions import Nodes

SAID = """\
PartitionName=cpu AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL AllocNodes=ALL Default=YES QoS=N/A \
DefaultTime=00:05:00 MaxTime=01:00:00 Nodes=cpu[01-20] State=UP \
TotalCPUs=160 TotalNodes=20 DefMemPerCPU=500 MaxMemPerNode=UNLIMITED
PartitionName=gpu AllowGroups=ALL AllowAccounts=lab,guests AllowQos=normal \
AllocNodes=ALL Default=NO MaxTime=1-12:00:00 State=DRAIN DefMemPerCPU=500 MaxMemPerCPU=4000
PartitionName=long AllowAccounts=ALL MaxTime=UNLIMITED State=DOWN DefMemPerNode=UNLIMITED MaxMemPerNode=64000
"""
NODES = """\
cpu|8|16000|(null)|idle
cpu|8+|64000|(null)|down*
gpu|4|16000|gpu:fake:2(S:0-1),mps:200|mixed
gpu|64|512000+|gpu:nvidia_a100-sxm4-40gb:4,gpu:1g.10gb:7(S:0,1)|drained
long|8|128000|(null)|idle
"""


def test_partitions_have_their_limits():
    found = partitions.parsed(SAID, NODES)
    assert [*found] == ["cpu", "gpu", "long"]
    cpu, gpu, long = found.values()
    assert [each.minutes for each in (cpu, gpu, long)] == [60, 36 * 60, None]
    assert [each.state for each in (cpu, gpu, long)] == ["UP", "DRAIN", "DOWN"]
    assert [each.default for each in (cpu, gpu, long)] == [True, False, False]
    assert [each.accounts for each in (cpu, gpu)] == [(), ("lab", "guests")]
    assert [each.qos for each in (cpu, gpu)] == [(), ("normal",)]
    assert gpu.mebibytes_per_core == 4000


def test_the_most_memory_of_a_job_is_what_a_node_has_and_the_partition_allows():
    cpu, gpu, long = partitions.parsed(SAID, NODES).values()
    assert [each.mebibytes for each in (cpu, gpu, long)] == [64000, 512000, 64000]
    assert partitions.parsed(SAID)["cpu"].mebibytes is None


def test_nodes_have_their_gpus():
    cpu, gpu, _ = partitions.parsed(SAID, NODES).values()
    assert cpu.nodes == (Nodes(8, 16000, (), "idle"), Nodes(8, 64000, (), "down"))
    assert cpu.gpus == ()
    assert gpu.gpus == ("gpu:1g.10gb:7", "gpu:fake:2", "gpu:nvidia_a100-sxm4-40gb:4")
    assert gpu.nodes[0].gres == ("gpu:fake:2", "mps:200")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("00:05:00", 5),
        ("01:00:30", 60),
        ("2-00:00:00", 2880),
        ("1-12", 2160),
        ("1-12:30", 2190),
        ("30:00", 30),
        ("UNLIMITED", None),
        ("NONE", None),
    ],
)
def test_times_are_minutes(text, minutes):
    assert partitions.minutes(text) == minutes
