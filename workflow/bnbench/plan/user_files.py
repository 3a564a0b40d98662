"""The user's files that a setting names, data and code, and a setting without their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bnbench.catalogue.registries import ENTRIES
from bnbench.plan.settings import Setting, canonical


def named(setting: Setting) -> dict[str, str]:
    """The files that a setting names: path → what its bytes hash to."""
    entries = [*setting.spec.items(), *(("metric", entry) for entry in setting.spec.get("metrics", ()))]
    return {entry["path"]: entry["sha256"] for kind, entry in entries if _has_file(kind, entry)}


def changed(setting: Setting, other: Setting) -> list[str]:
    """Paths of the files of `setting` whose bytes alone distinguish it from `other`; none if anything else differs.

    A file that was moved is the same one, but not one that was renamed.
    """
    if _but_for_bytes(setting) != _but_for_bytes(other):
        return []
    there = {Path(path).name: digest for path, digest in named(other).items()}
    return [path for path, digest in named(setting).items() if there.get(Path(path).name) != digest]


def _has_file(kind: str, entry: Any) -> bool:
    return kind in ENTRIES and "sha256" in entry


def _but_for_bytes(setting: Setting) -> dict[str, Any]:
    """What changes the numbers of a setting, with the names of files instead of their bytes."""
    spec = canonical(setting.spec)
    metrics = {"metrics": [_named_only("metric", entry) for entry in spec.get("metrics", ())]}
    return {
        **{kind: _named_only(kind, entry) if _has_file(kind, entry) else entry for kind, entry in spec.items()},
        **metrics,
    }


def _named_only(kind: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry without what the planner reads from its file."""
    read = ENTRIES[kind][entry["name"]].derived
    return {key: value for key, value in entry.items() if key not in read} | {"path": Path(entry["path"]).name}
