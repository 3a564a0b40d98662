"""Where numbers come from: versions, commit, image and processor; no environment variables, user or host names."""

import contextlib
import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from bnbench import __version__
from bnbench.store.tables import read_json
from bnbench.vocabulary import IMAGE, PACKAGE

_HERE = "workflow/bnbench"
"""Where a checkout has the package."""

_COUNTED = (":(top)workflow", ":(top,exclude)workflow/studies")
"""What changes numbers or their way through the workflow; the studies are configs, whose content addresses hold."""


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


def commit(package: Path) -> str:
    """The commit that a checkout's package is at, ending in `-dirty` where its workflow was edited since.

    Empty where `package` is not tracked as a checkout of this project has it: the repository around it is another's.
    """
    tracked = _git(package, "ls-files", "--full-name", "--error-unmatch", "__init__.py")
    if tracked != f"{_HERE}/__init__.py":
        return ""
    looked = ("status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", *_COUNTED)
    lines = _git(package, "-c", "core.fileMode=false", *looked).splitlines()
    at = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), "")
    if not at or at == "(initial)":
        return ""
    return at if all(line.startswith("#") for line in lines) else f"{at}-dirty"


def _git(folder: Path, *arguments: str) -> str:
    """What git says, or nothing where it fails; of the repository around the folder, whatever the environment names."""
    of_caller = {name for name in os.environ if name.startswith("GIT_") and name != "GIT_EXEC_PATH"}
    # Without the lock, jobs that start at once do not disturb each other, nor a commit that is being made.
    environment = {name: text for name, text in os.environ.items() if name not in of_caller} | {
        "GIT_OPTIONAL_LOCKS": "0"
    }
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()  # noqa: S603
    except (OSError, ValueError, subprocess.CalledProcessError):
        return ""


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
    return str(_read(built).get("revision") or "") or commit(PACKAGE)
