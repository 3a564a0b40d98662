"""A real SLURM cluster on this machine, and checkouts whose jobs it runs."""

import os
from pathlib import Path

import pytest
from clusters import STUDY, OnCluster, slurm

import own_code

SCRIPT = Path(__file__).parent / "cluster.sh"


@pytest.fixture
def on_cluster(new_checkout, cluster):
    """A function that makes a checkout with a study; in the end no job of it is left, and no orphan of a lost node."""
    made = []

    def make(**changes):
        made.append(OnCluster(new_checkout(**changes).folder))
        return made[-1]

    yield make
    slurm("scancel", "--user", str(os.getuid()))
    for checkout in made:
        checkout.kill_everything()


@pytest.fixture
def long(on_cluster):
    """A checkout with the study to run."""
    return on_cluster(**STUDY)


@pytest.fixture
def own_network(on_cluster):
    """A checkout with a study of a network of the user's own."""
    checkout = on_cluster(**own_code.STUDY)
    own_code.write(checkout.folder)
    return checkout


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
