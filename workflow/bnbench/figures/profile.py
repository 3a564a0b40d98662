"""The performance profile: how large a share of the pairs reaches each effect, over all contexts together."""

from __future__ import annotations

from textwrap import fill
from typing import Literal

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bnbench.figures import legends
from bnbench.figures.axes import effect_axis
from bnbench.figures.limits import for_panels
from bnbench.figures.style import LETTER, WIDE, Room, palette
from bnbench.plan.study import Study
from bnbench.wording import captions, effects, titles

_LEFT, _HEIGHT = 0.95, 3.0  # inches


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """A step line for each arm that is compared with the baseline, with its band."""
    outcome = study.outcome
    width = min(room.width - _LEFT - 0.15, 6.0)
    figure = plt.figure(figsize=(room.width, _HEIGHT))
    ax = figure.add_axes((_LEFT / room.width, 0, width / room.width, 1))
    effect_axis(ax, outcome, "x", most=4 if room.narrow else 7)
    for (_, treatment), rows in table.groupby(["baseline", "treatment"], sort=False):
        colour, across = palette(study)[str(treatment)], rows["threshold"]
        where: Literal["post", "pre"] = "post" if outcome.lower_is_better else "pre"
        ax.fill_between(across, rows["low"], rows["high"], step=where, color=colour, alpha=0.15, lw=0)
        ax.step(across, rows["reached"], where=where, color=colour, lw=1.8)
    limits, _ = for_panels([table["threshold"].to_numpy(float)], log=outcome.is_ratio, line=outcome.no_effect)
    ax.set_xlim(*limits[0])
    ax.set_ylim(-0.02, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    better = "lower" if outcome.lower_is_better else "higher"
    scale = "ratio to" if outcome.is_ratio else f"{effects.noun(outcome)} from"
    said = f"{titles.outcome(study, study.report.outcome)}, {scale} {captions.base(study)} ({better} is better)"
    ax.set_xlabel(fill(said, round(width / LETTER)))
    ax.set_ylabel(f"share of the pairs that\nare at least as {'low' if outcome.lower_is_better else 'high'}")
    ax.grid(axis="both")
    sns.despine(ax=ax)
    if table["treatment"].nunique() > 1:
        shown = [arm for arm in study.arms if arm in set(table["treatment"])]
        legends.add(figure, legends.of_arms(study, shown), 0.1, _HEIGHT + 0.08)
    return figure
