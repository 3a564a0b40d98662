"""What is learned: each task gives training and test points for a seed.

A task is one frozen dataclass: its fields are its parameters in the config, `data(seed)` draws its points from the
stream (seed, data), and the registry at the end gives it its name. NumPy in float64; no torch here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from bnbench.catalogue import datafiles
from bnbench.catalogue.losses import LOSSES, OF_TASK
from bnbench.catalogue.parameters import build, parameter
from bnbench.errors import UserError
from bnbench.streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Data(NamedTuple):
    """The points of one trial; inputs are [points, features], targets [points, outputs]."""

    train_x: Array
    train_y: Array
    test_x: Array
    test_y: Array
    validation_x: Array | None = None
    """Points that are held out of the training to choose by; None where nothing is chosen."""
    validation_y: Array | None = None
    target_scale: float | None = None
    """What one unit of the targets was before they were standardized; None if they were not."""


DRAWN = ("data", "noise", "split", "validation")
"""What a seed may draw of a task's points: noise, which rows train and which test, which training points are held out;
or something else (data)."""


@dataclass(frozen=True)
class Task(ABC):
    """What every task says of itself."""

    derived: ClassVar[tuple[str, ...]] = ()
    """Parameters that the planner fills in and no user sets."""
    unaddressed: ClassVar[tuple[str, ...]] = ()
    """Parameters that change no number and so are no part of an address."""

    @abstractmethod
    def train_points(self) -> int:
        """Number of training points, known without reading data."""

    @abstractmethod
    def tested_points(self) -> int:
        """Number of test points, known without reading data."""

    @abstractmethod
    def inputs(self) -> int:
        """Number of inputs, known without reading data."""

    def shape(self) -> tuple[int, ...]:
        """Shape of one example, as networks that are no perceptrons see it: channels × height × width of images."""
        return (self.inputs(),)

    def outputs(self) -> int:
        """Number of outputs."""
        return 1

    def loss(self) -> str:
        """Name of the loss that is minimized, see `losses.LOSSES`."""
        return "squared"

    def classifies(self) -> bool:
        """Whether its examples belong to classes, so that networks have an accuracy."""
        return LOSSES[self.loss()].classifies

    def is_curve(self) -> bool:
        """Whether what is learned can be drawn over one input."""
        return self.inputs() == self.outputs() == 1

    def drawn(self) -> tuple[str, ...]:
        """What of its points a seed draws, in the words of `DRAWN`; nothing where all seeds have the same points."""
        return ("data",)

    def resamples(self) -> bool:
        """Whether each seed draws another random split of the same rows, so that seeds are no new data sets."""
        return False

    @abstractmethod
    def data(self, seed: int) -> Data:
        """The points of one trial."""


@dataclass(frozen=True)
class Function(Task):
    """A function on [−1, 1], seen at equally spaced points and tested between them, free of noise."""

    noise: float = parameter(0.0, "standard deviation of the Gaussian noise on the training targets", minimum=0)
    points: int = parameter(100, "training points, equally spaced on [−1, 1]", minimum=2)
    test_points: int = parameter(250, "test points, the midpoints of as many equal parts of [−1, 1]", minimum=1)

    def train_points(self) -> int:
        """Number of training points."""
        return self.points

    def tested_points(self) -> int:
        """Number of test points."""
        return self.test_points

    def inputs(self) -> int:
        """A function of one number."""
        return 1

    def drawn(self) -> tuple[str, ...]:
        """The noise, if there is any."""
        return ("noise",) if self.noise else ()

    @abstractmethod
    def values(self, x: Array) -> Array:
        """The function itself."""

    def data(self, seed: int) -> Data:
        """The same points for every seed; the noise differs."""
        x = np.linspace(-1, 1, self.points)[:, None]
        test_x = ((2 * np.arange(self.test_points) + 1) / self.test_points - 1)[:, None]
        noise = self.noise * stream(seed, "data").standard_normal((self.points, 1))
        return Data(x, self.values(x) + noise, test_x, self.values(test_x))


@dataclass(frozen=True)
class Sine(Function):
    """The question's task at its defaults: y = sin(3x) at 100 points."""

    frequency: float = parameter(3.0, "angular frequency ω of sin(ωx)")

    def values(self, x: Array) -> Array:
        """sin(ωx)."""
        return np.sin(self.frequency * x)


@dataclass(frozen=True)
class Mixture(Function):
    """A harder function: sines of several frequencies, equally weighted, and a step."""

    frequencies: tuple[float, ...] = parameter((3.0, 11.0, 29.0), "angular frequencies of the sines", minItems=1)
    step: float = parameter(1.0, "height of the step")
    step_at: float = parameter(0.25, "where the step is", minimum=-1, maximum=1)

    def values(self, x: Array) -> Array:
        """Mean of the sines, plus the step."""
        waves = np.mean([np.sin(f * x) for f in self.frequencies], axis=0)
        return np.asarray(waves + self.step * (x >= self.step_at), dtype=np.float64)


