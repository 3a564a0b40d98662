"""What is trained in the benchmark of training, and the points that it is trained on."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from bnbench.catalogue.norms import NORMS
from bnbench.epochs import batch_bounds
from bnbench.streams import stream
from bnbench.trainer.initialization import Layers, initial_weights

POINTS = 100


class Case(NamedTuple):
    """Networks of one input and one output on noisy sines, Adam, float32."""

    batch_size: int | str
    norm: str
    hidden: tuple[int, ...] = (256, 256)
    seeds: int = 10
    epochs: int = 20
    """Of one call; the last of them is evaluated, as one in 20 is in the default study."""

    @property
    def widths(self) -> tuple[int, ...]:
        return (1, *self.hidden, 1)

    @property
    def bounds(self) -> list[int]:
        """Where the batches of an epoch start, and the last one ends."""
        return batch_bounds(POINTS, POINTS if self.batch_size == "full" else int(self.batch_size))

    @property
    def sizes(self) -> list[int]:
        return [stop - start for start, stop in pairwise(self.bounds)]

    def weights(self) -> list[Layers]:
        """The initial weights, seed by seed."""
        norm = NORMS[self.norm]()
        return [initial_weights(self.widths, norm, "independent", seed) for seed in range(self.seeds)]

    def orders(self) -> np.ndarray | None:
        """The examples' order, [epochs, seeds, points]; None for a full batch."""
        if self.batch_size == "full":
            return None
        streams = [stream(seed, "order") for seed in range(self.seeds)]
        return np.stack([[generator.permutation(POINTS) for generator in streams] for _ in range(self.epochs)])

    def points(self) -> tuple[np.ndarray, ...]:
        """Inputs and targets for training and for testing, [seeds, points, 1] each."""
        x = np.random.default_rng(0).uniform(-1, 1, (self.seeds, 2 * POINTS, 1))
        y = np.sin(3 * x) + 0.1 * np.random.default_rng(1).standard_normal(x.shape)
        parts = (x[:, :POINTS], y[:, :POINTS], x[:, POINTS:], y[:, POINTS:])
        return tuple(part.astype(np.float32) for part in parts)
