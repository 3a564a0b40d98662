"""The points of a trial as its network takes them, and facts about their targets."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch

from bnbench.catalogue.rows import Part, Shared, Stored
from bnbench.catalogue.shared_tasks import Made
from bnbench.catalogue.task import Data
from bnbench.epochs import batch_bounds
from bnbench.streams import FIXED
from bnbench.trainer import own_data
from bnbench.trainer.examples import EVALUATED, Converted, Dense, Examples, Mapped, OnDevice
from bnbench.trainer.loaded import Loaded, Loader
from bnbench.trainer.running_norms import PooledMoments

PARTS = ("train", "test", "validation")

Points = Data | Shared

_AT_ONCE = 4096  # targets


class Seen(NamedTuple):
    """How a network receives examples."""

    shape: tuple[int, ...]
    """Of one example."""
    dtype: torch.dtype
    device: torch.device
    seed: int
    """Of what examples draw at random when they are loaded."""


def opened(points: Points, seen: Seen) -> dict[str, Examples]:
    """The examples of a trial: train, test, and validation where some are held out.

    Raises:
        UserError: a file cannot be read, or the user's own code does not work.
    """
    if isinstance(points, Shared):
        parts = {name: part for name, part in points._asdict().items() if isinstance(part, Part)}
        return {name: _of_rows(part, seen) for name, part in parts.items()}
    arrays = points._asdict()
    found = {name: (arrays[f"{name}_x"], arrays[f"{name}_y"]) for name in PARTS}
    return {name: _dense(x, y, seen) for name, (x, y) in found.items() if x is not None}


def cut(points: Points, count: int, *, validated: bool = True) -> Points:
    """Its first points alone, of each part; without those for validation unless they are wanted."""
    first = slice(count)
    if isinstance(points, Shared):
        held = points.validation.at(first) if validated and points.validation else None
        return Shared(points.train.at(first), points.test.at(first), held)
    return points._replace(
        train_x=points.train_x[first],
        train_y=points.train_y[first],
        test_x=points.test_x[first],
        test_y=points.test_y[first],
        validation_x=points.validation_x[first] if validated and points.validation_x is not None else None,
        validation_y=points.validation_y[first] if validated and points.validation_y is not None else None,
    )


def tested_variance(points: Points, shape: tuple[int, ...]) -> float:
    """The variance of the test targets of examples of this shape; of several outputs, the mean of their variances.

    Where rows are held once, block by block.
    """
    if isinstance(points, Data):
        return float(np.ascontiguousarray(points.test_y.T).var(axis=1).mean())
    tested = opened(points, Seen(shape, torch.float64, torch.device("cpu"), FIXED))["test"]
    pooled = PooledMoments()
    for _, y in tested.batches([*pairwise(batch_bounds(len(tested), _AT_ONCE))], None, EVALUATED):
        pooled.add(y)
    return float(pooled.moments()[1].mean())


def _dense(x: Any, y: Any, seen: Seen) -> Dense:
    inputs = torch.from_numpy(x).to(seen.device, seen.dtype).reshape(-1, *seen.shape)
    return Dense(inputs, torch.from_numpy(y).to(seen.device, seen.dtype))


def _of_rows(part: Part, seen: Seen) -> Examples:
    source = own_data.made(part.source) if isinstance(part.source, Made) else part.source
    if isinstance(source, Loader):
        converted = Converted(source.classes, seen.shape, seen.dtype, seen.device)
        return Loaded(source, part.rows, converted, seen.seed)
    if not isinstance(source, Stored):
        raise TypeError(f"{type(source).__name__} is no source of rows")
    converted = Converted(source.classes, seen.shape, seen.dtype, seen.device)
    if seen.device.type == "cpu":
        return Mapped(source, part.rows, converted)
    return OnDevice(source, part.rows, converted, seen.device)
