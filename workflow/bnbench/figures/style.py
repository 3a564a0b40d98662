"""What all figures share: colours, sizes, names, and the writing of files.

Each arm has one colour in all pictures of losses. Pictures of ratios have the colours of the verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from bnbench.figures.colours import ARMS, GRID, INK
from bnbench.plan.study import Study
from bnbench.store import files
from bnbench.wording import titles

WIDTH = 8.0
"""Inches: figures are as wide as the page."""

TITLE_SIZE = 10
"""Points of the title of a panel."""

_DPI = 160  # of the PNG, and of what is a picture in the SVG

_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": TITLE_SIZE,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9.5,
    "axes.linewidth": 1.0,
    "xtick.major.width": 1.0,
    "ytick.major.width": 1.0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "axes.titleweight": "bold",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.hashsalt": "bnbench",  # the same picture has the same bytes
}


def set_style() -> None:
    """Draw without a screen, in seaborn's style and the project's colours."""
    mpl.use("agg")
    sns.set_theme(style="ticks", rc=_STYLE)


_SAVED: dict[str, dict[str, Any]] = {
    "svg": {"metadata": {"Date": None}},
    "png": {"metadata": {"Software": None}, "facecolor": "white"},
}
"""How a figure is written in each format, without what would differ from one time to the next."""


def save(figure: Figure, folder: Path, name: str, formats: Sequence[str]) -> None:
    """Write `<name>.<format>` for each of `formats`, the same bytes for the same figure, and close it.

    Raises:
        UserError: a file cannot be written.
    """
    if figure.get_layout_engine():
        figure.draw_without_rendering()  # lays it out, once for all formats
        figure.set_layout_engine("none")
    options: dict[str, Any] = {"bbox_inches": figure.get_tightbbox().padded(0.1)}
    for ending in formats:
        with files.atomic(folder / f"{name}.{ending}") as path:
            figure.savefig(path, format=ending, dpi=_DPI, **_SAVED[ending], **options)
    plt.close(figure)


def palette(study: Study) -> dict[str, str]:
    """The colour of each arm, the baseline first."""
    # Arms that are tuned go by other labels than each of their levels.
    return {arm: ARMS[i % len(ARMS)] for arms in (study.tuned_arms, study.arms) for i, arm in enumerate(arms)}


def row_name(study: Study, row: Mapping[Any, Any], across: str) -> str:
    """A context without the factor that runs across."""
    held = [factor for factor in study.varied() if factor != across]
    parts = [titles.context_level(study, factor, row[factor]) for factor in held]
    if len(study.arms) > 2 or not parts:
        parts.insert(0, titles.arm(study, row["treatment"]))
    return ", ".join(parts)


def empty(text: str) -> Figure:
    """A figure that says why there is nothing to see."""
    figure, ax = plt.subplots(figsize=(WIDTH, 1))
    ax.text(0, 0.5, text, va="center")
    ax.axis("off")
    return figure


def unique(values: Iterable[str]) -> list[str]:
    """The values in the order of their first appearance."""
    return list(dict.fromkeys(values))
