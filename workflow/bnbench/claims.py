"""Claims of the literature, put to the test: what a study's rows say of each.

A claim names rows of one table of the study, and what it predicts of them. It is judged by the verdicts of these rows
alone, so nothing is called supported that the study has not decided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from bnbench import sentences, words
from bnbench.study import Study
from bnbench.words import Row

Standing = Literal["for", "against", "open"]

_COUNTS = ["rows", "supporting", "contradicting", "pairs"]
COLUMNS = ["words", "source", "predicts", "verdict", "where", *_COUNTS, "measured"]
"""Of the table of claims. `rows`, `supporting` and `contradicting` count rows; `pairs` are the most pairs of a row."""


def table(study: Study, found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per claim of the study; `found` are the tables of the comparison."""
    rows = [judged(study, claim, found[claim["in"]]) for claim in study.config["claims"]]
    return pd.DataFrame(rows, columns=COLUMNS)


def judged(study: Study, claim: Mapping[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    """What `rows`, the table that the claim is about, say of it."""
    chosen = study.meant(claim["where"], rows.to_dict("records"))
    stood = [standing(study, claim, row) for row in chosen]
    verdict, where = decide(stood, claim["of"]), ""
    if len({*stood}) > 1:
        speaking = "against" if verdict == "contradicted" else "for"
        names = [_name(study, row) for row, its in zip(chosen, stood, strict=True) if its == speaking]
        where = f"({len(names)} of {len(stood)} as predicted)" if verdict == "undecided" else words.listed(names)
    return {
        "words": claim["words"],
        "source": claim["source"],
        "predicts": claim["predicts"],
        "verdict": verdict,
        "where": where,
        "rows": len(chosen),
        "supporting": stood.count("for"),
        "contradicting": stood.count("against"),
        "pairs": max((int(row["pairs"]) for row in chosen), default=0),
        "measured": "; ".join(filter(None, (_measured(study, row) for row in chosen))),
    }


def said(claim: Row) -> str:
    """The verdict of a row of the table of claims, with where it holds."""
    among = " where" if claim["where"] and claim["verdict"] in ("supported", "contradicted") else ""
    return f"{claim['verdict']}{among} {claim['where']}".strip()


def decide(stood: Sequence[Standing], of: str) -> str:
    """From how a claim's rows stand to its verdict.

    A claim of all its rows is supported where all of them are for it, contradicted where some are against it and none
    is for it, and holds only where some are for it and some against. A claim of any of them is supported by one, and
    contradicted where all are against it. Else it is undecided: that one row is decided and another is not makes no
    difference between them (Gelman & Stern 2006).
    """
    found = {*stood}
    if "for" in found and (of == "any" or found == {"for"}):
        return "supported"
    if of == "all" and {"for", "against"} <= found:
        return "only where"
    contradicted = "against" in found and (of == "all" or found == {"against"})
    return "contradicted" if contradicted else "undecided"


def standing(study: Study, claim: Mapping[str, Any], row: Row) -> Standing:
    """How one row stands to what is predicted of it."""
    if claim["in"] == "interactions":
        decided = row["p_holm"] < study.report.alpha
        falls, rises = decided and row["high"] < 1, decided and row["low"] > 1
        found = "falls" if falls else "rises" if rises else "open"
        return "open" if found == "open" else "for" if found == claim["predicts"] else "against"
    verdict = row["verdict"]
    if verdict not in ("helps", "hurts", "equivalent"):
        return "open"
    if claim["predicts"] == "equivalent":
        return "for" if verdict == "equivalent" or row["within_margin"] else "against"
    allowed = ("helps", "equivalent") if claim["predicts"] == "not_worse" else (claim["predicts"],)
    return "for" if verdict in allowed else "against"


def _name(study: Study, row: Row) -> str:
    """What a row is called."""
    if "factor" in row:
        return words.comparison(study, row)
    return words.contrast_name(study, row)


def _measured(study: Study, row: Row) -> str:
    """The ratio of a row with its interval, and its verdict, or the sentence of an interaction."""
    if "factor" in row:
        return sentences.interaction(study, row).rstrip(".")
    low, high = row["ratio_low"], row["ratio_high"]
    limits = "" if math.isnan(low) else f" ({words.number(low)} to {words.number(high)})"
    ratio = "" if math.isnan(row["ratio"]) else f"ratio {words.number(row['ratio'])}{limits}, "
    return f"{_name(study, row)}: {ratio}{row['verdict']}"
