"""What a part says while it runs: a page in Markdown, and notes for the summary, both on the disk at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch


class Options(NamedTuple):
    """What a part is asked for."""

    device: str
    """cuda or cpu."""
    small: bool
    """Sizes for a CPU."""
    seconds: float
    """After which the part is killed."""
    until: float
    """By `time.monotonic()`: when the part should end by itself."""
    folder: Path
    """Where it may write files."""
    all_tests: bool
    """Run the whole unit suite instead of the tests that need a GPU."""

    @property
    def torch(self) -> torch.device:
        """The device."""
        import torch  # which takes seconds, and a part may do without

        return torch.device(self.device)


class NotRunError(Exception):
    """The part cannot run here; says why."""


class Report:
    """The page of a part and its notes, written line by line, since a part may be killed at any moment.

    Args:
        page: the file that the part's section is added to.
        notes: a JSON file for the driver: figures, failures, and what is being done.
        title: of the section.
    """

    def __init__(self, page: Path, notes: Path, title: str) -> None:
        self._page, self._notes = page, notes
        self._noted: dict[str, Any] = {"figures": [], "failures": [], "doing": ""}
        self.lines("", f"## {title}", "")

    @property
    def failures(self) -> list[str]:
        """What has failed so far."""
        return [*self._noted["failures"]]

    def lines(self, *lines: str) -> None:
        """Add lines to the page."""
        with self._page.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        print("\n".join(lines), flush=True)

    def header(self, *cells: str) -> None:
        """Begin a table."""
        self.lines("", f"| {' | '.join(cells)} |", f"|{'---|' * len(cells)}")

    def row(self, *cells: object) -> None:
        """Add a row to the table."""
        self.lines(f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |")

    def figure(self, text: str) -> None:
        """A key figure, for the summary too."""
        self._noted["figures"].append(text)
        self._keep()
        print(f"figure: {text}", flush=True)

    def fail(self, text: str) -> None:
        """Something is wrong; the part goes on and counts as failed."""
        self._noted["failures"].append(text)
        self._keep()
        self.lines(f"- **failed**: {text}")

    def doing(self, text: str) -> None:
        """What comes next, in case the part does not survive it."""
        self._noted["doing"] = text
        self._keep()

    def _keep(self) -> None:
        self._notes.write_text(json.dumps(self._noted), encoding="utf-8")
