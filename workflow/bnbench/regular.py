"""Files that can be read to their end: a pipe waits for a writer, a device such as /dev/zero has no end."""

from __future__ import annotations

import stat
from pathlib import Path

from bnbench.errors import UserError

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def require(path: Path, called: str | None = None) -> None:
    """Refuse what is neither a regular file nor a folder, before anything opens it; links are followed.

    A folder passes, since to open one is an error that its readers report.

    Args:
        path: a file that a user named, or that lies where users put files.
        called: its name in the message; by default, the path.

    Raises:
        UserError: it is a pipe, a socket or a device.
        OSError: it is absent, or cannot be looked at.
    """
    mode = path.stat().st_mode
    if kind := next((name for is_one, name in _KINDS if is_one(mode)), None):
        raise UserError(f"{called or path}: found {kind}, allowed: a regular file")
