"""The forest plot: the ratio of the losses in each context, with its interval and its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from bnbench.figures.axes import beside, ratio_axis
from bnbench.figures.colours import GRID, INK, PAPER
from bnbench.figures.style import WIDTH, times, winner
from bnbench.plan.study import Study
from bnbench.wording import captions, formats, titles


def draw(study: Study, contexts: pd.DataFrame) -> Figure:
    """The ratio of the losses in each context with its interval, the margin, and the verdict."""
    rows = contexts.to_dict("records")
    figure, ax = plt.subplots(figsize=(WIDTH * 0.55, 0.9 + 0.5 * len(rows)))
    margin = study.report.margin
    ax.axvspan(1 / margin, margin, color=GRID, lw=0, zorder=0)
    ax.axvline(1, color=INK, lw=0.9, zorder=1)
    for y, row in enumerate(rows):
        colour = winner(study, row)
        ax.plot([row["effect_low"], row["effect_high"]], [y, y], color=colour, lw=1.2, solid_capstyle="butt")
        ax.plot([row["own_low"], row["own_high"]], [y, y], color=colour, lw=3.2, solid_capstyle="butt")
        # What is not decided is hollow; so is a ratio of those pairs alone that stayed finite.
        solid = row["verdict"] in ("helps", "hurts") and row["test"] == "mean"
        ax.plot(row["effect"], y, "o", ms=8, mec=colour, mfc=colour if solid else PAPER, mew=1.8)
        beside(ax, y, row["verdict"], 9, color=colour, weight="bold")
        beside(ax, y, _in_numbers(row), 78)
    ax.set_yticks(range(len(rows)), [titles.contrast_name(study, row) for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ratio_axis(ax, contexts[["effect_low", "effect", "effect_high"]].to_numpy().ravel(), margin)
    ax.set_xlabel(f"{titles.outcome(study.report.outcome)}, ratio to {captions.base(study)} (lower is better)")
    treated = titles.arm(study, study.arms[1]) if len(study.arms) == 2 else "arm"
    for side, text, x in (("left", f"← {treated} better", 0.0), ("right", f"{treated} worse →", 1.0)):
        ax.text(x, 1.02, text, transform=ax.transAxes, ha=side, va="bottom", fontsize=9)
    ax.grid(axis="x")
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return figure


def _in_numbers(row: Mapping[Any, Any]) -> str:
    """What stands beside a ratio."""
    if row["test"] != "mean":
        return f"{row['diverged_treatment']} and {row['diverged_baseline']} of {row['pairs']} diverged"
    return formats.change(row) if row["pairs"] > 1 else times(row["effect"])
