"""Figures of many panels: one for each context, or for each context and arm where there are more than three arms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from bnbench.figures import legends
from bnbench.figures.axes import Side, without_numbers
from bnbench.figures.limits import for_panels
from bnbench.figures.sheets import Panel, Sheet
from bnbench.figures.style import LETTER, TITLE_SIZE, WIDE, Room, unique
from bnbench.plan.study import Study
from bnbench.wording import titles

TOGETHER = 3
"""Arms that one panel shows, at most."""

_HEIGHTS = {1: 2.1, 2: 1.8, 3: 1.6, 4: 1.4, 5: 1.25}
"""Inches of a panel, by the panels in a row."""

_NARROW_LEFT = 0.9  # inches, at most
_MANY_ROWS = 4  # from which on every row has numbers below it
_GAP, _NUMBERS_GAP, _OWN_GAP = 0.18, 0.36, 0.58  # inches between columns: usual, with numbers below or beside each
_RIGHT, _TITLE, _LINE, _NUMBERS, _HEADING, _BETWEEN = 0.12, 0.14, 0.175, 0.26, 0.22, 0.12  # inches
_RIGHT_OF_NUMBERS = 0.25  # inches, where half of a number reaches beyond its axis
_NUMBER, _TO_LABEL = 0.072, 0.2  # inches of a digit of a number up the side; from numbers to a label, with their ticks


def context_names(study: Study, table: pd.DataFrame) -> list[str]:
    """The context of each row, in words."""
    held = [factor for factor in study.factors if factor in table.columns and factor != study.report.factor]
    if not held:
        return [titles.context_name(study, {})] * len(table)
    named = table[held].drop_duplicates()
    named["context"] = [titles.context_name(study, row) for row in named.to_dict("records")]
    return list(table[held].merge(named, on=held)["context"])


def panels(
    study: Study,
    table: pd.DataFrame,
    room: Room = WIDE,
    *,
    left: float = 0.95,
    stacked: Sequence[float] = (),
    arms_apart: bool | None = None,
    numbers: bool = False,
) -> Sheet:
    """A panel per context, each with its rows of `table`; beyond three arms, one per context and arm.

    Panels are in the order of the grid, a row of them for the levels of the last factor that has several in the
    table, or for an even part of its levels. Once they are drawn, `finish` gives them their limits: axes that
    Matplotlib shares take quadratic time in their number.

    Args:
        study: the study.
        table: what is shown.
        room: how wide the figure is.
        left: inches for numbers and labels to the left of the panels.
        stacked: heights in inches of the axes of one panel, from the top; one of a usual height, if there are none.
        arms_apart: whether each arm has its own panels, if not by their number.
        numbers: whether there is room for numbers below every panel.
    """
    apart = len(study.arms) > TOGETHER if arms_apart is None else arms_apart
    named = table.assign(context=context_names(study, table))
    if apart:
        groups = [(name, _by_arm(study, part)) for name, part in named.groupby("context", sort=False)]
        most = max(len(parts) for _, parts in groups)
        columns = max(even for even in range(1, min(room.columns, 4) + 1) if most % even == 0 or even == 2 or most > 4)
        columns = min(columns, most)
    else:
        groups = [("", [(str(name), part) for name, part in named.groupby("context", sort=False)])]
        columns = _usual_columns(study, table, len(groups[0][1]), room, beside=bool(stacked))
    return _sheet(groups, room, columns, left, stacked, numbers=numbers, gap=_NUMBERS_GAP if numbers else _GAP)


def grid(parts: Sequence[tuple[str, pd.DataFrame]], room: Room, columns: int, left: float, gap: float = _GAP) -> Sheet:
    """Panels of these titles and rows, this many in a row with this gap; numbers are below all, if it is wider."""
    return _sheet([("", parts)], room, columns, left, (), numbers=gap > _GAP, gap=gap)


def _by_arm(study: Study, part: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each arm, with those of the baseline where the table has rows of arms."""
    column = study.report.factor if study.report.factor in part and "treatment" not in part else "treatment"
    base = study.report.baseline
    found = unique(arm for arm in part[column] if arm != base) or [base]
    return [(titles.arm(study, arm), part[part[column].isin({arm, base})]) for arm in found]


def _usual_columns(study: Study, table: pd.DataFrame, count: int, room: Room, *, beside: bool) -> int:
    """Panels in a row, where each is a context; what belongs together is in one row or column."""
    if room.narrow or (beside and count <= 4):
        return min(count, room.columns)
    varied = [table[factor].nunique() for factor in study.levels if factor != study.report.factor]
    return _columns(next((levels for levels in reversed(varied) if levels > 1), 1))


