"""Learning-rate schedules: what the config may name, with parameters, ranges and defaults.

A schedule gives the factor of the learning rate in every epoch. No torch here: the planner reads this.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from bnbench.catalogue.parameters import parameter


@dataclass(frozen=True)
class Schedule(ABC):
    """What every schedule has: an optional rise of the rate over the first epochs."""

    title: ClassVar[str]
    """Its name in sentences and figures; by default that in the registry."""

    warmup: int = parameter(
        0,
        "epochs at the start over which the learning rate rises in a straight line (Goyal et al. 2017)",
        minimum=0,
        since="0.4.0",
    )

    @abstractmethod
    def factor(self, epoch: int, epochs: int) -> float:
        """The factor of the learning rate in `epoch`, counted from 0, out of `epochs`, without the rise."""

    def warmed(self, epoch: int, epochs: int) -> float:
        """The same with the rise: after k of `warmup` epochs, (k + 1)/(warmup + 1) of it."""
        return self.factor(epoch, epochs) * min(1.0, (epoch + 1) / (self.warmup + 1))

    def is_constant(self) -> bool:
        """Whether the learning rate never changes."""
        return False


@dataclass(frozen=True)
class Constant(Schedule):
    """The learning rate does not change."""

    title = "constant rate"

    def factor(self, epoch: int, epochs: int) -> float:  # noqa: ARG002 - one signature for all schedules
        """Always 1."""
        return 1.0

    def is_constant(self) -> bool:
        """If it does not rise at first."""
        return not self.warmup


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from the full rate down to a share of it (Loshchilov & Hutter 2017, without restarts)."""

    title = "cosine decay"

    final: float = parameter(0.0, "share of the learning rate that remains at the end", minimum=0, maximum=1)

    def factor(self, epoch: int, epochs: int) -> float:
        """Half a cosine from 1 to `final`."""
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * epoch / epochs)) / 2


@dataclass(frozen=True)
class Step(Schedule):
    """The learning rate is multiplied by a factor at regular intervals."""

    title = "stepwise decay"

    every: int = parameter(..., "epochs between two steps", minimum=1)
    gamma: float = parameter(0.1, "factor by which each step multiplies the learning rate", exclusiveMinimum=0)

    def factor(self, epoch: int, epochs: int) -> float:  # noqa: ARG002
        """A power of gamma."""
        return float(self.gamma ** (epoch // self.every))


SCHEDULES: dict[str, type[Schedule]] = {"constant": Constant, "cosine": Cosine, "step": Step}
