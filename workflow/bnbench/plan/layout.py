"""How a network lies in memory. Pure: the planner computes with the trainer's layout."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from bnbench.catalogue import networks, tasks

_ALIGNED = 16


def aligned(width: int) -> int:
    """The width of a hidden layer in memory, see `networks._Linear`: the next multiple of 16."""
    return -(-width // _ALIGNED) * _ALIGNED


def weights(spec: Mapping[str, Any]) -> int:
    """Weights of one perceptron in memory."""
    task = tasks.of(spec)
    outputs = task.outputs() if task.outputs() == 1 else aligned(task.outputs())
    widths = [task.inputs(), *(aligned(width) for width in networks.of(spec).hidden), outputs]
    return sum(before * after + after for before, after in pairwise(widths))
