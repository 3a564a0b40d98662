"""Facts about the data of a task: numbers and names, which `wording.data` puts into sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Counts = tuple[tuple[str, int], ...]
"""Names, each with a count; a mapping would lose their order in the JSON that the rules pass."""

MOST_NAMED = 20
"""At most this many columns of a kind are named."""

Reason = Literal["asked", "text", "boolean", "few", "fractions", "many", "others"]
"""Why a target is treated as classes or as numbers.

The config asks for it; the column holds text, or true and false; it holds few whole numbers that recur, or fractions,
or many whole numbers; or it holds few, and is one of several targets that are numbers.
"""


@dataclass(frozen=True)
class Target:
    """A column to predict."""

    name: str
    why: Reason
    mean: float | None = None
    """For numbers, over the rows that are used, in their own units; None for classes."""
    deviation: float | None = None
    """Their standard deviation."""
    classes: Counts = ()
    """Names of the classes with their rows, in the order of the outputs; empty for numbers."""


@dataclass(frozen=True)
class Suspect:
    """A column that may not be meant as an input."""

    column: str
    what: Literal["id", "date", "index"]
    values: int
    """How many inputs it became: of text, one for each value."""
    example: str = ""
    """One of its values; empty in entries of earlier versions."""


@dataclass(frozen=True)
class About:
    """Facts about the data of a task."""

    name: str
    """A file, or a data set."""
    rows: int
    """Rows that are used."""
    tested: int
    """Rows that each seed tests."""
    inputs: int
    """Inputs of a network."""
    held: int = 0
    """Rows that each seed holds out for validation."""
    classes: int = 0
    """How many there are, if the names of the targets are not known; 0 for numbers."""
    unit: str = ""
    """The unit of targets that are numbers."""
    autoencodes: bool = False
    """Whether the targets are the inputs."""
    in_file: int | None = None
    """Rows of the file, some of which may have been dropped."""
    gaps: Counts = ()
    """Columns with missing values, each with the number of rows that were dropped for it."""
    dropped: tuple[str, ...] = ()
    """Columns that are left out."""
    categories: Counts = ()
    """One-hot columns, each with the number of inputs that it became."""
    one_hot: int = 0
    """How many inputs all such columns became."""
    more_gaps: int = 0
    """How many more columns have gaps: only the first `MOST_NAMED` are named, since the rules pass all this to jobs."""
    more_categories: int = 0
    """How many more columns are one-hot."""
    targets: tuple[Target, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    notes: tuple[str, ...] = ()
    """How arrays were read, a clause each."""


def read(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the planner found in a file, JSON-able, as keywords of `About`."""
    return {
        **found,
        **{key: _counts(found[key]) for key in ("gaps", "categories") if key in found},
        "targets": tuple(
            Target(**{**target, "classes": _counts(target["classes"])}) for target in found.get("targets", ())
        ),
        "suspects": tuple(Suspect(**suspect) for suspect in found.get("suspects", ())),
    }


def _counts(pairs: Iterable[tuple[str, int]]) -> Counts:
    return tuple((name, count) for name, count in pairs)
