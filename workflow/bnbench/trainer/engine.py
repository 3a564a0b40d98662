"""What the training loop needs from an engine, which trains the networks of some seeds in its own way."""

from typing import Protocol

from torch import Tensor

from bnbench.trainer.classes import Counts
from bnbench.trainer.snapshot import Kept


class Engine(Protocol):
    """The networks of consecutive seeds of one setting while they train."""

    hashes: list[str]
    """Per seed, the hash of the initial weights that all arms share."""

    def empty(self, epochs: int) -> Tensor:
        """[epochs, seeds] of the losses' type, where they lie; not filled."""
        ...

    def train_epoch(self, epoch: int, factor: float) -> Tensor:
        """Train one epoch more.

        Args:
            epoch: counted from 0.
            factor: of the learning rate in this epoch.

        Returns:
            Each seed's mean train-mode loss, [seeds]; each batch counts alike.
        """
        ...

    def evaluate(self, epochs: int) -> dict[str, Tensor]:
        """What is measured in evaluation mode after `epochs` epochs, by the names of `vocabulary.MEASURED`, [seeds]."""
        ...

    def fit(self) -> Tensor:
        """The first output of the networks at the test points, [seeds, points]."""
        ...

    def classes(self) -> Counts | None:
        """How many test points of each class the trained networks classify as each; None if not counted.

        As of the evaluation after the last epoch, whose accuracy they give.
        """
        ...

    def snapshot(self) -> Kept:
        """Weights, running statistics and the optimizer's state."""
        ...

    def misfit(self, kept: Kept) -> str:
        """In what `kept` is not as `snapshot` of this engine has it after some epochs, in words; empty if it is."""
        ...

    def restore(self, kept: Kept, epochs: int) -> None:
        """Restore what `snapshot` returned after that many epochs, in a new engine of the same seeds."""
        ...
