"""A request is cut to what its partition allows, and to nothing less."""

import pytest

from bnbench.cluster import limits, partitions

SAID = """\
PartitionName=cpu AllowAccounts=ALL Default=YES MaxTime=01:00:00 MaxMemPerNode=UNLIMITED State=UP
PartitionName=gpu AllowAccounts=ALL Default=NO MaxTime=UNLIMITED MaxMemPerNode=4000 State=UP
PartitionName=long AllowAccounts=ALL Default=NO MaxTime=7-00:00:00 MaxMemPerNode=UNLIMITED State=UP
"""
NODES = "cpu|8|16000|(null)|idle\ncpu|8|64000|(null)|down\ngpu|4|16000|gpu:a100:2|idle\nlong|8|8000|(null)|idle\n"
KNOWN = partitions.parsed(SAID, NODES)


@pytest.mark.parametrize(
    ("requested", "capped"),
    [
        ({"slurm_partition": "cpu", "runtime": 61, "mem_mb": 64_001}, {"runtime": 60, "mem_mb": 64_000}),
        ({"slurm_partition": "cpu", "runtime": 60, "mem_mb": 64_000}, {}),
        ({"runtime": 61}, {"runtime": 60}),
        ({"slurm_partition": "gpu", "runtime": 10**6, "mem_mb": 5000, "gpu": 1}, {"mem_mb": 4000}),
        ({"slurm_partition": "long", "runtime": 10_081, "mem_mb": 8000}, {"runtime": 10_080}),
        ({"slurm_partition": "cpu, long", "runtime": 10_080, "mem_mb": 20_000}, {}),
        ({"slurm_partition": "cpu", "mem_mb_per_cpu": 10**6, "mem_mb": 10**6}, {}),
        ({"slurm_partition": "cpu", "qos": "long", "runtime": 10**6}, {}),
        ({"slurm_partition": "misspelt", "runtime": 10**6}, {}),
        ({"slurm_partition": "cpu", "runtime": "<TBD>"}, {}),
        ({"slurm_partition": "cpu"}, {}),
    ],
)
def test_a_request_is_cut_to_what_a_job_can_get_there(requested, capped):
    assert limits.capped(requested, KNOWN) == capped


def test_nothing_is_cut_where_nothing_is_known():
    assert limits.capped({"slurm_partition": "cpu", "runtime": 10**6, "mem_mb": 10**9}, {}) == {}
