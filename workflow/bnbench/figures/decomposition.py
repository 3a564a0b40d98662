"""Where a difference comes from: the weights, stale averages and batch noise."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures.axes import plain_axis, ratio_axis
from bnbench.figures.colours import INK, PAPER
from bnbench.figures.panels import add_legend, align, panels
from bnbench.figures.style import palette
from bnbench.outcomes import OUTCOMES
from bnbench.plan.study import Study


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """The factors whose product a difference is, with their intervals; the total is hollow.

    The table has the contrasts in which an arm keeps statistics alone.
    """
    treatments = [arm for arm in study.arms if arm in set(table["treatment"])]
    figure, found = panels(study, table, plain_axis)
    places = {name: y for y, name in enumerate(table["component"].unique())}
    for ax, part in found:
        for index, treatment in enumerate(treatments):
            own = part[part["treatment"] == treatment]
            colour = palette(study)[treatment]
            y = own["component"].map(places).astype(float) + 0.2 * (index - (len(treatments) - 1) / 2)
            ax.hlines(y, own["low"], own["high"], color=colour, lw=2.4)
            total = own["component"] == "total"
            for some, fill in ((~total, colour), (total, PAPER)):
                ax.plot(own["effect"][some], y[some], "o", ms=6, color=colour, mfc=fill, mew=1.6)
        ax.axvline(1, color=INK, lw=0.9, zorder=1)
        ax.set(ylim=(len(places) - 0.5, -0.5), ylabel="", xlabel="factor")
        ax.tick_params(axis="y", length=0)
        ax.set_yticks(range(len(places)), list(places))
        ratio_axis(ax, table[["low", "effect", "high"]].to_numpy().ravel(), OUTCOMES["test_loss"].margin or 1.0)
    align(found)
    return add_legend(study, figure, arms=treatments) if len(study.arms) > 2 else figure
