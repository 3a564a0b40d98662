"""Addresses of what the page holds itself, or of what lies beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path


def data_address(kind: str, content: bytes) -> str:
    """The content itself as an address, of the given media type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def tables(out: Path, names: Iterable[str], embedded: int) -> dict[str, str]:
    """Name of each table → the address of its CSV file.

    The page holds tables itself, the smallest first, while they come to at most `embedded` bytes; the others lie
    beside it, in the folder `out`.
    """
    paths = {name: out / "tables" / f"{name}.csv" for name in names}
    addresses, left = {name: f"tables/{name}.csv" for name in paths}, embedded
    for name in sorted(paths, key=lambda name: paths[name].stat().st_size):
        left -= paths[name].stat().st_size
        if left >= 0:
            addresses[name] = data_address("text/csv", paths[name].read_bytes())
    return addresses


def sha256(script: str) -> str:
    """How a page's security policy names the one script that may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
