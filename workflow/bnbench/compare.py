"""Pair the trials by seed, contrast the arms context by context, and judge.

What comes in are the collected tables of a study, what goes out are its tables as CSV and `verdicts.json`, which holds
every number that a figure or a sentence of the report shows. One context is in memory at a time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from bnbench.judging import (
    aa_control,
    claims,
    confusion,
    convergence,
    designs,
    exploratory,
    pairing,
    preregistration,
    stretches,
    summaries,
    trajectories,
    tuning,
    variance,
)
from bnbench.judging.designs import Compared
from bnbench.plan.own_study import OwnSetting, OwnStudy
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study
from bnbench.store import files, own_trials, report_tables, stamps, trials
from bnbench.store import preregistration as records
from bnbench.store.schemas import TABLES
from bnbench.store.trials import Trials
from bnbench.wording import told

Parts = dict[str, list[pd.DataFrame]]
"""Name of a table → its rows, context by context."""


def run(study: Study, data: Path, out: Path, splits: int = aa_control.SPLITS) -> None:
    """Write `tables/*.csv` and `verdicts.json` of `study` into `out`, from the collected tables in `data`.

    Args:
        study: the study.
        data: folder of its collected tables.
        out: its folder of the report.
        splits: of the A/A control, at most.

    Raises:
        UserError: a collected table is absent or corrupt, or a file cannot be written.
    """
    mark = stamps.compared(study)
    mark.remove(data)
    design = designs.of(study)
    compared, parts, finals = _contexts(study, data)
    contrasts = [each.contrast for each in compared]
    decisions = design.decide(study.report, contrasts)
    found = {name: summaries.joined(part) for name, part in parts.items()}
    found["outcomes"] = exploratory.adjusted(study, found["outcomes"])
    if "decomposition" in found:
        found["decomposition"] = exploratory.decomposed(found["decomposition"], study.report.alpha)
    found["exclusions"] = found["exclusions"].drop_duplicates()
    if "variance" in found:
        found["variance"] = variance.table(study, found["variance"])
    found["contexts"] = design.rows(study, contrasts, decisions)
    if courses := [each.course for each in compared if each.course]:
        found["differences"] = trajectories.table(study, courses, decisions)
        found["stretches"] = stretches.table(study, found["differences"])
    judged = [decision.verdict for decision in decisions]
    found["interactions"] = design.interactions(study, contrasts, judged)
    found |= design.aggregate(study, contrasts, judged) | design.ranks(study, contrasts)
    found["control"] = design.control(study, contrasts, splits)
    found |= tuning.tables(study, finals)
    found = {name: report_tables.empty(name, study.report.factor, study.factors) for name in TABLES} | found
    claimed = told.claimed(study, claims.judged(study, found))
    found = told.worded(study, found, claimed)
    for name, table in found.items():
        report_tables.write(out, name, table, study.report.factor, study.factors)
    planned = preregistration.finding(study, records.collected(data))
    said = told.sayings(study, found, claimed, planned)
    files.write_text(out / "verdicts.json", _json({**_facts(study), **said, "tables": _tables(found)}))
    mark.leave(data)


def _contexts(study: Study, data: Path) -> tuple[list[Compared], Parts, dict[str, tuning.Finals]]:
    """What each context gives by itself; and of a study that tunes, what each setting ended at, by its address."""
    compared: list[Compared] = []
    finals: dict[str, tuning.Finals] = {}
    parts: Parts = {}
    for context, arms in _arms(study, data):
        taken = {label: confusion.taken(data, arm) if study.trained_here else None for label, arm in arms.items()}
        if study.config["tune"]:
            finals |= {
                arm.setting.address: tuning.finals(study, arm)._replace(taken=taken[label])
                for label, arm in arms.items()
            }
        excluded = [row for arm in arms.values() for row in pairing.left_out(arm, study.report.outcome)]
        found = list(summaries.of_context(study, data, arms).items())
        if study.varies_sources:
            found.append(("variance", variance.ended(study, arms)))
        for names in study.compared(arms):
            one = designs.of(study).compare(study, context, names, arms)
            compared.append(one)
            excluded = one.dropped + excluded
            found += one.tables
            if study.trained_here and not study.config["tune"]:  # else each arm is taken as it is tuned
                both = (took and took.of(one.contrast.seeds) for took in (taken[name] for name in names))
                found.append(("confusion", confusion.compared(one.contrast.labels, study.report.alpha, *both)))
        found += [("convergence", convergence.of_arm(study, arm)) for arm in arms.values()]
        found.append(("exclusions", pd.DataFrame(excluded, columns=[*study.factors, *pairing.EXCLUSION])))
        for name, table in found:
            parts.setdefault(name, []).append(table)
    return compared, parts, finals


def sides(study: Study, data: Path) -> list[dict[str, Any]]:
    """What each comparison rests on: its labels, the runs of both arms, and how pairs of one seed correlate.

    Raises:
        UserError: a collected table is absent or corrupt.
    """
    compare = designs.of(study).compare
    found = [
        compare(study, context, names, arms) for context, arms in _arms(study, data) for names in study.compared(arms)
    ]
    return [
        {
            **one.contrast.labels,
            "pairs": min(one.runs),
            "runs_baseline": one.runs[0],
            "runs_treatment": one.runs[1],
            **one.known,
        }
        for one in found
    ]


def _arms(study: Study, data: Path) -> Iterator[tuple[dict[str, str], dict[str, Trials]]]:
    """Each context with the trials of its arms; one context is in memory at a time."""
    for context, settings in study.contexts():
        yield context, {label: _read(study, data, settings[label]) for label in study.arms if label in settings}


def _read(study: Study, data: Path, setting: Setting) -> Trials:
    """The trials of a setting, from here or of the user's own."""
    if isinstance(study, OwnStudy) and isinstance(setting, OwnSetting):
        return own_trials.read(study, data, setting)
    return trials.read(study, data, setting)


def _facts(study: Study) -> dict[str, Any]:
    """What `verdicts.json` says of the study itself."""
    report = {name: value for name, value in asdict(study.report).items() if name != "judged"}
    options = {"factor": study.report.factor, "arms": list(study.arms), "options": report}
    return {"study": study.name, **options, "seeds": len(study.seeds)}


def _tables(found: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, list[Any]]]:
    return {name: _columns(table) for name, table in sorted(found.items())}


def _json(verdicts: Mapping[str, Any]) -> str:
    """A line a key: readers of lines find their way, and what is long is written fast."""
    lines = (
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for key, value in verdicts.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """A table as JSON has it: names of the columns, and rows with every digit; null for what is not finite."""
    rows = zip(*(table[name].tolist() for name in table), strict=True)
    return {
        "columns": list(table.columns),
        "data": [[None if isinstance(v, float) and not math.isfinite(v) else v for v in row] for row in rows],
    }
