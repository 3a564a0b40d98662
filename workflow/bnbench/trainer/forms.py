"""Forms: what a kept state is like, whatever its numbers: the names, types and shapes of all that it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from torch import Tensor

Forms = dict[str, str]
"""Name → type and shape, such as `float32 [3, 8]`."""


def of(tree: Any) -> Forms:
    """The forms of all that nested mappings and lists hold, by their paths, such as `0/state/3/exp_avg`."""
    return dict(_leaves("", tree))


def difference(found: Mapping[str, str], expected: Mapping[str, str]) -> str:
    """One thing in which forms are not as expected, in words; empty where they are."""
    if absent := sorted({*expected} - {*found}):
        return f"without {absent[0]}"
    if more := sorted({*found} - {*expected}):
        return f"found {more[0]}, which nothing here keeps"
    other = next((name for name, form in found.items() if form != expected[name]), None)
    return "" if other is None else f"found {other} as {found[other]}, allowed: {expected[other]}"


def _leaves(path: str, tree: Any) -> Iterator[tuple[str, str]]:
    if isinstance(tree, Tensor | np.ndarray):
        yield path, f"{str(tree.dtype).removeprefix('torch.')} {[*tree.shape]}"
    elif isinstance(tree, Mapping | list | tuple):
        items = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
        for name, value in items:
            yield from _leaves(f"{path}/{name}" if path else str(name), value)
    else:
        yield path, type(tree).__name__
