"""The outcome and the effect against the learning rate, or against the first of the parameters that are tuned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bnbench.figures import legends
from bnbench.figures.axes import effect_axis, value_axis
from bnbench.figures.colours import GREY, PAPER, of_verdict
from bnbench.figures.differences import side
from bnbench.figures.panels import add_legend, context_names, finish, grid
from bnbench.figures.sheets import Panel
from bnbench.figures.style import WIDE, Room, dashes, palette, unique
from bnbench.plan.study import Study
from bnbench.wording import effects, titles


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """Left, both arms' outcomes against the rate, rings where other seeds choose; right, the effect at equal rates.

    A ring is the bolder, the more seeds are judged there. A line for each combination of the other parameters that are
    tuned. The line across the right panel is the effect with each arm at what is chosen for it. The right panel has the
    colours of the sides on which its intervals lie.
    """
    table = table.assign(context=context_names(study, table), beside=table["beside"].fillna(""))
    others = [text for text in unique(table["beside"]) if text]
    styles = {"": "-", **dict(zip(others, dashes(["", *others]).values(), strict=False))}
    parts = [(str(name), rows) for name, rows in table.groupby("context", sort=False) for _ in range(2)]
    sheet = grid(parts, room, 1 if room.narrow else 2, left=0.85, gap=0.85)
    for left, right in zip(sheet.panels[::2], sheet.panels[1::2], strict=True):
        value_axis(left.axes[0], study.outcome)
        effect_axis(right.axes[0], study.outcome)
        for _, rows in left.rows.groupby(["baseline", "treatment"], sort=False):
            _lines(study, left, right, rows, styles)
        left.axes[0].set_ylabel(fill(titles.outcome(study, study.report.outcome), 26))
        right.axes[0].set_ylabel(fill(effects.named(study.outcome), 26))
        for panel in (left, right):
            _rate_axis(panel.axes[0], panel.rows)
    for first, line in ((0, None), (1, study.outcome.no_effect)):
        finish(replace(sheet, panels=sheet.panels[first::2]), log=study.outcome.is_ratio, line=line)
    lines: dict[str, dict[str, Any]] = {"each arm as it is tuned": {"lw": 1.2, "ls": (0, (5, 1.5)), "color": GREY}}
    lines |= {text: {"lw": 1.4, "ls": styles[text]} for text in others}
    return add_legend(sheet, {**legends.of_arms(study, study.tuned_arms), **legends.of_verdicts(), **lines})


def _lines(study: Study, left: Panel, right: Panel, rows: pd.DataFrame, styles: Mapping[str, Any]) -> None:
    """One comparison in one context."""
    colours = {arm: palette(study)[str(rows[arm].iloc[0])] for arm in ("baseline", "treatment")}
    for beside, line in rows.sort_values("rate").groupby("beside", sort=False):
        style: dict[str, Any] = {"lw": 1.4, "ls": styles[str(beside)]}
        for arm, colour in colours.items():
            _values(left, line, rows, arm, colour, style)
        _effects(study, right, line[line["effect"].notna()], style)
    tuned = rows["best_effect"].iloc[0]
    right.axes[0].axhline(tuned, color=GREY, lw=1.2, ls=(0, (5, 1.5)))
    right.show([math.nan], [tuned], GREY)


def _values(
    left: Panel, line: pd.DataFrame, rows: pd.DataFrame, arm: str, colour: str, style: Mapping[str, Any]
) -> None:
    """What an arm came to at each rate, with rings where it is judged."""
    ax, there = left.axes[0], line[line[f"{arm}_value"].notna()]
    for value in there[f"{arm}_value"][there["rate"].isna()]:
        ax.axhline(value, color=colour, lw=1.4)  # of an arm that has nothing to choose
    ax.plot(there["rate"], there[f"{arm}_value"], color=colour, ms=4, marker="o", **style)
    left.show(there["rate"], there[f"{arm}_value"], colour)
    for place, value, count in there[["rate", f"{arm}_value", f"{arm}_chosen"]].itertuples(index=False):
        if count and not math.isnan(place):
            bold = 0.4 + 1.2 * count / rows[f"{arm}_chosen"].sum()
            ax.plot(place, value, "o", ms=10, mfc="none", mec=colour, mew=bold)


def _effects(study: Study, right: Panel, both: pd.DataFrame, style: Mapping[str, Any]) -> None:
    """The effect at each rate, in the colour of the side on which its interval lies."""
    ax = right.axes[0]
    ax.plot(both["rate"], both["effect"], color=GREY, zorder=2, **style)
    for row in both.to_dict("records"):
        verdict = side(study.outcome, row["low"], row["high"])
        colour, fill_in = of_verdict(verdict), PAPER if verdict == "undecided" else of_verdict(verdict)
        ax.vlines(row["rate"], row["low"], row["high"], color=colour, lw=1.4, zorder=3)
        ax.plot(row["rate"], row["effect"], "o", ms=5, mec=colour, mfc=fill_in, mew=1.6, zorder=4)
        right.show([row["rate"]] * 3, [row[name] for name in ("low", "effect", "high")], colour)


def _rate_axis(ax: Axes, rows: pd.DataFrame) -> None:
    """A logarithmic axis with a tick at each rate; one that begins at 0 has equal steps below its second value."""
    rates = sorted(rows["rate"].dropna().unique())
    names = [str(name).replace("_", " ") for name in rows["parameter"].dropna().unique()]
    positive = [rate for rate in rates if rate > 0]
    if len(positive) == len(rates):
        ax.set_xscale("log")
    else:
        ax.set_xscale("symlog", linthresh=min(positive, default=1.0))
    ax.set_xlabel(", ".join("learning rate" if name == "lr" else name for name in names))
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.xaxis.set_minor_locator(NullLocator())
