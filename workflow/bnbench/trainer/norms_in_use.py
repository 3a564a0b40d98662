"""The norm's layers of one network: what the epochs do to them, and statistics of the whole training set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import BatchNorm
from bnbench.trainer.norm_modules import ArmNorm
from bnbench.trainer.running_norms import PooledMoments


class NormsInUse:
    """The arm's layers in a network.

    Args:
        norm: the arm.
        network: that it stands in.
    """

    def __init__(self, norm: Norm, network: nn.Module) -> None:
        self._network = network
        self._layers: list[ArmNorm[Any]] = [each for each in network.modules() if isinstance(each, ArmNorm)]
        self.by_batch = isinstance(norm, BatchNorm) and norm.statistics == "batch"
        """Whether evaluation goes batch by batch, each with its own statistics."""

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

    @contextmanager
    def precise(self, blocks: Sequence[Tensor]) -> Iterator[None]:
        """Evaluate with the statistics of the whole training set under the present weights (Wu & Johnson 2021)."""
        kept = [(layer, {name: each.clone() for name, each in layer.named_buffers()}) for layer in self._layers]
        self.measure(blocks)
        yield
        for layer, buffers in kept:
            for name, values in buffers.items():
                layer.get_buffer(name).copy_(values)

    def measure(self, blocks: Sequence[Tensor]) -> None:
        """Take the statistics of the whole training set, layer by layer: each sees the layers before it normalized.

        In one pass where the set is one block. Else in a pass for each layer, since each wants the moments of all
        blocks.
        """
        self._network.eval()
        layers = [layer for layer in self._layers if layer.keeps]
        if len(blocks) == 1:
            for layer in layers:
                layer.measuring = True
            try:
                self._network(blocks[0])
            finally:
                for layer in layers:
                    layer.measuring = False
            return
        for layer in self._in_order(layers, blocks[0][:2]):
            pooled = PooledMoments()
            with _seen(layer, pooled.add):
                for block in blocks:
                    self._network(block)
            layer.take(*pooled.moments())

    @contextmanager
    def run(self) -> Iterator[list[ArmNorm[Any]]]:
        """The layers that run meanwhile, in their order, each as often as it does."""
        run: list[ArmNorm[Any]] = []
        hooks = [layer.register_forward_pre_hook(lambda module, _: run.append(module)) for layer in self._layers]
        try:
            yield run
        finally:
            for hook in hooks:
                hook.remove()

    def passes(self, blocks: int) -> int:
        """How often `measure` runs the network over the training set."""
        layers = sum(layer.keeps for layer in self._layers)
        return min(layers, 1) if blocks == 1 else layers

    def _in_order(self, layers: Sequence[ArmNorm[Any]], examples: Tensor) -> list[ArmNorm[Any]]:
        """The layers in the order in which the network calls them."""
        with self.run() as run:
            self._network(examples)
        return [layer for layer in dict.fromkeys(run) if layer in layers]


@contextmanager
def _seen(layer: nn.Module, by: Any) -> Iterator[None]:
    """Show what comes into a layer to a function."""
    hook = layer.register_forward_pre_hook(lambda _, inputs: by(inputs[0]))
    try:
        yield
    finally:
        hook.remove()
