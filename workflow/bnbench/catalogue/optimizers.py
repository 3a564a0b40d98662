"""Optimizers and learning-rate schedules: what the config may name, with parameters, ranges and defaults.

Every element-wise optimizer of `torch.optim` is here under its own parameters and defaults: one update of the stacked
weights is then the update of every seed by itself. L-BFGS (a line search over all weights), Adafactor and Muon
(statistics over whole matrices) would mix the seeds and are left out. No torch here: the planner reads this.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from bnbench.catalogue.parameters import parameter


def _rate(default: float) -> Any:
    return parameter(default, "learning rate", exclusiveMinimum=0)


def _weight_decay(default: float = 0.0) -> Any:
    return parameter(default, "weight decay", minimum=0)


def _eps(default: float = 1e-8) -> Any:
    return parameter(default, "added to the denominator", exclusiveMinimum=0)


def _betas() -> Any:
    share = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
    return parameter((0.9, 0.999), "decay rates of the running averages of the gradient and of its square", items=share)


def _momentum(default: float = 0.0) -> Any:
    return parameter(default, "momentum", minimum=0)


@dataclass(frozen=True)
class Optimizer:
    """An element-wise optimizer of `torch.optim`; the fields of a subclass are that class's keyword arguments."""

    torch_class: ClassVar[str]
    """Name of the class in `torch.optim`."""
    title: ClassVar[str]
    """What it is called in sentences and figures; by default its name in `torch.optim`."""
    fused: ClassVar[bool] = False
    """Whether torch has a kernel that makes the whole update in one pass over memory, on CPU and CUDA."""
    passes: ClassVar[int] = 13
    """About how many vectors an update reads and writes, counted in torch's code; by default the median of all here.

    It sizes the jobs and changes no number.
    """
    lr: float

    def __init_subclass__(cls) -> None:
        if "title" not in cls.__dict__:
            cls.title = cls.torch_class

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of the torch class."""
        return asdict(self)


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent, plain unless momentum is set."""

    torch_class = "SGD"
    fused = True
    passes = 5
    lr: float = _rate(0.001)
    momentum: float = _momentum()
    dampening: float = parameter(0.0, "dampening of the momentum", minimum=0)
    weight_decay: float = _weight_decay()
    nesterov: bool = parameter(False, "use Nesterov momentum")  # noqa: FBT003 - a default, not a flag in a call

    def __post_init__(self) -> None:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("nesterov needs momentum above 0 and no dampening")


@dataclass(frozen=True)
class Momentum(SGD):
    """Stochastic gradient descent with momentum 0.9."""

    title = "SGD with momentum"
    momentum: float = _momentum(0.9)


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma & Ba 2015)."""

    torch_class = "Adam"
    fused = True
    passes = 7
    lr: float = _rate(0.001)
    betas: tuple[float, float] = _betas()
    eps: float = _eps()
    weight_decay: float = _weight_decay()
    amsgrad: bool = parameter(False, "use the AMSGrad variant")  # noqa: FBT003


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    torch_class = "AdamW"
    weight_decay: float = _weight_decay(0.01)


@dataclass(frozen=True)
class Adamax(Optimizer):
    """Adam with the infinity norm (Kingma & Ba 2015)."""

    torch_class = "Adamax"
    passes = 16
    lr: float = _rate(0.002)
    betas: tuple[float, float] = _betas()
    eps: float = _eps()
    weight_decay: float = _weight_decay()


@dataclass(frozen=True)
class NAdam(Optimizer):
    """Adam with Nesterov momentum (Dozat 2016)."""

    torch_class = "NAdam"
    passes = 24
    lr: float = _rate(0.002)
    betas: tuple[float, float] = _betas()
    eps: float = _eps()
    weight_decay: float = _weight_decay()
    momentum_decay: float = parameter(0.004, "decay of the momentum", minimum=0)
    decoupled_weight_decay: bool = parameter(False, "decouple the weight decay, as AdamW does")  # noqa: FBT003


@dataclass(frozen=True)
class RAdam(Optimizer):
    """Adam with a rectified variance (Liu et al. 2020)."""

    torch_class = "RAdam"
    passes = 28
    lr: float = _rate(0.001)
    betas: tuple[float, float] = _betas()
    eps: float = _eps()
    weight_decay: float = _weight_decay()
    decoupled_weight_decay: bool = parameter(False, "decouple the weight decay, as AdamW does")  # noqa: FBT003


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton 2012)."""

    torch_class = "RMSprop"
    passes = 13
    lr: float = _rate(0.01)
    alpha: float = parameter(0.99, "decay rate of the running average of the squared gradient", minimum=0, maximum=1)
    eps: float = _eps()
    weight_decay: float = _weight_decay()
    momentum: float = _momentum()
    centered: bool = parameter(False, "divide by the running standard deviation of the gradient")  # noqa: FBT003


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan & Singer 2011)."""

    torch_class = "Adagrad"
    passes = 11
    lr: float = _rate(0.01)
    lr_decay: float = parameter(0.0, "decay of the learning rate", minimum=0)
    weight_decay: float = _weight_decay()
    initial_accumulator_value: float = parameter(0.0, "initial value of the sum of squared gradients", minimum=0)
    eps: float = _eps(1e-10)


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012)."""

    torch_class = "Adadelta"
    passes = 27
    lr: float = _rate(1.0)
    rho: float = parameter(0.9, "decay rate of the running averages", minimum=0, maximum=1)
    eps: float = _eps(1e-6)
    weight_decay: float = _weight_decay()


