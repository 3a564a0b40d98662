"""Examples of a data set of PyTorch: loaded one by one when they are needed, by the job itself or by workers.

What an example draws at random, such as where an image is cut, depends on the seed, the epoch and its place in the data
set alone. So it is the same in every arm, with any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from bnbench.errors import UserError
from bnbench.streams import stream
from bnbench.trainer import draws, usercode
from bnbench.trainer.examples import Batch, Bounds, Converted, Examples

Raw = tuple[Tensor, Tensor | None]
"""A batch as the data set has it."""


class Loader(Dataset[Any]):
    """One part of the user's data, from which batches are asked.

    Args:
        dataset: the user's.
        where: the user's file and function, as messages have them.
        path: the user's file.
        workers: processes that load examples.
        takes_targets: whether examples have targets; else they are their own.
        classes: how many there are; 0 where targets are numbers or flags.
    """

    def __init__(
        self, dataset: Any, where: str, path: str, *, workers: int, takes_targets: bool, classes: int = 0
    ) -> None:
        self.dataset, self.classes, self.workers = dataset, classes, workers
        self._where, self._path, self._takes_targets = where, path, takes_targets

    def __len__(self) -> int:
        return len(self.dataset)

    def load(self, rows: Sequence[int], seed: int, role: str) -> Raw:
        """The examples at these places; the generators are afterwards as they were.

        Raises:
            UserError: the user's code raises an error, or its examples are of different shapes.
        """
        with usercode.told(self._path, "loads an example"), draws.apart(seed, role):
            numbers = _numbers(seed, role, len(self))
            examples = [self._example(row, numbers[row].tolist()) for row in rows]
        x = self._stacked([x for x, _ in examples], "inputs")
        self._refuse_not_finite(x, rows, "x")
        if not self._takes_targets:
            return x, None
        y = self._stacked([y for _, y in examples], "targets")
        self._refuse_not_finite(y, rows, "y")
        if self.classes and not 0 <= int(y.min()) <= int(y.max()) < self.classes:
            raise UserError(f"{self._where}: found class {int(y.max())}, allowed: from 0 to {self.classes - 1}")
        return x, y

    def __getitems__(self, asked: Sequence[tuple[int, int, str]]) -> Raw | str:
        """A batch in a worker: (place, seed, role) of every example. A mistake comes back as its message."""
        try:
            return self.load([row for row, _, _ in asked], *asked[0][1:])
        except UserError as error:
            return str(error)

    def _example(self, row: int, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        draws.seed_by(*numbers)
        example = self.dataset[row]
        is_pair = isinstance(example, tuple | list)
        if self._takes_targets and not (is_pair and len(example) == 2):
            raise UserError(f"{self._where}: example {row} is a {type(example).__name__}, allowed: a pair (x, y)")
        x, y = example if is_pair and len(example) == 2 else (example[0] if is_pair else example, 0)
        return self._tensor(x, row, "x"), self._tensor(y, row, "y") if self._takes_targets else torch.empty(0)

    def _tensor(self, value: Any, row: int, name: str) -> Tensor:
        if not isinstance(value, Tensor | np.ndarray | np.generic | int | float):
            raise UserError(
                f"{self._where}: {name} of example {row} is a {type(value).__name__}, allowed: a tensor, an array or "
                "a number"
            )
        return torch.as_tensor(value)

    def _refuse_not_finite(self, values: Tensor, rows: Sequence[int], name: str) -> None:
        if values.is_floating_point() and not (finite := values.isfinite().flatten(1).all(1)).all():
            place = int(finite.to(torch.uint8).argmin())
            raise UserError(f"{self._where}: {name} of example {rows[place]} holds NaN or infinity, allowed: numbers")

    def _stacked(self, values: Sequence[Tensor], name: str) -> Tensor:
        if len({(each.shape, each.dtype) for each in values}) > 1:
            found = " and ".join(sorted({f"{[*each.shape]} of {each.dtype}" for each in values})[:2])
            raise UserError(f"{self._where}: examples have {name} {found}, allowed: all of one shape and type")
        return torch.stack([*values])


@lru_cache(maxsize=2)
def _numbers(seed: int, role: str, examples: int) -> np.ndarray[Any, Any]:
    """What each example of a data set seeds torch, NumPy and Python by, [examples, 3]: drawn all at once."""
    role = f"{role}.examples"
    drawn = stream(seed, role).integers(2**63, size=(examples, 3))
    drawn[:, 1] >>= 31
    return drawn


class Loaded(Examples):
    """Some examples of a data set.

    Args:
        loader: gives them.
        rows: their places in the data set.
        converted: how they become a batch.
        seed: of what they draw.
    """

    captures = False

    def __init__(self, loader: Loader, rows: np.ndarray[Any, Any], converted: Converted, seed: int) -> None:
        self._loader, self._rows, self._converted, self._seed = loader, rows, converted, seed

    def __len__(self) -> int:
        return len(self._rows)

    def pick(self, rows: Tensor, role: str) -> Batch:
        """See `Examples`."""
        return self._converted(*self._loader.load(self._places(rows), self._seed, role))

    def batches(self, bounds: Bounds, order: Tensor | None, role: str) -> Iterator[Batch]:
        """See `Examples`; workers load the next ones meanwhile."""
        if not self._loader.workers:
            yield from super().batches(bounds, order, role)
            return
        places = self._places(torch.arange(len(self)) if order is None else order)
        asked = [[(row, self._seed, role) for row in places[start:stop]] for start, stop in bounds]
        workers = min(self._loader.workers, len(asked))
        own = torch.Generator()  # else it would draw from that of the network
        for raw in DataLoader(
            self._loader, batch_sampler=asked, num_workers=workers, collate_fn=_as_it_is, generator=own
        ):
            if isinstance(raw, str):
                raise UserError(raw)
            yield self._converted(*raw)

    def _places(self, rows: Tensor) -> list[int]:
        places: list[int] = self._rows[rows.cpu().numpy()].tolist()
        return places


def _as_it_is(batch: Any) -> Any:
    return batch
