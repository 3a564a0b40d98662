"""Optimizers: what the config may name, with parameters, ranges and defaults.

Those of `torch.optim` are here with their own parameters and defaults. An element-wise optimizer that updates the
stacked weights once updates every seed as if alone. L-BFGS (a line search over all weights), Adafactor and
Muon (statistics over whole matrices) would mix the seeds, so their networks train one at a time. Schedules are in
`schedules`. No torch here: the planner reads this.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from bnbench.catalogue.own import OwnCode
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
    """An optimizer of `torch.optim`; the fields of a subclass are that class's keyword arguments."""

    torch_class: ClassVar[str]
    """Name of the class in `torch.optim`."""
    title: ClassVar[str]
    """Its name in sentences and figures; by default that in `torch.optim`."""
    fused: ClassVar[bool] = False
    """Whether torch has a kernel that makes the whole update in one pass over memory, on CPU and CUDA."""
    passes: ClassVar[int] = 13
    """About how many vectors an update reads and writes, counted in torch's code; by default the median of all here.

    It sizes the jobs and changes no number.
    """
    elementwise: ClassVar[bool] = True
    """Whether it updates each weight independently, so that networks can train side by side in one vector."""
    lr: float
    clip: float | None = parameter(
        None,
        "the largest allowed norm of a network's gradient; a longer one is scaled down to it; null does not clip",
        exclusiveMinimum=0,
        since="0.4.0",
    )
    weight_decay_on: str = parameter(
        "all",
        "what weight decay acts on: all parameters, or only weights, without biases and the norms' γ and β",
        enum=["all", "weights"],
        since="0.4.0",
    )

    def __init_subclass__(cls) -> None:
        if "title" not in cls.__dict__:
            cls.title = cls.torch_class

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of the torch class."""
        return {name: value for name, value in asdict(self).items() if name not in ("clip", "weight_decay_on")}


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
    """Resilient backpropagation (Riedmiller & Braun 1993), meant for full batches.

    It uses only the signs of gradients, so there is no `clip`.
    """

    torch_class = "Rprop"
    passes = 60
    derived = ("clip", "weight_decay_on")
    lr: float = _rate(0.01)
    etas: tuple[float, float] = parameter((0.5, 1.2), "factors of decrease (below 1) and increase (above 1)")
    step_sizes: tuple[float, float] = parameter((1e-6, 50.0), "smallest and largest step")

    def __post_init__(self) -> None:
        if not 0 < self.etas[0] < 1 < self.etas[1]:
            raise ValueError("etas must be one number between 0 and 1 and one above 1")


@dataclass(frozen=True)
class LBFGS(Optimizer):
    """L-BFGS, a quasi-Newton method that runs through a batch several times per step (Liu & Nocedal 1989).

    It searches along whole gradients, so there is no `clip`.
    """

    torch_class = "LBFGS"
    title = "L-BFGS"
    elementwise = False
    derived = ("clip", "weight_decay_on")
    lr: float = _rate(1.0)
    max_iter: int = parameter(20, "iterations in a step", minimum=1)
    tolerance_grad: float = parameter(1e-7, "gradient at which a step ends", minimum=0)
    tolerance_change: float = parameter(1e-9, "change of the loss or the weights at which a step ends", minimum=0)
    history_size: int = parameter(100, "updates that it remembers", minimum=1)
    line_search_fn: str | None = parameter(
        None, "how the length of an update is found; null uses lr", enum=["strong_wolfe", None]
    )


@dataclass(frozen=True)
class Adafactor(Optimizer):
    """Adafactor (Shazeer & Stern 2018), which stores the squares of the gradient by rows and columns."""

    torch_class = "Adafactor"
    elementwise = False
    lr: float = _rate(0.01)
    beta2_decay: float = parameter(-0.8, "exponent with which the average of the squared gradient slows down")
    d: float = parameter(1.0, "largest root mean square of an update", exclusiveMinimum=0)
    weight_decay: float = _weight_decay()


@dataclass(frozen=True)
class Muon(Optimizer):
    """Muon (Jordan et al. 2024) for matrices and filters, and AdamW for biases, norms and the like."""

    torch_class = "Muon"
    elementwise = False
    lr: float = _rate(0.001)
    weight_decay: float = _weight_decay(0.1)
    momentum: float = _momentum(0.95)
    nesterov: bool = parameter(True, "use Nesterov momentum")  # noqa: FBT003
    ns_steps: int = parameter(5, "iterations of Newton and Schulz", minimum=1, maximum=99)
    adjust_lr_fn: str = parameter(
        "match_rms_adamw",
        "how the rate is adjusted to the shape of a matrix; match_rms_adamw makes updates as large as AdamW's",
        enum=["original", "match_rms_adamw"],
    )


@dataclass(frozen=True)
class OwnOptimizer(OwnCode, Optimizer):
    """Your own optimizer: a class or function in a Python file, called with `params`, `lr` and its own options."""

    title = "own optimizer"
    elementwise = False
    supplied = ("params", "lr")
    lr: float = parameter(..., "the learning rate", exclusiveMinimum=0)


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
    "lbfgs": LBFGS,
    "adafactor": Adafactor,
    "muon": Muon,
    "module": OwnOptimizer,
}
