"""Part: the unit tests that need a GPU; all else rests on them."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path
from typing import Any

import pytest
from reporting import Options, Report

UNIT = Path(__file__).resolve().parents[1] / "unit"
_PROCESSES = 12  # at most, which share the GPU: most of the time goes into making networks and graphs on the host
_TO_END = 15.0  # seconds that several processes may take for the tests that they are at


class Progress:
    """Notes how the tests go, and stops them in time."""

    def __init__(self, options: Options, report: Report) -> None:
        self.passed, self.skipped, self.count = 0, 0, 0
        self.unfinished = False
        self._report = report
        self._until = options.until - _TO_END

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the tests of the only process."""
        self.count = self.count or len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Count those that each of several processes has found."""
        self.count = len(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Say which test runs, in case it hangs."""
        self._report.doing(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count, and name failures at once."""
        if report.failed:
            self._report.fail(f"{report.nodeid.removeprefix('tests/unit/')}: {_reason(report)}")
        elif report.skipped:
            self.skipped += 1
        elif report.when == "call":
            self.passed += 1
        if time.monotonic() > self._until:
            self.unfinished = True
            pytest.exit("the time is over")


def files() -> list[Path]:
    """The files of tests that ask whether there is a GPU."""
    return [path for path in sorted(UNIT.rglob("test_*.py")) if "cuda.is_available" in path.read_text(encoding="utf-8")]


def _arguments(options: Options) -> list[str]:
    """Of pytest; where its plugin for that is, several processes share the tests."""
    arguments = ["-p", "no:cacheprovider", "-q", "--tb=short", "--no-header"]
    if not options.all_tests:
        arguments += ["-p", "only_gpu"]
    processes = min(_PROCESSES, os.cpu_count() or 1)
    return arguments + (["-n", str(processes)] if processes > 2 and importlib.util.find_spec("xdist") else [])


def _reason(report: pytest.TestReport) -> str:
    text: Any = report.longreprtext
    lines = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    return " ".join(lines[:4])[:300] or text[-300:]


def measure(options: Options, report: Report) -> None:
    """Run them."""
    progress = Progress(options, report)
    paths = [str(UNIT)] if options.all_tests else [str(path) for path in files()]
    status = pytest.main([*_arguments(options), *paths], plugins=[progress])
    told = f"{progress.passed} passed, {len(report.failures)} failed, {progress.skipped} skipped, of {progress.count}"
    report.figure(told)
    report.lines(f"{told}: {'all of tests/unit' if options.all_tests else 'those that need a GPU'}.")
    if progress.unfinished:
        report.fail("not all tests ran in the time that this part has")
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        report.fail(f"pytest ended with {pytest.ExitCode(status).name}")
    elif options.device == "cuda" and not options.all_tests and progress.skipped:
        report.fail(f"{progress.skipped} tests were skipped although there is a GPU")
