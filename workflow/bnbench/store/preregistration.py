"""Records of what was planned when training began: written before a chunk trains, read by `collect`.

A record is `preregistration/<setting>/<hash of the plan>.json` under the results. It is written if it does not exist,
and never changed: of many jobs that write at the same time, the first one wins. It holds no names of users or machines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from bnbench.plan import preregistration
from bnbench.plan.settings import Setting
from bnbench.store import files, reuse, tables

FOLDER = "preregistration"
"""Of the records, under the results."""

COLLECTED = "preregistration.json"
"""The records of a study's settings, beside its collected tables."""


class Record(TypedDict):
    """A plan, and when it was first in force."""

    plan: dict[str, Any]
    """See `plan.preregistration.plan_of`."""
    trained: int
    """Seeds of the setting that were trained by then."""


class OfSetting(TypedDict):
    """All records of one setting."""

    trained: int
    """Seeds of the setting that are trained, for any study."""
    records: list[Record]


def keep(plan: Mapping[str, Any], setting: Setting, results: Path) -> None:
    """Record that `plan` is in force as training of `setting` begins or goes on, unless that is recorded already.

    Raises:
        UserError: the record cannot be written.
    """
    path = results / FOLDER / setting.address / f"{preregistration.digest(plan)}.json"
    if not path.exists():
        record = {"trained": reuse.seeds_there(setting, results), "plan": plan}
        files.write_once(path, json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def of_settings(settings: Sequence[Setting], results: Path) -> dict[str, OfSetting]:
    """By address, the records of each setting.

    Raises:
        UserError: a record is corrupt.
    """
    return {
        setting.address: {
            "trained": reuse.seeds_there(setting, results),
            "records": [_record(path) for path in sorted((results / FOLDER / setting.address).glob("*.json"))],
        }
        for setting in settings
    }


def collect(settings: Sequence[Setting], results: Path, data: Path) -> None:
    """Put the records of a study's settings beside its collected tables, in the folder `data`."""
    files.write_text(data / COLLECTED, json.dumps(of_settings(settings, results), ensure_ascii=False) + "\n")


def collected(data: Path) -> dict[str, OfSetting]:
    """What `collect` put there; nothing where the tables were collected without records.

    Raises:
        UserError: the file is corrupt.
    """
    path = data / COLLECTED
    return tables.read_json(path) if path.exists() else {}


def _record(path: Path) -> Record:
    with tables.reading(path, "a record"):
        content = tables.json_object(path.read_text(encoding="utf-8"))
        trained, plan = content.get("trained"), content.get("plan")
        if not isinstance(trained, int) or not isinstance(plan, dict) or not {"study", "seeds"} <= {*plan}:
            raise ValueError("without a plan, or without the number of seeds")
        return {"plan": plan, "trained": trained}
