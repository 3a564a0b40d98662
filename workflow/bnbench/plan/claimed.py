"""What a claim is about.

A claim names rows of a table by their labels. The rows need not exist yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bnbench.catalogue import metrics
from bnbench.plan.study import Study
from bnbench.vocabulary import COMPONENTS, DOUBLING, MAIN_EFFECT, SECONDS, VALIDATION

_PARTS = {"decomposition": "component", "outcomes": "outcome"}
"""Tables with several rows for a contrast → the column by which these differ."""


def parts(config: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """What tells the rows of a contrast apart, by table and column, in a study of this config.

    In `outcomes` the one that decides has its verdict elsewhere, and some are not tested.
    """
    untested = (config["report"]["outcome"], VALIDATION, SECONDS)
    explored = [name for name in metrics.outcomes(config) if name not in untested]
    return {"decomposition": {_PARTS["decomposition"]: [*COMPONENTS]}, "outcomes": {_PARTS["outcomes"]: explored}}


def rows(study: Study, table: str) -> list[dict[str, str]]:
    """Labels of all rows of a table that claims may be about, where there are trials enough."""
    pairs = study.tuned_comparisons if table == "tuned" else study.comparisons
    compared = [dict(zip(("baseline", "treatment"), arms, strict=True)) for arms in pairs]
    if table == "interactions":
        named = [(MAIN_EFFECT, "")] if study.varied() else []
        for factor in study.varied():
            levels = (DOUBLING,) if factor == "batch_size" else [*study.levels[factor]][1:]
            named += [(factor, level) for level in levels]
        return [{**arms, "factor": factor, "level": level} for arms in compared for factor, level in named]
    contexts: list[dict[str, str]] = [labels for labels, _ in study.contexts()]
    if table == "tuned":
        contexts = [labels for labels, _ in study.tuned_contexts()]
    found = [{**labels, **arms} for labels in contexts for arms in compared]
    for column, names in parts(study.config).get(table, {}).items():
        found = [{**row, column: name} for row in found for name in names]
    return found


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
