"""Claims in words: what each comes to, where, and by which numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bnbench.judging.claims import Judged, finding
from bnbench.plan.study import Study
from bnbench.wording import effects, explored, formats, titles, together
from bnbench.wording.titles import Row

COUNTED = {
    "supported": "supported",
    "only where": "supported only in part",
    "contradicted": "contradicted",
    "carries over": "carrying over to another setup",
    "carries over in part": "carrying over in part",
    "does not carry over": "not carrying over",
    "undecided": "undecided",
}
"""Conclusion → how claims that come to it are counted; in the order of the count."""

BORDERLINE = "borderline"
"""Said after a conclusion that hangs on a row close to the edge of its verdict."""


def row(study: Study, judged: Judged) -> dict[str, Any]:
    """A claim, how many rows support or contradict it, the numbers of each, and its sentences."""
    claim, stood = judged.claim, judged.stood
    where = _where(study, judged)
    return {
        "words": claim["words"],
        "source": claim["source"],
        "paper": claim["paper"] or "",
        "here": claim["here"] or "",
        "setup": claim["setup"],
        "to": claim["to"] if claim["setup"] == "other" else "",
        "predicts": claim["predicts"],
        "conclusion": judged.conclusion,
        "where": where,
        "rows": len(stood),
        "supporting": stood.count("for"),
        "contradicting": stood.count("against"),
        "close": sum(judged.close),
        "pairs": max((int(row["pairs"]) for row in judged.rows), default=0),
        "measured": [text for text in _measurements(study, judged) if text],
        "said": _said(judged, where),
    }


def counts(found: Iterable[Mapping[str, Any]]) -> str:
    """How many claims came to each conclusion: `3 supported, 2 undecided`."""
    each = [row["conclusion"] for row in found]
    return ", ".join(f"{each.count(name)} {said}" for name, said in COUNTED.items() if name in each)


def trained_on(found: Iterable[Mapping[str, Any]], elsewhere: Sequence[str] = ()) -> str:
    """The processors and the torch versions that trained the trials.

    Args:
        found: rows of the provenance of all studies.
        elsewhere: names of the studies whose runs were not trained here.
    """
    machines: dict[str, set[str]] = {}
    for row in (row for row in found if isinstance(row["device_name"], str)):
        machines.setdefault(str(row["device_name"]), set()).add(str(row["torch"]))
    said = [f"{name} with torch {formats.listed(sorted(torch))}" for name, torch in sorted(machines.items())]
    ran = [f"The trials ran on {formats.listed(said)}."] if said else []
    own = [f"The runs of {formats.listed(elsewhere)} were trained elsewhere."] if elsewhere else []
    return " ".join([*ran, *own])


def _where(study: Study, judged: Judged) -> str:
    """The rows that decide a claim, where not all agree."""
    stood = judged.stood
    if len({*stood}) < 2:
        return ""
    if judged.conclusion == "undecided":
        return f"({stood.count('for')} of {len(stood)} as predicted)"
    speaking = "against" if judged.conclusion in ("contradicted", "does not carry over") else "for"
    return formats.listed([_name(study, row) for row, its in zip(judged.rows, stood, strict=True) if its == speaking])


def _said(judged: Judged, where: str) -> str:
    """What a claim comes to, with where that holds, and whether it hangs on a row close to its edge."""
    conclusion = judged.conclusion
    said = f"{conclusion} {where}".strip()
    if where and conclusion in ("supported", "contradicted"):
        said = f"{conclusion} where {where}"
    elif "over" in conclusion:
        said = f"{conclusion} to {judged.claim['to']}{f' ({where})' if where else ''}"
    return f"{said}; {BORDERLINE}" if any(judged.close) else said


def _name(study: Study, row: Row) -> str:
    """What a row is called."""
    if "factor" in row:
        return titles.comparison(study, row)
    part = row["component"] if "component" in row else titles.outcome(study, row["outcome"]) if "role" in row else ""
    return ", ".join(filter(None, [part, titles.contrast_name(study, row)]))


def _measurements(study: Study, judged: Judged) -> Iterable[str]:
    """The numbers of each row, and what must be known of them."""
    for row, close in zip(judged.rows, judged.close, strict=True):
        measured = _measured(study, judged.claim["in"], row)
        notes = ", ".join([*_ends(study, row), *(["close to its edge"] if close else [])])
        yield f"{measured} [{notes}]" if measured and notes else measured


def _measured(study: Study, table: str, row: Row) -> str:
    """The ratio of a row with its interval, and its verdict, or the sentence of an interaction."""
    if table == "interactions":
        return together.interaction(study, row).rstrip(".")
    found = finding(study, table, row)
    verdict = row.get("verdict") or (found.lean if found.effect else "undecided")
    if table == "outcomes":
        said = " ".join(filter(None, [explored.effect(study, row), explored.note(study, row)]))
        return f"{_name(study, row)}: {said}, {verdict}"
    outcome, limits = study.outcome, ("effect_low", "effect_high")
    if table == "decomposition":
        outcome, limits = study.outcomes["test_loss"], ("low", "high")
    said = effects.interval(outcome, row["effect"], *(row[name] for name in limits))
    effect = "" if math.isnan(row["effect"]) else f"{effects.noun(outcome)} {said}, "
    return f"{_name(study, row)}: {effect}{verdict}"


def _ends(study: Study, row: Row) -> list[str]:
    """The chosen values of tuned arms that are at an end of the list that was tried."""
    ends = [(row.get(f"at_end_{name}"), row[name]) for name in ("baseline", "treatment") if name in row]
    return [f"{end} of {titles.arm(study, arm)} ends its list" for end, arm in ends if isinstance(end, str)]
