"""The figures: one function a figure, table in, Figure out. They draw; every number comes from a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bnbench.figures.colours import GREY, INK, PAPER
from bnbench.figures.ratio_figures import batch_sizes, forest, heatmap, interactions, rates
from bnbench.figures.style import (
    add_legend,
    align,
    context_names,
    empty,
    grid_of_axes,
    loss_axis,
    palette,
    panels,
    plain_axis,
    ratio_axis,
    ratio_levels,
    save,
    unique,
    without_numbers,
)
from bnbench.plan.study import Study
from bnbench.store import report_tables
from bnbench.wording import contents, titles

_MODES = {
    "train_loss": "train",
    "eval_loss": "train,\neval mode",
    "test_loss": "test",
    "test_loss_precise": "test,\nprecise",
}
_MANY = 100  # seeds, from which on points are a picture in the SVG
_DOTTED = {"lw": 1.0, "ls": (0, (1, 1.2))}


def draw(study: Study, out: Path, name: str, formats: Sequence[str]) -> None:
    """Draw one figure of `study` from its table in `out/tables` into `out/figures`, in the style that is set.

    Args:
        study: the study.
        out: its folder.
        name: of the figure.
        formats: files that it is written to, see `save`.

    Raises:
        UserError: the table is absent or corrupt, or a file cannot be written.
    """
    drawn, shown = FIGURES[name]
    table = report_tables.read(out, contents.SOURCES[name])
    table = contents.drawn(study, name, table)
    some = table[list(shown)].notna().any(axis=None)
    figure = drawn(study, table) if some else empty("There are no finite losses to show.")
    save(figure, out / "figures", name, formats)


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
    lines: dict[str, dict[str, Any]] = {titles.outcome(study.report.outcome): {"lw": 1.6}}
    if study.report.outcome != "train_loss":
        lines[f"{titles.outcome('train_loss')}"] = _DOTTED
    align(found)
    return add_legend(study, figure, lines)


def differences(study: Study, table: pd.DataFrame) -> Figure:
    """The ratio of the losses over the epochs with its simultaneous band; a dot where its side of 1 is decided."""
    figure, found = panels(study, table, ratio_levels)
    for ax, part in found:
        for treatment, line in part.groupby("treatment", sort=False):
            colour, epochs = palette(study)[str(treatment)], line["epoch"] + 1
            ax.plot(epochs, line["ratio"], color=colour, lw=1.6)
            ax.fill_between(epochs, line["low"], line["high"], color=colour, alpha=0.22, lw=0)
            first = line[line["epoch"] == line["decided_from"]]
            ax.plot(first["epoch"] + 1, first["ratio"], "o", ms=5, color=colour, mec=PAPER)
        ax.set(xscale="log", xlabel="epochs of training", ylabel="ratio of the losses")
        ax.xaxis.set_minor_locator(NullLocator())
    align(found)
    return add_legend(study, figure, arms=study.arms[1:])


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
        # One line with gaps; as a picture where there are more than can be told apart.
        gaps = np.full((len(wide), 1), np.nan)
        x_of_arms = np.tile([*(places[str(arm)] for arm in wide), np.nan], len(wide))
        style: dict[str, Any] = {"rasterized": len(wide) > _MANY}
        ax.plot(x_of_arms, np.hstack([wide.to_numpy(), gaps]).ravel(), color=GREY, lw=0.7, alpha=0.6, zorder=1, **style)
        for arm, losses in wide.items():
            x, colour = places[str(arm)], palette(study)[str(arm)]
            ax.plot([x] * len(losses), losses, "o", ms=4.5, color=colour, alpha=0.75, mew=0, zorder=2, **style)
            if losses.isna().any():
                top = ax.get_xaxis_transform()
                ax.plot(x, 0.97, "x", color=colour, transform=top)
                ax.text(x + 0.06, 0.97, f"{losses.isna().sum()} diverged", transform=top, va="center", color=colour)
        ax.set(ylabel="final loss", xlabel="", xlim=(-0.5, len(places) - 0.5))
        ax.set_xticks(range(len(places)), [titles.arm(study, arm) for arm in places])
    align(found)
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
    align(found)
    return add_legend(study, figure)


def decomposition(study: Study, table: pd.DataFrame) -> Figure:
    """The factors whose product a difference is, with their intervals; the total is hollow."""
    figure, found = panels(study, table, plain_axis)
    places = {name: y for y, name in enumerate(table["component"].unique())}
    for ax, part in found:
        for index, treatment in enumerate(study.arms[1:]):
            own = part[part["treatment"] == treatment]
            colour, y = (
                palette(study)[treatment],
                own["component"].map(places) + 0.2 * (index - (len(study.arms) - 2) / 2),
            )
            ax.hlines(y, own["low"], own["high"], color=colour, lw=2.4)
            total = own["component"] == "total"
            for some, fill in ((~total, colour), (total, PAPER)):
                ax.plot(own["ratio"][some], y[some], "o", ms=6, color=colour, mfc=fill, mew=1.6)
        ax.axvline(1, color=INK, lw=0.9, zorder=1)
        ax.set(ylim=(len(places) - 0.5, -0.5), ylabel="", xlabel="factor")
        ax.tick_params(axis="y", length=0)
        ax.set_yticks(range(len(places)), list(places))
        ratio_axis(ax, table[["low", "ratio", "high"]].to_numpy().ravel(), study.report.margin)
    align(found)
    return add_legend(study, figure, arms=study.arms[1:]) if len(study.arms) > 2 else figure


def fit(study: Study, table: pd.DataFrame) -> Figure:
    """The target and the fitted functions, and the absolute error: median over seeds, band from 5 % to 95 % of them."""
    table = table.assign(context=context_names(study, table))
    names = unique(table["context"])
    figure, axes = grid_of_axes(len(names), 2, height=1.6, gap=0.9)
    for (left, right), name in zip(axes, names, strict=True):
        part = table[table["context"] == name]
        for arm, own in part.groupby(study.report.factor, sort=False):
            for ax, quantity in ((left, "fit"), (right, "error")):
                # An error of 0 has no place on a logarithmic axis.
                shown = own if quantity == "fit" else own.replace(0.0, np.nan)
                colour, low, high = palette(study)[str(arm)], shown[f"{quantity}_low"], shown[f"{quantity}_high"]
                ax.plot(own["x"], shown[quantity], color=colour, lw=1.4)
                ax.fill_between(own["x"], low, high, color=colour, alpha=0.22, lw=0)
        left.plot(own["x"], own["y"], color=INK, lw=1.0, ls="--")
        left.set_title(name, y=1)
        left.set_ylabel("y")
        if part["error"].gt(0).any():
            loss_axis(right)
        right.set(ylabel="absolute error")
        for ax in (left, right):
            ax.set_xlabel("x")
            if name != names[-1]:
                without_numbers(ax.xaxis)
    sns.despine(fig=figure)
    return add_legend(study, figure, {"target": {"lw": 1.0, "ls": "--"}})


FIGURES: dict[str, tuple[Callable[[Study, pd.DataFrame], Figure], tuple[str, ...]]] = {
    "forest": (forest, ("verdict",)),
    "curves": (curves, ("loss",)),
    "differences": (differences, ("ratio",)),
    "decomposition": (decomposition, ("ratio",)),
    "interactions": (interactions, ("ratio",)),
    "batch_sizes": (batch_sizes, ("ratio",)),
    "pairs": (pairs, ("baseline_loss", "treatment_loss")),
    "modes": (modes, ("loss",)),
    "heatmap": (heatmap, ("verdict",)),
    "fit": (fit, ("fit",)),
    "rates": (rates, ("ratio",)),
}
"""Name of a figure → the function that draws it, and the columns of its table without which it is empty."""
