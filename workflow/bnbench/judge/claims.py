"""Claims put to the test: how a study's rows stand to each.

A claim names rows of one table of the study, and what it predicts of them. It is judged by the verdicts of these rows
alone, so nothing is called supported that the study has not decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd

from bnbench.plan import claimed
from bnbench.plan.study import Study

Row = Mapping[Any, Any]

Standing = Literal["for", "against", "open"]

CONCLUSIONS = ("supported", "only where", "contradicted", "undecided")
"""What a claim can come to."""


class Judged(NamedTuple):
    """A claim of the config, the rows that it is about, and what they say of it."""

    claim: Mapping[str, Any]
    rows: Sequence[Row]
    stood: Sequence[Standing]
    """How each of the rows stands to what is predicted of it."""
    conclusion: str
    """One of `CONCLUSIONS`."""


def judged(study: Study, found: Mapping[str, pd.DataFrame]) -> list[Judged]:
    """All claims of the study; `found` are the tables of the comparison."""
    return [judge(study, claim, found[claim["in"]]) for claim in study.config["claims"]]


def judge(study: Study, claim: Mapping[str, Any], table: pd.DataFrame) -> Judged:
    """What the table that a claim is about says of it."""
    rows = claimed.meant(study, claim["where"], table.to_dict("records"))
    stood = [standing(study, claim, row) for row in rows]
    return Judged(claim, rows, stood, conclude(stood, claim["of"]))


def conclude(stood: Sequence[Standing], of: str) -> str:
    """From how a claim's rows stand to what it comes to.

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
        decided = row["p_adjusted"] < study.report.alpha
        none = study.outcome.no_effect
        falls, rises = decided and row["high"] < none, decided and row["low"] > none
        found = "falls" if falls else "rises" if rises else "open"
        return "open" if found == "open" else "for" if found == claim["predicts"] else "against"
    verdict = row["verdict"]
    if verdict not in ("helps", "hurts", "equivalent"):
        return "open"
    if claim["predicts"] == "equivalent":
        return "for" if verdict == "equivalent" or row["within_margin"] else "against"
    allowed = ("helps", "equivalent") if claim["predicts"] == "not_worse" else (claim["predicts"],)
    return "for" if verdict in allowed else "against"
