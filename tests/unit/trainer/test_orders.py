"""Orders of examples: those of each seed's own stream, whoever draws them and when."""

import subprocess
import sys
import threading
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from specs import spec

from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS
from bnbench.streams import stream
from bnbench.trainer import orders, stacked, threads
from bnbench.trainer.loop import train_networks

CPU = torch.device("cpu")


def one_by_one(seeds, count, epochs):
    streams = [stream(seed, "order") for seed in seeds]
    return np.array([[generator.permutation(count) for generator in streams] for _ in range(epochs)])


@settings(max_examples=60, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 2**32), min_size=1, max_size=5),
    count=st.integers(1, 140),
    epochs=st.integers(1, 9),
    workers=st.integers(1, 3),
    ahead=st.booleans(),
    at_once=st.integers(1, 2000),
)
def test_orders_are_those_of_each_seeds_stream_whoever_draws_them(seeds, count, epochs, workers, ahead, at_once):
    found = orders.orders(seeds, count, epochs, CPU, workers, ahead=ahead, at_once=at_once)
    drawn = torch.stack([*islice(found, epochs + 3)])  # and more than were announced
    found.close()
    assert drawn.dtype == torch.int64
    np.testing.assert_array_equal(drawn.numpy(), one_by_one(seeds, count, epochs + 3))


@pytest.mark.parametrize("count", [2**15, 2**15 + 1])
def test_orders_of_many_points_drawn_ahead_lose_no_digit(count):
    found = orders.orders([5], count, 2, CPU, ahead=True)
    np.testing.assert_array_equal(next(found)[0].numpy(), stream(5, "order").permutation(count))
    found.close()


@pytest.mark.parametrize("ahead", [False, True])
def test_several_threads_draw_where_there_is_enough_to_draw(ahead, monkeypatch):
    seen, draw = set(), orders._draw

    def watched(streams, room, places):
        seen.update((int(place), threading.current_thread() is threading.main_thread()) for place in places)
        draw(streams, room, places)

    monkeypatch.setattr(orders, "_draw", watched)
    found = orders.orders(range(4), 1000, 100, CPU, 3, ahead=ahead)
    np.testing.assert_array_equal(next(found).numpy(), one_by_one(range(4), 1000, 1)[0])
    found.close()
    assert seen == {(place, False) for place in range(4)}


def test_a_mistake_of_a_thread_that_draws_ahead_comes_up_where_training_asks_for_orders(monkeypatch):
    calls, draw = [], orders._draw

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise MemoryError("no room for orders")
        draw(*arguments)

    monkeypatch.setattr(orders, "_draw", failing)
    found = orders.orders([1, 2], 10, 6, CPU, ahead=True, at_once=40)
    assert len([*islice(found, 4)]) == 4
    with pytest.raises(MemoryError, match="no room for orders"):
        next(found)


def test_threads_that_draw_ahead_end_with_their_orders():
    before = set(threading.enumerate())
    found = orders.orders(range(8), 1000, 1000, CPU, 2, ahead=True)
    next(found)
    began = set(threading.enumerate()) - before
    assert {thread.name.partition("_")[0] for thread in began} == {"orders"}
    del found
    for thread in began:
        thread.join(timeout=20)
        assert not thread.is_alive()


def test_a_job_ends_though_orders_are_drawn_ahead():
    code = """
import sys, torch
from bnbench.trainer import orders
found = orders.orders(range(8), 1000, 1000, torch.device("cpu"), 2, ahead=True)
next(found)
sys.exit(3)
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=60, env={"PYTHONPATH": "workflow"})
    assert ended.returncode == 3


def test_a_cpus_job_draws_with_its_own_threads_and_a_gpus_with_a_few_of_the_cores_that_it_may_use(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert threads.workers(CPU) == 2
    for cores, expected in ((1, 2), (3, 3), (64, 4)):
        monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)), raising=False)
        assert threads.workers(torch.device("cuda", 0)) == expected


def test_threads_give_back_results_in_order_and_the_first_mistake():
    assert threads.each(str, range(9), 3) == [*"012345678"]
    with pytest.raises(ZeroDivisionError):
        threads.each(lambda item: 1 // (3 - item), range(9), 3)


def test_a_stack_has_the_same_bits_with_orders_drawn_ahead_also_after_a_pause(monkeypatch):
    setting, kept = spec(batch_size=25, epochs=9), {}

    def trained(start=None):
        data = [build(TASKS, setting["task"]).data(seed) for seed in (3, 4)]
        engine = stacked.StackedEngine.of(setting, [3, 4], data, CPU)
        return train_networks(engine, setting, start, lambda epochs, state: kept.setdefault(epochs, state()))

    def ahead(*arguments, **options):
        return draw(*arguments, **{**options, "ahead": True, "at_once": 400})

    draw, expected = orders.orders, trained()
    monkeypatch.setattr(stacked, "orders", ahead)
    for found in (trained(), trained(kept[5])):
        for name, values in expected.losses.items():
            np.testing.assert_array_equal(found.losses[name], values)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_orders_that_are_drawn_ahead_for_a_gpu_are_the_same():
    cuda = torch.device("cuda")
    found = orders.orders(range(40), 100, 500, cuda, 4, ahead=True, at_once=40_000)
    drawn = torch.stack([*islice(found, 500)])
    found.close()
    np.testing.assert_array_equal(drawn.cpu().numpy(), one_by_one(range(40), 100, 500))
