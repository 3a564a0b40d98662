"""How the ratio of the losses depends on the context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from bnbench.figures.axes import beside
from bnbench.figures.colours import INK, PAPER
from bnbench.figures.scales import effect_axis
from bnbench.figures.style import WIDTH, palette
from bnbench.outcomes import OUTCOMES
from bnbench.plan.study import Study
from bnbench.vocabulary import MAIN_EFFECT
from bnbench.wording import formats, titles
from bnbench.wording.together import decided

_INTERVAL = ("effect", "low", "high")


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """How the ratio of the losses is multiplied from level to level, with intervals; the main effect on top."""
    rows = table.to_dict("records")
    figure, ax = plt.subplots(figsize=(WIDTH * 0.55, 0.9 + 0.45 * len(rows)))
    outcome = OUTCOMES[study.report.outcome]
    ax.axvline(outcome.no_effect, color=INK, lw=0.9, zorder=1)
    for y, row in enumerate(rows):
        colour = palette(study)[row["treatment"]]
        ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=2.4, solid_capstyle="butt")
        ax.plot(
            row["effect"],
            y,
            "o",
            ms=9 if row["factor"] == MAIN_EFFECT else 6,
            color=colour,
            mfc=colour if decided(study, row) else PAPER,
            mew=1.8,
        )
        beside(ax, y, _in_numbers(row, is_ratio=outcome.is_ratio), 9)
    ax.set_yticks(range(len(rows)), [_contrast_label(study, row) for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    effect_axis(ax, study, table[["low", "effect", "high"]].to_numpy().ravel())
    ax.set_xlabel("multiplies the ratio of the losses by" if outcome.is_ratio else "is added to the difference")
    ax.grid(axis="x")
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return figure


def _in_numbers(row: Mapping[Any, Any], *, is_ratio: bool) -> str:
    """What stands beside a row."""
    effect, low, high = (formats.number(row[name]) if is_ratio else f"{row[name]:+.2g}" for name in _INTERVAL)
    return f"{'× ' if is_ratio else ''}{effect} ({low} to {high})"


def _contrast_label(study: Study, row: Mapping[Any, Any]) -> str:
    """What a row of the table of interactions is called."""
    if row["factor"] == MAIN_EFFECT:
        name = "all contexts"
    elif row["factor"] == "batch_size":
        name = "a doubling of the batch"
    else:
        name = " instead of ".join(titles.context_level(study, row["factor"], row[end]) for end in ("level", "against"))
    return f"{titles.comparison(study, row)}, {name}" if len(study.comparisons) > 1 else name
