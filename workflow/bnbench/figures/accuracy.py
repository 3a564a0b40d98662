"""The accuracy over the epochs, where it is not the outcome that decides."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures.axes import epoch_axis, shown_epochs, value_levels
from bnbench.figures.panels import add_legend, align, panels
from bnbench.figures.style import palette
from bnbench.outcomes import OUTCOMES
from bnbench.plan.study import Study
from bnbench.vocabulary import ACCURACY
from bnbench.wording import titles


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """The test accuracy of the arms over the epochs, in per cent; the band is the interval of the mean over the seeds.

    A band ends where no accuracy lies: at 0 and at 100 %.
    """
    figure, found = panels(study, table, value_levels(OUTCOMES[ACCURACY]))
    for ax, part in found:
        for arm, line in part.groupby(study.report.factor, sort=False):
            colour, epochs = palette(study)[str(arm)], shown_epochs(study, line["epoch"])
            ax.plot(epochs, line["loss"], color=colour, lw=1.6)
            ax.fill_between(epochs, line["low"].clip(0, 1), line["high"].clip(0, 1), color=colour, alpha=0.22, lw=0)
        ax.set_ylabel(titles.measured(ACCURACY))
        epoch_axis(study, ax)
    align(found)
    return add_legend(study, figure)
