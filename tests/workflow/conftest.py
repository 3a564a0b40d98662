"""Checkouts in which the tiny study is run, or was."""

import fcntl
import os
import pickle
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from checkouts import Checkout

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


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


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], timeout=120_000
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """A function that opens a page as such a reader does, and notes what else the page asks for, and what it says."""
    contexts = []

    def opened(path, query="", **circumstances):
        contexts.append(chromium.new_context(**circumstances))
        contexts[-1].set_default_timeout(30_000)
        page = contexts[-1].new_page()
        page.asked, page.said = [], []
        own = (path.as_uri(), "data:")
        page.on("request", lambda request: request.url.startswith(own) or page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(path.as_uri() + query)
        return page

    yield opened
    for context in contexts:
        context.close()
