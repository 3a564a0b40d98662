"""Claims in words: what each comes to, where, and by which numbers."""

from __future__ import annotations

import math
from typing import Any

from bnbench.judge.claims import Judged
from bnbench.plan.study import Study
from bnbench.wording import effects, formats, titles, together
from bnbench.wording.titles import Row


def row(study: Study, judged: Judged) -> dict[str, Any]:
    """A claim, how many rows stand how to it, the numbers of each, and what is said of it."""
    claim, rows, stood, conclusion = judged
    where = ""
    if len({*stood}) > 1:
        speaking = "against" if conclusion == "contradicted" else "for"
        names = [_name(study, row) for row, its in zip(rows, stood, strict=True) if its == speaking]
        where = formats.listed(names)
        if conclusion == "undecided":
            where = f"({len(names)} of {len(stood)} as predicted)"
    return {
        "words": claim["words"],
        "source": claim["source"],
        "predicts": claim["predicts"],
        "conclusion": conclusion,
        "where": where,
        "rows": len(rows),
        "supporting": stood.count("for"),
        "contradicting": stood.count("against"),
        "pairs": max((int(row["pairs"]) for row in rows), default=0),
        "measured": [text for text in (_measured(study, row) for row in rows) if text],
        "said": _said(conclusion, where),
    }


def _said(conclusion: str, where: str) -> str:
    """What a claim comes to, with where that holds."""
    among = " where" if where and conclusion in ("supported", "contradicted") else ""
    return f"{conclusion}{among} {where}".strip()


def _name(study: Study, row: Row) -> str:
    """What a row is called."""
    if "factor" in row:
        return titles.comparison(study, row)
    return titles.contrast_name(study, row)


def _measured(study: Study, row: Row) -> str:
    """The ratio of a row with its interval, and its verdict, or the sentence of an interaction."""
    if "factor" in row:
        return together.interaction(study, row).rstrip(".")
    outcome = study.outcome
    said = effects.interval(outcome, row["effect"], row["effect_low"], row["effect_high"])
    effect = "" if math.isnan(row["effect"]) else f"{effects.noun(outcome)} {said}, "
    return f"{_name(study, row)}: {effect}{row['verdict']}"
