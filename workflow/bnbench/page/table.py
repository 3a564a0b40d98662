"""A table of the page: the heading of each column, what it means, and the lines, in groups where there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bnbench.page.rows import Cell
from bnbench.plan.study import Study
from bnbench.wording import formats, titles

_SHOWN = 12  # lines of a table that are shown without a click


@dataclass(frozen=True)
class Line:
    """A row of a table; its first cell names it."""

    cells: Sequence[Cell]
    kind: str = ""
    """Classes in the style sheet."""
    held: Mapping[str, str] = field(default_factory=dict)
    """Factor → level, by which the line can be filtered."""


@dataclass(frozen=True)
class Group:
    """Lines of a table that are folded together."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Table:
    """What the macro writes."""

    label: str
    """What the table is called where it cannot be seen."""
    heads: Sequence[str]
    lines: Sequence[Line]
    kind: str = ""
    """Classes in the style sheet: `contexts` can be sorted and filtered, `wide` breaks its numbers on paper."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """Heading of a column → what it means, for those columns that do not speak for themselves."""
    groups: Sequence[Group] = ()
    """The lines in groups that a reader opens; none where there are few lines."""
    beside: str = ""
    """How many lines are not on the page, if any."""
    file: str = ""
    """The name of the table beside the page that has all of them."""


def folded(study: Study, table: Table) -> Table:
    """The table with its lines in groups by the first factor in which they differ, where there are many."""
    if len(table.lines) <= _SHOWN:
        return table
    factors = {factor: None for line in table.lines for factor in line.held}
    by = next((name for name in factors if len({line.held.get(name) for line in table.lines}) > 1), None)
    found: dict[str, list[Line]] = {}
    for line in table.lines:
        found.setdefault(line.held.get(by, "") if by else "", []).append(line)
    return replace(table, groups=[Group(_group(study, by, *each), each[1]) for each in found.items()])


def _group(study: Study, by: str | None, level: str, lines: Sequence[Line]) -> str:
    """What a group is called: `Adam: 16 rows (12 hurts, 4 undecided)`."""
    name = titles.context_level(study, by, level) if by in study.levels and level else level
    verdicts = [cell.text for line in lines for cell in line.cells if cell.kind == "verdict"]
    found = Counter(verdict.partition(",")[0] for verdict in verdicts)
    counted = ", ".join(f"{found[verdict]} {verdict}" for verdict in sorted(found))
    rows = formats.count(len(lines), "row")
    return f"{f'{name}: {rows}' if name else f'All {rows}'}{f' ({counted})' if counted else ''}"
