"""The heat map: the effects over the grid."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bnbench.figures import legends
from bnbench.figures.colours import of_verdict
from bnbench.figures.style import LETTER, WIDE, Room, row_name, unique
from bnbench.plan.study import Study
from bnbench.wording import effects

_DARK, _LIGHT = "#1a1a1a", "#ffffff"
"""Of the text in cells. They are no colours that the page changes where it is dark: the cells stay as they are."""

_PALEST, _DEEPEST = 0.3, 0.9
"""How much of its colour a cell has whose effect is least, and one whose effect is greatest."""

_UNDECIDED = 0.28
_HIGH = 0.42  # inches of a row
_NAME = 0.26  # inches of a name above its row
_LETTERS = 24  # of a name in one line


def draw(study: Study, contexts: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The effects over the grid; the colour is that of the verdict, and is deeper for larger effects."""
    across = _across(study)
    found = [(row_name(study, row, across), row) for row in contexts.to_dict("records")]
    arms = {arm: place for place, arm in enumerate(study.arms)}
    found.sort(key=lambda both: arms.get(both[1]["treatment"], len(arms)))
    down = unique(name for name, _ in found)
    levels = [level for level in study.levels[across] if level in set(contexts[across])]
    names = [fill(name, 40 if room.narrow else _LETTERS) for name in down]
    figure, ax, step = _grid(names, [study.level(across, level).title for level in levels], room)
    costs = _costs(study, contexts)
    most = max(float(np.nanmax(np.abs(costs), initial=0.0)), study.outcome.cost_margin(study.report.margin))
    brief = step < 0.95
    for name, row in found:
        y, x = down.index(name), levels.index(row[across])
        colour = _colour(study, row, most)
        top = _NAME / (_HIGH + _NAME) if room.narrow else 0.04
        ax.add_patch(Rectangle((x + 0.02, y + top), 0.96, 0.98 - top, color=colour, lw=0))
        text = _text(study, row, brief=brief)
        style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8.5 if brief else 9}
        ax.text(x + 0.5, y + (0.98 + top) / 2, text, color=_readable(colour), linespacing=1.05, **style)
    entries = {text: {**style, "ls": "", "marker": "s", "ms": 9} for text, style in legends.of_verdicts().items()}
    entries["undecided or equivalent"] = {**entries["undecided or equivalent"], "mfc": _mixed("", _UNDECIDED), "mew": 0}
    legends.add(figure, entries, 0.1, figure.get_figheight() + 0.3)
    return figure


def _grid(names: list[str], columns: list[str], room: Room) -> tuple[Figure, Axes, float]:
    """Empty axes with the names of rows and columns; the inches of a column."""
    longest = max(len(line) for name in names for line in name.splitlines())
    left = 0.1 if room.narrow else 0.2 + LETTER * 1.06 * longest
    step = min((room.width - left - 0.1) / len(columns), 1.7)
    high = _HIGH + (_NAME if room.narrow else 0)
    figure = plt.figure(figsize=(room.width, high * len(names)))
    ax = figure.add_axes((left / room.width, 0, step * len(columns) / room.width, 1))
    ax.set(xlim=(0, len(columns)), ylim=(len(names), 0))
    letters = max(3, int(step / LETTER))
    ax.set_xticks([x + 0.5 for x in range(len(columns))], [fill(name, letters) for name in columns])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_yticks([y + 0.5 for y in range(len(names))], [""] * len(names) if room.narrow else names)
    if room.narrow:
        for y, name in enumerate(names):
            ax.text(0.02, y + 0.2 / high, name, fontsize=9, va="baseline")
    return figure, ax, step


def _costs(study: Study, contexts: pd.DataFrame) -> np.ndarray:
    """How far each context is from no effect, above 0 where the treatment is worse; NaN where ranks decide."""
    effect = contexts["effect"].where(contexts["test"] == "mean")
    scaled = np.log(effect) if study.outcome.is_ratio else effect
    return np.asarray(study.outcome.cost(scaled.to_numpy(np.float64)), float)


def _colour(study: Study, row: Mapping[Any, Any], most: float) -> str:
    """Grey of what is not decided; of a verdict, the deeper the larger its effect; pale where ranks decide."""
    if row["verdict"] not in ("helps", "hurts"):
        return _mixed(row["verdict"], _UNDECIDED)
    cost = abs(float(_costs(study, pd.DataFrame([row]))[0]))
    share = 0.0 if np.isnan(cost) else cost / most
    return _mixed(row["verdict"], _PALEST + (_DEEPEST - _PALEST) * share)


def _mixed(verdict: str, share: float) -> str:
    """The colour of a verdict, mixed with white."""
    red, green, blue = (share * part + 1 - share for part in to_rgb(of_verdict(verdict)))
    return to_hex((red, green, blue))


def _readable(colour: str) -> str:
    """The colour of a text that is easy to read on this one."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return _DARK if np.dot(linear, (0.2126, 0.7152, 0.0722)) > 0.2 else _LIGHT


def _text(study: Study, row: Mapping[Any, Any], *, brief: bool) -> str:
    """The effect and the verdict; where ranks decide, the verdict alone, since they are over other pairs."""
    if row["test"] != "mean":
        return f"{row['verdict']}\n(by ranks)" if not brief else "by\nranks"
    if np.isnan(row["effect"]):
        return str(row["verdict"]) if not brief else "–"
    effect = effects.plain(study.outcome, row["effect"])
    return effect if brief else f"{effect}\n{row['verdict']}"


def _across(study: Study) -> str:
    """The factor whose levels are side by side: the batch size, or the last of those that have several."""
    varied = study.varied()
    return "batch_size" if "batch_size" in varied else varied[-1]
