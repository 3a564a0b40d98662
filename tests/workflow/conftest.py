"""Checkouts in which the tiny study is run, or was."""

import pytest


@pytest.fixture
def checkout(new_checkout):
    """A fresh checkout, with the tiny study to run."""
    return new_checkout()


@pytest.fixture(scope="session")
def finished_once(new_checkout):
    """A checkout in which the tiny study was run to its end; for reading."""
    checkout = new_checkout()
    checkout.first_run = checkout.run()
    return checkout


@pytest.fixture
def finished(finished_once, tmp_path):
    """A checkout of one's own in which the tiny study was run to its end."""
    return finished_once.copied(tmp_path / "bnbench")
