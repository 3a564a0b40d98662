"""Tasks with real data, whose rows each seed splits differently: data sets of scikit-learn, and your own table.

NumPy in float64; no torch here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bnbench import extras
from bnbench.catalogue import about, datafiles
from bnbench.catalogue.about import About
from bnbench.catalogue.parameters import parameter
from bnbench.catalogue.table_targets import AUTO
from bnbench.catalogue.task import Data, Task
from bnbench.errors import UserError
from bnbench.streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Split(Task):
    """Real data: a random part is held out for the test; both are standardized by the training part.

    So are targets that are numbers, each output separately.
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
        """The arrays, read only once for all seeds."""
        return self.arrays()

    def train_points(self) -> int:
        """Number of training points: all rows that are not tested, and at least one."""
        rows = self.row_count()
        return rows - min(max(1, round(rows * self.test_fraction)), rows - 1)

    def tested_points(self) -> int:
        """Number of test points."""
        return self.row_count() - self.train_points()

    def drawn(self) -> tuple[str, ...]:
        """Which rows are for training, and which for the test."""
        return ("split",)

    def resamples(self) -> bool:
        """The rows are always the same."""
        return True

    def _standardizes_several(self) -> bool:
        """Whether there are several targets, each with its own scale, so that errors have no common unit."""
        return self.kind() == "numbers" and self.outputs() > 1

    def unit_of_errors(self) -> str:
        """Standard deviations, if several targets are standardized."""
        return "standard deviations" if self._standardizes_several() else ""

    def about(self) -> About | None:
        """Its rows, inputs and classes."""
        classes = self.outputs() if self.kind() == "classes" else 0
        name = type(self).__name__.lower()
        return About(name, self.row_count(), self.tested_points(), self.inputs(), classes=classes)

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
        extras.need("sklearn")
        from sklearn.datasets import load_diabetes  # noqa: PLC0415 - a second of import that no other task needs

        x, y = load_diabetes(return_X_y=True)
        return x, y[:, None]


@dataclass(frozen=True)
class Digits(Split):
    """Handwritten digits, 1,797 images of 8 × 8 pixels (Alpaydin & Kaynak 1998), as scikit-learn ships them."""

    target: str = parameter(
        "digit",
        "what to predict: the digit, or the pixels themselves, as an autoencoder does",
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

    def about(self) -> About | None:
        """Its rows and inputs, and whether the targets are these."""
        known = super().about()
        return known and replace(known, autoencodes=self.target == "inputs")

    def arrays(self) -> tuple[Array, Array]:
        """Pixels, and a one in the column of the right digit, or the pixels once more."""
        extras.need("sklearn")
        from sklearn.datasets import load_digits  # noqa: PLC0415 - a second of import that no other task needs

        x, digits = load_digits(return_X_y=True)
        return x, x if self.target == "inputs" else np.eye(10)[digits]


@dataclass(frozen=True)
class Table(Split):
    """Your own data: any CSV or Parquet file, whose target may be numbers or classes."""

    derived = ("sha256", "rows", "features", "width", "labels", "found")
    unaddressed = (
        "path",
        "classes",
        "unit",
        "rows",
        "features",
        "width",
        "found",
    )  # `labels` say what `classes` came to
    unsaid = ("unit",)

    path: str = parameter(..., "the file, beside the config or in the folder where the run starts", minLength=1)
    target: str | tuple[str, ...] = parameter(
        ...,
        "the name of the column to predict, or of several; inputs stands for the inputs themselves",
        minLength=1,
        minItems=1,
        items={"minLength": 1},
    )
    missing: str = parameter(
        "refuse", "what to do with missing values: refuse the file, or drop their rows", enum=["refuse", "drop"]
    )
    classes: bool | str = parameter(
        AUTO,
        "whether the target is classes; auto means where it is text, true and false, or few whole numbers that recur",
        enum=[AUTO, True, False],
        since="0.5.0",
    )
    drop: tuple[str, ...] = parameter((), "columns to leave out", uniqueItems=True, since="0.5.0")
    categories: tuple[str, ...] = parameter(
        (), "columns of numbers that are categories", uniqueItems=True, since="0.5.0"
    )
    unit: str = parameter("", "the unit of the target, for sentences", since="0.5.0")
    sha256: str = parameter("", "filled in by the planner: what the file's bytes hash to")
    rows: int = parameter(0, "filled in by the planner: usable rows", minimum=0)
    features: int = parameter(0, "filled in by the planner: input columns once categories are one-hot", minimum=0)
    width: int = parameter(1, "filled in by the planner: outputs, one for each class if there are classes")
    labels: tuple[str, ...] = parameter(
        (), "filled in by the planner: names of the classes; for several targets, the value of each that counts as 1"
    )
    found: Mapping[str, Any] | None = parameter(
        None, "filled in by the planner: facts about the data, see `about.read`"
    )

    def row_count(self) -> int:
        """Usable rows, as the planner counted them."""
        return self.rows

    def inputs(self) -> int:
        """Input columns, as the planner counted them."""
        return self.features

    def outputs(self) -> int:
        """Columns to predict, or classes, as the planner counted them."""
        return self.width

    def loss(self) -> str:
        """Cross-entropy for classes, of each target separately if there are several; squared error for numbers."""
        if not self.labels:
            return "squared"
        return "cross_entropy" if isinstance(self.target, str) else "binary"

    def unit_of_errors(self) -> str:
        """The unit of the one target, or standard deviations of several."""
        return super().unit_of_errors() or self.unit

    def about(self) -> About | None:
        """What the planner found in the file; for an entry of an earlier version, only its sizes."""
        return About(
            Path(self.path).name,
            self.rows,
            self.tested_points(),
            self.features,
            unit=self.unit,
            dropped=self.drop,
            **about.read(self.found or {}),
        )

    def arrays(self) -> tuple[Array, Array]:
        """The file's columns as numbers.

        Raises:
            UserError: the file is not the one that the study was planned with.
        """
        found = datafiles.sha256(self.path)
        if found != self.sha256:
            raise UserError(f"{self.path}: the file changed since the study was planned; start the same command again")
        how = (self.target, self.missing, self.classes, self.drop, self.categories)
        read = datafiles.read_table(self.path, *how)
        return read.x, read.y


def _standardizer(part: Array) -> Callable[[Array], Array]:
    """Subtract the mean and divide by the standard deviation of `part`; a constant column is only centred."""
    mean, scale = part.mean(axis=0), _scale(part)
    return lambda values: (values - mean) / scale


def _scale(part: Array) -> Array:
    """The standard deviation of each column, [columns]; 1 for a constant one, whose own may miss 0 by rounding."""
    deviation = part.std(axis=0)
    return np.where((part.max(axis=0) > part.min(axis=0)) & (deviation > 0), deviation, 1.0)
