"""The losses of the same networks in training mode, in evaluation mode and with precise statistics."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures.panels import add_legend, align, panels
from bnbench.figures.style import palette
from bnbench.plan.study import Study
from bnbench.vocabulary import BATCH, PRECISE

_MODES = {
    "train_loss": "train",
    "eval_loss": "train,\neval mode",
    "test_loss": "test",
    PRECISE: "test,\nprecise",
    BATCH: "test,\nby batch",
}


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """The final losses of the same networks, measured in each mode, with the interval of the mean over the seeds.

    The table has the arms that keep statistics alone.
    """
    arms = [arm for arm in study.arms if arm in set(table[study.report.factor])]
    figure, found = panels(study, table)
    names = {outcome: name for outcome, name in _MODES.items() if outcome in set(table["outcome"])}
    places = {outcome: x for x, outcome in enumerate(names)}
    for ax, part in found:
        for index, arm in enumerate(arms):
            own = part[part[study.report.factor] == arm].dropna(subset=["loss"])
            x = [places[outcome] + 0.16 * (index - (len(arms) - 1) / 2) for outcome in own["outcome"]]
            colour = palette(study)[arm]
            ax.vlines(x, own["low"], own["high"], color=colour, lw=2.4)
            ax.plot(x, own["loss"], "o", ms=6, color=colour)
        ax.set(ylabel="final loss", xlabel="", xlim=(-0.5, len(names) - 0.5))
        ax.set_xticks(range(len(names)), list(names.values()))
    align(found)
    return add_legend(study, figure, arms=arms)