@dataclass(frozen=True)
class Adding(Task):
    """The adding problem (Hochreiter & Schmidhuber 1997, task 4), for recurrent networks.

    An example is a sequence of pairs: a number from [0, 1], and a mark. Two places are marked, one in each half; the
    target is the sum of the two numbers there, less its mean of 1. It has a variance of 1/6.
    """

    length: int = parameter(20, "pairs in a sequence", minimum=2)
    points: int = parameter(500, "training sequences", minimum=2)
    test_points: int = parameter(500, "test sequences", minimum=1)

    def train_points(self) -> int:
        """Number of training sequences."""
        return self.points

    def tested_points(self) -> int:
        """Number of test sequences."""
        return self.test_points

    def inputs(self) -> int:
        """Numbers in a sequence."""
        return 2 * self.length

    def shape(self) -> tuple[int, ...]:
        """Places of the sequence, and two numbers at each."""
        return self.length, 2

    def data(self, seed: int) -> Data:
        """Sequences that are drawn anew for every seed."""
        draws = stream(seed, "data")
        count, half = self.points + self.test_points, self.length // 2
        numbers = draws.uniform(size=(count, self.length))
        places = np.stack([draws.integers(0, half, count), draws.integers(half, self.length, count)], axis=1)
        marks = np.zeros((count, self.length))
        np.put_along_axis(marks, places, 1.0, axis=1)
        x = np.stack([numbers, marks], axis=2).reshape(count, -1)
        y = np.take_along_axis(numbers, places, axis=1).sum(axis=1, keepdims=True) - 1
        return Data(x[: self.points], y[: self.points], x[self.points :], y[self.points :])


@dataclass(frozen=True)
class Split(Task):
    """Real data: a random part is held out for the test; both are standardized by the training part."""

    standardizes_targets: ClassVar[bool] = True

    test_fraction: float = parameter(
        0.2, "share of the rows held out for the test", exclusiveMinimum=0, exclusiveMaximum=1
    )

    @abstractmethod
    def row_count(self) -> int:
        """Number of usable rows, known without reading the data."""

    @abstractmethod
    def arrays(self) -> tuple[Array, Array]:
        """Inputs [rows, features] and targets [rows, outputs]."""

    @cached_property
    def _read(self) -> tuple[Array, Array]:
        """The arrays, read once however many seeds ask for their points."""
        return self.arrays()

    def train_points(self) -> int:
        """Number of training points: what the test leaves, and one at the least."""
        rows = self.row_count()
        return rows - min(max(1, round(rows * self.test_fraction)), rows - 1)

    def tested_points(self) -> int:
        """Number of test points."""
        return self.row_count() - self.train_points()

    def drawn(self) -> tuple[str, ...]:
        """Which rows train, and which test."""
        return ("split",)

    def resamples(self) -> bool:
        """The rows are always the same."""
        return True

    def data(self, seed: int) -> Data:
        """Rows in the order drawn from the seed: the first `train_points` train, the others test."""
        x, y = self._read
        order = stream(seed, "data").permutation(len(x))
        train, test = order[: self.train_points()], order[self.train_points() :]
        standard_x = _standardizer(x[train])
        standard_y = _standardizer(y[train]) if self.standardizes_targets else np.asarray
        points = (standard_x(x[train]), standard_y(y[train]), standard_x(x[test]), standard_y(y[test]))
        one_scale = self.standardizes_targets and y.shape[1] == 1
        return Data(*points, target_scale=_scale(y[train]).item() if one_scale else None)


@dataclass(frozen=True)
class Diabetes(Split):
    """Disease progression of 442 patients from 10 measurements (Efron et al. 2004), as scikit-learn ships it."""

    def row_count(self) -> int:
        """The data set's 442 rows."""
        return 442

    def inputs(self) -> int:
        """The data set's 10 measurements."""
        return 10

    def arrays(self) -> tuple[Array, Array]:
        """Measurements and progression."""
        from sklearn.datasets import load_diabetes  # noqa: PLC0415 - a second of import that no other task needs

        x, y = load_diabetes(return_X_y=True)
        return x, y[:, None]


