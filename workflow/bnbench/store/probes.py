"""What was measured of networks before their training: `results/probes/<address>.json`.

No result depends on them: who loses one measures it again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

from bnbench.errors import UserError
from bnbench.plan.engines import engine
from bnbench.plan.modular_cost import Probe
from bnbench.plan.settings import Setting
from bnbench.store import files, tables


def path(address: str, results: Path) -> Path:
    """Where the probe of a setting lies."""
    return results / "probes" / f"{address}.json"


def is_there(address: str, results: Path) -> bool:
    """Whether a setting has been tried, and its network measured where that can be done."""
    return path(address, results).exists()


def due(settings: Iterable[Setting], results: Path) -> list[Setting]:
    """Those of the modular engine, or with metrics of the user's own, that have not been tried."""
    tried = (setting for setting in settings if engine(setting.spec) == "modular" or setting.own_metrics)
    return [setting for setting in tried if not is_there(setting.address, results)]


def read(address: str, results: Path) -> Probe | None:
    """The probe of a setting; None where there is none that can be read, or its network could not be measured."""
    try:
        found = tables.read_json(path(address, results))
        probe = Probe(float(found["step"]), float(found["evaluation"]), float(found["mebibytes"]))
        return probe if all(0 <= each < math.inf for each in probe) else None
    except (UserError, KeyError, TypeError, ValueError):
        return None


def write(address: str, results: Path, probe: Probe | None) -> None:
    """Keep a probe, or that the network works and was not measured.

    Raises:
        UserError: the file cannot be written.
    """
    files.write_text(path(address, results), json.dumps(probe._asdict() if probe else {}))