def _columns(levels: int) -> int:
    """The most panels in a row that part the levels evenly; 4 where nothing does."""
    even = [columns for columns in _HEIGHTS if levels % columns == 0]
    return max(even) if levels == 1 or max(even) > 1 else 4


def _sheet(
    groups: Sequence[tuple[Any, Sequence[tuple[str, pd.DataFrame]]]],
    room: Room,
    columns: int,
    left: float,
    stacked: Sequence[float],
    *,
    numbers: bool,
    gap: float = _GAP,
) -> Sheet:
    """The axes at fixed places, since a layout that measures every label takes a minute for a hundred axes."""
    left = min(left, _NARROW_LEFT) if room.narrow else left
    heights = [*stacked] or [_HEIGHTS[columns] if not room.narrow else 1.5]
    right = _RIGHT_OF_NUMBERS if numbers else _RIGHT
    width = (room.width - left - right - (columns - 1) * gap) / columns
    size = TITLE_SIZE if columns < 4 and not room.narrow else 9
    letters = max(8, int(width / (LETTER * 1.22 * size / 9.5)))
    lines = [
        [
            (title, [fill(name, letters) for name, _ in parts[at : at + columns]], at)
            for at in range(0, len(parts), columns)
        ]
        for title, parts in groups
    ]
    everywhere = numbers or sum(map(len, lines)) > _MANY_ROWS
    figure = plt.figure(figsize=(room.width, 1.0))
    found: list[tuple[Panel, float, int, str]] = []
    down = 0.0
    headings: list[tuple[str, float]] = []
    for (heading, parts), of_group in zip(groups, lines, strict=True):
        if heading:
            wrapped = fill(str(heading), int((room.width - left) / (LETTER * 1.3)))
            down += 0.16 if headings else 0.0
            headings.append((wrapped, down))
            down += _HEADING + _LINE * wrapped.count("\n")
        for _, names, at in of_group:
            down += _TITLE + _LINE * (1 + max(name.count("\n") for name in names))
            for column, name in enumerate(names):
                last = at + column + columns >= len(parts) or everywhere
                found.append((Panel([], parts[at + column][1], column == 0, last), down, column, name))
            below = everywhere or at + 2 * columns > len(parts)
            down += sum(heights) + _BETWEEN * (len(heights) - 1) + (_NUMBERS if below else 0.06)
            down += 0.2 if gap > _NUMBERS_GAP else 0.0  # for the names of their axes
    whole = down + 0.2
    figure.set_size_inches(room.width, whole)
    for panel, top, column, name in found:
        for level, height in enumerate(heights):
            up = whole - top - sum(heights[: level + 1]) - _BETWEEN * level
            across = (left + column * (width + gap)) / room.width
            ax = figure.add_axes((across, up / whole, width / room.width, height / whole))
            sns.despine(ax=ax)
            panel.axes.append(ax)
            panel.drawn.append([])
        # At a fixed place: to look for one above the labels takes longer than to draw the panel.
        panel.axes[0].set_title(name, y=1, fontsize=size, pad=4)
    for text, place in headings:
        style: dict[str, Any] = {"va": "top", "weight": "bold", "fontsize": TITLE_SIZE + 1}
        figure.text((left - 0.1) / room.width, 1 - (place + 0.04) / whole, text, **style)
    return Sheet(figure, [panel for panel, *_ in found], room, left, columns, gap, right, whole)


def finish(sheet: Sheet, *, log: bool, side: Side = "y", line: float | None = None, level: int = 0) -> None:
    """Give drawn panels their limits: the same, or their own where they lie far apart; mark what lies beyond.

    Numbers are at the first panel of a row alone, and below the last row, where the panels share them.

    Args:
        sheet: the panels, with what they show.
        log: whether the axis of values is logarithmic.
        side: which axis has the values.
        line: what each must show: no effect.
        level: which of the axes on top of each other.
    """
    values = [np.concatenate([shown for _, shown, _ in panel.drawn[level]] or [np.empty(0)]) for panel in sheet.panels]
    found, shared = for_panels(values, log=log, line=line)
    if not shared and len(sheet.panels) > 1:
        sheet.notes |= legends.OWN_SCALE
        _spread(sheet, side)
    for panel, limits, own in zip(sheet.panels, found, values, strict=True):
        ax = panel.axes[level]
        if not np.isfinite(own).any():
            ax.text(0.5, 0.7, "no finite value", transform=ax.transAxes, ha="center", va="center", fontsize=8)
        (ax.set_ylim if side == "y" else ax.set_xlim)(*limits)
        if side == "y" and shared and not panel.first and sheet.gap < _OWN_GAP:
            without_numbers(ax.yaxis)
        if side == "x" and shared and not panel.last:
            without_numbers(ax.xaxis)
        for places, shown, colour in panel.drawn[level]:
            _mark_beyond(sheet, ax, side, (places, shown, colour), limits)


