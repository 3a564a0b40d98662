"""Where numbers come from: versions, commit, image and processor; no environment variables, user or host names."""

import contextlib
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from bnbench import __version__
from bnbench.store.tables import read_json
from bnbench.vocabulary import IMAGE, PACKAGE


def provenance(built: Path = IMAGE) -> dict[str, str]:
    """Versions that the numbers come from, commit and image; no environment variables, user or host names.

    `built` is the file that the build of an image leaves; outside an image there is none.
    """
    return {
        "python": platform.python_version(),
        "torch": _version("torch"),
        "numpy": _version("numpy"),
        "bnbench": __version__,
        "commit": _commit(built),
        "image": _image(built),
    }


def processor() -> str:
    """Model of this machine's processor."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _image(built: Path) -> str:
    """Digest of the image that this runs in, by which its build named it; `host` outside one."""
    return str(_read(built).get("digest", "host"))


@cache
def _read(built: Path) -> dict[str, Any]:
    """What the build of an image recorded about it; nothing outside an image."""
    return read_json(built) if built.exists() else {}


@cache
def _commit(built: Path) -> str:
    """Commit of the checkout that the package lies in, or that its image was built from; empty if unknown."""
    if revision := _read(built).get("revision"):
        return str(revision)
    command = ["git", "-C", str(PACKAGE), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
