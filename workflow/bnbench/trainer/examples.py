"""Examples as a network takes them: batch by batch, from points of its own or from rows that all seeds share.

Points of its own (`Dense`) lie ready in the type in which the network computes. Shared rows stay what they are, such as
bytes of a mapped file: a batch is taken from there by its places and then brought to that type.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from bnbench.catalogue.rows import Source, Stored
from bnbench.epochs import batch_bounds

Batch = tuple[Tensor, Tensor]
"""Inputs [examples, …] and targets [examples, outputs]."""

Bounds = Sequence[tuple[int, int]]
"""Where batches begin and end."""

EVALUATED = "forward.evaluate"
"""Role of what examples draw when they are loaded to be evaluated: always the same, whatever the epoch."""

Array = np.ndarray[Any, Any]


class Examples(ABC):
    """Some examples, in a given order."""

    captures = True
    """Whether a CUDA graph can pick batches from them: they lie where the network does."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def pick(self, rows: Tensor, role: str) -> Batch:
        """The examples at these places; what they draw at random depends on `role` and their places alone."""

    def batches(self, bounds: Bounds, order: Tensor | None, role: str) -> Iterator[Batch]:
        """The batches that lie at these places of the order; None: as they lie. See `pick`."""
        for start, stop in bounds:
            yield self.pick(torch.arange(start, stop) if order is None else order[start:stop], role)

    def few(self, count: int, role: str) -> Batch:
        """The first ones."""
        return self.pick(torch.arange(min(count, len(self))), role)

    def changes(self) -> int:
        """How often they have been changed in place."""
        return 0


class Dense(Examples):
    """Examples that lie ready."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self._x, self._y = x, y

    def __len__(self) -> int:
        return len(self._x)

    def pick(self, rows: Tensor, role: str) -> Batch:  # noqa: ARG002 - nothing is drawn
        """See `Examples`."""
        return self._x[rows], self._y[rows]

    def batches(self, bounds: Bounds, order: Tensor | None, role: str) -> Iterator[Batch]:
        """See `Examples`; without an order, views."""
        if order is not None:
            yield from super().batches(bounds, order, role)
            return
        for start, stop in bounds:
            yield self._x[start:stop], self._y[start:stop]

    def few(self, count: int, role: str) -> Batch:  # noqa: ARG002 - nothing is drawn
        """See `Examples`; views."""
        return self._x[:count], self._y[:count]

    def changes(self) -> int:
        """See `Examples`."""
        return self._x._version + self._y._version


class Converted:
    """How rows become a batch: bytes divided by 255, codes of classes one-hot, all in the network's type.

    Args:
        classes: how many there are; 0 where targets are numbers or flags.
        shape: of one example.
        dtype: the network's.
        device: where it trains.
    """

    def __init__(self, classes: int, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
        self._shape, self._dtype, self._device = shape, dtype, device
        self._one_hot = torch.eye(classes, dtype=dtype, device=device) if classes else None

    def __call__(self, x: Tensor, y: Tensor | None) -> Batch:
        """A batch of rows; without `y`, the targets are the inputs."""
        inputs = x.to(self._device, self._dtype).reshape(-1, *self._shape)
        if x.dtype == torch.uint8:
            inputs.div_(255)  # of a copy, since the type is another
        if y is None:
            return inputs, inputs.flatten(1).clone()
        if self._one_hot is not None:
            return inputs, self._one_hot[y.to(self._device).flatten().long()]
        return inputs, y.to(self._device, self._dtype).reshape(len(y), -1)


class Mapped(Examples):
    """Rows of arrays in the host's memory or in a mapped file, for a network on the CPU."""

    def __init__(self, source: Stored, rows: Array, converted: Converted) -> None:
        self._source, self._rows, self._converted = source, rows, converted

    def __len__(self) -> int:
        return len(self._rows)

    def pick(self, rows: Tensor, role: str) -> Batch:  # noqa: ARG002 - nothing is drawn
        """See `Examples`."""
        places = self._rows[rows.numpy()]
        x, y = self._source.x[places], None if self._source.y is None else self._source.y[places]
        return self._converted(_tensor(x), None if y is None else _tensor(y))


class OnDevice(Examples):
    """The same where the network trains on a GPU: the arrays are brought there once, whichever seeds have them."""

    _there: ClassVar[WeakKeyDictionary[Source, dict[torch.device, tuple[Tensor, Tensor | None]]]] = WeakKeyDictionary()

    def __init__(self, source: Stored, rows: Array, converted: Converted, device: torch.device) -> None:
        self._x, self._y = self._brought(source, device)
        self._rows, self._converted = torch.from_numpy(rows).to(device), converted

    @classmethod
    def _brought(cls, source: Stored, device: torch.device) -> tuple[Tensor, Tensor | None]:
        held = cls._there.setdefault(source, {})
        if device not in held:
            y = None if source.y is None else _tensor(source.y).to(device)
            held[device] = _tensor(source.x).to(device), y
        return held[device]

    def __len__(self) -> int:
        return len(self._rows)

    def pick(self, rows: Tensor, role: str) -> Batch:  # noqa: ARG002 - nothing is drawn
        """See `Examples`."""
        places = self._rows[rows.to(self._rows.device)]
        return self._converted(self._x[places], None if self._y is None else self._y[places])


def _tensor(values: Array) -> Tensor:
    """The same numbers as torch takes them: in this machine's order of bytes, each at a place of its own."""
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    return torch.from_numpy(np.require(values, requirements=["C", "A", "W"]))


class Blocks(Sequence[Tensor]):
    """The inputs of examples, block by block, each time that somebody goes through them.

    Args:
        examples: whose inputs.
        size: examples in a block.
        role: see `Examples.pick`.
    """

    def __init__(self, examples: Examples, size: int, role: str) -> None:
        self._examples, self._role = examples, role
        self._bounds = [*pairwise(batch_bounds(len(examples), size))]

    def __len__(self) -> int:
        return len(self._bounds)

    def __iter__(self) -> Iterator[Tensor]:
        return (x for x, _ in self._examples.batches(self._bounds, None, self._role))

    def __getitem__(self, place: Any) -> Any:
        """One block."""
        return next(x for x, _ in self._examples.batches([self._bounds[place]], None, self._role))