@dataclass(frozen=True)
class Digits(Split):
    """Handwritten digits, 1,797 images of 8 × 8 pixels (Alpaydin & Kaynak 1998), as scikit-learn ships them."""

    standardizes_targets = False

    def row_count(self) -> int:
        """The data set's 1,797 images."""
        return 1797

    def inputs(self) -> int:
        """The 64 pixels."""
        return 64

    def shape(self) -> tuple[int, ...]:
        """One channel of 8 × 8 pixels."""
        return 1, 8, 8

    def outputs(self) -> int:
        """A logit for each digit."""
        return 10

    def loss(self) -> str:
        """Cross-entropy of the ten classes."""
        return "cross_entropy"

    def arrays(self) -> tuple[Array, Array]:
        """Pixels, and a one in the column of the right digit."""
        from sklearn.datasets import load_digits  # noqa: PLC0415 - a second of import that no other task needs

        x, digits = load_digits(return_X_y=True)
        return x, np.eye(10)[digits]


@dataclass(frozen=True)
class Table(Split):
    """Your own data: any CSV or Parquet file with one numeric target column."""

    derived = ("sha256", "rows", "features")
    unaddressed = ("path", "rows", "features")

    path: str = parameter(..., "the file, beside the config or in the folder where the run starts", minLength=1)
    target: str = parameter(..., "the name of the column to predict", minLength=1)
    missing: str = parameter(
        "refuse", "what to do with missing values: refuse the file, or drop their rows", enum=["refuse", "drop"]
    )
    sha256: str = parameter("", "filled in by the planner: what the file's bytes hash to")
    rows: int = parameter(0, "filled in by the planner: usable rows", minimum=0)
    features: int = parameter(0, "filled in by the planner: input columns once categories are one-hot", minimum=0)

    def row_count(self) -> int:
        """Usable rows, as the planner counted them."""
        return self.rows

    def inputs(self) -> int:
        """Input columns, as the planner counted them."""
        return self.features

    def arrays(self) -> tuple[Array, Array]:
        """The file's columns as numbers.

        Raises:
            UserError: the file is not the one that the study was planned with.
        """
        found = datafiles.sha256(self.path)
        if found != self.sha256:
            raise UserError(f"{self.path}: the file changed since the study was planned; start the same command again")
        return datafiles.read_table(self.path, self.target, self.missing)


def _standardizer(part: Array) -> Callable[[Array], Array]:
    """Subtract the mean and divide by the standard deviation of `part`; a constant column is only centred."""
    mean, scale = part.mean(axis=0), _scale(part)
    return lambda values: (values - mean) / scale


def _scale(part: Array) -> Array:
    """The standard deviation of each column, [columns]; 1 of a constant one."""
    deviation = part.std(axis=0)
    return np.where(deviation > 0, deviation, 1.0)


@dataclass(frozen=True)
class HeldOut(Task):
    """A task of whose training points a random share is held out for validation, drawn from (seed, validation)."""

    task: Task
    share: float

    def held_points(self) -> int:
        """Number of validation points: one at the least, and none where fewer than two training points were left."""
        points = self.task.train_points()
        return max(0, min(max(1, round(points * self.share)), points - 2))

    def train_points(self) -> int:
        """Number of training points that are left."""
        return self.task.train_points() - self.held_points()

    def tested_points(self) -> int:
        """Number of points that are tested in evaluation mode, those for validation among them."""
        return self.task.tested_points() + self.held_points()

    def inputs(self) -> int:
        """The task's own."""
        return self.task.inputs()

    def shape(self) -> tuple[int, ...]:
        """The task's own."""
        return self.task.shape()

    def outputs(self) -> int:
        """The task's own."""
        return self.task.outputs()

    def loss(self) -> str:
        """The task's own."""
        return self.task.loss()

    def drawn(self) -> tuple[str, ...]:
        """The task's own, and which training points are held out."""
        return (*self.task.drawn(), *(["validation"] if self.held_points() else []))

    def resamples(self) -> bool:
        """The task's own."""
        return self.task.resamples()

    def data(self, seed: int) -> Data:
        """The task's points, the training points in their order."""
        data = self.task.data(seed)
        order = stream(seed, "validation").permutation(len(data.train_x))
        held, kept = np.sort(order[: self.held_points()]), np.sort(order[self.held_points() :])
        x, y = data.train_x, data.train_y
        return data._replace(train_x=x[kept], train_y=y[kept], validation_x=x[held], validation_y=y[held])


def of(spec: Mapping[str, Any]) -> Task:
    """The task of a setting, less what is held out for validation."""
    task: Task = build(TASKS, spec["task"])
    return HeldOut(task, spec["validation"]) if "validation" in spec else task


def loss_of(spec: Mapping[str, Any]) -> str:
    """Name of the loss that a setting minimizes: its own, or that of its task."""
    name = str(spec.get("loss", {"name": OF_TASK})["name"])
    return of(spec).loss() if name == OF_TASK else name


TASKS: dict[str, type[Task]] = {
    "sine": Sine,
    "mixture": Mixture,
    "adding": Adding,
    "diabetes": Diabetes,
    "digits": Digits,
    "table": Table,
}
