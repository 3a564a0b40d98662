"""Tasks whose rows are held once for all trials of a job: arrays in a file, and data from the user's own function.

Their targets and inputs are not changed, except that bytes are divided by 255. No torch here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from bnbench.catalogue import npz, rows
from bnbench.catalogue.about import About
from bnbench.catalogue.own import OwnCode
from bnbench.catalogue.parameters import parameter
from bnbench.catalogue.rows import Shared, Source, Stored, Targets
from bnbench.catalogue.task import Task
from bnbench.errors import UserError, nearest
from bnbench.streams import FIXED, stream

if TYPE_CHECKING:
    from bnbench.catalogue.losses import Kind
    from bnbench.catalogue.rows import Values

_LOSSES: dict[Kind, str] = {"numbers": "squared", "classes": "cross_entropy", "flags": "binary"}
"""Kind of targets → the loss that is minimized."""


class Facts(NamedTuple):
    """What the planner has found about the rows of a task."""

    points: int = 0
    """Training examples, or all examples if there is no test part."""
    test_points: int = 0
    """Test examples; 0 if there is no test part."""
    shape: tuple[int, ...] = (1,)
    """The shape of an example."""
    kind: Kind = "numbers"
    """What the targets are."""
    outputs: int = 1
    mebibytes: float = 0.0
    """Size of all rows in memory."""
    notes: tuple[str, ...] = ()
    """How the rows were read."""

    def to_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {**self._asdict(), "shape": [*self.shape], "notes": [*self.notes]}


def _target() -> Any:
    said = "what to predict: y, or the inputs themselves, as an autoencoder does"
    return parameter("y", said, enum=["y", "inputs"])


def _classes() -> Any:
    said = "whether targets are classes; auto: whole numbers and a column of booleans are, fractions are not"
    return parameter("auto", said, enum=["auto", True, False])


@dataclass(frozen=True)
class HeldOnce(Task):
    """A task whose rows are held once, as the planner has found them."""

    held_once = True

    target: str = _target()
    classes: str | bool = _classes()
    found: Mapping[str, Any] = field(kw_only=True, default_factory=dict)
    """Filled in by the planner: `Facts`."""

    @cached_property
    def facts(self) -> Facts:
        """What the planner has found."""
        shape, notes = self.found.get("shape", (1,)), self.found.get("notes", ())
        return Facts(**{**self.found, "shape": tuple(shape), "notes": tuple(notes)})

    def train_points(self) -> int:
        """Number of training examples."""
        return self.facts.points

    def tested_points(self) -> int:
        """Number of test examples."""
        return self.facts.test_points

    def shape(self) -> tuple[int, ...]:
        """As the rows have it."""
        return self.facts.shape

    def inputs(self) -> int:
        """Numbers in an example."""
        return math.prod(self.facts.shape)

    def outputs(self) -> int:
        """A logit for each class or flag; a number for each number."""
        return self.facts.outputs

    def loss(self) -> str:
        """The squared error for numbers, cross-entropy for classes, and cross-entropy of each flag separately."""
        return _LOSSES[self.kind()]

    def kind(self) -> Kind:
        """As the planner has found them."""
        return self.facts.kind

    def about(self) -> About:
        """How many rows there are, and how they were read."""
        classes = self.outputs() if self.kind() == "classes" else 0
        rows = self.train_points() + self.tested_points()
        known = About(self.called(), rows, self.tested_points(), self.inputs(), classes=classes)
        return replace(known, autoencodes=self.target == "inputs", notes=self.facts.notes)

    def called(self) -> str:
        """The file that the rows are in, or that makes them."""
        return Path(str(getattr(self, "path", ""))).name

    def held_mebibytes(self) -> float:
        """As the planner has measured them."""
        return self.facts.mebibytes


@dataclass(frozen=True)
class Arrays(HeldOnce):
    """Your own arrays, such as images: an .npz file with x_train, y_train, x_test and y_test, or with x and y."""

    derived: ClassVar[tuple[str, ...]] = ("sha256", "found")
    unaddressed: ClassVar[tuple[str, ...]] = ("path", "found")

    path: str = parameter(..., "the file, beside the config or in the folder where the run starts", minLength=1)
    test_fraction: float | None = parameter(
        None,
        "share of the rows held out for the test, if the file has x and y",
        exclusiveMinimum=0,
        exclusiveMaximum=1,
    )
    sha256: str = parameter("", "filled in by the planner: what the file's bytes hash to")

    @classmethod
    def completed(cls, entry: Mapping[str, Any]) -> dict[str, Any]:
        """What the planner adds to an entry.

        Raises:
            UserError: the file cannot be read, or the task does not accept it.
        """
        return {"sha256": npz.sha256(entry["path"]), "found": facts(_read(entry), entry["classes"]).to_json()}

    def train_points(self) -> int:
        """Number of training examples: all that are not tested, and at least one."""
        return self.facts.points - self._held_out()

    def tested_points(self) -> int:
        """Number of test examples."""
        return self.facts.test_points or self._held_out()

    def _held_out(self) -> int:
        if self.test_fraction is None:
            return 0
        return min(max(1, round(self.facts.points * self.test_fraction)), self.facts.points - 1)

    def drawn(self) -> tuple[str, ...]:
        """Which rows are for training and which for the test, unless the file says so."""
        return ("split",) if self.test_fraction is not None else ()

    def resamples(self) -> bool:
        """The rows are always the same."""
        return self.test_fraction is not None

    @cached_property
    def _sources(self) -> list[Stored]:
        if npz.sha256(self.path) != self.sha256:
            raise UserError(f"{self.path}: the file changed since the study was planned; start the same command again")
        return stored(_read(vars(self)), self.classes)

    def data(self, seed: int) -> Shared:
        """The parts of the file; if it has only one, its first rows in the order drawn from the seed train."""
        if self.test_fraction is None:
            train, test = self._sources
            return Shared(rows.whole(train, self.facts.points), rows.whole(test, self.facts.test_points))
        (source,) = self._sources
        order = stream(seed, "data").permutation(self.facts.points)
        every, first = rows.whole(source, self.facts.points), self.train_points()
        return Shared(every.at(order[:first]), every.at(order[first:]))


@dataclass(frozen=True)
class OwnData(OwnCode, HeldOnce):
    """Your own data: a function in a Python file that returns arrays, tensors or PyTorch data sets."""

    title = "own data"
    supplied = ("seed",)
    derived = (*OwnCode.derived, "found")
    unaddressed = (*OwnCode.unaddressed, "found", "workers")
    unsaid = ("workers",)

    workers: int = parameter(0, "processes that load examples of data sets; 0: the job itself", minimum=0)

    def drawn(self) -> tuple[str, ...]:
        """What the function draws from the seed, if it accepts one."""
        return ("data",) if "seed" in self.takes else ()

    def data(self, seed: int) -> Shared:
        """Both parts, made when the trainer needs them; all seeds share them if the function accepts no seed."""
        taken = seed if "seed" in self.takes else FIXED
        train, test = (Made(self, taken, part) for part in (0, 1))
        return Shared(rows.whole(train, self.facts.points), rows.whole(test, self.facts.test_points))


@dataclass(frozen=True, eq=False)
class Made(Source):
    """What the user's function returns for a seed: its training part, or its test part."""

    task: OwnData
    seed: int
    part: int
    """0 for training, 1 for the test."""


