"""What was measured of networks before their training: `results/probes/<address>.json`.

No result depends on them: a lost one is measured again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

from bnbench.catalogue import metrics
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
    """Those of the modular engine, or with metrics of the user's own, that have not been tried as they are judged."""
    tried = (setting for setting in settings if engine(setting.spec) == "modular" or setting.own_metrics)
    return [
        setting
        for setting in tried
        if not is_there(setting.address, results) or not ratios(setting) <= _tried_as_ratios(setting.address, results)
    ]


def ratios(setting: Setting) -> set[str]:
    """Metrics that are compared by their ratio: these must not be negative, and no address says which they are."""
    return {metric.build for metric in metrics.own(setting.spec) if metric.outcome().is_ratio}


def _tried_as_ratios(address: str, results: Path) -> set[str]:
    try:
        return {*tables.read_json(path(address, results))["ratios"]}
    except (UserError, KeyError, TypeError):
        return set()


def read(address: str, results: Path) -> Probe | None:
    """The probe of a setting; None where there is none that can be read, or its network could not be measured."""
    try:
        found = tables.read_json(path(address, results))
        probe = Probe(float(found["step"]), float(found["evaluation"]), float(found["mebibytes"]))
        return probe if all(0 <= each < math.inf for each in probe) else None
    except (UserError, KeyError, TypeError, ValueError):
        return None


def write(address: str, results: Path, probe: Probe | None, ratios: Iterable[str] = ()) -> None:
    """Keep a probe, or that the network works and was not measured; and the metrics that may be compared by ratios.

    Raises:
        UserError: the file cannot be written.
    """
    tried = {"ratios": sorted(ratios)} if ratios else {}
    files.write_text(path(address, results), json.dumps({**(probe._asdict() if probe else {}), **tried}))
