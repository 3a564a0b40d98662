"""Steps that are captured in graphs, as far as a CPU can show: with a graph that does again what it was shown."""

import contextlib
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from bnbench.catalogue.rows import Stored
from bnbench.trainer.examples import Converted, Dense, OnDevice
from bnbench.trainer.steps import CapturedSteps, PlainSteps

BOUNDS = [[(0, 4), (4, 8)], [(8, 12), (12, 16)], [(16, 20), (20, 23)]]
"""Three steps by two batches each, the last of them short."""


@pytest.fixture
def graphs(monkeypatch):
    """Stand-ins for CUDA's graphs; gives what was captured and how often each was replayed."""
    made = []

    class Graph:
        def __init__(self):
            self.replayed, self.work = 0, None
            made.append(self)

        def replay(self):
            self.replayed += 1
            self.work()

    taken = CapturedSteps._take

    @contextlib.contextmanager
    def capture(graph, **options):
        def shown(self, sizes):
            graph.work = lambda: taken(self, sizes)

        with monkeypatch.context() as patched:
            patched.setattr(CapturedSteps, "_take", shown)
            yield

    stand_ins = SimpleNamespace(CUDAGraph=Graph, graph=capture, current_stream=lambda: None, synchronize=lambda: None)
    for name, stand_in in vars(stand_ins).items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    return made


def points():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(23, 3, generator=generator), torch.randn(23, 1, generator=generator)


def network():
    return nn.Linear(3, 1)


def updating(module, optimizer):
    def update(batches):
        optimizer.zero_grad()
        losses = [(module(x) - y).square().mean() for x, y in batches]
        torch.stack(losses).sum().backward()
        optimizer.step()
        return [loss.detach() for loss in losses]

    return update


def losses(make, epochs=4):
    """What the steps of `make(update, module)` give in all epochs, each in an order of its own."""
    torch.manual_seed(0)
    module = network()
    steps = make(updating(module, torch.optim.SGD(module.parameters(), lr=0.05)), module)
    found = []
    for epoch in range(epochs):
        order = torch.randperm(23, generator=torch.Generator().manual_seed(epoch)) if epoch else None
        steps.begin(order, f"forward.{epoch}")
        for bounds in BOUNDS:
            steps.step(bounds)
        found.append(steps.losses().clone())
    return torch.stack(found)


def captured(refused=pytest.fail, examples=None):
    examples = examples or Dense(*points())
    return lambda update, module: CapturedSteps(examples, update, module, torch.zeros(6), refused)


def plain():
    bounds = [each for some in BOUNDS for each in some]
    return lambda update, module: PlainSteps(Dense(*points()), bounds, update)


def test_captured_steps_train_as_plain_ones_with_a_graph_for_each_combination_of_sizes(graphs):
    assert torch.equal(losses(captured()), losses(plain()))
    # Of two steps of 4 + 4 the first is taken as it is; of one step of 4 + 3 that of the first epoch.
    assert [graph.replayed for graph in graphs] == [4 * 2 - 1, 4 - 1]


def test_captured_steps_pick_their_batches_from_rows_that_are_held_once(graphs):
    draws, cpu = np.random.default_rng(0), torch.device("cpu")
    rows = draws.permutation(40)[:23]
    source = Stored(draws.integers(0, 256, (40, 3)).astype(np.uint8), draws.normal(size=(40, 1)))
    converted = Converted(0, (3,), torch.float32, cpu)
    held = OnDevice(source, rows, converted, cpu)
    ready = Dense(torch.from_numpy(source.x[rows]) / 255, torch.from_numpy(source.y[rows]).float())
    bounds = [each for some in BOUNDS for each in some]
    found = losses(captured(examples=held))
    assert torch.equal(found, losses(lambda update, module: PlainSteps(ready, bounds, update)))
    assert [graph.replayed for graph in graphs] == [4 * 2 - 1, 4 - 1]


class Draws(nn.Linear):
    def forward(self, x):
        return super().forward(x) * random.random()


class Counts(nn.Linear):
    seen = 0

    def forward(self, x):
        self.seen += 1
        return super().forward(x)


@pytest.mark.parametrize("kind", [Draws, Counts])
def test_a_network_whose_python_code_does_something_else_each_time_is_not_captured(graphs, monkeypatch, kind):
    monkeypatch.setitem(globals(), "network", lambda: kind(3, 1))
    told = []
    random.seed(0)
    found = losses(captured(told.append))
    random.seed(0)
    assert torch.equal(found, losses(plain()))
    assert told == ["the network's Python code draws random numbers or keeps count"]
    assert not graphs


def test_a_step_that_no_graph_takes_is_taken_as_it_is_and_said_once(graphs, monkeypatch):
    @contextlib.contextmanager
    def refusing(graph, **options):
        yield
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    def nothing(self, sizes):
        """A capture launches nothing."""

    monkeypatch.setattr(torch.cuda, "graph", refusing)
    told = []
    taken = CapturedSteps._take
    capturing = CapturedSteps._captured

    def without_launches(self, sizes):
        monkeypatch.setattr(CapturedSteps, "_take", nothing)
        try:
            return capturing(self, sizes)
        finally:
            monkeypatch.setattr(CapturedSteps, "_take", taken)

    monkeypatch.setattr(CapturedSteps, "_captured", without_launches)
    assert torch.equal(losses(captured(told.append)), losses(plain()))
    assert told == ["operation not permitted when stream is capturing"]
    assert not any(graph.replayed for graph in graphs)


def test_lack_of_memory_while_a_step_is_captured_is_no_reason_to_go_on_without(graphs, monkeypatch):
    @contextlib.contextmanager
    def lacking(graph, **options):
        raise torch.OutOfMemoryError("no memory")
        yield

    monkeypatch.setattr(torch.cuda, "graph", lacking)
    with pytest.raises(torch.OutOfMemoryError):
        losses(captured())
