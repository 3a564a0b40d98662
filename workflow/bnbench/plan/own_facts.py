"""The facts about a table of your own results, as the plan keeps them.

The rules pass them to every step on the command line, which holds 128 KiB. So seeds are counted, a setting names its
levels by their places, and of long lists the first items are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FRAME = "the frame"
"""Replaces the hash of a table that was passed in Python."""

NAMED = 40
"""Columns that are set aside, and notes of a reader, that are kept; of the others, the number."""


def packed(facts: Mapping[str, Any], comparisons: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The facts that `own_results.reading.of` gives, in less room.

    `seed` has the `count` of all seeds. `settings` has a row each: the place of its level of each factor, and how many
    runs it has. `most` says how many `pairs` the comparison with most of them has (the `fewest_pairs` of the one with
    fewest), and how many runs the `baseline` and the `treatment` of the one with most runs.

    Args:
        facts: of the table.
        comparisons: (label used as baseline, label used as treatment).
    """
    factors = facts["factors"]
    settings = [
        [*(each["levels"].index(row["labels"][each["name"]]) for each in factors), len(_numbers(row["seeds"]))]
        for row in facts["settings"]
    ]
    return {
        **facts,
        "seed": {"column": facts["seed"]["column"], "count": len(_numbers(facts["seed"]["ranges"]))},
        "settings": settings,
        "most": _most(facts, comparisons),
        "set_aside": facts["set_aside"][:NAMED],
        "set_aside_more": max(0, len(facts["set_aside"]) - NAMED),
        "notes": facts["notes"][:NAMED],
    }


def labels(facts: Mapping[str, Any], places: Sequence[int]) -> dict[str, str]:
    """Factor → label, from the places of the levels."""
    return {each["name"]: each["levels"][place] for each, place in zip(facts["factors"], places, strict=True)}


def _most(facts: Mapping[str, Any], comparisons: Sequence[tuple[str, str]]) -> dict[str, int]:
    factor = facts["factors"][0]["name"]
    contexts: dict[tuple[str, ...], dict[str, set[int]]] = {}
    for row in facts["settings"]:
        context = tuple(text for name, text in row["labels"].items() if name != factor)
        contexts.setdefault(context, {})[row["labels"][factor]] = _numbers(row["seeds"])
    pairs = [
        (arms[one], arms[other]) for arms in contexts.values() for one, other in comparisons if {one, other} <= {*arms}
    ]
    groups = max(
        ((len(one), len(other)) for one, other in pairs), key=lambda sizes: (min(sizes), sum(sizes)), default=(0, 0)
    )
    counts = [len(one & other) for one, other in pairs]
    return {
        "pairs": max(counts, default=0),
        "fewest_pairs": min(counts, default=0),
        "baseline": groups[0],
        "treatment": groups[1],
    }


def _numbers(ranges: Iterable[Sequence[int]]) -> set[int]:
    """All whole numbers of ranges, first and last of each."""
    return {number for first, last in ranges for number in range(first, last + 1)}
