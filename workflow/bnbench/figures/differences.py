"""The effect over the epochs."""

from __future__ import annotations

from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures.axes import LINE, effect_levels, epoch_axis, shown_epochs
from bnbench.figures.colours import PAPER
from bnbench.figures.panels import add_legend, align, panels
from bnbench.figures.style import palette
from bnbench.plan.study import Study
from bnbench.wording import effects


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """The effect over the epochs with its simultaneous band; a dot from where its side is decided."""
    figure, found = panels(study, table, effect_levels(study.outcome))
    for ax, part in found:
        for treatment, line in part.groupby("treatment", sort=False):
            colour, epochs = palette(study)[str(treatment)], shown_epochs(study, line["epoch"])
            ax.plot(epochs, line["effect"], color=colour, lw=1.6)
            ax.fill_between(epochs, line["low"], line["high"], color=colour, alpha=0.22, lw=0)
            first = line[line["epoch"] == line["decided_from"]]
            ax.plot(shown_epochs(study, first["epoch"]), first["effect"], "o", ms=5, color=colour, mec=PAPER)
        ax.set_ylabel(fill(effects.named(study.outcome), LINE))
        epoch_axis(study, ax)
    align(found)
    return add_legend(study, figure, arms=study.arms[1:])
