"""The effect over the epochs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnbench.figures import legends
from bnbench.figures.axes import effect_axis, epoch_axis, epoch_label, shown_epochs
from bnbench.figures.colours import PAPER, of_verdict
from bnbench.figures.panels import add_legend, finish, label, panels, share_across
from bnbench.figures.sheets import thinned
from bnbench.figures.style import WIDE, Room, dashes, unique
from bnbench.outcomes import Outcome
from bnbench.plan.study import Study
from bnbench.wording import effects, titles


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The effect over the epochs with its simultaneous band; a dot from where its side is decided.

    The colour says at each epoch which side of no effect the band lies on.
    """
    sheet, styles = panels(study, table, room), dashes(unique(table["treatment"]))
    for panel in sheet.panels:
        ax = panel.axes[0]
        effect_axis(ax, study.outcome)
        for treatment, line in panel.rows.groupby("treatment", sort=False):
            epochs = shown_epochs(study, line["epoch"]).to_numpy(float)
            sides = [side(study.outcome, *limits) for limits in line[["low", "high"]].itertuples(index=False)]
            some = thinned(ax, epochs, log=study.trained_here)
            _in_colours(ax, epochs[some], line.iloc[some], [sides[place] for place in some], styles[str(treatment)])
            for column in ("effect", "low", "high"):
                panel.show(epochs, line[column], of_verdict(sides[-1]))
            first = line[line["epoch"] == line["decided_from"]]
            colour = of_verdict(sides[-1])
            ax.plot(shown_epochs(study, first["epoch"]), first["effect"], "o", ms=6, color=colour, mec=PAPER)
        epoch_axis(study, ax)
    share_across(sheet)
    finish(sheet, log=study.outcome.is_ratio, line=study.outcome.no_effect)
    label(sheet, epoch_label(study), effects.named(study.outcome))
    together = len(study.arms) == 3
    lines = {titles.arm(study, arm): {"lw": 1.6, "ls": styles[arm]} for arm in styles} if together else {}
    return add_legend(sheet, {**legends.of_verdicts(), **lines})


def side(outcome: Outcome, low: float, high: float) -> str:
    """What an interval of effects would decide by itself: `helps`, `hurts` or `undecided`."""
    if low > outcome.no_effect:
        return "hurts" if outcome.lower_is_better else "helps"
    if high < outcome.no_effect:
        return "helps" if outcome.lower_is_better else "hurts"
    return "undecided"


def _in_colours(ax: Axes, epochs: np.ndarray, line: pd.DataFrame, sides: list[str], dash: object) -> None:
    """Draw a line and its band, each stretch of one side in its colour."""
    effect, low, high = (line[column].to_numpy(float) for column in ("effect", "low", "high"))
    starts = [0, *(at for at in range(1, len(sides)) if sides[at] != sides[at - 1]), len(sides)]
    for start, end in pairwise(starts):
        part, colour = slice(max(start - 1, 0), end), of_verdict(sides[start])
        ax.plot(epochs[part], effect[part], color=colour, lw=1.6, ls=dash)
        ax.fill_between(epochs[part], low[part], high[part], color=colour, alpha=0.22, lw=0)
