"""The forest plot: the effect in each context, with its interval and its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures import legends, rows
from bnbench.figures.colours import GRID, PAPER, of_verdict
from bnbench.figures.style import LETTER, WIDE, Room
from bnbench.plan.study import Study
from bnbench.wording import captions, effects, resolution, samples, titles

LONGEST = 16
"""Characters of an arm's name that fits over both ends of the axis without running into itself."""

_UNGROUPED = 8  # rows, up to which there are no headings
_LIMITS = ("effect_low", "effect", "effect_high")


def draw(study: Study, contexts: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The effect in each context with its interval, the margin, and the verdict."""
    named = _named(study, contexts)
    made = rows.frame([row for row, _ in named], room)
    ax, margin, outcome = made.ax, study.report.margin, study.outcome
    within = outcome.cost_margin(margin)
    edges = sorted(map(outcome.shown, (-2 * within, within * 2)))
    values = contexts[[*_LIMITS]].to_numpy(float).ravel()
    beyond = rows.effects_across(made, outcome, pd.Series([*values, *edges]).to_numpy(float), room)
    ax.axvspan(*sorted(map(outcome.shown, (-within, within))), color=GRID, lw=0, zorder=0)
    for (said, row), y in zip(named, made.places, strict=True):
        ax.plot([row["effect_low"], row["effect_high"]], [y, y], color=said.colour, lw=1.2, solid_capstyle="butt")
        ax.plot([row["own_low"], row["own_high"]], [y, y], color=said.colour, lw=3.2, solid_capstyle="butt")
        # What is not decided is hollow; so is an effect of those pairs alone that were measured.
        solid = row["verdict"] in ("helps", "hurts") and row["test"] == "mean"
        ax.plot(row["effect"], y, "o", ms=8, mec=said.colour, mfc=said.colour if solid else PAPER, mew=1.8)
        rows.mark_beyond(made, y, [row[name] for name in _LIMITS], said.colour)
    _name_axis(study, made, room)
    return rows.add_legend(made, legends.of_verdicts(), beyond=beyond, above=0.3)


def _name_axis(study: Study, made: rows.Frame, room: Room) -> None:
    """What the axis shows, and which end of it is the better one."""
    outcome, ax = study.outcome, made.ax
    better = "lower" if outcome.lower_is_better else "higher"
    effect = f"{effects.noun(outcome)} {'to' if outcome.is_ratio else 'from'} {captions.base(study)}"
    width = ax.get_position().width * room.width
    ax.set_xlabel(fill(f"{titles.outcome(study, outcome.name)}, {effect} ({better} is better)", round(width / LETTER)))
    named = titles.arm(study, study.arms[1])
    treated = named if len(study.arms) == 2 and len(named) <= LONGEST else "arm"
    ends = ("better", "worse") if outcome.lower_is_better else ("worse", "better")
    for side, text, x in (("left", f"← {treated} {ends[0]}", 0.0), ("right", f"{treated} {ends[1]} →", 1.0)):
        ax.annotate(text, (x, 1), (0, 5), "axes fraction", "offset points", ha=side, va="bottom", fontsize=9)


def _named(study: Study, contexts: pd.DataFrame) -> list[tuple[rows.Row, Mapping[Any, Any]]]:
    """The rows with what is written beside them: under a heading a comparison or a level, where there are many."""
    found = contexts.to_dict("records")
    by = "" if len(found) <= _UNGROUPED else "comparison" if len(study.comparisons) > 1 else _factor(study)
    named = []
    for row in found:
        heading, name = "", titles.contrast_name(study, row)
        if by == "comparison":
            heading, name = titles.comparison(study, row), titles.context_name(study, row) or name
        elif by:
            heading = titles.context_level(study, by, row[by])
            name = titles.context_name(study, row, without=by)
        verdict = str(row["verdict"])
        said = rows.Row(name, _in_numbers(study, row), verdict, of_verdict(verdict), heading)
        named.append((said, row))
    order = list(dict.fromkeys(said.heading for said, _ in named))
    arms = {arm: place for place, arm in enumerate(study.arms)}

    def place(both: tuple[rows.Row, Mapping[Any, Any]]) -> tuple[int, int]:
        against = arms.get(both[1]["treatment"], 0) if by == "comparison" else 0
        return against, order.index(both[0].heading)

    return sorted(named, key=place)


def _factor(study: Study) -> str:
    """The factor whose levels are headings: the first of several that a context is named by; none of one alone."""
    varied = study.varied()
    if len(varied) < 2:
        return ""
    return "optimizer" if "optimizer" in varied else varied[0]


def _in_numbers(study: Study, row: Mapping[Any, Any]) -> str:
    """The text beside an effect."""
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
