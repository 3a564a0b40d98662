"""All figures: which module draws which, and from what. A figure is drawn by the module that has its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bnbench.figures import (
    accuracy,
    batch_sizes,
    confusion,
    curves,
    decomposition,
    differences,
    fit,
    forest,
    heatmap,
    interactions,
    modes,
    pairs,
    profile,
    ranks,
    rates,
)
from bnbench.figures.style import NARROW, WIDE, Room, empty, save
from bnbench.plan.study import Study
from bnbench.store import report_tables
from bnbench.wording import contents

FIGURES: dict[str, tuple[Callable[[Study, pd.DataFrame, Room], Figure], tuple[str, ...]]] = {
    "forest": (forest.draw, ("verdict",)),
    "curves": (curves.draw, ("loss",)),
    "differences": (differences.draw, ("effect",)),
    "decomposition": (decomposition.draw, ("effect",)),
    "interactions": (interactions.draw, ("effect",)),
    "profile": (profile.draw, ("reached",)),
    "ranks": (ranks.draw, ("mean_rank",)),
    "batch_sizes": (batch_sizes.draw, ("effect",)),
    "pairs": (pairs.draw, ("baseline_value", "treatment_value")),
    "modes": (modes.draw, ("loss",)),
    "heatmap": (heatmap.draw, ("verdict",)),
    "fit": (fit.draw, ("fit",)),
    "rates": (rates.draw, ("effect",)),
    "accuracy": (accuracy.draw, ("loss",)),
    "confusion": (confusion.draw, ("effect",)),
}
"""Name of a figure → what draws it, and the columns of its table without which it is empty."""

_NOTHING = {
    "accuracy": "No accuracy was measured of trials that stay finite.",
    "confusion": "It is not stored which classes were predicted: trials diverged, or an earlier version trained them.",
}
"""The text in place of a figure that has nothing to show."""


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
    narrow = "svg" in formats and name in contents.narrow(study)
    variants = [(WIDE, name, formats), *([(NARROW, contents.narrow_name(name), ("svg",))] if narrow else [])]
    for room, file, endings in variants:
        nothing = _NOTHING.get(name, "There are no finite losses to show.")
        figure = drawn(study, table, room) if some else empty(nothing, room)
        save(figure, out / "figures", file, endings)
