"""A real SLURM cluster on this machine, and checkouts whose jobs it runs."""

import os
from pathlib import Path

import pytest
from clusters import STUDY, OnCluster, slurm

SCRIPT = Path(__file__).parent / "cluster.sh"


@pytest.fixture
def long(new_checkout, cluster):
    """A checkout with the study to run; when it ends, no job of it is left, and no orphan of a node that was down."""
    checkout = OnCluster(new_checkout(**STUDY).folder)
    yield checkout
    slurm("scancel", "--user", str(os.getuid()))
    checkout.kill_everything()


@pytest.fixture(scope="session")
def undisturbed(new_checkout):
    """A checkout in which the study was run without a cluster."""
    checkout = new_checkout(**STUDY)
    os.environ["BNBENCH_TEST_CUDA_ON_CPU"] = "1"
    try:
        checkout.run("--until", "compare")
    finally:
        del os.environ["BNBENCH_TEST_CUDA_ON_CPU"]
    return checkout
