"""The base class of all arms, and what arms that standardize by statistics share.

Tensors are stacked over seeds, `x` is [seeds, batch, width]; parameters and buffers are [seeds, 1, width]. Gradients
come from autograd unless a class gives `backward` by hand.

torch is imported for its types alone, since tensors bring their own methods: so the planner can read the arms' names
and parameters from here without paying for the import.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from bnbench.catalogue.parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor

    Tensors = dict[str, Tensor]


class Moments(NamedTuple):
    """The moments of a network's single input over the examples of a batch."""

    mean: Tensor
    """[seeds, 1, 1]"""
    variance: Tensor
    """Biased, [seeds, 1, 1]"""
    examples: int
    """How many there are."""


@dataclass(frozen=True)
class Norm(ABC):
    """What every arm may define; `forward` is all that it must define."""

    placement: str = parameter(
        "before", "whether it comes before or after the activation", enum=["before", "after"], since="0.4.0"
    )
    on: tuple[str, ...] = parameter(
        ("hidden",),
        "what is normalized: the hidden layers, the network's input, its output",
        items={"enum": ["hidden", "input", "output"]},
        minItems=1,
        uniqueItems=True,
        since="0.4.0",
    )
    layers: tuple[str, ...] = parameter(
        ("*",),
        "patterns for the names of the normalized layers, as in PyTorch's `named_modules`: `block1.*`",
        items={"minLength": 1},
        minItems=1,
        uniqueItems=True,
        since="0.4.0",
    )

    title: ClassVar[str]
    """What the arm is called in sentences and figures; by default its name in the registry."""
    replaces_bias: ClassVar[bool] = False
    """Whether a shift of its input has no effect, so that the linear layer before it goes without a bias."""
    batch_statistics: ClassVar[bool] = False
    """Whether training normalizes by the batch, so that a batch needs at least two examples."""
    needs_positions: ClassVar[bool] = False
    """Whether it normalizes over positions, such as those of an image: a perceptron's activations have none."""
    measures: ClassVar[bool] = False
    """Whether it needs more of the training set than `population` gives: see `roots` and `measure`."""
    backward: ClassVar[Callable[..., Any] | None] = None
    """`backward(dy, saved, parameters) -> (dx, gradients)`, an option; without it autograd serves `forward`."""

    of_linear: ClassVar[Callable[..., Any] | None] = None
    """`of_linear(weight, moments, parameters, buffers) -> (weight, bias, saved)`, an option beside `backward`.

    What `forward` does behind a linear layer that scales a lone input by `weight`, [seeds, 1, width], told as another
    linear layer of c, that input less its mean: its weight, and its bias or None. `moments` are those of the input.
    Saves all passes over activations. Asked where `blocks` is 1. Several inputs are not worth it: with their covariance
    the variance cancels where they correlate, see tests/benchmarks/NOTES.md.
    """
    of_linear_backward: ClassVar[Callable[..., Any] | None] = None
    """`of_linear_backward(dy, dweight, saved) -> gradients`: turns Σ dy c in `dweight` into the weight's gradient."""

    def __init_subclass__(cls) -> None:
        """Drop inherited shortcuts for `forward` and `backward` if the class redefines these."""
        super().__init_subclass__()
        if {"forward", "backward"} & {*vars(cls)} and "of_linear" not in vars(cls):
            cls.of_linear = cls.of_linear_backward = None

    def at(self, progress: float) -> Norm:  # noqa: ARG002
        """The norm that is in force from this share of the epochs on."""
        return self

    def drops_bias(self) -> bool:
        """Whether the linear layers and convolutions before it go without a bias, where bnbench places it."""
        return self.replaces_bias and self.placement == "before" and "hidden" in self.on

    def stacks(self) -> bool:
        """Whether stacked perceptrons can be trained with it: in every hidden layer, before the activation."""
        placed = (self.placement, self.on, self.layers) == ("before", ("hidden",), ("*",))
        return placed and not self.needs_positions

    def misfit(self, channels: int) -> str:  # noqa: ARG002
        """Why it cannot normalize this number of channels, such as the units of a layer; empty if it can."""
        return ""

    def leaves_nothing(self, channels: int) -> bool:  # noqa: ARG002
        """Whether it would normalize each unit separately, one number per example, so that nothing remains."""
        return self.needs_positions

    def refreshed_every(self) -> int:
        """Steps after which the buffers are measured again on the whole training set; 0: never."""
        return 0

    def is_fixed(self) -> bool:
        """Whether the buffers are what the network was trained for, so that nothing else is precise."""
        return False

    def blocks(self, examples: int) -> int:  # noqa: ARG002
        """How many normalizations a step of `examples` takes, one after another."""
        return 1

    def parameters(self) -> dict[str, float]:
        """Trained parameters and the value they start from."""
        return {}

    def buffers(self) -> dict[str, float]:
        """Running statistics and the value they start from."""
        return {}

    @abstractmethod
    def forward(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> tuple[Tensor, Any]:
        """Training mode: the normalized `x`, and what `backward` wants to keep.

        Updates the buffers in place, and may overwrite `x`.
        """

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:
        """Evaluation mode: the same function, which leaves `x` and the buffers as they are.

        A norm with buffers says here how it uses them.
        """
        return self.forward(x.clone(), parameters, {name: kept.clone() for name, kept in buffers.items()})[0]

    def population(self, blocks: Iterable[Tensor]) -> Tensors:  # noqa: ARG002
        """The buffers that the whole training set gives; `blocks` are its parts, each [seeds, block, width].

        Those that are left out keep the values that training gave them.
        """
        return {}

    def roots(self, gradient: Tensor, hessian_roots: Sequence[Tensor]) -> Sequence[Tensor]:  # noqa: ARG002
        """Of an output's loss, what `measure` wants to see come back to this norm, each [seeds, block, outputs].

        Either the loss's gradient, or tensors v with Σ v vᵀ its Hessian.
        """
        return ()

    def measure(self, dys: Sequence[Tensor], saved: Any, parameters: Tensors) -> Tensors:  # noqa: ARG002
        """Sums over the examples of a block, for the buffers of these names, which take their means.

        The number of training points goes into the buffer `points`.

        Args:
            dys: what of each of `roots` came back to this norm's output, [seeds, block, width].
            saved: what `forward` wanted to keep.
            parameters: the trained ones.
        """
        return {}


class Standardizing(Norm):
    """Arms that subtract a mean and divide by a deviation which they keep, then scale and shift."""

    eps: float
    affine: bool

    replaces_bias = True

    def parameters(self) -> dict[str, float]:
        """γ and β."""
        return {"gamma": 1.0, "beta": 0.0} if self.affine else {}

    def buffers(self) -> dict[str, float]:
        """Mean and variance."""
        return {"mean": 0.0, "variance": 1.0}

    def evaluate(self, x: Tensor, parameters: Tensors, buffers: Tensors) -> Tensor:
        """γ (x − mean)/√(variance + eps) + β with the statistics in `buffers`, in one pass over `x`."""
        slope = (buffers["variance"] + self.eps).rsqrt_()
        if self.affine:
            slope.mul_(parameters["gamma"])
        offset = buffers["mean"] * -slope
        return (offset.add_(parameters["beta"]) if self.affine else offset).addcmul(x, slope)

    def population(self, blocks: Iterable[Tensor]) -> Tensors:
        """Precise statistics: moments pooled over all examples (Wu & Johnson 2021, section 3).

        Pooled block by block by the update of Chan, Golub & LeVeque (1979), which does not cancel in float32.
        """
        count = 0
        pooled: Any = 0.0
        squares: Any = 0.0
        for x in blocks:
            size, mean = x.shape[1], x.mean(1, keepdim=True)
            shift = mean - pooled
            squares = squares + (x - mean).square().sum(1, keepdim=True)
            squares = squares + shift.square() * (count * size / (count + size))
            pooled = pooled + shift * (size / (count + size))
            count += size
        return {"mean": pooled, "variance": squares / count}

    def _scaled(self, centred: Tensor, scale: Tensor, parameters: Tensors) -> tuple[Tensor, Any]:
        """γ c s + β, and what `backward` wants: the centred x as c, s, and the slope γ s."""
        if not self.affine:
            return centred * scale, (centred, scale, scale)
        slope = scale * parameters["gamma"]
        return parameters["beta"].addcmul(centred, slope), (centred, scale, slope)
