"""What is known about a study's data, in words: rows, inputs, categories and targets, and columns that look wrong."""

from __future__ import annotations

from collections.abc import Iterator

from bnbench import texts
from bnbench.catalogue import tasks
from bnbench.catalogue.about import About, Suspect, Target
from bnbench.errors import quoted
from bnbench.plan import candidates
from bnbench.plan.study import Study
from bnbench.wording import formats

_NAMED = 6
"""Classes, or columns, that a sentence names; the others are counted."""

_FEW_ROWS = 5
"""A class with fewer rows gets a warning, since some seeds train without it."""

OWN_UNITS = "the target's own units"

_REASONS = {
    "asked": "as the config says",
    "text": "since it is text",
    "boolean": "since it is true or false",
    "few": "since it holds few whole numbers, which recur",
    "fractions": "since it has fractions",
    "many": "since it has many values",
    "others": "since there are several targets, not all of two values",
}


def found(study: Study) -> list[About]:
    """What is known about the data of each task; nothing for tasks whose data need no explanation."""
    if not study.trained_here:
        return []
    held = candidates.held_out(study.config)
    known = (tasks.of({"task": level.entry, **held}).about() for level in study.levels["task"].values())
    return [about for about in known if about is not None]


def sentences(study: Study) -> list[str]:
    """A few sentences about the data of each task."""
    return [texts.shown(told(about), keep="") for about in found(study)]


def warnings(study: Study) -> list[str]:
    """A sentence for each column that may not be meant to be an input, and each class that is rare."""
    return [texts.shown(said, keep="") for about in found(study) for said in (*_suspected(about), *_rare(about))]


def units(study: Study) -> str:
    """The unit of absolute errors, where all tasks have the same; else that these are the targets' own."""
    named = {tasks.of({"task": level.entry}).unit_of_errors() for level in study.levels["task"].values()}
    return named.pop() or OWN_UNITS if len(named) == 1 else OWN_UNITS


def told(about: About) -> str:
    """The rows, the inputs and the targets of a task's data."""
    notes = [f"{note}." for note in about.notes]
    targets = "" if notes else _targets(about)
    said = [f"{about.name}: {_rows(about)}.", *_left_out(about), _inputs(about), targets, *notes]
    return " ".join(filter(None, said))


def _rows(about: About) -> str:
    """`288 of 300 rows are used, since 8 lack area and 5 lack city; each seed tests 58 of them`."""
    dropped = (about.in_file or about.rows) - about.rows
    used = formats.count(about.rows, "row")
    if dropped:
        parts = [f"{count:,} lack{'s' * (count == 1)} {name}" for name, count in about.gaps]
        used = f"{about.rows:,} of {about.in_file:,} rows are used, since {_listed(parts, about.more_gaps)}"
    held = f", and holds out {about.held:,} for validation" if about.held else ""
    return f"{used}; each seed tests {about.tested:,} of them{held}"


def _left_out(about: About) -> list[str]:
    if not about.dropped:
        return []
    names, are = formats.listed(about.dropped), "is" if len(about.dropped) == 1 else "are"
    return [f"Left out {are} {names}."]


def _inputs(about: About) -> str:
    """`12 inputs, 9 of them for the category city.`."""
    inputs, categories = formats.count(about.inputs, "input"), about.categories
    if not categories:
        return f"{inputs}."
    if len(categories) == 1:
        ((name, count),) = categories
        return f"{inputs}, {count:,} of them for the category {name}."
    parts = [f"{name} ({count:,})" for name, count in categories]
    return f"{inputs}, {about.one_hot:,} of them for the categories {_listed(parts, about.more_categories)}."


def _targets(about: About) -> str:
    """What is predicted: numbers with their mean, or classes with their shares."""
    if about.autoencodes:
        return "The targets are the inputs."
    if not about.targets:
        return f"{about.classes} classes." if about.classes else ""
    return " ".join(_target(about, target) for target in about.targets)


def _target(about: About, target: Target) -> str:
    start, why = f"The target {target.name} is taken as", _REASONS[target.why]
    if not target.classes:
        unit = f" {about.unit}" if about.unit else ""
        mean, deviation = _amount(target.mean), _amount(target.deviation)
        return f"{start} numbers, {why}: mean {mean}{unit}, standard deviation {deviation}{unit}."
    total = sum(count for _, count in target.classes)
    parts = [f"{name} ({formats.whole_percent(count / total)})" for name, count in target.classes]
    return f"{start} {len(target.classes):,} classes, {why}: {_listed(parts)}."


def _suspected(about: About) -> Iterator[str]:
    """Of each column that looks like an id or an index, or holds dates."""
    names = list(dict.fromkeys([*about.dropped, *(suspect.column for suspect in about.suspects)]))
    for suspect in about.suspects:
        yield (
            f"{about.name}: column {suspect.column} {_looks(suspect, about)} and became "
            f"{formats.count(suspect.values, 'input')}; to leave it out, write drop: [{', '.join(names)}]"
        )


def _looks(suspect: Suspect, about: About) -> str:
    example = f", such as {quoted(suspect.example)}" if suspect.example else ""
    if suspect.what == "date":
        return f"holds dates{example}, which are no categories,"
    if suspect.what == "index":
        return "has no name and counts the rows, as an index does,"
    return f"has {suspect.values:,} different texts in {formats.count(about.rows, 'row')}{example}, as an id has,"


def _rare(about: About) -> Iterator[str]:
    """Of each target, its classes of few rows."""
    for target in about.targets:
        rare = [name for name, count in target.classes if count < _FEW_ROWS]
        if rare:
            yield (
                f"{about.name}: of target {target.name}, {_listed(rare)} "
                f"{'has' if len(rare) == 1 else 'have'} fewer than {_FEW_ROWS} rows; a seed that tests all of them "
                "trains without that class"
            )


def _listed(parts: list[str], unnamed: int = 0) -> str:
    """The first few of them and the number of the others, `unnamed` ones included."""
    more = len(parts) + unnamed - _NAMED
    return formats.listed(parts if more < 2 and not unnamed else [*parts[:_NAMED], f"{more:,} more"])


def _amount(value: float | None) -> str:
    """Four digits, without an exponent where that reads well."""
    if value is None:
        return "beyond what numbers hold"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"
