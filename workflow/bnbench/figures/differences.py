"""The effect over the epochs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bnbench.figures import legends
from bnbench.figures.axes import effect_axis, epoch_axis, epoch_label, shown_epochs
from bnbench.figures.colours import PAPER, of_verdict
from bnbench.figures.panels import add_legend, finish, label, panels, share_across
from bnbench.figures.sheets import thinned
from bnbench.figures.style import WIDE, Room, dashes, unique
from bnbench.outcomes import Outcome
from bnbench.plan.study import Study
from bnbench.wording import effects, titles

Array = NDArray[np.float64]


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The effect over the epochs with its simultaneous band; a dot from where its side is decided.

    The colour says at each epoch which side of no effect the band lies on.
    """
    sheet, styles = panels(study, table, room), dashes(unique(table["treatment"]))
    for panel in sheet.panels:
        ax = panel.axes[0]
        effect_axis(ax, study.outcome)
        epoch_axis(study, ax)
        for treatment, line in panel.rows.groupby("treatment", sort=False):
            epochs = np.asarray(shown_epochs(study, line["epoch"]), np.float64)
            sides = [side(study.outcome, *limits) for limits in line[["low", "high"]].itertuples(index=False)]
            some = thinned(ax, epochs, log=study.trained_here)
            _in_colours(ax, epochs[some], line.iloc[some], [sides[place] for place in some], styles[str(treatment)])
            for column in ("effect", "low", "high"):
                panel.show(epochs, line[column], of_verdict(sides[-1]))
            first = line[line["epoch"] == line["decided_from"]]
            colour = of_verdict(sides[-1])
            ax.plot(shown_epochs(study, first["epoch"]), first["effect"], "o", ms=6, color=colour, mec=PAPER)
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


def _in_colours(ax: Axes, epochs: Array, line: pd.DataFrame, sides: list[str], dash: object) -> None:
    """Draw a line and its band, each measurement in the colour of its side, halfway to those beside it."""
    columns = [line[column].to_numpy(float) for column in ("effect", "low", "high")]
    starts = [0, *(at for at in range(1, len(sides)) if sides[at] != sides[at - 1]), len(sides)]
    scales = (ax.get_xscale(), *[ax.get_yscale()] * len(columns))
    for start, end in pairwise(starts):
        colour = of_verdict(sides[start])
        x, effect, low, high = (
            _stretch(values, start, end, scale) for values, scale in zip((epochs, *columns), scales, strict=True)
        )
        ax.plot(x, effect, color=colour, lw=1.6, ls=dash)
        ax.fill_between(x, low, high, color=colour, alpha=0.22, lw=0)


def _stretch(values: Array, start: int, end: int, scale: str) -> Array:
    """The values from one measurement to before another, and those halfway to the ones beside them."""

    def halfway(at: int) -> list[float]:
        """Between this measurement and the next, on the axis; nothing beyond the ends."""
        if not 0 <= at < len(values) - 1:
            return []
        one, other = values[at : at + 2]
        return [float(np.sqrt(one * other) if scale == "log" else (one + other) / 2)]

    return np.array([*halfway(start - 1), *values[start:end], *halfway(end - 1)])
