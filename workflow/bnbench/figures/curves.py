"""The losses over the epochs."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures import legends
from bnbench.figures.axes import epoch_axis, epoch_label, shown_epochs, value_axis
from bnbench.figures.panels import add_legend, finish, label, panels, share_across
from bnbench.figures.sheets import thinned
from bnbench.figures.style import WIDE, Room, palette
from bnbench.plan.study import Study
from bnbench.wording import own_captions, titles

_DOTTED = {"lw": 1.0, "ls": (0, (1, 1.2))}


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The losses of the arms over the epochs; the band is the interval of the mean log loss over the seeds.

    The loss that decides is drawn in full, the train-mode loss, where it is another, dotted.
    """
    with_train_loss = own_captions.draws_train_loss(study)
    shown = ("train_loss", study.report.outcome) if with_train_loss else (study.report.outcome,)
    table = table[table["outcome"].isin(shown)]  # a loss and a score have no axis in common
    sheet = panels(study, table, room)
    colours = palette(study)
    for panel in sheet.panels:
        ax = panel.axes[0]
        value_axis(ax, study.outcome)
        for key, line in panel.rows.groupby([study.report.factor, "outcome"], sort=False):
            arm, outcome = (str(label) for label in key)
            decides = outcome == study.report.outcome
            colour, epochs = colours[arm], shown_epochs(study, line["epoch"])
            style: dict[str, Any] = {"lw": 1.6} if decides else _DOTTED
            some = thinned(ax, epochs, log=study.trained_here)
            ax.plot(epochs.iloc[some], line["loss"].iloc[some], color=colour, **style)
            panel.show(epochs, line["loss"], colour)
            if decides:
                low, high = line["low"].iloc[some], line["high"].iloc[some]
                ax.fill_between(epochs.iloc[some], low, high, color=colour, alpha=0.22, lw=0)
                for end in ("low", "high"):
                    panel.show(epochs, line[end], colour)
        epoch_axis(study, ax)
    lines: dict[str, dict[str, Any]] = {titles.outcome(study, study.report.outcome): {"lw": 1.6}}
    if with_train_loss:
        lines[titles.outcome(study, "train_loss")] = _DOTTED
    share_across(sheet)
    finish(sheet, log=study.outcome.is_ratio)
    label(sheet, epoch_label(study), titles.axis(study))
    return add_legend(sheet, {**legends.of_arms(study), **lines})
