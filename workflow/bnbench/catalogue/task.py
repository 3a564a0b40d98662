"""The base class of all tasks, and the points that a task returns.

NumPy in float64; no torch here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from bnbench.catalogue.about import About
from bnbench.catalogue.losses import LOSSES, Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bnbench.catalogue.rows import Shared

    Array = NDArray[np.float64]


class Data(NamedTuple):
    """The points of one trial; inputs are [points, features], targets [points, outputs]."""

    train_x: Array
    train_y: Array
    test_x: Array
    test_y: Array
    validation_x: Array | None = None
    """Points that are held out of the training to choose by; None if nothing is chosen."""
    validation_y: Array | None = None
    target_scale: float | None = None
    """What one unit of the targets was before standardization; None without it, and for several targets."""


DRAWN = ("data", "noise", "split", "validation")
"""What a seed may draw for a task: noise, which rows train and which test, which training points are held out; or
something else (data)."""


@dataclass(frozen=True)
class Task(ABC):
    """What every task declares."""

    derived: ClassVar[tuple[str, ...]] = ()
    """Parameters that the planner fills in and no user sets."""
    unaddressed: ClassVar[tuple[str, ...]] = ()
    """Parameters that change no number and so are not part of an address."""
    unsaid: ClassVar[tuple[str, ...]] = ()
    """Parameters that labels leave out."""
    held_once: ClassVar[bool] = False
    """Whether its rows are held once for all trials of a job and read from there batch by batch, see `rows`."""

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
        """Shape of one example, as networks other than perceptrons see it: channels × height × width for images."""
        return (self.inputs(),)

    def outputs(self) -> int:
        """Number of outputs."""
        return 1

    def loss(self) -> str:
        """Name of the loss that is minimized, see `losses.LOSSES`."""
        return "squared"

    def kind(self) -> Kind:
        """What its targets are: numbers, classes or flags."""
        return LOSSES[self.loss()].kind

    def classifies(self) -> bool:
        """Whether its targets are classes or flags, so that networks have an accuracy."""
        return self.kind() != "numbers"

    def scores(self) -> tuple[str, ...]:
        """The scores that its networks have, by their names in `outcomes`."""
        if not self.classifies():
            return ("r2", "mae")
        return ("test_accuracy", "auc") if self.outputs() == 2 and self.kind() == "classes" else ("test_accuracy",)

    def unit_of_errors(self) -> str:
        """The unit of an absolute error; empty if it is the target's own unit, and that has no name."""
        return ""

    def about(self) -> About | None:
        """Facts about its data, such as which rows were dropped; None if nothing needs to be said."""
        return None

    def is_curve(self) -> bool:
        """Whether what is learned can be drawn over one input."""
        return self.inputs() == self.outputs() == 1

    def drawn(self) -> tuple[str, ...]:
        """What a seed draws of its points, in the words of `DRAWN`; nothing if all seeds have the same points."""
        return ("data",)

    def resamples(self) -> bool:
        """Whether each seed draws another random split of the same rows, so that seeds are not new data sets."""
        return False

    def held_mebibytes(self) -> float:
        """Memory that its rows take if they are held once; 0 for all other tasks."""
        return 0.0

    @abstractmethod
    def data(self, seed: int) -> Data | Shared:
        """The points of one trial; indices into rows that are held once, if `held_once` says so."""
