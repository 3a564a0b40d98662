"""Rows that are held once: examples that all trials of a job share, and which of them a trial has.

A trial's points are then places in a source, not copies of its rows. The trainer takes examples from there batch by
batch, and brings them to the type in which it computes. NumPy; no torch here.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bnbench.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bnbench.catalogue.losses import Kind

    Values = NDArray[Any]


class Source(ABC):  # noqa: B024 - the trainer tells sources apart by their class
    """Examples that are held once, or that are made when the trainer asks for them."""


@dataclass(frozen=True, eq=False)
class Stored(Source):
    """Arrays, in memory or mapped from a file."""

    x: Values
    """[examples, *shape] of any type; bytes stand for 256 levels from 0 to 1."""
    y: Values | None
    """Codes of classes [examples], or numbers or flags [examples, outputs]; None: the inputs are the targets."""
    classes: int = 0
    """How many there are; 0: targets are numbers or flags."""


@dataclass(frozen=True)
class Part:
    """Some examples of a source, in this order."""

    source: Source
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, places: NDArray[np.int64] | slice) -> Part:
        """The examples at these places of it."""
        return Part(self.source, self.rows[places])


class Shared(NamedTuple):
    """The points of one trial where rows are held once, see `task.Data`."""

    train: Part
    test: Part
    validation: Part | None = None
    target_scale: None = None
    """Targets are taken as they are."""


def whole(source: Source, count: int) -> Part:
    """All examples of a source, as they lie."""
    return Part(source, np.arange(count))


def _is_known(values: Values) -> bool:
    """Whether torch has such numbers: it has no longer ones."""
    return values.dtype.kind in "buif" and values.dtype.itemsize <= 8


class Targets(NamedTuple):
    """How targets were read."""

    kind: Kind
    outputs: int
    parts: tuple[Values, ...]
    """Codes of classes [examples], or numbers or flags [examples, outputs]; mapped arrays stay mapped."""
    note: str
    """How they were read, in a sentence."""


def targets(parts: tuple[Values, ...], classes: str | bool, names: tuple[str, ...]) -> Targets:
    """What the targets of a training and a test part are, as `classes` says: auto, true or false.

    By themselves whole numbers and one column of booleans are classes; several columns of booleans are flags, and
    fractions are numbers.

    Raises:
        UserError: they are none of these; `names` says what the parts are called.
    """
    parts = tuple(part[:, 0] if part.ndim == 2 and part.shape[1] == 1 else part for part in parts)
    for part, name in zip(parts, names, strict=True):
        if not _is_known(part):
            raise UserError(
                f"{name} holds {part.dtype}, allowed: whole numbers, fractions or booleans of 64 bits at most"
            )
        if part.ndim not in (1, 2) or part.shape[1:] != parts[0].shape[1:]:
            raise UserError(f"{name} has the shape {[*part.shape]}, allowed: [examples] or [examples, outputs]")
        if _type(part) != _type(parts[0]):
            raise UserError(f"{name} holds {part.dtype} and {names[0]} {parts[0].dtype}, allowed: the same type")
    if classes is False or (parts[0].dtype.kind == "f" and classes == "auto"):
        _refuse_constant(parts, names[0])
    numbers = parts[0].dtype.kind in "iu"
    if parts[0].ndim == 2:
        if classes is True or (numbers and classes == "auto"):
            said = f"{names[0]} has the shape {[*parts[0].shape]} of {parts[0].dtype}"
            raise UserError(f"{said}, allowed: one class for each example, [examples], or `classes: false` for numbers")
        outputs = parts[0].shape[1]
        if parts[0].dtype.kind == "b" and classes == "auto":
            return Targets("flags", outputs, parts, f"{names[0]}: {outputs} flags, since it holds booleans")
        return Targets("numbers", outputs, parts, f"{names[0]}: {outputs} numbers for each example")
    if classes is False or (classes == "auto" and parts[0].dtype.kind == "f"):
        columns = tuple(part[:, None] for part in parts)
        return Targets("numbers", 1, columns, f"{names[0]}: a number for each example")
    return _classes(parts, classes, names[0])


def _refuse_constant(parts: tuple[Values, ...], name: str) -> None:
    """Refuse numbers if no output varies from example to example."""
    first = parts[0][:1]
    if len(first) and all(np.array_equal(part, np.broadcast_to(first, part.shape)) for part in parts):
        raise UserError(f"{name} is constant; there is nothing to learn")


def _type(values: Values) -> str:
    """Whole numbers with a sign and without are of one type."""
    return values.dtype.kind.replace("u", "i")


def _classes(parts: tuple[Values, ...], classes: str | bool, name: str) -> Targets:
    found, counts = np.unique(np.concatenate(parts), return_counts=True)
    if len(found) == 1:
        raise UserError(f"{name} has one class only, {found[0]}; there is nothing to learn")
    if len(found) > MOST_CLASSES:
        raise UserError(
            f"{name} has {len(found)} different values, allowed: at most {MOST_CLASSES} classes, or `classes: false` "
            "for numbers"
        )
    least, most = 100 * counts.min() / counts.sum(), 100 * counts.max() / counts.sum()
    shares = f"{most:.1f} % of the examples each" if least == most else f"{least:.1f} % to {most:.1f} % of the examples"
    why = "as `classes: true` says" if classes is True else f"since it holds {parts[0].dtype}"
    named = f"from {found[0]} to {found[-1]}, {shares}"
    codes = tuple(np.searchsorted(found, part) for part in parts)
    return Targets("classes", len(found), codes, f"{name}: {len(found)} classes {named}, {why}")


MOST_CLASSES = 10_000
"""More are numbers that somebody meant, or places of a text."""

_AT_ONCE = 2**24  # bytes, or fewer examples than one


def refuse_not_finite(values: Values, name: str) -> None:
    """Refuse values that are infinite or no numbers, looked at part by part.

    Raises:
        UserError: there is one, with its row.
    """
    if values.dtype.kind != "f" or not values.size:
        return
    step = max(1, _AT_ONCE // max(1, values[:1].nbytes))
    for start in range(0, len(values), step):
        finite = np.isfinite(values[start : start + step])
        if not finite.all():
            row, *_ = np.argwhere(~finite)[0]
            raise UserError(f"{name} holds {values[start + row].flat[_first(finite[row])]} in row {start + row}")


def _first(finite: Any) -> int:
    """Place of the first value that is not finite among those of an example."""
    return int(np.argmin(np.ravel(finite)))


class Inputs(NamedTuple):
    """How inputs were read."""

    shape: tuple[int, ...]
    """Of one example."""
    parts: tuple[Values, ...]
    notes: tuple[str, ...]


def inputs(parts: tuple[Values, ...], names: tuple[str, ...]) -> Inputs:
    """What the inputs of a training and a test part are; images without channels get one.

    Raises:
        UserError: they are no numbers, or their channels come last; `names` says what the parts are called.
    """
    for part, name in zip(parts, names, strict=True):
        if not _is_known(part):
            raise UserError(f"{name} holds {part.dtype}, allowed: numbers of 64 bits at most")
        if part.ndim < 2 or part.shape[1:] != parts[0].shape[1:] or 0 in part.shape:
            said = f"like {names[0]}, {[*parts[0].shape]}, " if name != names[0] else ""
            raise UserError(f"{name} has the shape {[*part.shape]}, allowed: {said}[examples, …], none of them empty")
    shape, notes = parts[0].shape[1:], []
    if len(shape) == 3 and shape[2] in (1, 3, 4) and shape[0] == shape[1] > 4:
        raise UserError(
            f"{names[0]} has the shape {[*parts[0].shape]}, with the channels last; allowed: [examples, channels, "
            "height, width], as x.transpose(0, 3, 1, 2) gives"
        )
    if len(shape) == 2:
        notes.append(f"{names[0]}: [examples, {shape[0]}, {shape[1]}] is read as images with one channel")
        parts = tuple(part[:, None] for part in parts)
    if parts[0].dtype == np.uint8:
        notes.append(f"{names[0]}: bytes are divided by 255")
    return Inputs(parts[0].shape[1:], parts, tuple(notes))