class Given(NamedTuple):
    """Arrays of a training and a test part, or of one part that is split."""

    x: tuple[Values, ...]
    """Inputs, [examples, …]."""
    y: tuple[Values, ...]
    """Targets; none if the inputs are the targets."""
    names: tuple[str, ...]
    """The names of the inputs, and then of the targets."""
    where: str
    """Where they come from."""

    def called(self, kind: str) -> tuple[str, ...]:
        """The names of its inputs (x) or targets (y) in messages."""
        names = self.names[: len(self.x)] if kind == "x" else self.names[len(self.x) :]
        return tuple(f"{self.where}: {name}" for name in names)


def facts(given: Given, classes: str | bool) -> Facts:
    """What the planner must know about arrays.

    Raises:
        UserError: they do not fit together, or a task does not accept them.
    """
    x, y, where = given.x, given.y, given.where
    found = rows.inputs(x, given.called("x"))
    for own, target, names in zip(x, y, zip(given.called("x"), given.called("y"), strict=True), strict=False):
        if target.shape[:1] != own.shape[:1]:
            lengths = f"{names[0]} has {len(own)} examples and {names[1].removeprefix(where + ': ')} {_length(target)}"
            raise UserError(f"{lengths}, allowed: the same number of both")
    if len(x[0]) < (fewest := 2 if len(x) > 1 else 4):
        raise UserError(f"{given.called('x')[0]} has {len(x[0])} examples, allowed: at least {fewest}")
    kind, outputs, _, note = rows.targets(y, classes, given.called("y")) if y else reproduced(found.shape)
    for each, name in zip((*x, *y), (*given.called("x"), *given.called("y")), strict=True):
        rows.refuse_not_finite(each, name)
    mebibytes = round(sum(each.nbytes for each in (*x, *y)) / 2**20, 3)
    tested = len(x[1]) if len(x) > 1 else 0
    notes = tuple(each.removeprefix(f"{where}: ") for each in (*found.notes, note))
    return Facts(len(x[0]), tested, found.shape, kind, outputs, mebibytes, notes)


def reproduced(shape: tuple[int, ...]) -> Targets:
    """The targets of an autoencoder of examples of this shape."""
    return Targets("numbers", math.prod(shape), (), "the targets are the inputs")


def stored(given: Given, classes: str | bool) -> list[Stored]:
    """The sources of arrays that `facts` has not refused."""
    inputs = rows.inputs(given.x, given.called("x")).parts
    if not given.y:
        return [Stored(each, None) for each in inputs]
    found = rows.targets(given.y, classes, given.called("y"))
    count = found.outputs if found.kind == "classes" else 0
    return [Stored(*both, classes=count) for both in zip(inputs, found.parts, strict=True)]


def _read(entry: Mapping[str, Any]) -> Given:
    """The arrays of a file by the parameters of `Arrays`."""
    path, wants_y = entry["path"], entry["target"] == "y"
    found = npz.arrays(path)
    is_split = "x" in found and "x_train" not in found
    x = ("x",) if is_split else ("x_train", "x_test")
    y = (("y",) if is_split else ("y_train", "y_test")) if wants_y else ()
    if missing := [key for key in (*x, *y) if key not in found]:
        raise UserError(
            f"{path}: no array '{missing[0]}'{nearest(missing[0], found)}; the file holds "
            f"{', '.join(found) or 'nothing'}; allowed: x_train, y_train, x_test and y_test, or x and y"
        )
    if is_split and entry["test_fraction"] is None:
        raise UserError(f"{path}: holds x and no test part; allowed: with test_fraction, such as test_fraction: 0.2")
    if not is_split and entry["test_fraction"] is not None:
        raise UserError(f"{path}: holds x_test, which is the test part; take test_fraction out")
    return Given(tuple(found[key] for key in x), tuple(found[key] for key in y), (*x, *y), path)


def _length(values: Values) -> int:
    return len(values) if values.ndim else 0
