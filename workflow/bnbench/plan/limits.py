"""How much one config may say: more is refused before it is read, copied or planned, since that would take for ever.

Aliases of YAML count as often as they occur: nine lines of them can stand for a billion values. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bnbench.errors import UserError

MOST_BYTES = 256 * 1024
"""Of a config file. The longest study of this project has 5 KB. More YAML takes seconds to read."""

MOST_VALUES = 10_000
"""In a config. They are read and checked one by one, which takes about a second."""

MOST_DEEP = 20
"""Lists and mappings within one another. No key has more than four."""

MOST_SETTINGS = 2_000
"""In a grid. Each job plans all of it again, which takes some seconds, and the page has a row for each pair of them."""

MOST_JOBS = 100_000
"""Of a study. Snakemake looks at each before it starts one, and starting each takes a second."""

MOST_TOLD = 20
"""Lines of mistakes, and unknown keys in one mapping. A config with more of them has one mistake many times."""


def refuse_large(value: Any, source: str) -> None:
    """Refuse a config, or a part of one, whose walk would take for ever.

    Raises:
        UserError: there are more values in it than allowed, or they lie too deep.
    """
    try:
        values, deep = _extent(value, {})
    except RecursionError:
        values, deep = 1, math.inf
    if deep > MOST_DEEP:
        said = f"found more than {MOST_DEEP} lists and mappings within one another, allowed: at most so many"
        raise UserError(f"{source}: {said}")
    if values > MOST_VALUES:
        said = f"found more than {MOST_VALUES:,} values, where an alias counts as all that it stands for"
        raise UserError(f"{source}: {said}, allowed: at most so many")


def _extent(value: Any, known: dict[int, tuple[int, float]]) -> tuple[int, float]:
    """How many values `value` has, itself included, and how deep they lie; one that occurs twice counts twice."""
    if not isinstance(value, Mapping | list):
        return 1, 0
    if id(value) not in known:
        known[id(value)] = 1, math.inf  # as deep as one that contains itself
        inner = [_extent(each, known) for each in (value.values() if isinstance(value, Mapping) else value)]
        known[id(value)] = 1 + sum(size for size, _ in inner), 1 + max((deep for _, deep in inner), default=0)
    return known[id(value)]


def told(source: str, lines: Sequence[str]) -> str:
    """A line a mistake, each after its `source`; the first of many, and how many there are more."""
    left = len(lines) - MOST_TOLD
    shown = [*lines[:MOST_TOLD], f": {left:,} more"] if left > 1 else lines
    return "\n".join(f"{source}{line}" for line in shown)
