"""Claims put to the test: whether a study's rows agree with each.

A claim names rows of one table of the study, and what it predicts of them. It is judged by the verdicts of these rows
alone, so nothing is called supported that the study has not decided. Where task, outcome or tuning are not those of its
source, no row can contradict the source: the claim carries over to what is tested here, or it does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd

from bnbench.judging import edges
from bnbench.outcomes import Outcome
from bnbench.plan import claimed
from bnbench.plan.study import Study

Row = Mapping[Any, Any]

Standing = Literal["for", "against", "open"]

_ELSEWHERE = {
    "supported": "carries over",
    "only where": "carries over in part",
    "contradicted": "does not carry over",
    "undecided": "undecided",
}
"""A verdict in the source's own setup → its name in another setup."""

CONCLUSIONS = tuple(dict.fromkeys([*list(_ELSEWHERE)[:-1], *_ELSEWHERE.values()]))
"""All verdicts on claims."""

IN_PART = ("only where", _ELSEWHERE["only where"])
"""Conclusions that hold for some of the rows, and not for others."""


class Finding(NamedTuple):
    """What one row has decided."""

    lean: str
    """The direction of its effect: `helps` or `hurts`, for interactions `falls` or `rises`; empty if it has none."""
    effect: bool
    """It is decided that there is such an effect."""
    small: bool
    """It is decided that there is none larger than the margin."""
    not_worse: bool
    """It is decided that the treatment is not worse by more than the margin."""


class Judged(NamedTuple):
    """A claim of the config, the rows that it is about, and what they say about it."""

    claim: Mapping[str, Any]
    rows: Sequence[Row]
    stood: Sequence[Standing]
    """Whether each row agrees with its prediction."""
    conclusion: str
    """One of `CONCLUSIONS`."""
    close: Sequence[bool]
    """Rows so near the edge of their verdict that the other side of it would change the conclusion."""


def judged(study: Study, found: Mapping[str, pd.DataFrame]) -> list[Judged]:
    """All claims of the study; `found` are the tables of the comparison."""
    return [judge(study, claim, found[claim["in"]]) for claim in study.config["claims"]]


def judge(study: Study, claim: Mapping[str, Any], table: pd.DataFrame) -> Judged:
    """What the table that a claim is about says about it."""
    rows = claimed.meant(study, claim["where"], table.to_dict("records"))
    stood = [standing(study, claim, row) for row in rows]
    close = [_hangs_on(study, claim, stood, place, row) for place, row in enumerate(rows)]
    return Judged(claim, rows, stood, conclude(stood, claim["of"], claim["setup"]), close)


def conclude(stood: Sequence[Standing], of: str, setup: str = "same") -> str:
    """The verdict on a claim, from whether its rows agree with it.

    A claim of all its rows is supported where all of them are for it, contradicted where some are against it and none
    is for it, and holds only where some are for it and some against. A claim of any of them is supported by one, and
    contradicted where all are against it. Else it is undecided: that one row is decided and another is not makes no
    difference between them (Gelman & Stern 2006). In another setup than the source's, the words say whether it
    carries over.
    """
    found, here = {*stood}, "undecided"
    if "for" in found and (of == "any" or found == {"for"}):
        here = "supported"
    elif of == "all" and {"for", "against"} <= found:
        here = "only where"
    elif "against" in found and (of == "all" or found == {"against"}):
        here = "contradicted"
    return _ELSEWHERE[here] if setup == "other" else here


def standing(study: Study, claim: Mapping[str, Any], row: Row) -> Standing:
    """Whether one row agrees with its prediction."""
    return _standing(claim["predicts"], finding(study, claim["in"], row))


def finding(study: Study, table: str, row: Row) -> Finding:
    """What a row of a table that claims may be about has decided."""
    if table in ("contexts", "tuned"):
        verdict = row["verdict"]
        effect = verdict in ("helps", "hurts")
        small = verdict == "equivalent" or bool(effect and row["within_margin"])
        not_worse = verdict in ("helps", "equivalent") or small or row.get("edge_not_worse", math.nan) > 0
        lean = verdict if effect else _lean(study.outcome, row["effect"], ("helps", "hurts"))
        return Finding(lean, effect, small, bool(not_worse and verdict != "no data"))
    words = ("falls", "rises") if table == "interactions" else ("helps", "hurts")
    if table == "outcomes":
        lean = _lean(study.outcomes[row["outcome"]], row["effect"], words)
        return Finding(lean, bool(row["marked"] and lean), small=False, not_worse=False)
    outcome = study.outcome if table == "interactions" else study.outcomes["test_loss"]
    effect = row["p_adjusted"] < study.report.alpha and (
        row["high"] < outcome.no_effect or row["low"] > outcome.no_effect
    )
    shown = row["low"] if row["low"] > outcome.no_effect else row["high"]
    lean = words[int(shown > outcome.no_effect)] if effect else _either_way(outcome, row.get("effect", math.nan), words)
    return Finding(lean, bool(effect), small=False, not_worse=False)


def _standing(predicts: str, found: Finding) -> Standing:
    if predicts == "not_worse" and found.not_worse:
        return "for"
    if not (found.effect or found.small):
        return "open"
    if predicts in ("equivalent", "not_worse"):
        return "for" if found.small or (predicts == "not_worse" and found.lean == "helps") else "against"
    return "for" if found.effect and found.lean == predicts else "against"


def _lean(outcome: Outcome, effect: float, words: tuple[str, str]) -> str:
    """The direction of an effect by its cost: a higher score is a lower cost."""
    return _either_way(outcome, effect, words if outcome.lower_is_better else words[::-1])


def _either_way(outcome: Outcome, effect: float, words: tuple[str, str]) -> str:
    """The first word for an effect below no effect, the second above it, and neither for no effect."""
    if math.isnan(effect) or effect == outcome.no_effect:
        return ""
    return words[int(effect > outcome.no_effect)]


def _hangs_on(study: Study, claim: Mapping[str, Any], stood: Sequence[Standing], place: int, row: Row) -> bool:
    """Whether the conclusion, or in part the rows that it holds for, would be another beyond a close edge of a row."""
    here = conclude(stood, claim["of"])
    for found in _beyond(finding(study, claim["in"], row), row):
        other = _standing(claim["predicts"], found)
        if other == stood[place]:
            continue
        there = conclude([*stood[:place], other, *stood[place + 1 :]], claim["of"])
        if there != here or here in IN_PART:
            return True
    return False


def _beyond(found: Finding, row: Row) -> Iterator[Finding]:
    """What the row would have decided, had it come out on the other side of an edge that is close."""
    if found.lean and _is_close(row, "edge_effect"):
        yield found._replace(effect=not found.effect)
    if _is_close(row, "edge_equivalence"):
        yield found._replace(small=not found.small, not_worse=found.not_worse or not found.small)
    if _is_close(row, "edge_not_worse"):
        yield found._replace(not_worse=not found.not_worse)


def _is_close(row: Row, edge: str) -> bool:
    return bool(abs(row.get(edge, math.nan)) < edges.CLOSE)
