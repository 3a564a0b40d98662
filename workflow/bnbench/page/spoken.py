"""What the page says in sentences before anything else: one a context, with its levels to filter by, and the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bnbench.page import rows
from bnbench.plan.study import Study
from bnbench.wording import budget, formats, words

Said = list[tuple[str, Mapping[str, str]]]
"""Sentences, each with the levels of its context by the names of the factors; empty ones are left out."""


def facts(study: Study, verdicts: Mapping[str, Any], found: Mapping[str, pd.DataFrame], missing: str) -> dict[str, Any]:
    """What the templates of the answer, the reasons and the budget take.

    Args:
        study: the study.
        verdicts: what `verdicts.json` holds.
        found: the tables of the report, by name.
        missing: how much of the study has not been trained; empty of a whole one.
    """
    tuned = len(found["tuned"]) > 0
    equal = of_rows(study, verdicts["sentences"], found["contexts"])
    return {
        "answered": of_rows(study, verdicts["tuned"], found["tuned"]) if tuned else equal,
        "at_equal": equal if tuned else [],
        "budget_method": budget.method(study) if len(found["drift"]) else "",
        "reasons": of_rows(study, verdicts["parts"], _contrasts(study, found["decomposition"])),
        "notes": [(text, place) for text, place in _notes(verdicts, missing, _diverged(study, found)) if text],
    }


def of_rows(study: Study, said: Sequence[str], table: pd.DataFrame) -> Said:
    """Each sentence with the levels that its row holds."""
    records = zip(said, table.to_dict("records"), strict=True)
    return [(sentence, rows.held(study, row)) for sentence, row in records if sentence]


def _contrasts(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The first row of each comparison of a table that has several of each."""
    return table.drop_duplicates([name for name in table if name in (*study.factors, "baseline", "treatment")])


def _diverged(study: Study, found: Mapping[str, pd.DataFrame]) -> str:
    """How many trials diverged, and how their contexts are judged; empty where none did."""
    count = int(found["exclusions"]["reason"].eq("diverged").sum())
    if not count:
        return ""
    trials = formats.count(count, words.of(study).run)
    by_ranks = " Where one did, the verdict is by ranks." if found["contexts"]["test"].eq("worst-rank").any() else ""
    return f"{trials} diverged.{by_ranks}"


def _notes(verdicts: Mapping[str, Any], missing: str, diverged: str) -> list[tuple[str, str]]:
    """What changes how the answer reads, each with the part of the page that has more."""
    return [
        (verdicts["opposite"], "outcomes"),
        (verdicts["budget_note"], "budget"),
        (verdicts["rates_note"], "method"),
        (verdicts["adjusted"], "method"),
        (missing, "exclusions"),
        (diverged, "exclusions"),
        (verdicts["preregistration"]["note"], "method"),
        (verdicts["absolute_answer"], "absolute"),
        (verdicts["needed"], "statistics"),
        (verdicts["still_changing"], "budget"),
    ]
