"""What the process that plans a run hands to its jobs in a file: the resolved study, its plan, and all its settings.

A command line has no room for a large study: Linux passes at most 128 KiB in one argument. The file's name is a hash of
its content. So every process that reads the same config knows the name, even if there is no such file, and a file that
exists is whole and never out of date. It lies in the working directory, which nodes and images see.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from bnbench.errors import UserError, nearest
from bnbench.plan import own_study, preregistration
from bnbench.plan.settings import Setting, canonical, canonical_json
from bnbench.plan.study import Study
from bnbench.store import files, tables

FOLDER = Path(".snakemake") / "bnbench"
"""The folder of these files, in the working directory."""


class Handed(TypedDict):
    """The content of a file."""

    study: Mapping[str, Any]
    """The resolved config."""
    plan: Mapping[str, Any] | None
    """See `plan.preregistration.plan_of`; None where nothing is trained."""
    settings: Mapping[str, Mapping[str, Any]]
    """Address → canonical spec, of all settings that are trained."""


def text(study: Study) -> str:
    """The content of a study's file, the same in every process."""
    trained = study.settings if study.trained_here else ()
    content: Handed = {
        "study": study.config,
        "plan": preregistration.plan_of(study) if trained else None,
        "settings": {setting.address: canonical(setting.spec) for setting in trained},
    }
    return canonical_json(content)


def path(content: str) -> Path:
    """Where the file with this content lies."""
    return FOLDER / f"study-{hashlib.sha256(content.encode()).hexdigest()[:16]}.json"


def keep(content: str) -> None:
    """Write the file with this content, unless it is there.

    Raises:
        UserError: it cannot be written.
    """
    if not path(content).exists():
        files.write_once(path(content), content)


def read(file: Path) -> dict[str, Any]:
    """The content of a file; `-` is the standard input.

    Raises:
        UserError: it cannot be read.
    """
    if file != Path("-"):
        return tables.read_json(file)
    try:
        return tables.json_object(sys.stdin.read())
    except ValueError as error:
        raise UserError(
            f"standard input: found no JSON object ({error}), allowed: what the planning process writes"
        ) from error


def study(content: Mapping[str, Any], source: Path) -> Study:
    """The study in the content of the file `source`.

    Raises:
        UserError: it holds none.
    """
    return own_study.of(_part(content, "study", source))


def setting(content: Mapping[str, Any], address: str, source: Path) -> Setting:
    """The setting of an address in the content of the file `source`.

    Raises:
        UserError: it holds none of that address.
    """
    settings = _part(content, "settings", source)
    if address not in settings:
        raise UserError(
            f"--setting: found {address}, allowed: one of the {len(settings)} in {source}{nearest(address, settings)}"
        )
    return Setting.from_spec(settings[address])


def _part(content: Mapping[str, Any], name: str, source: Path) -> Mapping[str, Any]:
    part = content.get(name)
    if not isinstance(part, dict):
        raise UserError(f"{source}: found no '{name}', allowed: a file that the planning process wrote")
    return part
