"""What was taken for what in a table of your own, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bnbench.plan.own_study import OwnStudy
from bnbench.wording import effects, formats

_NAMED = 8  # levels that a line names

_REASONS = {
    "empty": "empty",
    "of the tracker": "what a tracker notes of each run",
    "the same everywhere": "the same in all rows",
    "a date": "dates",
    "an id": "a name for each run",
    "many values": "too many values for a factor",
    "follows the arms": "changes with the arms",
    "incomplete": "empty in some rows",
    "measured": "not the same design in all arms",
    "changes on the way": "changes within a run",
    "no known side": "it is not known whether a lower or a higher value is better",
    "too many": "one outcome too many",
    "not named": "not named as a context",
}
"""Why a column is set aside."""


def reading(study: OwnStudy) -> list[str]:
    """A sentence for each role that a column was taken for, and for what is odd about the runs."""
    return [*_roles(study), *_oddities(study), *study.found["notes"]]


def pairing(study: OwnStudy, rows: Sequence[Mapping[str, Any]]) -> str:
    """How runs were paired, and how the pairs correlate; `rows` are those of `compare.sides`, or of the contexts."""
    if not study.paired:
        return "Pairs: none, since the seeds were not shared by design."
    column = study.found["seed"]["column"]
    pairs = sorted({int(row["pairs"]) for row in rows})
    counted = formats.count(pairs[0], "pair") if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]} pairs"
    known = sorted(row["correlation"] for row in rows if not math.isnan(row["correlation"]))
    each = " in each comparison" if len(rows) > 1 else ""
    said = f"Pairs: runs of the same '{column}', {counted}{each}"
    if not known:
        return f"{said}."
    ends = " to ".join(dict.fromkeys(f"{value:.2f}".replace("-", "−") for value in (known[0], known[-1])))
    return f"{said}; their correlation is {ends}."


def _roles(study: OwnStudy) -> Iterator[str]:
    found = study.found
    seeds = formats.count(len(study.seeds), "seed")
    yield f"Table: {formats.count(found['rows'], 'row')}, {formats.count(found['runs'], 'run')}."
    compared, *held = found["factors"]
    levels = [f"{text} (the baseline)" if text == found["baseline"] else text for text in compared["levels"]]
    yield f"Compared: '{compared['column']}', with the levels {formats.listed(levels)}."
    if held:
        yield f"Held fixed: {formats.listed([_factor(each) for each in held])}."
    decides, *others = found["outcomes"]
    outcome = study.outcome
    better = f"{decides['better']} is better"
    margin = effects.margin(outcome, study.report.margin)
    yield f"Outcome: '{decides['column']}', {better}, compared by its {outcome.scale}; margin {margin}."
    if others:
        named = [f"'{each['column']}' ({each['better']} is better)" for each in others]
        yield f"Beside it: {formats.listed(named)}."
    if found["seed"]["column"]:
        yield f"Seed: '{found['seed']['column']}', {seeds}."
    if found["epoch"]["column"]:
        yield f"Epochs: '{found['epoch']['column']}', {found['epoch']['first']} to {found['epoch']['last']}."
    if found["set_aside"]:
        said = [f"'{column}' ({_REASONS.get(reason, reason)})" for column, reason, _ in found["set_aside"]]
        more = [f"{found['set_aside_more']} more"] if found["set_aside_more"] else []
        yield f"Set aside: {formats.listed([*said, *more])}."


def _factor(factor: Mapping[str, Any]) -> str:
    levels = factor["levels"]
    more = f" and {len(levels) - _NAMED} more" if len(levels) > _NAMED else ""
    return f"'{factor['column']}' ({', '.join(levels[:_NAMED])}{more})"


def _oddities(study: OwnStudy) -> Iterator[str]:
    found = study.found
    if found["diverged"]:
        yield f"Diverged: {formats.count(found['diverged'], 'run')} ended with a value that is not finite."
    for key, said in (
        ("without", "no value of the outcome"),
        ("stopped", "stopped before the last epoch"),
        ("gaps", "lack epochs that others have"),
    ):
        if count := found[key]["count"]:
            first = "; ".join(found[key]["first"])
            more = " and others" if count > len(found[key]["first"]) else ""
            yield f"{formats.count(count, 'run')}: {said} ({first}{more})."
    if found["averaged"]:
        yield f"Several values of a run at one epoch were averaged, in {formats.count(found['averaged'], 'place')}."
