"""The line that says how far something is: renewed in place in a terminal; elsewhere, one a minute.

What comes in are short texts, what goes out is what a stream gets. Notes that stay are put above the line.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TextIO

EVERY = 60.0
"""Seconds between two lines where none can be renewed."""

_USUAL = 80  # columns of a terminal
_CLEAR = "\r\x1b[K"


class Line:
    """One line on a stream.

    Args:
        stream: a terminal, a file or a pipe.
        clock: seconds that only grow.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._renews = stream.isatty()
        self._shown = ""
        self._told = float("-inf")

    def renew(self, text: str, *, new: bool = False) -> None:
        """Show how far it is; where no line can be renewed, only if it is `new` or a minute after the last one."""
        if self._renews:
            columns = _columns(self._stream)
            shown = text if len(text) < columns else f"{text[: max(1, columns - 2)]}..."
            if shown != self._shown:
                self._write(f"{_CLEAR}{shown}")
                self._shown = shown
        elif new or self._clock() >= self._told + EVERY:
            self._write(f"{text}\n")
            self._told = self._clock()

    def note(self, text: str) -> None:
        """Say something that stays."""
        shown, self._shown = self._shown, ""
        self._write(f"{_CLEAR if shown else ''}{text}\n")
        if shown:
            self.renew(shown)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write(_CLEAR)
            self._shown = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _columns(terminal: TextIO) -> int:
    """How wide a terminal is; some do not know."""
    try:
        return os.get_terminal_size(terminal.fileno()).columns or _USUAL
    except (OSError, ValueError):
        return _USUAL
