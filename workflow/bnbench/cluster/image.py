"""The container image of this checkout, in which a profile may have the jobs run."""

import os
from pathlib import Path

from bnbench.cluster.profile import Profile
from bnbench.vocabulary import PACKAGE

_METHODS = ("software-deployment-method", "deployment-method", "deployment", "sdm")


def path() -> Path:
    """Where it lies, as seen from here."""
    return Path(os.path.relpath(PACKAGE.parents[1] / "containers" / "bnbench.sif"))


def method(profile: Profile) -> str:
    """The key with which a profile has the jobs run in the image; empty where it does not."""
    for name in _METHODS:
        if "apptainer" in str(profile.get(name, default="")):
            return name
    return "use-apptainer" if profile.get("use-apptainer") else ""


def missing(where: str) -> str:
    """What to do where there is no image; empty where there is one.

    Args:
        where: what asks for the image.
    """
    if path().exists():
        return ""
    return (
        f"{where}: the jobs are to run in {path()}, which does not exist. Run `make image`, "
        "or leave software-deployment-method out: then the jobs use this environment"
    )
