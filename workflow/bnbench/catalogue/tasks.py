"""What networks learn: each task returns training and test points for a seed.

A task is one frozen dataclass: its fields are its parameters in the config, `data(seed)` draws its points from the
stream (seed, data), and the registry at the end gives it its name. NumPy in float64; no torch here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bnbench.catalogue import own
from bnbench.catalogue.about import About
from bnbench.catalogue.losses import CHOICES, LOSSES, OF_TASK, Kind, Loss, SquaredLoss
from bnbench.catalogue.parameters import build, parameter
from bnbench.catalogue.rows import Shared
from bnbench.catalogue.shared_tasks import Arrays, OwnData
from bnbench.catalogue.split_tasks import Diabetes, Digits, Table
from bnbench.catalogue.task import Data, Task
from bnbench.streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_MOST = 10_000_000
"""Points that are drawn: they are kept in memory, for each seed of a job."""


@dataclass(frozen=True)
class Function(Task):
    """A function on [−1, 1], learned at equally spaced points and tested between them, without noise."""

    noise: float = parameter(0.0, "standard deviation of the Gaussian noise on the training targets", minimum=0)
    points: int = parameter(100, "training points, equally spaced on [−1, 1]", minimum=2, maximum=_MOST)
    test_points: int = parameter(250, "test points, the midpoints of equal parts of [−1, 1]", minimum=1, maximum=_MOST)

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
    points: int = parameter(500, "training sequences", minimum=2, maximum=_MOST)
    test_points: int = parameter(500, "test sequences", minimum=1, maximum=_MOST)

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
        """New random sequences for every seed."""
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
class Moons(Task):
    """Two interleaved half circles, one for each class, with noise on every point."""

    noise: float = parameter(0.2, "standard deviation of the Gaussian noise on both coordinates", minimum=0)
    points: int = parameter(200, "training points", minimum=2, maximum=_MOST)
    test_points: int = parameter(1000, "test points, as noisy as those for training", minimum=1, maximum=_MOST)

    def train_points(self) -> int:
        """Number of training points."""
        return self.points

    def tested_points(self) -> int:
        """Number of test points."""
        return self.test_points

    def inputs(self) -> int:
        """Two coordinates."""
        return 2

    def outputs(self) -> int:
        """A logit for each half circle."""
        return 2

    def loss(self) -> str:
        """Cross-entropy of the two classes."""
        return "cross_entropy"

    def data(self, seed: int) -> Data:
        """New random points for every seed, of both classes in turn.

        The upper half circle is that around (0, 0) with radius 1; the lower one is the same turned around (0.5, 0.25).
        """
        draws = stream(seed, "data")
        count = self.points + self.test_points
        lower = np.arange(count) % 2
        angle = draws.uniform(0, np.pi, count)
        upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        x = np.where(lower[:, None] == 1, [1.0, 0.5] - upper, upper)
        x = x + self.noise * draws.standard_normal((count, 2))
        y = np.eye(2)[lower]
        return Data(x[: self.points], y[: self.points], x[self.points :], y[self.points :])


@dataclass(frozen=True)
class HeldOut(Task):
    """A task that holds out a random share of its training points for validation, drawn from (seed, validation)."""

    task: Task
    share: float

    def held_points(self) -> int:
        """Number of validation points: at least one, but none if fewer than two training points would remain."""
        points = self.task.train_points()
        return max(0, min(max(1, round(points * self.share)), points - 2))

    def train_points(self) -> int:
        """Number of remaining training points."""
        return self.task.train_points() - self.held_points()

    def tested_points(self) -> int:
        """Number of points that are tested in evaluation mode, including those for validation."""
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

    def kind(self) -> Kind:
        """The task's own."""
        return self.task.kind()

    def about(self) -> About | None:
        """The task's own, and how many rows are held out."""
        about = self.task.about()
        return about and replace(about, held=self.held_points())

    def drawn(self) -> tuple[str, ...]:
        """The task's own, and which training points are held out."""
        return (*self.task.drawn(), *(["validation"] if self.held_points() else []))

    def resamples(self) -> bool:
        """The task's own."""
        return self.task.resamples()

    def held_mebibytes(self) -> float:
        """The task's own."""
        return self.task.held_mebibytes()

    def data(self, seed: int) -> Data | Shared:
        """The task's points, the training points in their order."""
        data = self.task.data(seed)
        order = stream(seed, "validation").permutation(self.task.train_points())
        held, kept = np.sort(order[: self.held_points()]), np.sort(order[self.held_points() :])
        if isinstance(data, Shared):
            return data._replace(train=data.train.at(kept), validation=data.train.at(held))
        x, y = data.train_x, data.train_y
        return data._replace(train_x=x[kept], train_y=y[kept], validation_x=x[held], validation_y=y[held])


def of(spec: Mapping[str, Any]) -> Task:
    """The task of a setting, without the points held out for validation."""
    task: Task = build(TASKS, spec["task"])
    return HeldOut(task, spec["validation"]) if "validation" in spec else task


MOST_COUNTED = 50
"""Up to this number of classes, predicted classes are counted for each true one: pairs grow with the square."""


def counted_classes(task: Task) -> int:
    """How many classes a task has whose predictions are counted; 0 where it has none, several flags, or too many."""
    if task.kind() == "flags":
        return 2 if task.outputs() == 1 else 0
    return task.outputs() if task.kind() == "classes" and task.outputs() <= MOST_COUNTED else 0


def class_names(task: Task) -> tuple[str, ...]:
    """What the data calls the classes that are counted; their numbers where it has no names for them."""
    count = counted_classes(task)
    labels = getattr(task.task if isinstance(task, HeldOut) else task, "labels", ())
    return tuple(labels) if len(labels) == count else tuple(map(str, range(count)))


def loss_of(spec: Mapping[str, Any]) -> str:
    """Name of the loss that a setting minimizes: its own, or that of its task."""
    name = str(spec.get("loss", {"name": OF_TASK})["name"])
    return of(spec).loss() if name == OF_TASK else name


def built_loss(spec: Mapping[str, Any]) -> Loss:
    """The loss that a setting minimizes; for the user's own loss, about which nothing is known, the squared error."""
    name = loss_of(spec)
    if name not in LOSSES:
        return SquaredLoss()
    entry = spec.get("loss", {"name": OF_TASK})
    made: Loss = build(CHOICES, entry) if entry["name"] == name else LOSSES[name]()
    return made


TASKS: dict[str, type[Task]] = {
    "sine": Sine,
    "mixture": Mixture,
    "adding": Adding,
    "diabetes": Diabetes,
    "digits": Digits,
    "table": Table,
    "moons": Moons,
    "arrays": Arrays,
    own.NAME: OwnData,
}
