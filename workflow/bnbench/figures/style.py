"""What all figures share: colours, sizes, names, and the writing of files.

Each arm has one colour in all pictures of losses. Pictures of ratios have the colours of the verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import sub
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from bnbench.figures.colours import ARMS, GRID, INK
from bnbench.plan.study import Study
from bnbench.store import files
from bnbench.wording import titles

WIDTH = 8.0
"""Inches: figures are as wide as the page."""


@dataclass(frozen=True)
class Room:
    """What a figure is drawn for."""

    width: float
    """Inches."""
    columns: int
    """Panels in a row, at most."""

    @property
    def narrow(self) -> bool:
        """Whether labels have to be below each other rather than beside each other."""
        return self.width < WIDTH


WIDE = Room(WIDTH, 5)
NARROW = Room(3.65, 2)
"""The page's full width, and that of a telephone."""

LETTER = 0.074
"""Inches that a letter of a label takes, on average."""

TITLE_SIZE = 10
"""Points of the title of a panel."""

_DPI = 160  # of the PNG, and of what is a picture in the SVG

_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))

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
    "svg.fonttype": "none",  # text stays text, a quarter of the bytes: to be searched, copied and read aloud
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
    # As wide as it was made for, so that all figures of a page have letters of one size; as high as what is drawn.
    drawn, width = figure.get_tightbbox(), figure.get_figwidth()
    whole = Bbox.from_extents(min(0.0, drawn.x0), drawn.y0 - 0.1, max(width, drawn.x1), drawn.y1 + 0.1)
    options: dict[str, Any] = {"bbox_inches": whole}
    for ending in formats:
        with files.atomic(folder / f"{name}.{ending}") as path:
            figure.savefig(path, format=ending, dpi=_DPI, **_SAVED[ending], **options)
            if ending == "svg":
                path.write_text(_shorter(path.read_text(encoding="utf-8")), encoding="utf-8")
    plt.close(figure)


_FONT = "'DejaVu Sans'"
_PATH = re.compile(r' d="([^"]*)"')
_DECIMALS = re.compile(r"(\.\d\d)\d+")
_LONG_LINE, _LONG = re.compile(r"M[-\d. ]+(L[-\d. ]+)+z?"), 40
_AROUND_COMMANDS = re.compile(r"\s*([A-Zz])\s*")
_INDENTED = re.compile(r"\n +")
_NEEDLESS = re.compile(
    r'<!--.*?-->\n?|<metadata>.*?</metadata>\n?|(?<=<g) id="[^"]*"|<path [^>]*"fill: none"/>\n?', re.S
)
_EMPTY = re.compile(r"<g>\s*</g>\n?")


def _shorter(drawn: str) -> str:
    """An SVG whose paths have two decimals, a hundredth of a point, without what is no picture: about a third the size.

    Where its font is absent, others take its place that are no wider.
    """
    drawn = _PATH.sub(_shorter_path, _EMPTY.sub("", _INDENTED.sub("\n", _NEEDLESS.sub("", drawn))))
    return drawn.replace(_FONT, f"{_FONT}, Verdana, sans-serif")


def _shorter_path(path: re.Match[str]) -> str:
    """The commands of a path without spaces; those of a long line as steps of a tenth of a point."""
    commands = _AROUND_COMMANDS.sub(r"\1", path[1]).strip()
    places = _LONG_LINE.fullmatch(commands) and re.split("[ML ]", commands.rstrip("z"))[1:]
    if not places or len(places) < _LONG:
        return ' d="' + _DECIMALS.sub(r"\1", commands) + '"'
    # From rounded place to rounded place, so that no error adds up.
    x, y = ([round(float(place) * 10) for place in places[start::2]] for start in (0, 1))
    steps = zip(map(sub, x[1:], x), map(sub, y[1:], y), strict=True)
    drawn = " ".join(f"{across / 10:g} {up / 10:g}" for across, up in steps)
    return f' d="M{x[0] / 10:g} {y[0] / 10:g}l{drawn}{"z" if commands.endswith("z") else ""}"'


def palette(study: Study) -> dict[str, str]:
    """The colour of each arm, the baseline first."""
    # Arms that are tuned go by other labels than each of their levels.
    return {arm: ARMS[i % len(ARMS)] for arms in (study.tuned_arms, study.arms) for i, arm in enumerate(arms)}


def dashes(names: Sequence[str]) -> dict[str, Any]:
    """A style of line for each of these names, where colours say something else."""
    return {name: _DASHES[index % len(_DASHES)] for index, name in enumerate(names)}


def row_name(study: Study, row: Mapping[Any, Any], across: str) -> str:
    """A context without the factor that runs across."""
    held = [factor for factor in study.varied() if factor != across]
    parts = [titles.context_level(study, factor, row[factor]) for factor in held]
    if len(study.arms) > 2 or not parts:
        parts.insert(0, titles.arm(study, row["treatment"]))
    return ", ".join(parts)


def empty(text: str, room: Room = WIDE) -> Figure:
    """A figure that says why there is nothing to see."""
    figure = plt.figure(figsize=(room.width, 1))
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.text(0.01, 0.5, fill(text, round(room.width / LETTER)), va="center")
    ax.axis("off")
    return figure


def unique(values: Iterable[str]) -> list[str]:
    """The values in the order of their first appearance."""
    return list(dict.fromkeys(values))
