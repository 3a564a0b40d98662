"""The norm's layers of one network: what the epochs do to them, and statistics of the whole training set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import BatchNorm
from bnbench.errors import UserError
from bnbench.trainer.norm_modules import ArmNorm
from bnbench.trainer.running_norms import PooledMoments


class NormsInUse:
    """The arm's layers in a network.

    Args:
        norm: the arm.
        network: that it is in.
    """

    def __init__(self, norm: Norm, network: nn.Module) -> None:
        self._network = network
        self._layers: list[ArmNorm[Any]] = [each for each in network.modules() if isinstance(each, ArmNorm)]
        self.by_batch = isinstance(norm, BatchNorm) and norm.statistics == "batch"
        """Whether evaluation goes batch by batch, each with its own statistics."""
        self._repeats: bool | None = None  # whether a layer is called several times; known after `look`

    def look(self, examples: Tensor) -> None:
        """See how the network calls its layers, where statistics are to be measured.

        Once, before anything else runs: a call in between would draw random numbers, and what follows would have other
        bits after an interruption.
        """
        if self.has_precise():
            with torch.no_grad():
                self._network.eval()
                calls = self._calls(self._layers, examples)
            self._repeats = len(calls) > len({*calls})

    def begin(self, progress: float) -> bool:
        """Do what is due from this share of the epochs on; whether steps do something else from now on."""
        before = [(layer.keeps, layer.every) for layer in self._layers]
        for layer in self._layers:
            layer.begin(progress)
        return before != [(layer.keeps, layer.every) for layer in self._layers]

    def refreshed_every(self) -> int:
        """Steps after which `measure` is due; 0: never."""
        return max((layer.every for layer in self._layers), default=0)

    def has_precise(self) -> bool:
        """Whether there are running statistics that precise ones may stand in for."""
        return any(layer.keeps for layer in self._layers)

    def take_batches(self) -> bool:
        """Whether training normalizes by the batch at present, as far as is known."""
        return any(layer.takes_batches for layer in self._layers)

    def are_used(self, examples: Tensor) -> bool:
        """Whether the network calls any of them."""
        return bool(self._calls(self._layers, examples))

    def checked(self, where: str) -> AbstractContextManager[None]:
        """Refuse meanwhile what has other channels than its layer was made for, as a mistake at this place."""

        def check(layer: ArmNorm[Any], x: Tensor) -> None:
            if x.dim() < 2 or x.shape[1] != layer.channels:
                raise UserError(
                    f"{where}: a norm of {layer.channels} channels gets {list(x.shape)} for {len(x)} examples, "
                    f"allowed: [{len(x)}, {layer.channels}, …], the channels right behind the examples"
                )

        return _seen(self._layers, check)

    @contextmanager
    def precise(self, blocks: Sequence[Tensor]) -> Iterator[None]:
        """Evaluate with the statistics of the whole training set under the present weights (Wu & Johnson 2021)."""
        with self._buffers_kept():
            self.measure(blocks)
            yield

    @contextmanager
    def as_in_training(self) -> Iterator[None]:
        """Evaluate with the layers in training mode, and nothing else: no dropout; their buffers stay as they are."""
        self._network.eval()
        with self._buffers_kept():
            for layer in self._layers:
                layer.train()
            yield
            self._network.eval()

    @contextmanager
    def _buffers_kept(self) -> Iterator[None]:
        """Put back afterwards what the layers keep."""
        kept = [(layer, {name: each.clone() for name, each in layer.named_buffers()}) for layer in self._layers]
        try:
            yield
        finally:
            for layer, buffers in kept:
                for name, values in buffers.items():
                    layer.get_buffer(name).copy_(values)

    def measure(self, blocks: Sequence[Tensor]) -> None:
        """Take the statistics of the whole training set, layer by layer: each sees the layers before it normalized.

        In one pass where the set is one block. Else in a pass for each layer, since each wants the moments of all
        blocks; and so where a layer is called several times, as by a recurrent network, since it wants those of all
        calls. Such a layer meanwhile normalizes by the statistics that it had.
        """
        self._network.eval()
        layers = [layer for layer in self._layers if layer.keeps]
        if self._repeats is None:
            self.look(blocks[0][:2])
        if len(blocks) == 1 and not self._repeats:
            self._measure_at_once(layers, blocks[0])
            return
        for layer in dict.fromkeys(self._calls(layers, blocks[0][:2])):
            layer.take(*self._moments(layer, blocks))

    def _moments(self, layer: ArmNorm[Any], blocks: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Mean and biased variance of what comes into a layer, over all blocks."""
        pooled = PooledMoments()
        with _seen([layer], lambda _, x: pooled.add(x)):
            for block in blocks:
                self._network(block)
        return pooled.moments()

    def _measure_at_once(self, layers: Sequence[ArmNorm[Any]], examples: Tensor) -> None:
        for layer in layers:
            layer.measuring = True
        try:
            self._network(examples)
        finally:
            for layer in layers:
                layer.measuring = False

    def passes(self, blocks: int) -> int:
        """How often `measure` runs the network over the training set."""
        layers = sum(layer.keeps for layer in self._layers)
        return min(layers, 1) if blocks == 1 and not self._repeats else layers

    def _calls(self, layers: Sequence[ArmNorm[Any]], examples: Tensor) -> list[ArmNorm[Any]]:
        """The layers in the order in which the network calls them, as often as it does."""
        calls: list[ArmNorm[Any]] = []
        with _seen(layers, lambda layer, _: calls.append(layer)):
            self._network(examples)
        return calls


@contextmanager
def _seen(layers: Sequence[ArmNorm[Any]], by: Callable[[Any, Tensor], None]) -> Iterator[None]:
    """Show a function what comes into layers."""
    hooks = [layer.register_forward_pre_hook(lambda module, inputs: by(module, inputs[0])) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
