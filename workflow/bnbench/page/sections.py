"""The sections of a page, in their order: headings and table of contents are both made of this one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bnbench.plan.study import Study
from bnbench.wording import captions, titles


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading of the second level."""

    key: str
    """What links to it name: `#key`."""
    title: str
    """The heading."""
    templates: Sequence[str]
    """Where its content may lie; the first that exists is taken."""
    folded: bool = False
    """Whether a reader has to open it."""
    printed: bool = True
    """Whether paper has it where it is folded."""


_FOLDED = ("statistics", "exclusions", "provenance", "downloads")
_NOT_PRINTED = ("statistics", "provenance", "downloads")


def of(study: Study, facts: Mapping[str, Any]) -> list[Section]:
    """The sections that the page of a study has.

    Args:
        study: the study.
        facts: what its template is given: its tables, figures and sentences.
    """
    there, own = _there(facts), not study.trained_here
    return [
        Section(key, title, _templates(key, own), key in _FOLDED, key not in _NOT_PRINTED)
        for key, title in _titles(study, facts["said"]).items()
        if there.get(key, True)
    ]


def _templates(key: str, own: bool) -> list[str]:
    common = f"sections/{key}.html"
    return [f"sections/own/{key}.html", common] if own else [common]


def _titles(study: Study, said: Mapping[str, str]) -> dict[str, str]:
    """Section → its heading, in the order of the page."""
    own, paired = not study.trained_here, study.paired
    return {
        "learned": "What the networks learned",
        "why": "Why?",
        "budget": f"Over the {said['epochs']}" if own else "Does the answer depend on the budget?",
        "claims": "What it says of the claims",
        "rates": f"Each arm at its own {said['tuned']}{_and_equal(study)}",
        "contexts": "What the comparison says" if own and not study.varied() else "What each context says",
        "outcomes": f"Every outcome: {captions.treated(study)} against {captions.base(study)}",
        "statistics": f"Other statistics of the same {'pairs' if paired else 'runs'}",
        "seeds": "Seed by seed" if paired else "Run by run",
        "heatmap": "Effects over the grid",
        "variance": "What makes the spread over the seeds",
        "interactions": "Does it depend on the context?",
        "aggregate": "All contexts taken together",
        "ranks": "Every arm against every other",
        "reference": "Reference points",
        "controls": "Controls",
        "cost": "Cost",
        "data": "How the columns were read" if own else "Data",
        "method": "Method",
        "exclusions": "Exclusions" if own else "Exclusions and mixtures",
        "provenance": "Where the numbers come from" if own else "Provenance",
        "downloads": "Downloads",
    }


def _and_equal(study: Study) -> str:
    """What the section on tuned arms shows besides."""
    equal = titles.equal(study) if study.tuned_arms == study.arms else ""
    return f", and both {equal}" if equal else ""


def _there(facts: Mapping[str, Any]) -> dict[str, bool]:
    """Whether a section has anything to show, where it may have nothing."""
    figures, verdicts = facts["figures"], facts["verdicts"]
    return {
        "learned": bool({"fit", "accuracy", "confusion"} & {*figures}),
        "why": "decomposition" in figures,
        "budget": "curves" in figures,
        "claims": facts["claims"] is not None,
        "rates": facts["tuned"] is not None,
        "outcomes": facts["outcomes"] is not None,
        "heatmap": "heatmap" in figures and not facts["grid_first"],
        "variance": facts["sources"] is not None,
        "interactions": "interactions" in figures,
        "aggregate": "profile" in figures,
        "ranks": "ranks" in figures,
        "reference": bool(verdicts["reference"]),
        "cost": not facts["own"],
        "data": bool(facts["data"]),
    }
