"""Pair the trials by seed, contrast the arms context by context, and judge.

What comes in are the collected tables of a study, what goes out are its tables as CSV and `verdicts.json`, which holds
every number that a figure or a sentence of the report shows. One context is in memory at a time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from bnbench.judge import (
    aa_control,
    absolute,
    aggregate,
    claims,
    convergence,
    exploratory,
    interactions,
    pairing,
    preregistration,
    ranks,
    summaries,
    trajectories,
    tuning,
    variance,
    verdict_rows,
    verdicts,
)
from bnbench.judge.pairing import Pairs
from bnbench.judge.trajectories import Trajectory
from bnbench.judge.verdicts import Contrast
from bnbench.plan.study import Study
from bnbench.store import files, report_tables, stamps, trials
from bnbench.store import preregistration as records
from bnbench.store.schemas import TABLES
from bnbench.vocabulary import FACTORS
from bnbench.wording import absolute as absolute_in_words
from bnbench.wording import answers, formats, methods, sentences, titles, together
from bnbench.wording import claims as claims_in_words
from bnbench.wording import convergence as convergence_in_words
from bnbench.wording import preregistration as preregistration_in_words
from bnbench.wording import variance as variance_in_words

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
    contrasts, courses, parts, finals = _contexts(study, data)
    decisions = verdicts.decide(study.report, contrasts)
    found = {name: summaries.joined(part) for name, part in parts.items()}
    found["outcomes"] = exploratory.adjusted(found["outcomes"], study.report.alpha)
    found["exclusions"] = found["exclusions"].drop_duplicates()
    if "variance" in found:
        found["variance"] = variance.table(study, found["variance"])
    found["contexts"] = verdict_rows.table(study, contrasts, decisions)
    found["differences"] = trajectories.table(study, courses, decisions)
    found |= _together(study, contrasts, [decision.verdict for decision in decisions])
    found["control"] = aa_control.table(study, contrasts, splits)
    found |= tuning.tables(study, finals)
    found = {name: report_tables.empty(name, study.report.factor) for name in TABLES} | found
    said = [claims_in_words.row(study, judged) for judged in claims.judged(study, found)]
    found = _worded(study, found, said)
    for name, table in found.items():
        report_tables.write(out, name, table, study.report.factor)
    fixed = _fixed(study, data)
    files.write_text(out / "verdicts.json", _json(_verdicts(study, found, said, fixed)))
    mark.leave(data)


def _contexts(study: Study, data: Path) -> tuple[list[Contrast], list[Trajectory], Parts, dict[str, tuning.Finals]]:
    """What each context gives by itself; and of a study that tunes, what each setting ended at, by its address."""
    contrasts: list[Contrast] = []
    courses: list[Trajectory] = []
    finals: dict[str, tuning.Finals] = {}
    parts: Parts = {}
    for context, settings in study.contexts():
        arms = {label: trials.read(study, data, settings[label]) for label in study.arms}
        if study.config["tune"]:
            finals |= {arm.setting.address: tuning.finals(study, arm) for arm in arms.values()}
        excluded = [row for arm in arms.values() for row in pairing.left_out(arm)]
        found = list(summaries.of_context(study, data, arms).items())
        if study.varies_sources:
            found.append(("variance", variance.ended(study, arms)))
        for baseline, treatment in study.comparisons:
            pairs, dropped = pairing.pair(study, context, arms[baseline], arms[treatment])
            excluded = dropped + excluded
            contrasts.append(verdicts.contrast(study.report, pairs))
            courses.append(trajectories.trajectory(study, pairs))
            found += _of_pairs(study, pairs, contrasts[-1])
        found += [("convergence", convergence.of_arm(study, arm)) for arm in arms.values()]
        found.append(("exclusions", pd.DataFrame(excluded, columns=pairing.EXCLUSION)))
        for name, table in found:
            parts.setdefault(name, []).append(table)
    return contrasts, courses, parts, finals


def _together(study: Study, contrasts: Sequence[Contrast], judged: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The tables of all contexts together, from the contrasts and the verdicts on them."""
    return {
        "interactions": interactions.table(study, contrasts, judged),
        **aggregate.tables(study, contrasts, judged),
        **ranks.tables(study, contrasts),
    }


def _of_pairs(study: Study, pairs: Pairs, contrast: Contrast) -> list[tuple[str, pd.DataFrame]]:
    """The tables of one treatment in one context."""
    found = [
        ("pairs", verdict_rows.pairs(study, contrast)),
        ("outcomes", exploratory.outcomes(study, pairs)),
        ("absolute", absolute.of_pairs(study, pairs)),
    ]
    return [*found, ("decomposition", exploratory.decomposition(study, pairs))] if pairs.keep_statistics else found


