"""What is done the same way in every epoch is captured once and replayed; what no graph takes goes on as it is."""

import contextlib
from types import SimpleNamespace

import pytest
import torch

from bnbench.trainer.replays import Replayed


def with_graphs(monkeypatch, capture):
    """Stand in for CUDA's graphs; `capture` is what happens between the begin and the end of a capture."""
    graphs = []

    class Graph:
        replays = 0

        def __init__(self):
            graphs.append(self)

        def replay(self):
            self.replays += 1

    stand_ins = SimpleNamespace(CUDAGraph=Graph, graph=capture, synchronize=lambda: None)
    for name, stand_in in vars(stand_ins).items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    return graphs


@contextlib.contextmanager
def captured(graph, **options):
    yield


def refused(error):
    @contextlib.contextmanager
    def capture(graph, **options):
        yield
        raise error

    return capture


def test_the_second_call_is_captured_and_replayed_from_then_on(monkeypatch):
    calls, graphs = [], with_graphs(monkeypatch, captured)
    replayed = Replayed(lambda epoch: calls.append(epoch) or f"found in {epoch}", wanted=True)
    assert [replayed(epoch) for epoch in range(5)] == ["found in 0", *["found in 1"] * 4]
    assert calls == [0, 1]
    assert [graph.replays for graph in graphs] == [4]


def test_what_no_graph_takes_goes_on_as_it_is_and_one_line_says_so(monkeypatch, capsys):
    with_graphs(monkeypatch, refused(RuntimeError("operation not permitted\nsecond line")))
    replayed = Replayed(lambda epoch: epoch, wanted=True)
    assert [replayed(epoch) for epoch in range(4)] == [0, 1, 2, 3]
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "without a CUDA graph" in said
    assert "operation not permitted" in said


def test_too_little_memory_for_a_capture_is_not_swallowed(monkeypatch):
    with_graphs(monkeypatch, refused(torch.OutOfMemoryError("too much")))
    replayed = Replayed(lambda epoch: epoch, wanted=True)
    replayed(0)
    with pytest.raises(torch.OutOfMemoryError):
        replayed(1)


def test_without_a_graph_every_call_is_made():
    calls = []
    replayed = Replayed(calls.append, wanted=False)
    for epoch in range(3):
        replayed(epoch)
    assert calls == [0, 1, 2]
