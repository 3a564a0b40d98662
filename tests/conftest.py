"""What the tests of whole runs share."""

import compileall
import fcntl
import os
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from checkouts import PROJECT, THREADS, Checkout

# What the tests themselves compute is tiny. Threads that wait for each other spin, and where something else runs on the
# same cores, that takes many times as long; torch reads this when it is first imported.
os.environ.update(THREADS)


@pytest.fixture(scope="session")
def wait_until():
    """A function that waits until a condition holds, and gives what it gave."""

    def wait(condition, seconds=240):
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.05)
        return found

    return wait


@pytest.fixture(scope="session")
def new_checkout(tmp_path_factory):
    """A function that makes a fresh checkout, with the tiny study changed by keywords to run."""
    original = Checkout.of(PROJECT, tmp_path_factory.mktemp("project") / "bnbench")
    compileall.compile_dir(original.folder / "workflow", quiet=1)

    def make(**changes):
        checkout = original.copied(tmp_path_factory.mktemp("checkout") / "bnbench")
        checkout.study(**changes)
        return checkout

    return make


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """The cluster, from here to the end of the tests: a function that calls its script with more verbs."""
    environment = {**os.environ, "CLUSTER_STATE": str(tmp_path_factory.mktemp("cluster"))}

    def call(*verb):
        subprocess.run([PROJECT / "tests" / "cluster" / "cluster.sh", *verb], check=True, env=environment, timeout=1200)

    with (Path(tempfile.gettempdir()) / "bnbench-cluster.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a machine has one cluster at a time
        call("install")
        try:
            call("start")
            yield call
        finally:
            call("stop")
