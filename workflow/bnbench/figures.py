"""The figures: one function a figure, table in, Figure out. They draw; every number comes from a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bnbench import contents, sentences, tables
from bnbench.drawing import (
    GREY,
    GRID,
    INK,
    PAPER,
    WIDTH,
    add_legend,
    context_names,
    empty,
    loss_axis,
    palette,
    panels,
    ratio_axis,
    save,
    set_style,
    unique,
    winner,
)
from bnbench.study import Study

_MODES = {
    "train_loss": "train",
    "eval_loss": "train,\neval mode",
    "test_loss": "test",
    "test_loss_precise": "test,\nprecise",
}
_DOTTED = {"lw": 1.0, "ls": (0, (1, 1.2))}


def run(study: Study, out: Path) -> None:
    """Draw every figure of `study` from its tables in `out/tables` into `out/figures`, as SVG and PNG.

    Raises:
        UserError: a table is absent or corrupt, or a file cannot be written.
    """
    set_style()
    for name in contents.figures(study):
        draw, source, shown = FIGURES[name]
        table = tables.read_csv(out / "tables" / f"{source}.csv")
        some = table[list(shown)].notna().any(axis=None)
        save(draw(study, table) if some else empty("There are no finite losses to show."), out / "figures", name)


def forest(study: Study, contexts: pd.DataFrame) -> Figure:
    """The ratio of the losses in each context with its interval, the margin, and the verdict."""
    rows = contexts.to_dict("records")
    figure, ax = plt.subplots(figsize=(WIDTH * 0.55, 0.9 + 0.5 * len(rows)))
    margin = study.report.margin
    ax.axvspan(1 / margin, margin, color=GRID, lw=0, zorder=0)
    ax.axvline(1, color=INK, lw=0.9, zorder=1)
    for y, row in enumerate(rows):
        colour = winner(study, row)
        ax.plot([row["ratio_low"], row["ratio_high"]], [y, y], color=colour, lw=2.4, solid_capstyle="butt")
        # What is not decided is hollow; so is a ratio of those pairs alone that stayed finite.
        solid = row["verdict"] in ("helps", "hurts") and row["test"] == "mean"
        ax.plot(row["ratio"], y, "o", ms=8, mec=colour, mfc=colour if solid else PAPER, mew=1.8)
        beside: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
        ax.annotate(row["verdict"], (1.04, y), color=colour, weight="bold", **beside)
        ax.annotate(_in_numbers(row), (1.24, y), **beside)
    ax.set_yticks(range(len(rows)), [sentences.contrast_name(study, row) for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ratio_axis(ax, contexts[["ratio_low", "ratio", "ratio_high"]].to_numpy().ravel(), margin)
    base = sentences.arm(study.report.factor, study.report.baseline)
    ax.set_xlabel(f"{sentences.outcome(study.report.outcome)}, ratio to {base} (lower is better)")
    treated = sentences.arm(study.report.factor, study.arms[1]) if len(study.arms) == 2 else "arm"
    for side, text, x in (("left", f"← {treated} better", 0.0), ("right", f"{treated} worse →", 1.0)):
        ax.text(x, 1.02, text, transform=ax.transAxes, ha=side, va="bottom", fontsize=9)
    ax.grid(axis="x")
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return figure


def curves(study: Study, table: pd.DataFrame) -> Figure:
    """The losses of the arms over the epochs; the band is the interval of the mean log loss over the seeds.

    The loss that decides is drawn in full, the train-mode loss, where it is another, dotted.
    """
    figure, found = panels(study, table)
    for ax, part in found:
        for key, line in part.groupby([study.report.factor, "outcome"], sort=False):
            arm, outcome = (str(label) for label in key)
            decides = outcome == study.report.outcome
            colour = palette(study)[arm]
            style: dict[str, Any] = {"lw": 1.6} if decides else _DOTTED
            ax.plot(line["epoch"] + 1, line["loss"], color=colour, **style)
            if decides:
                ax.fill_between(line["epoch"] + 1, line["low"], line["high"], color=colour, alpha=0.22, lw=0)
        ax.set(xscale="log", xlabel="epochs of training", ylabel="loss")
        ax.xaxis.set_minor_locator(NullLocator())
    lines: dict[str, dict[str, Any]] = {sentences.outcome(study.report.outcome): {"lw": 1.6}}
    if study.report.outcome != "train_loss":
        lines[f"{sentences.outcome('train_loss')}"] = _DOTTED
    return add_legend(study, figure, lines)


def pairs(study: Study, table: pd.DataFrame) -> Figure:
    """The final loss of every trial, the two of a seed joined by a line; a cross at the top is a diverged trial."""
    figure, found = panels(study, table)
    places = {arm: x for x, arm in enumerate(study.arms)}
    for ax, part in found:
        each = [
            part[["seed", arm, f"{arm}_loss"]].set_axis(["seed", "arm", "loss"], axis=1)
            for arm in ("baseline", "treatment")
        ]
        shown = pd.concat(each).drop_duplicates(["seed", "arm"])
        wide = shown.pivot(index="seed", columns="arm", values="loss")
        wide = wide[[arm for arm in places if arm in wide]]
        ax.plot([places[str(arm)] for arm in wide], wide.to_numpy().T, color=GREY, lw=0.7, alpha=0.6, zorder=1)
        for arm, losses in wide.items():
            x, colour = places[str(arm)], palette(study)[str(arm)]
            ax.plot([x] * len(losses), losses, "o", ms=4.5, color=colour, alpha=0.75, mew=0, zorder=2)
            if losses.isna().any():
                top = ax.get_xaxis_transform()
                ax.plot(x, 0.97, "x", color=colour, transform=top)
                ax.text(x + 0.06, 0.97, f"{losses.isna().sum()} diverged", transform=top, va="center", color=colour)
        ax.set(ylabel="final loss", xlabel="", xlim=(-0.5, len(places) - 0.5))
        ax.set_xticks(range(len(places)), [sentences.arm(study.report.factor, arm) for arm in places])
    return figure


def modes(study: Study, table: pd.DataFrame) -> Figure:
    """The final losses of the same networks, measured in each mode, with the interval of the mean over the seeds."""
    figure, found = panels(study, table)
    places = {outcome: x for x, outcome in enumerate(_MODES)}
    for ax, part in found:
        for index, (arm, colour) in enumerate(palette(study).items()):
            own = part[part[study.report.factor] == arm].dropna(subset=["loss"])
            x = [places[outcome] + 0.16 * (index - (len(study.arms) - 1) / 2) for outcome in own["outcome"]]
            ax.vlines(x, own["low"], own["high"], color=colour, lw=2.4)
            ax.plot(x, own["loss"], "o", ms=6, color=colour)
        ax.set(ylabel="final loss", xlabel="")
        ax.set_xticks(range(len(_MODES)), list(_MODES.values()))
    return add_legend(study, figure)


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
        exponents.set_axis([sentences.level(across, level) for level in levels], axis=1),
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


def fit(study: Study, table: pd.DataFrame) -> Figure:
    """The target and the fitted functions, and the absolute error: median over seeds, band from 5 % to 95 % of them."""
    table = table.assign(context=context_names(study, table))
    names = unique(table["context"])
    size = (WIDTH, 2.2 * len(names) + 0.5)
    figure, axes = plt.subplots(len(names), 2, figsize=size, squeeze=False, layout="constrained")
    for (left, right), name in zip(axes, names, strict=True):
        part = table[table["context"] == name]
        for arm, own in part.groupby(study.report.factor, sort=False):
            for ax, quantity in ((left, "fit"), (right, "error")):
                colour, low, high = palette(study)[str(arm)], own[f"{quantity}_low"], own[f"{quantity}_high"]
                ax.plot(own["x"], own[quantity], color=colour, lw=1.4)
                ax.fill_between(own["x"], low, high, color=colour, alpha=0.22, lw=0)
        left.plot(own["x"], own["y"], color=INK, lw=1.0, ls="--")
        left.set(title=name, xlabel="x", ylabel="y")
        loss_axis(right)
        right.set(xlabel="x", ylabel="absolute error")
    sns.despine(fig=figure)
    return add_legend(study, figure, {"target": {"lw": 1.0, "ls": "--"}})


def _in_numbers(row: Mapping[Any, Any]) -> str:
    """What stands beside a ratio."""
    if row["test"] != "mean":
        return f"{row['diverged_treatment']} and {row['diverged_baseline']} of {row['pairs']} diverged"
    return sentences.change(row) if row["pairs"] > 1 else _times(row["ratio"])


def _times(ratio: float) -> str:
    return "" if np.isnan(ratio) else f"{sentences.number(ratio)} ×"


def _row_name(study: Study, row: Mapping[Any, Any], across: str) -> str:
    """A context without the factor that runs across."""
    held = [f for f in ("task", "norm", "optimizer", "batch_size", "device") if f not in (study.report.factor, across)]
    words = [sentences.context_level(study, factor, row[factor]) for factor in held if len(study.levels[factor]) > 1]
    if len(study.arms) > 2 or not words:
        words.insert(0, sentences.arm(study.report.factor, row["treatment"]))
    return ", ".join(words)


FIGURES: dict[str, tuple[Callable[[Study, pd.DataFrame], Figure], str, tuple[str, ...]]] = {
    "forest": (forest, "contexts", ("verdict",)),
    "curves": (curves, "curves", ("loss",)),
    "pairs": (pairs, "pairs", ("baseline_loss", "treatment_loss")),
    "modes": (modes, "modes", ("loss",)),
    "heatmap": (heatmap, "contexts", ("verdict",)),
    "fit": (fit, "fit", ("fit",)),
}
"""Name of a figure → the function that draws it, the table that it draws, and the columns without which it is empty."""
