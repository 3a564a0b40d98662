"""The modular engine: any network, one seed at a time, as a loop in plain PyTorch trains it.

A trial's bits depend on its setting and its seed alone: everything random comes from streams keyed by (seed, role,
epoch), and on a CPU each network trains on one thread.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache, cached_property, partial
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from bnbench.catalogue import networks, own, tasks
from bnbench.catalogue.norms import NORMS, Identity
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.catalogue.parameters import build
from bnbench.catalogue.schedules import SCHEDULES
from bnbench.epochs import batch_bounds
from bnbench.errors import first_line
from bnbench.streams import seed_of
from bnbench.trainer import building, classes, draws, forms, packing, points, scores, usercode
from bnbench.trainer.classes import Counts
from bnbench.trainer.devices import plain
from bnbench.trainer.examples import EVALUATED, Batch, Blocks, Dense
from bnbench.trainer.lanes import Lanes
from bnbench.trainer.norms_in_use import NormsInUse
from bnbench.trainer.objectives import Objective
from bnbench.trainer.optimizers import Losses, Optimizers
from bnbench.trainer.orders import of_blocks, orders
from bnbench.trainer.own_metrics import OwnMetrics
from bnbench.trainer.packing import Bytes
from bnbench.trainer.points import Points, Seen
from bnbench.trainer.snapshot import Kept
from bnbench.trainer.steps import Batches, CapturedSteps, PlainSteps, Steps
from bnbench.vocabulary import BATCH, VALIDATION

OWN_CODE = ("network", "norm", "loss", "optimizer")
"""Keys that may call the user's own code, in the order in which an error is most likely there."""

_BLOCK = 4096  # examples that are evaluated at once, or fewer where they are large
_NUMBERS = 2**20  # of the examples of a block


class ModularEngine:
    """The networks of some seeds while they train, see `engine.Engine`."""

    def __init__(self, trainees: Sequence[Trainee], device: torch.device) -> None:
        self._trainees, self._device = trainees, device
        self._lanes = Lanes(device, len(trainees))
        self.hashes = [trainee.weights_hash for trainee in trainees]

    @classmethod
    def of(cls, spec: Mapping[str, Any], seeds: list[int], data: Sequence[Points], device: torch.device) -> Self:
        """The engine of a setting, each seed with its own points and initial weights."""
        with plain(device):
            both = zip(seeds, data, strict=True)
            return cls([Trainee(spec, seed, each, device) for seed, each in both], device)

    def empty(self, epochs: int) -> Tensor:
        """See `engine.Engine`."""
        return torch.empty((epochs, len(self._trainees)), dtype=self._trainees[0].dtype, device=self._device)

    def train_epoch(self, epoch: int, factor: float) -> Tensor:
        """See `engine.Engine`."""
        with plain(self._device):
            return torch.stack(self._lanes.each(lambda trainee: trainee.train_epoch(epoch, factor), self._trainees))

    def evaluate(self, epochs: int) -> dict[str, Tensor]:
        """See `engine.Engine`."""
        with plain(self._device), torch.no_grad():
            found = self._lanes.each(lambda trainee: trainee.evaluate(epochs), self._trainees)
        return {name: torch.stack([each[name] for each in found]) for name in found[0]}

    def fit(self) -> Tensor:
        """See `engine.Engine`."""
        with plain(self._device), torch.no_grad():
            return torch.stack(self._lanes.each(Trainee.fit, self._trainees))

    def classes(self) -> Counts | None:
        """See `engine.Engine`."""
        with plain(self._device), torch.no_grad():
            found = self._lanes.each(Trainee.classes, self._trainees)
        counted = [each for each in found if each is not None]
        return np.concatenate(counted) if counted else None

    def snapshot(self) -> Kept:
        """See `engine.Engine`."""
        return Kept({"state": packing.stacked([trainee.state() for trainee in self._trainees])}, {})

    def misfit(self, kept: Kept) -> str:
        """See `engine.Engine`."""
        rows = kept.stacked.get("state")
        if rows is None or rows.dtype != np.uint8 or rows.shape[:-1] != (len(self._trainees),) or len(kept.stacked) > 1:
            return forms.difference(forms.of(kept.stacked), {"state": f"uint8 [{len(self._trainees)}, bytes]"})
        both = zip(self._trainees, rows, strict=True)
        return next(filter(None, (trainee.misfit(content) for trainee, content in both)), "")

    def restore(self, kept: Kept, epochs: int) -> None:
        """See `engine.Engine`."""
        for trainee, content in zip(self._trainees, kept.stacked["state"], strict=True):
            trainee.take_up(content, epochs)


