"""Whether the code here is that which planned the run: a hash of the package, which travels with each job."""

import hashlib
import os
from functools import cache
from pathlib import Path

from bnbench.vocabulary import IMAGE, PACKAGE


@cache
def digest(package: Path = PACKAGE) -> str:
    """Twelve hex digits over the names and bytes of all files of the package, schemas and templates included."""
    found = hashlib.sha256()
    for path in _files(package):
        found.update(f"{path.relative_to(package)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:12]


def _files(package: Path) -> list[Path]:
    """Those that come with it; not what Python and editors put beside them."""
    found = []
    for folder, folders, names in os.walk(package, followlinks=True):  # in a clone, two of its folders are links
        folders[:] = [name for name in folders if name != "__pycache__"]
        found += [Path(folder) / name for name in names if not name.startswith(".") and not name.endswith("~")]
    return sorted(found)


def difference(planned: str) -> str:
    """A warning where the package of the process that planned the run, by its digest, is another one; else nothing."""
    here = digest()
    if planned in {"", here}:
        return ""
    if IMAGE.exists():
        return (
            f"warning: the image holds other code ({here}) than the clone that planned this run ({planned}), and runs "
            "its own; to run the clone's, build the image again: make image"
        )
    return (
        f"warning: {PACKAGE} holds other code ({here}) than what planned this run ({planned}): it was changed "
        "meanwhile, or this machine sees another clone; to run all jobs with the same code, give the command again"
    )
