"""The effect by batch size."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bnbench.figures.axes import LINE, effect_levels
from bnbench.figures.colours import PAPER
from bnbench.figures.style import WIDTH, palette, row_name
from bnbench.plan.study import Study
from bnbench.wording import effects

_LINE = 12  # points from one name to the next
_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """The effect against the batch size, a line for each of what else is held fixed."""
    figure, ax = plt.subplots(figsize=(WIDTH * 0.85, 3.2))
    effect_levels(study.outcome)(ax)
    named = table.assign(held=[row_name(study, row, "batch_size") for row in table.to_dict("records")])
    ends: list[tuple[float, float, str]] = []
    for index, (_, line) in enumerate(named.sort_values("examples").groupby(["treatment", "held"], sort=False)):
        last = line.iloc[-1]
        style = {"color": palette(study)[last["treatment"]], "ls": _DASHES[index % len(_DASHES)]}
        ax.plot(line["examples"], line["effect"], lw=1.4, marker="o", ms=6, **style)
        ax.vlines(line["examples"], line["effect_low"], line["effect_high"], color=style["color"], lw=1.2)
        ends.append((last["examples"], last["effect"], last["held"]))
    sizes = sorted(set(table["examples"]))
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="examples in a batch", ylabel=fill(effects.named(study.outcome), LINE))
    sns.despine(ax=ax)
    _name_lines(ax, [end for end in ends if np.isfinite(end[1])])
    return figure


def _name_lines(ax: Axes, ends: Sequence[tuple[float, float, str]]) -> None:
    """Write beside the end (x, y) of each line what it is, one name above the other where the ends are close."""
    points = 72 / ax.figure.dpi
    below = -np.inf
    for x, y, name in sorted(ends, key=lambda end: end[1]):
        height = ax.transData.transform((x, y))[1] * points
        below = max(height, below + _LINE)
        where: dict[str, Any] = {"xytext": (10, below - height), "textcoords": "offset points", "va": "center"}
        behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}  # so that no line crosses the name
        ax.annotate(name, (x, y), annotation_clip=False, bbox=behind, **where)
