"""The losses of the same networks in training mode, in evaluation mode and with precise statistics."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures import legends
from bnbench.figures.axes import loss_axis, named_places
from bnbench.figures.panels import add_legend, finish, label, panels
from bnbench.figures.style import WIDE, Room, palette
from bnbench.plan.study import Study
from bnbench.vocabulary import BATCH, PRECISE

_MODES = {
    "train_loss": "train",
    "eval_loss": "evaluation",
    "test_loss": "test",
    PRECISE: "precise",
    BATCH: "by batch",
}


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The final losses of the same networks, measured in each mode, with the interval of the mean over the seeds.

    The table has the arms that keep statistics alone.
    """
    arms = [arm for arm in study.arms if arm in set(table[study.report.factor])]
    sheet = panels(study, table, room, left=0.95, arms_apart=len(arms) > 3, numbers=True)
    names = {outcome: name for outcome, name in _MODES.items() if outcome in set(table["outcome"])}
    places = {outcome: y for y, outcome in enumerate(names)}
    for panel in sheet.panels:
        ax = panel.axes[0]
        loss_axis(ax, "x", most=2 if room.narrow or sheet.columns > 3 else 4)
        here = [arm for arm in arms if arm in set(panel.rows[study.report.factor])]
        for index, arm in enumerate(here):
            own = panel.rows[panel.rows[study.report.factor] == arm].dropna(subset=["loss"])
            y = own["outcome"].map(places).astype(float) + 0.2 * (index - (len(here) - 1) / 2)
            colour = palette(study)[arm]
            ax.hlines(y, own["low"], own["high"], color=colour, lw=2.4)
            ax.plot(own["loss"], y, "o", ms=6, color=colour)
            for column in ("low", "loss", "high"):
                panel.show(y, own[column], colour)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        named_places(ax.yaxis, [*names.values()] if panel.first else [""] * len(names))
    finish(sheet, log=True, side="x")
    label(sheet, "final loss")
    return add_legend(sheet, legends.of_arms(study, arms))
