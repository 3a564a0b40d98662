r"""Standard output and error that end no work: what cannot be written there is lost, and told at the end.

A job that trains for hours says how far it is. If the disk of its log is full, or who listened has gone, its tables can
still be written. And a letter that the terminal's encoding lacks, as ASCII lacks µ, is written out as `\xb5`.
"""

from __future__ import annotations

import io
import os
import select
import sys
from typing import Any, TextIO

_lasting: dict[int, _Lasting] = {}
"""Descriptor → the file that it is of."""


def keep_going() -> None:
    """Replace this process's standard output and error by such streams."""
    _open_what_is_closed()
    sys.stdout, sys.stderr = _wrapped(sys.stdout, 1), _wrapped(sys.stderr, 2)


def lost() -> OSError | None:
    """Why something could not be written to standard output; None where all was."""
    sys.stdout.flush()
    return _lasting[1].error if 1 in _lasting else None


class _Lasting(io.RawIOBase):
    """A file in which writing always succeeds."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._file = io.FileIO(descriptor, "w", closefd=False)
        self.error: OSError | None = None
        """Why something was lost first."""

    def write(self, data: Any, /) -> int:
        """Write, or note why not."""
        try:
            while (written := self._file.write(data)) is None:  # a pipe that does not block is full for now
                select.select([], [self._file], [])
        except OSError as error:
            self.error = self.error or error
            return memoryview(data).nbytes
        return written

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """The descriptor of the file, which others may write into."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._file.isatty()


def _wrapped(stream: TextIO | None, descriptor: int) -> TextIO:
    """The same stream, lasting; Python has none where the descriptor was closed."""
    lasting = _lasting[descriptor] = _Lasting(descriptor)
    encoding = stream.encoding if stream else "utf-8"
    by_line = descriptor == 2 or lasting.isatty() or bool(os.environ.get("PYTHONUNBUFFERED"))
    return io.TextIOWrapper(
        io.BufferedWriter(lasting), encoding=encoding, errors="backslashreplace", line_buffering=by_line
    )


def _open_what_is_closed() -> None:
    """Fill the places of the standard streams, else the next file that is opened gets one, and all that is printed."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(opened, True)  # noqa: FBT003 - it takes no names
    os.close(opened)
