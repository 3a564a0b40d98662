"""The outcome and the effect against the learning rate, or against the first of the parameters that are tuned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from bnbench.figures.axes import effect_levels, value_levels
from bnbench.figures.panels import add_legend, context_names, grid_of_axes
from bnbench.figures.style import palette, unique
from bnbench.plan.study import Study
from bnbench.wording import effects, titles

_DASHES: tuple[tuple[int, ...], ...] = ((), (1, 1), (4, 1, 1, 1), (2, 2))
"""Of lines that differ in the other parameters that are tuned."""


def draw(study: Study, table: pd.DataFrame) -> Figure:
    """Left, both arms' outcomes against the rate, rings where other seeds choose; right, the effect at equal rates.

    A ring is the bolder, the more seeds are judged there. A line for each combination of the other parameters that are
    tuned. The line across the right panel is the effect with each arm at what is chosen for it.
    """
    table = table.assign(context=context_names(study, table), beside=table["beside"].fillna(""))
    names = unique(table["context"])
    others = [text for text in unique(table["beside"]) if text]
    dashes = {"": (), **dict(zip(others, _DASHES * len(others), strict=False))}
    figure, axes = grid_of_axes(len(names), 2, height=1.7, gap=0.9, numbers=0.2)
    for (left, right), name in zip(axes, names, strict=True):
        value_levels(study.outcome)(left)
        effect_levels(study.outcome)(right)
        of_context = table[table["context"] == name]
        for _, rows in of_context.groupby(["baseline", "treatment"], sort=False):
            _lines(study, left, right, rows, dashes)
        left.set_title(name, y=1)
        left.set_ylabel(titles.outcome(study, study.report.outcome))
        right.set_ylabel(effects.named(study.outcome))
        for ax in (left, right):
            _rate_axis(ax, of_context, shown=name == names[-1])
        low, high = right.get_ylim()
        if study.outcome.is_ratio and high / low < 4:  # too narrow for powers of ten
            right.yaxis.set_major_locator(MaxNLocator(4))
    sns.despine(fig=figure)
    lines: dict[str, dict[str, Any]] = {"each arm as it is tuned": {"lw": 1.2, "ls": (0, (5, 1.5))}}
    lines |= {text: {"lw": 1.4, "ls": _line(dashes[text])} for text in others}
    return add_legend(study, figure, lines, arms=study.tuned_arms)


def _lines(study: Study, left: Axes, right: Axes, rows: pd.DataFrame, dashes: Mapping[str, tuple[int, ...]]) -> None:
    """One comparison in one context."""
    colours = {arm: palette(study)[str(rows[arm].iloc[0])] for arm in ("baseline", "treatment")}
    for beside, line in rows.sort_values("rate").groupby("beside", sort=False):
        style: dict[str, Any] = {
            "lw": 1.4,
            "marker": "o",
            "ls": _line(dashes[str(beside)]),
        }
        for arm, colour in colours.items():
            there = line[line[f"{arm}_value"].notna()]
            for value in there[f"{arm}_value"][there["rate"].isna()]:
                left.axhline(value, color=colour, lw=1.4)  # of an arm that has nothing to choose
            left.plot(there["rate"], there[f"{arm}_value"], color=colour, ms=4, **style)
            for place, value, count in there[["rate", f"{arm}_value", f"{arm}_chosen"]].itertuples(index=False):
                if count and not math.isnan(place):
                    bold = 0.4 + 1.2 * count / rows[f"{arm}_chosen"].sum()
                    left.plot(place, value, "o", ms=10, mfc="none", mec=colour, mew=bold)
        both = line[line["effect"].notna()]
        right.plot(both["rate"], both["effect"], color=colours["treatment"], ms=5, **style)
        right.vlines(both["rate"], both["low"], both["high"], color=colours["treatment"], lw=1.2)
    right.axhline(rows["best_effect"].iloc[0], color=colours["treatment"], lw=1.2, ls=(0, (5, 1.5)))


def _line(dashes: tuple[int, ...]) -> Any:
    """A style of lines as matplotlib has it."""
    return (0, dashes) if dashes else "-"


def _rate_axis(ax: Axes, rows: pd.DataFrame, *, shown: bool) -> None:
    """A logarithmic axis with a tick at each rate; one that begins at 0 has equal steps below its second value."""
    rates = sorted(rows["rate"].dropna().unique())
    names = [str(name).replace("_", " ") for name in rows["parameter"].dropna().unique()]
    positive = [rate for rate in rates if rate > 0]
    if len(positive) == len(rates):
        ax.set_xscale("log")
    else:
        ax.set_xscale("symlog", linthresh=min(positive, default=1.0))
    ax.set_xlabel(", ".join("learning rate" if name == "lr" else name for name in names) if shown else "")
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.xaxis.set_minor_locator(NullLocator())
