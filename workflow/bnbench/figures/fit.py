"""The fitted functions and their errors, for tasks of one input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bnbench.figures.axes import loss_axis, without_numbers
from bnbench.figures.colours import INK
from bnbench.figures.panels import add_legend, context_names, grid_of_axes
from bnbench.figures.style import palette, unique
from bnbench.plan.study import Study


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """The target and the fitted functions, and the absolute error: median over seeds, band from 5 % to 95 % of them."""
    table = table.assign(context=context_names(study, table))
    names = unique(table["context"])
    figure, axes = grid_of_axes(len(names), 2, height=1.6, gap=0.9)
    for (left, right), name in zip(axes, names, strict=True):
        part = table[table["context"] == name]
        for arm, own in part.groupby(study.report.factor, sort=False):
            for ax, quantity in ((left, "fit"), (right, "error")):
                # An error of 0 has no place on a logarithmic axis.
                shown = own if quantity == "fit" else own.replace(0.0, np.nan)
                colour, low, high = palette(study)[str(arm)], shown[f"{quantity}_low"], shown[f"{quantity}_high"]
                ax.plot(own["x"], shown[quantity], color=colour, lw=1.4)
                ax.fill_between(own["x"], low, high, color=colour, alpha=0.22, lw=0)
        left.plot(own["x"], own["y"], color=INK, lw=1.0, ls="--")
        left.set_title(name, y=1)
        left.set_ylabel("y")
        if part["error"].gt(0).any():
            loss_axis(right)
        right.set(ylabel="absolute error")
        for ax in (left, right):
            ax.set_xlabel("x")
            if name != names[-1]:
                without_numbers(ax.xaxis)
    sns.despine(fig=figure)
    return add_legend(study, figure, {"target": {"lw": 1.0, "ls": "--"}})
