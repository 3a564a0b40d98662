"""Checkouts in which the tiny study is run, or was."""

import fcntl
import os
import pickle
from pathlib import Path

import pytest

from checkouts import Checkout


@pytest.fixture
def checkout(new_checkout):
    """A fresh checkout, with the tiny study to run."""
    return new_checkout()


@pytest.fixture(scope="session")
def finished_once(new_checkout, tmp_path_factory):
    """A checkout in which the tiny study was run to its end, once for all processes that test; for reading."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    made = shared / "finished-once.pickle"
    with (shared / "finished-once.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            checkout = new_checkout()
            made.write_bytes(pickle.dumps((checkout.folder, checkout.run())))
    folder, first_run = pickle.loads(made.read_bytes())
    checkout = Checkout(Path(folder))
    checkout.first_run = first_run
    return checkout


@pytest.fixture
def finished(finished_once, tmp_path):
    """A checkout of one's own in which the tiny study was run to its end."""
    return finished_once.copied(tmp_path / "bnbench")
