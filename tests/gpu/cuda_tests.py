"""Part: the unit tests that need a GPU, which everything else is built upon."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from reporting import Options, Report

UNIT = Path(__file__).resolve().parents[1] / "unit"
_ABOUT = re.compile(r"\b(GPU|CUDA)\b", re.IGNORECASE)


class Chosen:
    """Keeps the tests that are skipped where there is no GPU, and notes how they go."""

    def __init__(self, options: Options, report: Report) -> None:
        self.passed, self.skipped, self.count = 0, 0, 0
        self.unfinished = False
        self._options, self._report = options, report

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out all that runs without a GPU too."""
        if not self._options.all_tests:
            items[:] = [item for item in items if needs_gpu(item)]
        self.count = len(items)

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

    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Stop in time."""
        if nextitem is not None and time.monotonic() > self._options.until:
            self.unfinished = True
            item.session.shouldstop = "the time is over"


def needs_gpu(item: pytest.Item) -> bool:
    """Whether a test is skipped if there is no GPU, and only then."""
    marks = [mark for mark in item.iter_markers("skipif") if _ABOUT.search(str(mark.kwargs.get("reason", "")))]
    # Of two marks that contradict each other, on a machine with a GPU and on one without, one holds.
    return any(bool(mark.args and mark.args[0]) == (not torch.cuda.is_available()) for mark in marks)


def files() -> list[Path]:
    """The files of tests that ask whether there is a GPU."""
    return [path for path in sorted(UNIT.rglob("test_*.py")) if "cuda.is_available" in path.read_text(encoding="utf-8")]


def _reason(report: pytest.TestReport) -> str:
    text: Any = report.longreprtext
    lines = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    return " ".join(lines[:4])[:300] or text[-300:]


def measure(options: Options, report: Report) -> None:
    """Run them."""
    chosen = Chosen(options, report)
    paths = [str(UNIT)] if options.all_tests else [str(path) for path in files()]
    status = pytest.main(["-p", "no:cacheprovider", "-q", "--tb=short", "--no-header", *paths], plugins=[chosen])
    told = f"{chosen.passed} passed, {len(report.failures)} failed, {chosen.skipped} skipped, of {chosen.count}"
    report.figure(told)
    report.lines(f"{told}: {'all of tests/unit' if options.all_tests else 'those that need a GPU'}.")
    if chosen.unfinished:
        report.fail("not all tests ran in the time that this part has")
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        report.fail(f"pytest ended with {pytest.ExitCode(status).name}")
    elif options.device == "cuda" and not options.all_tests and chosen.skipped:
        report.fail(f"{chosen.skipped} tests were skipped although there is a GPU")