class Trainee:
    """One network while it trains, with its points and its optimizer."""

    def __init__(self, spec: Mapping[str, Any], seed: int, data: Points, device: torch.device) -> None:
        self._spec, self._device = spec, device
        self._task = tasks.of(spec)
        shape, self.dtype = self._task.shape(), getattr(torch, spec["dtype"])
        self._module, self.weights_hash = building.network(spec, seed)
        building.cast(self._module, self.dtype, device)
        self._varied = spec["seed_varies"]
        ordered_by = seed_of("order", seed, self._varied)
        self._examples = points.opened(data, Seen(shape, self.dtype, device, ordered_by))
        self._train = self._examples["train"]
        self._norm = norm = build(NORMS, spec["norm"])
        self._norms = NormsInUse(norm, self._module)
        self._objective, self._metrics = Objective(spec), OwnMetrics(spec)
        constant = build(SCHEDULES, spec["schedule"]).is_constant()
        self._optimizers = Optimizers(build(OPTIMIZERS, spec["optimizer"]), self._module, constant_rate=constant)
        self._epochs, self._seed = spec["epochs"], seed
        count, full = len(self._train), spec["batch_size"] == "full"
        batch_size = count if full else int(spec["batch_size"])
        self._bounds = [*pairwise(batch_bounds(count, batch_size))]
        self._accumulated = spec.get("accumulate", 1)
        self._block = batch_size if self._norms.by_batch else _block(shape)
        shuffled = not full or norm.blocks(batch_size) > 1
        self._orders = orders([ordered_by], count, spec["epochs"], device) if shuffled else None
        self._steps = self._new_steps()
        self._known = {*dict(self._module.named_parameters())}
        with _told(spec, "runs the network"), self._norms.checked(where_of(spec, "network")):
            self._norms.look(self._train.few(2, EVALUATED)[0])

    @cached_property
    def points(self) -> Batch:
        """All training points, of which there are few in a dry run."""
        return self._train.few(len(self._train), EVALUATED)

    def output(self, *, training: bool = True) -> Any:
        """What the network gives for all training points in training mode, or in evaluation mode."""
        with _told(self._spec, "runs the network"), self._norms.checked(where_of(self._spec, "network")):
            self._module.train(training)
            return self._module(self.points[0])

    def changes(self) -> int:
        """How often its points have been changed in place."""
        return sum(each.changes() for each in self._examples.values()) + sum(each._version for each in self.points)

    @property
    def tested(self) -> int:
        """Number of its test points."""
        return len(self._examples["test"])

    def uses_norm(self) -> bool:
        """Whether the network runs a layer of the norm, where there is one to run."""
        with _told(self._spec, "runs the network"):
            return isinstance(self._norm, Identity) or self._norms.are_used(self.points[0])

    def unknown(self) -> list[str]:
        """Names of parameters that the network created after its optimizer, so that they are not trained."""
        return [name for name, _ in self._module.named_parameters() if name not in self._known]

    def loss(self, output: Tensor) -> Any:
        """The loss of every training point, given the network's outputs."""
        with _told(self._spec, "computes the loss"):
            return self._objective(output, self.points[1])

    def train_epoch(self, epoch: int, factor: float) -> Tensor:
        """Train one epoch; the mean of the batches' losses, a scalar."""
        with _told(self._spec, "trains"):
            return self._train_epoch(epoch, factor)

    def _train_epoch(self, epoch: int, factor: float) -> Tensor:
        self._draw_as(f"forward.{epoch}")
        self._optimizers.set_rate(factor)
        if self._norms.begin(epoch / self._epochs):
            self._steps = self._new_steps()
        self._module.train()
        self._steps.begin(next(self._orders)[0] if self._orders else None, f"forward.{epoch}")
        steps = [self._bounds[at : at + self._accumulated] for at in range(0, len(self._bounds), self._accumulated)]
        for place, bounds in enumerate(steps):
            self._refresh(epoch * len(steps) + place)
            self._steps.step(bounds)
        return self._steps.losses().mean()

    def _new_steps(self) -> Steps:
        """How steps are taken: captured on a GPU, where the optimizer allows it."""
        if self._device.type == "cuda" and self._optimizers.captures and self._train.captures:
            losses = torch.zeros(len(self._bounds), dtype=self.dtype, device=self._device)
            return CapturedSteps(self._train, self._update, self._module, losses, _say_not_captured)
        if self._device.type == "cuda":
            why = "the optimizer keeps count or takes its rate" if self._train.captures else "examples are loaded"
            _say_not_captured(f"{why} on the host")
        return PlainSteps(self._train, self._bounds, self._update)

    def _update(self, batches: Batches) -> list[Tensor]:
        return self._optimizers.step(partial(self._gradients, batches))

    def _gradients(self, batches: Batches) -> Losses:
        """Fill the gradients of the mean loss of all examples of some batches."""
        examples = sum(len(x) for x, _ in batches)
        losses, parts = [], []
        for x, y in batches:
            loss = self._objective(self._module(x), y).mean()
            part = loss if len(batches) == 1 else loss * (len(x) / examples)
            torch.autograd.backward(part)
            losses.append(loss.detach())
            parts.append(part.detach())
        return losses, parts

    def _refresh(self, step: int) -> None:
        """Measure the norm's statistics again if that is due before a step."""
        every = self._norms.refreshed_every()
        if every and step % every == 0:
            with torch.no_grad():
                self._norms.measure(self._blocks())
            self._module.train()

    def evaluate(self, epochs: int) -> dict[str, Tensor]:
        """What is measured in evaluation mode, scalars by their names in the tables."""
        with _told(self._spec, "evaluates the network"):
            return self._evaluate(epochs)

    def _evaluate(self, epochs: int) -> dict[str, Tensor]:
        fit, target = self._tested(epochs)
        found = {"eval_loss": self._mean_loss("train"), "test_loss": self._objective(fit, target).mean()}
        found["test_loss_precise"] = found["test_loss"]
        if self._norms.has_precise():
            with self._norms.precise(self._blocks()):
                found["test_loss_precise"] = self._mean_loss("test")
        if "validation" in self._examples:
            found[VALIDATION] = self._mean_loss("validation")
        found[BATCH] = self._loss_by_batch(found["test_loss"])
        scored = scores.of(self._task, fit[None], target[None])
        found |= {name: values[0] for name, values in scored.items()}
        return found | self._metrics.of(self._seed, epochs, fit, target)

    def _tested(self, epochs: int) -> Batch:
        """The outputs for the test points after so many epochs, the first that an evaluation computes; and targets."""
        self._draw_as(f"forward.evaluate.{epochs}")
        self._refresh(epochs * -(-len(self._bounds) // self._accumulated))
        self._module.eval()
        return self._outputs("test")

    def passes(self, examples: int) -> int:
        """How often a network runs over that many training examples in an evaluation."""
        blocks = len(batch_bounds(examples, self._block)) - 1
        return 1 + self._norms.passes(blocks)

    def run_block(self, examples: int) -> None:
        """Run the network in evaluation mode on as many of the examples as are evaluated at once."""
        rows = torch.arange(min(examples, self._block)) % len(self._train)
        with _told(self._spec, "evaluates the network"):
            self._module.eval()
            self._module(self._train.pick(rows, EVALUATED)[0])

    def fit(self) -> Tensor:
        """The first output at the test points, [points]."""
        self._draw_as("forward.fit")
        self._module.eval()
        with _told(self._spec, "evaluates the network"):
            return self._outputs("test")[0][:, 0]

    def classes(self) -> Counts | None:
        """How many test points of each class are classified as each, [1, classes, classes]; None if not counted."""
        if not tasks.counted_classes(self._task):
            return None
        with _told(self._spec, "evaluates the network"):
            output, target = self._tested(self._epochs)
        return classes.counts(self._task, output[None], target[None])

    def state(self) -> Bytes:
        """Everything that the following epochs depend on."""
        with _told(self._spec, "keeps the network"):
            network, buffers = self._module.state_dict(), dict(self._module.named_buffers())
            return packing.packed({"network": network, "buffers": buffers, "optimizers": self._optimizers.state()})

    def misfit(self, content: Bytes) -> str:
        """In what this is not as `state` has it after some epochs, in words; empty if it is."""
        try:
            found = packing.unpacked(content, self._device)
            network, buffers, kept = (found[name] for name in ("network", "buffers", "optimizers"))
            partly = isinstance(networks.of(self._spec), networks.OwnNetwork)
            odd = building.misfit(self._module, network, buffers, partly=partly)
            return odd or self._optimizers.misfit(kept, partly=partly)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError) as error:
            return f"no state of a network: {first_line(error)}"

    def take_up(self, content: Bytes, epochs: int) -> None:
        """Restore what `state` returned after that many epochs."""
        found = packing.unpacked(content, self._device)
        with _told(self._spec, "restores the network"):
            building.take_buffers(self._module, found["buffers"], found["network"])
            self._module.load_state_dict(found["network"])
            self._optimizers.take_up(found["optimizers"])
        for _ in range(epochs if self._orders else 0):
            next(self._orders)  # type: ignore[arg-type]

    def _draw_as(self, role: str) -> None:
        """Have what the network draws from here on depend on the seed and this role alone."""
        draws.seed_everything(seed_of("order", self._seed, self._varied), role)

    def _outputs(self, name: str) -> Batch:
        """The network's outputs for some of its points, and their targets, [points, outputs] both."""
        examples = self._examples[name]
        bounds = [*pairwise(batch_bounds(len(examples), self._block))]
        if not self._norms.by_batch:
            return _joined([(self._module(x), y) for x, y in examples.batches(bounds, None, EVALUATED)])
        order = self._order(name)
        output, target = _joined([(self._module(x), y) for x, y in examples.batches(bounds, order, EVALUATED)])
        return output[order.argsort()], target[order.argsort()]

    def _order(self, name: str) -> Tensor:
        """The order of some of its points where they are taken in batches, each with statistics of its own."""
        drawn = of_blocks(seed_of("order", self._seed, self._varied), f"{name}_x", len(self._examples[name]))
        return torch.from_numpy(drawn).to(self._device)

    def _mean_loss(self, name: str) -> Tensor:
        """The mean loss of some of its points, a scalar.

        Of shared rows it is taken block by block: all outputs may be much larger than the rows.
        """
        if isinstance(self._examples[name], Dense) or self._norms.by_batch:
            return self._objective(*self._outputs(name)).mean()
        examples = self._examples[name]
        bounds = [*pairwise(batch_bounds(len(examples), self._block))]
        losses = torch.empty(len(examples), dtype=self.dtype, device=self._device)  # at once, not in holes of the heap
        for (start, stop), (x, y) in zip(bounds, examples.batches(bounds, None, EVALUATED), strict=True):
            losses[start:stop] = self._objective(self._module(x), y).flatten()
        return losses.mean()

    def _loss_by_batch(self, test_loss: Tensor) -> Tensor:
        """The test loss with each batch's own statistics, in batches of the training's size; NaN of a single point."""
        examples = self._examples["test"]
        size = len(self._train) if self._spec["batch_size"] == "full" else int(self._spec["batch_size"])
        if not self._norms.take_batches() or (self._norms.by_batch and size == self._block):
            return test_loss
        if len(examples) < 2:
            return test_loss * torch.nan
        batches = examples.batches([*pairwise(batch_bounds(len(examples), size))], self._order("test"), EVALUATED)
        with self._norms.as_in_training():
            output, target = _joined([(self._module(x), y) for x, y in batches])
        return self._objective(output, target).mean()

    def _blocks(self) -> Blocks:
        return Blocks(self._train, self._block, EVALUATED)


def _joined(parts: Sequence[Batch]) -> Batch:
    outputs, targets = zip(*parts, strict=True)
    return torch.cat(outputs), torch.cat(targets)


@cache
def _say_not_captured(reason: str) -> None:
    """Say so in the log, once a job."""
    print(f"steps are not captured in CUDA graphs, and take longer: {reason}", file=sys.stderr, flush=True)


def where_of(spec: Mapping[str, Any], kind: str) -> str:
    """The user's file and function, or the key of the config."""
    entry = spec.get(kind, networks.DEFAULT if kind == "network" else {"name": tasks.loss_of(spec)})
    return f"{entry['path']}: {entry['build']}" if entry["name"] == own.NAME else f"{kind} '{entry['name']}'"


def _told(spec: Mapping[str, Any], doing: str) -> AbstractContextManager[None]:
    """What tells an error in the user's own code, where a setting has any."""
    paths = [spec[kind]["path"] for kind in OWN_CODE if spec.get(kind, {}).get("name") == own.NAME]
    return usercode.told(paths[0], doing) if paths else nullcontext()


def _block(shape: tuple[int, ...]) -> int:
    """How many examples of this shape are evaluated at once."""
    return max(1, min(_BLOCK, _NUMBERS // int(np.prod(shape))))
