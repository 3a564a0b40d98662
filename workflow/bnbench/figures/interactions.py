"""How the effect depends on the context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from bnbench.figures.axes import beside, effect_axis
from bnbench.figures.colours import INK, PAPER
from bnbench.figures.style import WIDTH, palette
from bnbench.plan.study import Study
from bnbench.vocabulary import DOUBLING, MAIN_EFFECT
from bnbench.wording import effects, titles
from bnbench.wording.together import decided


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """How the effect changes from level to level, with intervals; the main effect on top."""
    rows = table.to_dict("records")
    figure, ax = plt.subplots(figsize=(WIDTH * 0.55, 0.9 + 0.45 * len(rows)))
    outcome = study.outcome
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
        said = effects.interval(outcome, row["effect"], row["low"], row["high"])
        beside(ax, y, f"× {said}" if outcome.is_ratio else said, 9)
    ax.set_yticks(range(len(rows)), [_contrast_label(study, row) for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    effect_axis(ax, outcome, table[["low", "effect", "high"]].to_numpy().ravel(), study.report.margin)
    ax.set_xlabel(f"{'multiplies' if outcome.is_ratio else 'is added to'} the {effects.named(outcome)}")
    ax.grid(axis="x")
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return figure


def _contrast_label(study: Study, row: Mapping[Any, Any]) -> str:
    """What a row of the table of interactions is called."""
    if row["factor"] == MAIN_EFFECT:
        name = "all contexts"
    elif row["level"] == DOUBLING:
        name = "a doubling of the batch"
    else:
        name = " instead of ".join(titles.context_level(study, row["factor"], row[end]) for end in ("level", "against"))
    return f"{titles.comparison(study, row)}, {name}" if len(study.comparisons) > 1 else name
