"""The accuracy over the epochs, where it is not the outcome that decides."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures import legends
from bnbench.figures.axes import epoch_axis, epoch_label, shown_epochs, value_axis
from bnbench.figures.panels import add_legend, finish, label, panels, share_across
from bnbench.figures.sheets import thinned
from bnbench.figures.style import WIDE, Room, palette
from bnbench.outcomes import OUTCOMES
from bnbench.plan.study import Study
from bnbench.vocabulary import ACCURACY
from bnbench.wording import titles


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The test accuracy of the arms over the epochs, in per cent; the band is the interval of the mean over the seeds.

    A band ends where no accuracy lies: at 0 and at 100 %.
    """
    sheet = panels(study, table, room)
    for panel in sheet.panels:
        ax = panel.axes[0]
        value_axis(ax, OUTCOMES[ACCURACY])
        for arm, line in panel.rows.groupby(study.report.factor, sort=False):
            colour, epochs = palette(study)[str(arm)], shown_epochs(study, line["epoch"])
            low, high = line["low"].clip(0, 1), line["high"].clip(0, 1)
            some = thinned(ax, epochs, log=study.trained_here)
            ax.plot(epochs.iloc[some], line["loss"].iloc[some], color=colour, lw=1.6)
            across = epochs.iloc[some]
            ax.fill_between(across, low.iloc[some], high.iloc[some], color=colour, alpha=0.22, lw=0)
            for values in (low, line["loss"], high):
                panel.show(epochs, values, colour)
        epoch_axis(study, ax)
    share_across(sheet)
    finish(sheet, log=False)
    label(sheet, epoch_label(study), titles.measured(ACCURACY))
    return add_legend(sheet, legends.of_arms(study))
