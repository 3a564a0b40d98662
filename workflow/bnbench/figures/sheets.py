"""A figure of many panels as it is being drawn: what it has taken down of each, so that limits and labels fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from bnbench.figures.style import Room

_AN_INCH, _FEWEST = 50, 60  # points of a line


@dataclass
class Panel:
    """A panel, or several on top of each other, with what it shows."""

    axes: list[Axes]
    rows: pd.DataFrame
    """Of the table."""
    first: bool
    """Whether it is the first of its row."""
    last: bool
    """Whether none is below it."""
    drawn: list[list[tuple[NDArray[np.float64], NDArray[np.float64], str]]] = field(default_factory=list)
    """For each of its axes: places along it, values, and their colour."""

    def show(self, places: ArrayLike, values: ArrayLike, colour: str, level: int = 0) -> None:
        """Take down what is drawn on one of its axes, so that its limits fit."""
        shown = tuple(np.atleast_1d(np.asarray(part, float)) for part in (places, values))
        self.drawn[level].append((*shown, colour))  # type: ignore[arg-type]


def thinned(ax: Axes, places: ArrayLike, *, log: bool = False) -> NDArray[np.intp]:
    """Which of the places along a panel to draw: more than about fifty an inch show nothing more, the last one always.

    Args:
        ax: the panel, which has its width.
        places: in ascending order.
        log: whether the axis along the bottom is logarithmic.
    """
    scaled = np.log(np.asarray(places, float)) if log else np.asarray(places, float)
    width = ax.get_position().width * ax.figure.get_figwidth()  # type: ignore[union-attr]
    most = max(_FEWEST, int(_AN_INCH * width))
    if len(scaled) <= most:
        return np.arange(len(scaled))
    parts = np.floor((scaled - scaled[0]) / (scaled[-1] - scaled[0]) * (most - 1))
    return np.unique(parts, return_index=True)[1]


@dataclass
class Sheet:
    """A figure with its panels."""

    figure: Figure
    panels: list[Panel]
    room: Room
    left: float
    """Inches to the left of the first panel."""
    columns: int
    gap: float
    """Inches between columns."""
    right: float
    """Inches to the right of the last panel."""
    top: float
    """Inches from the bottom of the figure to the top of what is above the panels."""
    notes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the legend has to say of limits."""
