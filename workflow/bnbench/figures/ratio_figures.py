"""Figures of ratios: what the arms' losses are to each other, by context and by factor. Table in, Figure out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from bnbench.figures.colours import GRID, INK, PAPER
from bnbench.figures.style import (
    WIDTH,
    add_legend,
    context_names,
    grid_of_axes,
    loss_axis,
    palette,
    ratio_axis,
    ratio_levels,
    unique,
    winner,
)
from bnbench.plan.study import Study
from bnbench.vocabulary import MAIN_EFFECT
from bnbench.wording import formats, titles

_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))


def forest(study: Study, contexts: pd.DataFrame) -> Figure:
    """The ratio of the losses in each context with its interval, the margin, and the verdict."""
    rows = contexts.to_dict("records")
    figure, ax = plt.subplots(figsize=(WIDTH * 0.55, 0.9 + 0.5 * len(rows)))
    margin = study.report.margin
    ax.axvspan(1 / margin, margin, color=GRID, lw=0, zorder=0)
    ax.axvline(1, color=INK, lw=0.9, zorder=1)
    for y, row in enumerate(rows):
        colour = winner(study, row)
        ax.plot([row["ratio_low"], row["ratio_high"]], [y, y], color=colour, lw=1.2, solid_capstyle="butt")
        ax.plot([row["own_low"], row["own_high"]], [y, y], color=colour, lw=3.2, solid_capstyle="butt")
        # What is not decided is hollow; so is a ratio of those pairs alone that stayed finite.
        solid = row["verdict"] in ("helps", "hurts") and row["test"] == "mean"
        ax.plot(row["ratio"], y, "o", ms=8, mec=colour, mfc=colour if solid else PAPER, mew=1.8)
        _beside(ax, y, row["verdict"], 9, color=colour, weight="bold")
        _beside(ax, y, _in_numbers(row), 78)
    ax.set_yticks(range(len(rows)), [titles.contrast_name(study, row) for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ratio_axis(ax, contexts[["ratio_low", "ratio", "ratio_high"]].to_numpy().ravel(), margin)
    base = "the baseline" if study.report.compare else titles.arm(study, study.report.baseline)
    ax.set_xlabel(f"{titles.outcome(study.report.outcome)}, ratio to {base} (lower is better)")
    treated = titles.arm(study, study.arms[1]) if len(study.arms) == 2 else "arm"
    for side, text, x in (("left", f"← {treated} better", 0.0), ("right", f"{treated} worse →", 1.0)):
        ax.text(x, 1.02, text, transform=ax.transAxes, ha=side, va="bottom", fontsize=9)
    ax.grid(axis="x")
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return figure


def heatmap(study: Study, contexts: pd.DataFrame) -> Figure:
    """The ratios over the grid, batch size across; the colour is that of the arm that does better."""
    across = "optimizer" if study.report.factor == "batch_size" else "batch_size"
    rows = contexts.to_dict("records")
    down = [_row_name(study, row, across) for row in rows]
    table = contexts.assign(down=down, exponent=np.log(contexts["ratio"].where(contexts["test"] == "mean")))
    table["text"] = [f"{_times(row['ratio'])}\n{row['verdict']}" for row in rows]
    levels = [level for level in study.levels[across] if level in set(table[across])]
    exponents, texts = (
        table.pivot(index="down", columns=across, values=column).reindex(index=unique(down), columns=levels)
        for column in ("exponent", "text")
    )
    most = max(float(np.nanmax(np.abs(exponents.to_numpy()), initial=0.0)), np.log(study.report.margin))
    colours = [palette(study)[arm] for arm in (study.arms[1], study.report.baseline)]
    scale = LinearSegmentedColormap.from_list("better", [colours[0], "white", colours[1]])
    figure, ax = plt.subplots(figsize=(WIDTH, 1.2 + 0.7 * len(exponents)), layout="constrained")
    sns.heatmap(
        exponents.set_axis([study.level(across, level).title for level in levels], axis=1),
        vmin=-most,
        vmax=most,
        cmap=scale,
        annot=texts,
        fmt="",
        annot_kws={"size": 9.5},
        linewidths=2,
        linecolor=PAPER,
        cbar=False,
        ax=ax,
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0, rotation=0)
    return figure


def interactions(study: Study, table: pd.DataFrame) -> Figure:
    """How the ratio of the losses is multiplied from level to level, with intervals; the main effect on top."""
    rows = table.to_dict("records")
    figure, ax = plt.subplots(figsize=(WIDTH * 0.55, 0.9 + 0.45 * len(rows)))
    ax.axvline(1, color=INK, lw=0.9, zorder=1)
    for y, row in enumerate(rows):
        colour = palette(study)[row["treatment"]]
        ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=2.4, solid_capstyle="butt")
        ax.plot(
            row["ratio"],
            y,
            "o",
            ms=7,
            color=colour,
            mfc=colour if row["factor"] == MAIN_EFFECT else PAPER,
            mew=1.8,
        )
        limits = f"{formats.number(row['ratio'])} ({formats.number(row['low'])} to {formats.number(row['high'])})"
        _beside(ax, y, f"× {limits}", 9)
    ax.set_yticks(range(len(rows)), [_contrast_label(study, row) for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ratio_axis(ax, table[["low", "ratio", "high"]].to_numpy().ravel(), study.report.margin)
    ax.set_xlabel("multiplies the ratio of the losses by")
    ax.grid(axis="x")
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return figure


def batch_sizes(study: Study, table: pd.DataFrame) -> Figure:
    """The ratio of the losses against the batch size, a line for each of what else is held fixed."""
    figure, ax = plt.subplots(figsize=(WIDTH * 0.85, 3.2))
    ratio_levels(ax)
    named = table.assign(held=[_row_name(study, row, "batch_size") for row in table.to_dict("records")])
    for index, (_, line) in enumerate(named.sort_values("examples").groupby(["treatment", "held"], sort=False)):
        last = line.iloc[-1]
        style = {"color": palette(study)[last["treatment"]], "ls": _DASHES[index % len(_DASHES)]}
        ax.plot(line["examples"], line["ratio"], lw=1.4, marker="o", ms=6, **style)
        ax.vlines(line["examples"], line["ratio_low"], line["ratio_high"], color=style["color"], lw=1.2)
        where: dict[str, Any] = {"xytext": (10, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(last["held"], (last["examples"], last["ratio"]), annotation_clip=False, **where)
    sizes = sorted(set(table["examples"]))
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="examples in a batch", ylabel="ratio of the losses")
    sns.despine(ax=ax)
    return figure


def rates(study: Study, table: pd.DataFrame) -> Figure:
    """Left, both arms' losses against the rate, a ring where validation chose; right, their ratio at equal rates.

    The line across the right panel is the ratio with each arm at its own best rate.
    """
    table = table.assign(context=context_names(study, table))
    names = unique(table["context"])
    figure, axes = grid_of_axes(len(names), 2, height=1.7, gap=0.9, numbers=0.2)
    for (left, right), name in zip(axes, names, strict=True):
        loss_axis(left)
        ratio_levels(right)
        for treatment, line in table[table["context"] == name].groupby("treatment", sort=False):
            treated, base = palette(study)[str(treatment)], palette(study)[study.report.baseline]
            for arm, colour in (("baseline", base), ("treatment", treated)):
                left.plot(line["rate"], line[f"{arm}_loss"], color=colour, lw=1.4, marker="o", ms=4)
                chosen = line[line[f"{arm}_chosen"]]
                left.plot(chosen["rate"], chosen[f"{arm}_loss"], "o", ms=10, mfc="none", mec=colour, mew=1.6)
            right.plot(line["rate"], line["ratio"], color=treated, lw=1.4, marker="o", ms=5)
            right.vlines(line["rate"], line["low"], line["high"], color=treated, lw=1.2)
            right.axhline(line["best_ratio"].iloc[0], color=treated, lw=1.2, ls=(0, (5, 1.5)))
        left.set_title(name, y=1)
        left.set_ylabel(titles.outcome(study.report.outcome))
        right.set_ylabel("ratio of the losses")
        rates = unique(table["rate"][table["context"] == name])
        for ax in (left, right):
            ax.set(xscale="log", xlabel="learning rate" if name == names[-1] else "")
            ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
            ax.xaxis.set_minor_locator(NullLocator())
        low, high = right.get_ylim()
        if high / low < 4:  # too narrow for powers of ten
            right.yaxis.set_major_locator(MaxNLocator(4))
    sns.despine(fig=figure)
    lines = {"each arm at its best rate": {"lw": 1.2, "ls": (0, (5, 1.5))}}
    return add_legend(study, figure, lines)


def _beside(ax: Axes, y: float, text: str, points: float, **style: Any) -> None:
    """Write a text this far to the right of the axes, at the height of a row."""
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
    ax.annotate(text, (1, y), (points, 0), annotation_clip=False, **where, **style)


def _in_numbers(row: Mapping[Any, Any]) -> str:
    """What stands beside a ratio."""
    if row["test"] != "mean":
        return f"{row['diverged_treatment']} and {row['diverged_baseline']} of {row['pairs']} diverged"
    return formats.change(row) if row["pairs"] > 1 else _times(row["ratio"])


def _times(ratio: float) -> str:
    return "" if np.isnan(ratio) else f"{formats.number(ratio)} ×"


def _row_name(study: Study, row: Mapping[Any, Any], across: str) -> str:
    """A context without the factor that runs across."""
    held = [factor for factor in study.varied() if factor != across]
    parts = [titles.context_level(study, factor, row[factor]) for factor in held]
    if len(study.arms) > 2 or not parts:
        parts.insert(0, titles.arm(study, row["treatment"]))
    return ", ".join(parts)


def _contrast_label(study: Study, row: Mapping[Any, Any]) -> str:
    """What a row of the table of interactions is called."""
    if row["factor"] == MAIN_EFFECT:
        name = "all contexts"
    elif row["factor"] == "batch_size":
        name = "a doubling of the batch"
    else:
        name = " instead of ".join(titles.context_level(study, row["factor"], row[end]) for end in ("level", "against"))
    return f"{titles.comparison(study, row)}, {name}" if len(study.comparisons) > 1 else name
