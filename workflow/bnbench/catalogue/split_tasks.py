"""Tasks of real data, whose rows are split anew for every seed: data sets of scikit-learn, and your own table.

NumPy in float64; no torch here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bnbench.catalogue import datafiles
from bnbench.catalogue.parameters import parameter
from bnbench.catalogue.task import Data, Task
from bnbench.errors import UserError
from bnbench.streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Split(Task):
    """Real data: a random part is held out for the test; both are standardized by the training part.

    So are targets that are numbers, each output by itself.
    """

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
        are_numbers = self.kind() == "numbers"
        standard_y = _standardizer(y[train]) if are_numbers else np.asarray
        points = (standard_x(x[train]), standard_y(y[train]), standard_x(x[test]), standard_y(y[test]))
        one_scale = are_numbers and y.shape[1] == 1
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

    target: str = parameter(
        "digit",
        "what is to be predicted: the digit, or the pixels themselves, as an autoencoder does",
        enum=["digit", "inputs"],
        since="0.5.0",
    )

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
        """A logit for each digit, or a number for each pixel."""
        return 64 if self.target == "inputs" else 10

    def loss(self) -> str:
        """Cross-entropy of the ten classes, or the squared error of the pixels."""
        return "squared" if self.target == "inputs" else "cross_entropy"

    def arrays(self) -> tuple[Array, Array]:
        """Pixels, and a one in the column of the right digit, or the pixels once more."""
        from sklearn.datasets import load_digits  # noqa: PLC0415 - a second of import that no other task needs

        x, digits = load_digits(return_X_y=True)
        return x, x if self.target == "inputs" else np.eye(10)[digits]


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
