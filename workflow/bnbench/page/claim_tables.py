"""The tables of claims: of one study, and of all studies together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bnbench.page.rows import Cell
from bnbench.page.table import Line, Table
from bnbench.wording import formats

_SPELLED_OUT = 4  # rows of a claim that are shown without a click

SETUPS = {"paper": "What the source did", "here": "What is tested here"}
"""Columns of a claim that give its setup, and their headings."""


def claims(judged: Sequence[Mapping[str, Any]]) -> Table | None:
    """The claims of a study, and what it says of them; nothing where there are none."""
    told = _setups_told(judged)
    lines = [_claim(claim, told) for claim in judged]
    heads = ["Claim", *(SETUPS[name] for name in told), "Verdict", "Measured"]
    return Table("Claims", heads, lines, "claims") if lines else None


def claims_of_studies(judged: Sequence[Mapping[str, Any]]) -> Table:
    """The claims of several studies, each with a link to its own."""
    lines, told = [], _setups_told(judged)
    for claim in judged:
        study = Cell(
            claim["study"], note=f"({formats.count(claim['pairs'], 'seed')})", link=f"../{claim['study']}/index.html"
        )
        lines.append(_claim(claim, told, study))
    measured = "Measured: treatment against baseline, with its interval"
    heads = ["Claim", *(SETUPS[name] for name in told), "Verdict", measured, "Study"]
    return Table("Claims", heads, lines, "claims")


def _setups_told(judged: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of `SETUPS` in which any claim has something."""
    return [name for name in SETUPS if any(claim[name] for claim in judged)]


def _claim(claim: Mapping[str, Any], told: Sequence[str], *more: Cell) -> Line:
    counted = f"{claim['supporting']} of {claim['rows']} as predicted, {claim['contradicting']} decided otherwise"
    measured = Cell(counted if claim["rows"] > _SPELLED_OUT else "", kind="measured", parts=claim["measured"])
    setups = (Cell(claim[name]) for name in told)
    named = Cell(claim["words"], note=f"({claim['source']}; predicts: {claim['predicts']})")
    cells = [named, *setups, Cell(claim["said"], kind="verdict"), measured, *more]
    return Line(cells, claim["conclusion"].replace(" ", "-"))
