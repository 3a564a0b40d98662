"""The largest config and study. More is refused before it is read, copied or planned, since that would take for ever.

Aliases of YAML count as often as they occur: nine lines of them can stand for a billion values. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bnbench.errors import UserError

MOST_BYTES = 256 * 1024
"""Of a config file. The longest study of this project has 5 KB. A larger file takes seconds to read."""

MOST_VALUES = 10_000
"""In a config. They are read and checked one by one, which takes about a second."""

MOST_DEEP = 20
"""Depth of nested lists and mappings. No key needs more than four."""

MOST_SETTINGS = 2_000
"""In a grid. Each job plans them all again, which takes seconds, and the page has a row for each pair of settings."""

MOST_JOBS = 100_000
"""Of a study. Snakemake looks at all jobs before it starts one, and each takes a second to start."""

MOST_TOLD = 20
"""Mistakes in one message, and unknown keys in one mapping. More of them are one mistake, made many times."""


def refuse_large(value: Any, source: str) -> None:
    """Refuse a config, or a part of one, that would take for ever to walk through.

    Raises:
        UserError: it has too many values, or is nested too deep.
    """
    try:
        values, deep = _extent(value, {})
    except RecursionError:
        values, deep = 1, math.inf
    if deep > MOST_DEEP:
        said = f"found lists and mappings nested more than {MOST_DEEP} deep, allowed: at most {MOST_DEEP}"
        raise UserError(f"{source}: {said}")
    if values > MOST_VALUES:
        said = f"found more than {MOST_VALUES:,} values (an alias counts as all that it stands for)"
        raise UserError(f"{source}: {said}, allowed: at most {MOST_VALUES:,}")


def _extent(value: Any, known: dict[int, tuple[int, float]]) -> tuple[int, float]:
    """How many values `value` has, itself included, and how deep it is nested; one that occurs twice counts twice."""
    if not isinstance(value, Mapping | list):
        return 1, 0
    if id(value) not in known:
        known[id(value)] = 1, math.inf  # as deep as one that contains itself
        inner = [_extent(each, known) for each in (value.values() if isinstance(value, Mapping) else value)]
        known[id(value)] = 1 + sum(size for size, _ in inner), 1 + max((deep for _, deep in inner), default=0)
    return known[id(value)]


def told(source: str, lines: Sequence[str]) -> str:
    """One line per mistake, each after its `source`; of many, the first ones and the number of the others."""
    left = len(lines) - MOST_TOLD
    shown = [*lines[:MOST_TOLD], f": {left:,} more mistakes"] if left > 1 else lines
    return "\n".join(f"{source}{line}" for line in shown)
