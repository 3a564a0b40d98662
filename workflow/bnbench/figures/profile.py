"""The performance profile: how large a share of the pairs reaches each effect, over all contexts together."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bnbench.figures.axes import effect_axis
from bnbench.figures.colours import INK
from bnbench.figures.style import WIDTH, palette
from bnbench.plan.study import Study
from bnbench.wording import captions, effects, titles


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """A step line for each arm that is compared with the baseline, with its band."""
    outcome = study.outcome
    figure, ax = plt.subplots(figsize=(WIDTH * 0.68, 3.2))
    ax.axvline(outcome.no_effect, color=INK, lw=0.9, zorder=1)
    for (_, treatment), rows in table.groupby(["baseline", "treatment"], sort=False):
        colour, across = palette(study)[str(treatment)], rows["threshold"]
        where: Literal["post", "pre"] = "post" if outcome.lower_is_better else "pre"
        ax.fill_between(across, rows["low"], rows["high"], step=where, color=colour, alpha=0.15, lw=0)
        ax.step(across, rows["reached"], where=where, color=colour, lw=1.8, label=titles.arm(study, str(treatment)))
    ax.set_ylim(-0.02, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    effect_axis(ax, outcome, table["threshold"], study.report.margin)
    better = "lower" if outcome.lower_is_better else "higher"
    scale = "ratio to" if outcome.is_ratio else f"{effects.noun(outcome)} from"
    ax.set_xlabel(f"{titles.outcome(study, study.report.outcome)}, {scale} {captions.base(study)} ({better} is better)")
    ax.set_ylabel(f"share of the pairs that\nare at least as {'low' if outcome.lower_is_better else 'high'}")
    ax.grid(axis="both")
    sns.despine(ax=ax)
    if table["treatment"].nunique() > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure
