"""Modules that an installation may lack, and the extra of this package that brings each."""

import importlib.util

from bnbench.errors import UserError

MODULES = {
    "torch": ("torch", "train"),
    "snakemake": ("snakemake", "train"),
    "sklearn": ("scikit-learn", "train"),
    "tensorboard": ("tensorboard", "tensorboard"),
}
"""Module → the package that holds it, and the extra."""


def is_installed(module: str) -> bool:
    """Whether a module can be found; it is not imported."""
    return importlib.util.find_spec(module) is not None


def brought_by(module: str) -> str:
    """How an absent module is got: `pip install 'bnbench[train]' installs it`."""
    return f"pip install 'bnbench[{MODULES[module][1]}]' installs it"


def need(module: str) -> None:
    """Go on only if a module can be found.

    Raises:
        UserError: its package is not installed.
    """
    if not is_installed(module):
        raise UserError(f"{MODULES[module][0]} is not installed; {brought_by(module)}")