def _spread(sheet: Sheet, side: Side) -> None:
    """Make room for the numbers of every panel."""
    if side == "x" or sheet.gap >= _OWN_GAP:
        return  # there is room already
    sheet.gap = _OWN_GAP
    _place(sheet)


def _place(sheet: Sheet) -> None:
    """Put the columns where the room to the left of them and between them wants them."""
    left, room, gap = sheet.left, sheet.room, sheet.gap
    width = (room.width - left - sheet.right - (sheet.columns - 1) * gap) / sheet.columns
    places = sorted({round(ax.get_position().x0, 6) for panel in sheet.panels for ax in panel.axes})
    for panel in sheet.panels:
        for ax in panel.axes:
            box = ax.get_position()
            column = places.index(round(box.x0, 6))
            ax.set_position(((left + column * (width + gap)) / room.width, box.y0, width / room.width, box.height))


def _mark_beyond(sheet: Sheet, ax: Axes, side: Side, drawn: Any, limits: tuple[float, float]) -> None:
    """A caret at the edge where a line or a dot goes on beyond it."""
    places, values, colour = drawn
    for beyond, farthest, edge, marker in (
        (values > limits[1], np.nanargmax, 1.0, "^" if side == "y" else ">"),
        (values < limits[0], np.nanargmin, 0.0, "v" if side == "y" else "<"),
    ):
        at = beyond & np.isfinite(values)
        if not at.any():
            continue
        place = places[at][farthest(values[at])]
        where = (place, edge) if side == "y" else (edge, place)
        transform = ax.get_xaxis_transform() if side == "y" else ax.get_yaxis_transform()
        ax.plot(*where, marker, ms=5, color=colour, transform=transform, clip_on=False, zorder=5)
        sheet.notes |= legends.BEYOND


def label(sheet: Sheet, across: str = "", up: str = "", level: int = 0) -> None:
    """Name the axes: that up the side at the first panel of each row, that along the bottom below the last ones."""
    named = fill(up, 26)
    for panel in sheet.panels:
        if up and panel.first:
            panel.axes[level].set_ylabel(named)
    if up:
        _room_for_label(sheet, 1 + named.count("\n"), level)
    if across:
        bottom = min(ax.get_position().y0 for panel in sheet.panels for ax in panel.axes)
        for panel in sheet.panels:
            if math.isclose(panel.axes[-1].get_position().y0, bottom, abs_tol=1e-6):
                panel.axes[-1].set_xlabel(across)


def _room_for_label(sheet: Sheet, lines: int, level: int) -> None:
    """Move the panels to the right where long numbers would push the label of their axis out of the picture."""
    longest = max(map(_longest, {panel.axes[level].yaxis for panel in sheet.panels if panel.first}), default=0)
    wanted = longest * _NUMBER + lines * _LINE + _TO_LABEL
    if wanted > sheet.left:
        sheet.left = wanted
        _place(sheet)


def _longest(axis: Axis) -> int:
    """Characters of the longest number of an axis."""
    places = [*axis.get_major_locator()()]
    return max((len(text) for text in axis.get_major_formatter().format_ticks(places)), default=0)


def share_across(sheet: Sheet) -> None:
    """Give the axes along the bottom the same limits, and leave the numbers to those with none below them."""
    axes = [ax for panel in sheet.panels for ax in panel.axes]
    shown = [ax for ax in axes if np.isfinite(ax.dataLim.get_points()).all()] or axes
    across = np.array([ax.get_xlim() for ax in shown])
    for panel in sheet.panels:
        for ax in panel.axes:
            ax.set_xlim(across.min(), across.max())
            if not panel.last or ax is not panel.axes[-1]:
                without_numbers(ax.xaxis)


def _leave_out_of_layout(sheet: Sheet) -> None:
    """Let only the outermost panels be measured when the figure is saved: to measure all takes as long as to draw."""
    places = [round(panel.axes[0].get_position().y0, 6) for panel in sheet.panels]
    for panel, place in zip(sheet.panels, places, strict=True):
        if min(places) < place < max(places):
            for ax in panel.axes:
                ax.set_in_layout(False)


def add_legend(sheet: Sheet, entries: legends.Entries) -> Figure:
    """Say above the panels what their colours and lines mean, and the note on their limits."""
    _leave_out_of_layout(sheet)
    legends.add(sheet.figure, {**entries, **sheet.notes}, 0.1, sheet.top + 0.06)
    return sheet.figure
