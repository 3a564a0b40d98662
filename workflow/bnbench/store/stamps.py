"""Marks: files whose names say which config the tables beside them were made from.

They are outputs of their rules, so a step whose mark is missing is run. Snakemake's own notes would not do: they lie
under `.snakemake`, are lost with it, and do not see what `rebuild` wrote.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnbench.plan.portable import portable
from bnbench.plan.settings import NUMERICS, canonical_json
from bnbench.plan.study import Study
from bnbench.store import files

_NOT_COLLECTED = ("report", "reference_points", "threads", "claims")


@dataclass(frozen=True)
class Mark:
    """What `step` leaves in the study's data folder when it has made its tables of `config`."""

    step: str
    config: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The file's name: it ends in a hash of the config."""
        return f"{self.step}-{hashlib.sha256(canonical_json(self.config).encode()).hexdigest()[:8]}.json"

    def remove(self, data: Path) -> None:
        """Remove the step's marks, for any config, before its tables are made again."""
        for mark in data.glob(f"{self.step}-*.json"):
            mark.unlink()

    def leave(self, data: Path) -> None:
        """Record that the step's tables are complete."""
        files.write_text(data / self.name, json.dumps(self.config, indent=1, ensure_ascii=False) + "\n")


def collected(study: Study) -> Mark:
    """The mark of `collect`: all of the config that the trials' tables depend on, and the version of the arithmetic."""
    config = {key: value for key, value in study.config.items() if key not in _NOT_COLLECTED}
    return Mark("collected", {**portable(config), "numerics": NUMERICS})


def compared(study: Study) -> Mark:
    """The mark of `compare`: the whole config, and the version of the arithmetic."""
    return Mark("compared", {**portable(study.config), "numerics": NUMERICS})
