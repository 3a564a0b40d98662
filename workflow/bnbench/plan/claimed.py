"""What a claim is about.

A claim names rows of a table by their labels. The rows need not exist yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bnbench.catalogue import metrics, tasks
from bnbench.plan import candidates
from bnbench.plan.levels import Level
from bnbench.plan.study import Study, compares_times
from bnbench.vocabulary import ACCURACY, AUC, BEST, COMPONENTS, DOUBLING, EPOCHS_TO_TARGET, EXPLORED, MAIN_EFFECT

_PARTS = {"decomposition": "component", "outcomes": "outcome"}
"""Tables with several rows for a contrast → the column by which these differ."""


def parts(study: Study) -> dict[str, dict[str, list[str]]]:
    """What distinguishes the rows of a contrast, by table and column.

    In `outcomes` the one that decides has its verdict elsewhere, and some are not tested.
    """
    explored = [name for name in _explored(study) if name != study.config["report"]["outcome"]]
    return {"decomposition": {_PARTS["decomposition"]: [*COMPONENTS]}, "outcomes": {_PARTS["outcomes"]: explored}}


def columns(study: Study, table: str) -> dict[str, list[str]]:
    """What a claim about a table may name: column → the labels and names that it may hold."""
    factor = study.config["report"]["factor"]
    levels = {name: [*own.values()] for name, own in study.planned_levels.items()}
    if table == "tuned":
        levels |= {name: [*own.values()] for name, own in study.tuned_levels.items()}
    known = {name: _words(own) for name, own in levels.items() if name != factor}
    arms = dict.fromkeys(("baseline", "treatment"), _words(levels[factor]))
    if table == "interactions":
        others = [word for own in known.values() for word in own]
        return {**arms, "factor": [*known, MAIN_EFFECT], "level": [*others, DOUBLING]}
    return {**arms, **known, **parts(study).get(table, {})}


def _words(levels: Iterable[Level]) -> list[str]:
    """The names that claims may use for levels: their labels and their names."""
    return list(dict.fromkeys(text for each in levels for text in (each.label, each.name)))


def _explored(study: Study) -> list[str]:
    """The outcomes that a study shows and tests in addition to the one that decides."""
    config = study.config
    if not study.trained_here:
        return [name for name in study.outcomes if name != EPOCHS_TO_TARGET or study.has_target]
    scores = [tasks.of({"task": task}).scores() for task in config["task"]]
    known = {name: all(name in own for own in scores) for name in (ACCURACY, AUC)}
    known[BEST] = bool(candidates.held_out(config))
    decides = metrics.outcomes(config)[config["report"]["outcome"]]
    own = [metric.build for metric in metrics.own(config)]
    timed = [EPOCHS_TO_TARGET] if compares_times(decides, config["report"]["target"]) else []
    return [*(name for name in EXPLORED if known.get(name, True)), *own, *timed]


def rows(study: Study, table: str) -> list[dict[str, str]]:
    """Labels of all rows of a table that claims may be about, if there are enough trials."""
    if table == "interactions":
        return [row for arms in study.comparisons for row in _dependences(study, arms)]
    found: list[dict[str, str]] = []
    if table == "tuned":
        for labels, settings in study.tuned_contexts():
            found += [{**labels, **_named(arms)} for arms in study.tuned_compared(settings)]
        return found
    for labels, own in study.contexts():
        found += [{**labels, **_named(arms)} for arms in study.compared(own)]
    for column, names in parts(study).get(table, {}).items():
        found = [{**row, column: name} for row in found for name in names]
    return found


def folded(study: Study) -> list[dict[str, str]]:
    """Labels of the rows of the table `contexts` that the study lacks, since others stand for them."""
    factor = study.report.factor
    rows: list[dict[str, str]] = []
    for setting in study.grid if study.folds else ():
        context = {name: label for name, label in setting.labels.items() if name != factor}
        compared = [arms for arms in _planned(study) if setting.labels[factor] in arms]
        rows += [{**context, **_named(arms)} for arms in compared if setting.address in study.folds]
    return rows


def _planned(study: Study) -> list[tuple[str, str]]:
    """What is compared with the baseline, those arms among it that others stand for everywhere."""
    baseline = study.report.baseline
    return [(baseline, label) for label in study.planned_levels[study.report.factor] if label != baseline]


def _dependences(study: Study, arms: tuple[str, str]) -> list[dict[str, str]]:
    """Labels of the rows of a comparison in the table `interactions`."""
    contexts = [labels for labels, settings in study.contexts() if arms in study.compared(settings)]
    if len(contexts) < 2:
        return []
    named = [(MAIN_EFFECT, "")]
    for factor in study.varied():
        there = {labels[factor] for labels in contexts}
        _, *others = (label for label in study.levels[factor] if label in there)
        levels = [DOUBLING][: len(others)] if study.doubles(factor) else others
        named += [(factor, level) for level in levels]
    return [{**_named(arms), "factor": factor, "level": level} for factor, level in named]


def _named(arms: tuple[str, str]) -> dict[str, str]:
    return dict(zip(("baseline", "treatment"), arms, strict=True))


def meant(study: Study, where: Mapping[str, str], rows: Sequence[Mapping[Any, Any]]) -> list[Mapping[Any, Any]]:
    """The rows that match `where` by label.

    If no row has such a label, the rows that match by the name of the level.
    """
    chosen = list(rows)
    for column, wanted in where.items():
        whole = any(row[column] == wanted for row in rows)
        chosen = [row for row in chosen if wanted == (row[column] if whole else _name(study, column, row))]
    return chosen


def _name(study: Study, column: str, row: Mapping[Any, Any]) -> str:
    """The name of the level that a row has in a column of labels."""
    if column in ("baseline", "treatment"):
        return study.level(study.report.factor, row[column]).name
    if column in ("factor", *_PARTS.values()) or row[column] == DOUBLING or not row[column]:
        return str(row[column])
    return study.level(row["factor"] if column == "level" else column, row[column]).name
