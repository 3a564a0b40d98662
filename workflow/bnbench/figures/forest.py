"""The forest plot: the effect in each context, with its interval and its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from bnbench.figures.axes import beside, effect_axis
from bnbench.figures.colours import GRID, INK, PAPER, of_verdict
from bnbench.figures.style import WIDTH
from bnbench.plan.study import Study
from bnbench.wording import captions, effects, resolution, samples, titles

LONGEST = 16
"""Characters of an arm's name that stands over both ends of the axis without running into itself."""


def draw(study: Study, contexts: pd.DataFrame) -> Figure:
    """The effect in each context with its interval, the margin, and the verdict."""
    rows = contexts.to_dict("records")
    figure, ax = plt.subplots(figsize=(WIDTH * 0.55, 0.9 + 0.5 * len(rows)))
    margin, outcome = study.report.margin, study.outcome
    within = outcome.cost_margin(margin)
    ax.axvspan(*sorted(map(outcome.shown, (-within, within))), color=GRID, lw=0, zorder=0)
    ax.axvline(outcome.no_effect, color=INK, lw=0.9, zorder=1)
    for y, row in enumerate(rows):
        colour = of_verdict(row["verdict"])
        ax.plot([row["effect_low"], row["effect_high"]], [y, y], color=colour, lw=1.2, solid_capstyle="butt")
        ax.plot([row["own_low"], row["own_high"]], [y, y], color=colour, lw=3.2, solid_capstyle="butt")
        # What is not decided is hollow; so is an effect of those pairs alone that were measured.
        solid = row["verdict"] in ("helps", "hurts") and row["test"] == "mean"
        ax.plot(row["effect"], y, "o", ms=8, mec=colour, mfc=colour if solid else PAPER, mew=1.8)
        beside(ax, y, row["verdict"], 9, color=colour, weight="bold")
        beside(ax, y, _in_numbers(study, row), 78)
    ax.set_yticks(range(len(rows)), [titles.contrast_name(study, row) for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    effect_axis(ax, outcome, contexts[["effect_low", "effect", "effect_high"]].to_numpy().ravel(), margin)
    better = "lower" if outcome.lower_is_better else "higher"
    effect = f"{effects.noun(outcome)} {'to' if outcome.is_ratio else 'from'} {captions.base(study)}"
    ax.set_xlabel(f"{titles.outcome(study, outcome.name)}, {effect} ({better} is better)")
    named = titles.arm(study, study.arms[1])
    treated = named if len(study.arms) == 2 and len(named) <= LONGEST else "arm"
    words = ("better", "worse") if outcome.lower_is_better else ("worse", "better")
    for side, text, x in (("left", f"← {treated} {words[0]}", 0.0), ("right", f"{treated} {words[1]} →", 1.0)):
        ax.text(x, 1.02, text, transform=ax.transAxes, ha=side, va="bottom", fontsize=9)
    ax.grid(axis="x")
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return figure


def _in_numbers(study: Study, row: Mapping[Any, Any]) -> str:
    """What stands beside an effect."""
    if row["test"] == "rank":
        return f"{row['floored']} of {row['pairs']} pairs {resolution.beside(study)}"
    if row["test"] != "mean":
        treated, base = (titles.arm(study, row[name]) for name in ("treatment", "baseline"))
        runs, treated_runs = samples.runs(row)
        counts = f"{treated} {row['diverged_treatment']}, {base} {row['diverged_baseline']}"
        if runs != treated_runs:
            counts = f"{treated} {row['diverged_treatment']} of {treated_runs}, {base} {row['diverged_baseline']}"
        return f"diverged: {counts} of {runs}"
    if row["verdict"] in ("helps", "hurts"):
        return effects.change(study.outcome, row).replace("percentage points", "points")
    return effects.interval(study.outcome, row["effect"], row["effect_low"], row["effect_high"]) if row["pairs"] else ""
