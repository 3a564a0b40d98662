"""The losses and their ratio against the learning rate, where rates are tuned."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from bnbench.figures.axes import loss_axis, ratio_levels
from bnbench.figures.panels import add_legend, context_names, grid_of_axes
from bnbench.figures.style import palette, unique
from bnbench.plan.study import Study
from bnbench.wording import titles


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """Left, both arms' losses against the rate, a ring where validation chose; right, their ratio at equal rates.

    The line across the right panel is the ratio with each arm at its own best rate.
    """
    table = table.assign(context=context_names(study, table))
    names = unique(table["context"])
    figure, axes = grid_of_axes(len(names), 2, height=1.7, gap=0.9, numbers=0.2)
    for (left, right), name in zip(axes, names, strict=True):
        loss_axis(left)
        ratio_levels(right)
        for treatment, line in table[table["context"] == name].groupby("treatment", sort=False):
            treated, base = palette(study)[str(treatment)], palette(study)[study.report.baseline]
            for arm, colour in (("baseline", base), ("treatment", treated)):
                left.plot(line["rate"], line[f"{arm}_value"], color=colour, lw=1.4, marker="o", ms=4)
                chosen = line[line[f"{arm}_chosen"]]
                left.plot(chosen["rate"], chosen[f"{arm}_value"], "o", ms=10, mfc="none", mec=colour, mew=1.6)
            right.plot(line["rate"], line["effect"], color=treated, lw=1.4, marker="o", ms=5)
            right.vlines(line["rate"], line["low"], line["high"], color=treated, lw=1.2)
            right.axhline(line["best_effect"].iloc[0], color=treated, lw=1.2, ls=(0, (5, 1.5)))
        left.set_title(name, y=1)
        left.set_ylabel(titles.outcome(study.report.outcome))
        right.set_ylabel("ratio of the losses")
        rates = unique(table["rate"][table["context"] == name])
        for ax in (left, right):
            ax.set(xscale="log", xlabel="learning rate" if name == names[-1] else "")
            ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
            ax.xaxis.set_minor_locator(NullLocator())
        low, high = right.get_ylim()
        if high / low < 4:  # too narrow for powers of ten
            right.yaxis.set_major_locator(MaxNLocator(4))
    sns.despine(fig=figure)
    lines = {"each arm at its best rate": {"lw": 1.2, "ls": (0, (5, 1.5))}}
    return add_legend(study, figure, lines)