def _worded(
    study: Study, found: Mapping[str, pd.DataFrame], claimed: Sequence[Mapping[str, Any]]
) -> dict[str, pd.DataFrame]:
    """The tables with their columns of words, and the table of claims."""
    said = {
        "interactions": together.interaction,
        "aggregate": together.aggregate,
        "reference": sentences.reference,
    }
    worded = {
        name: found[name].assign(sentence=[say(study, row) for row in found[name].to_dict("records")])
        for name, say in said.items()
    }
    mixed = {
        name: found[name].assign(mixed=found[name]["mixed"].map(formats.mixture)) for name in ("contexts", "tuned")
    }
    rows = [{**claim, "measured": "; ".join(claim["measured"])} for claim in claimed]
    claims_table = pd.DataFrame(rows, columns=TABLES["claims"].names)
    return {**found, **worded, **mixed, "claims": claims_table}


def _fixed(study: Study, data: Path) -> dict[str, Any]:
    """What is known of whether the comparison was fixed before training, in numbers and in words."""
    found = preregistration.finding(study, records.collected(data))
    said = preregistration_in_words.sentences(found)
    return {**found, "sentence": said, "note": preregistration_in_words.note(found)}


def _verdicts(
    study: Study,
    found: Mapping[str, pd.DataFrame],
    claimed: Sequence[Mapping[str, Any]],
    fixed: Mapping[str, Any],
) -> dict[str, Any]:
    """What `verdicts.json` holds."""
    rows = found["contexts"]
    return {
        "study": study.name,
        **_answers(study, rows, found["tuned"]),
        "sentences": [sentences.context(study, row) for row in rows.to_dict("records")],
        "tuned": [sentences.tuned(study, row) for row in found["tuned"].to_dict("records")],
        "reference": found["reference"]["sentence"].tolist(),
        "interactions": found["interactions"]["sentence"].tolist(),
        "aggregate": found["aggregate"]["sentence"].tolist(),
        "ranks": together.ranks(study, found["ranks"], found["all_pairs"]),
        **_absolute(study, found),
        "convergence": convergence_in_words.clause(study, found["convergence"]),
        "still_changing": convergence_in_words.note(
            study, convergence.at_chosen_rates(study, found["tuned"], found["convergence"])
        ),
        "variance": variance_in_words.sentences(study, found["variance"]),
        "trajectories": _trajectories(study, found),
        "claims": list(claimed),
        "control": sentences.control(study, found["control"].to_dict("records")[0]),
        "cost": sentences.cost(study, found["provenance"]),
        "preregistration": dict(fixed),
        "methods": methods.paragraph(study, found, fixed["sentence"]),
        "factor": study.report.factor,
        "arms": list(study.arms),
        "options": asdict(study.report),
        "seeds": len(study.seeds),
        "tables": {name: _columns(table) for name, table in sorted(found.items())},
    }


def _answers(study: Study, rows: pd.DataFrame, tuned: pd.DataFrame) -> dict[str, str]:
    """The study's sentence; where arms were tuned, that of the tuned arms, and that at equal rates."""
    equal = answers.answer(study, rows)
    if tuned.empty:
        return {"sentence": equal, "equal_rates": ""}
    chosen = f"With each arm at the {titles.tuned(study)} that the other seeds' validation losses choose"
    alike = study.tuned_arms == study.arms  # else each arm has values of its own, and there are no equal ones
    said = f"{titles.equal(study).capitalize()}: {_within(equal)}" if alike else ""
    return {"sentence": f"{chosen}: {_within(answers.answer(study, tuned))}", "equal_rates": said}


def _within(sentence: str) -> str:
    """A sentence as it goes on after a colon."""
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _absolute(study: Study, found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """What the losses are on an absolute scale: of the study, of each context, and of each at the best rates."""
    tuned = absolute.at_chosen_rates(study, found["tuned"], found["absolute"])
    rows = {"absolute": found["absolute"], "tuned_absolute": tuned}
    said = {
        name: [absolute_in_words.context(study, row) for row in table.to_dict("records")]
        for name, table in rows.items()
    }
    return {"absolute_answer": absolute_in_words.answer(study, found["absolute"] if tuned.empty else tuned), **said}


def _json(verdicts: Mapping[str, Any]) -> str:
    """A line a key: readers of lines find their way, and what is long is written fast."""
    lines = (
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for key, value in verdicts.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _trajectories(study: Study, found: Mapping[str, pd.DataFrame]) -> list[str]:
    """A sentence on each contrast that has pairs, from its last epoch and its verdict."""
    differences, contexts = found["differences"], found["contexts"].to_dict("records")
    names = [name for name in differences.columns if name in (*FACTORS, "baseline", "treatment")]
    last = differences.groupby(names, sort=False).tail(1).to_dict("records")
    return [sentences.decided(study, *rows) for rows in zip(last, contexts, strict=True) if rows[0]["pairs"] > 0]


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """A table as JSON has it: names of the columns, and rows with every digit; null for what is not finite."""
    rows = zip(*(table[name].tolist() for name in table), strict=True)
    return {
        "columns": list(table.columns),
        "data": [[None if isinstance(v, float) and not math.isfinite(v) else v for v in row] for row in rows],
    }