@dataclass(frozen=True)
class ASGD(Optimizer):
    """Averaged stochastic gradient descent (Polyak & Juditsky 1992); the network is judged by its last weights."""

    torch_class = "ASGD"
    passes = 9
    lr: float = _rate(0.01)
    lambd: float = parameter(1e-4, "decay of the learning rate", minimum=0)
    alpha: float = parameter(0.75, "exponent of the learning rate's decay", minimum=0)
    t0: float = parameter(1e6, "step at which averaging starts", minimum=0)
    weight_decay: float = _weight_decay()


@dataclass(frozen=True)
class Rprop(Optimizer):
    """Resilient backpropagation (Riedmiller & Braun 1993), meant for full batches."""

    torch_class = "Rprop"
    passes = 60
    lr: float = _rate(0.01)
    etas: tuple[float, float] = parameter((0.5, 1.2), "factors of decrease (below 1) and increase (above 1)")
    step_sizes: tuple[float, float] = parameter((1e-6, 50.0), "smallest and largest step")

    def __post_init__(self) -> None:
        if not 0 < self.etas[0] < 1 < self.etas[1]:
            raise ValueError("etas must be one number between 0 and 1 and one above 1")


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "adam": Adam,
    "adamw": AdamW,
    "adamax": Adamax,
    "nadam": NAdam,
    "radam": RAdam,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "asgd": ASGD,
    "rprop": Rprop,
}


@dataclass(frozen=True)
class Constant:
    """The learning rate stays as it is."""

    title = "constant rate"

    def factor(self, epoch: int, epochs: int) -> float:  # noqa: ARG002 - one signature for all schedules
        """What the learning rate is multiplied by in `epoch`, counted from 0, of `epochs`."""
        return 1.0


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from the full rate down to a share of it (Loshchilov & Hutter 2017, without restarts)."""

    title = "cosine decay"

    final: float = parameter(0.0, "share of the learning rate that remains at the end", minimum=0, maximum=1)

    def factor(self, epoch: int, epochs: int) -> float:
        """What the learning rate is multiplied by in `epoch`, counted from 0, of `epochs`."""
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * epoch / epochs)) / 2


@dataclass(frozen=True)
class Step:
    """The learning rate is multiplied by a factor every so many epochs."""

    title = "stepwise decay"

    every: int = parameter(..., "epochs between two steps", minimum=1)
    gamma: float = parameter(0.1, "factor by which each step multiplies the learning rate", exclusiveMinimum=0)

    def factor(self, epoch: int, epochs: int) -> float:  # noqa: ARG002
        """What the learning rate is multiplied by in `epoch`, counted from 0, of `epochs`."""
        return float(self.gamma ** (epoch // self.every))


Schedule = Constant | Cosine | Step

SCHEDULES: dict[str, type[Schedule]] = {"constant": Constant, "cosine": Cosine, "step": Step}
