"""The kernel that draws orders on a GPU: numpy's own, bit for bit. Without a GPU, Triton's interpreter runs it."""

from itertools import islice
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from specs import spec

from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS
from bnbench.streams import stream
from bnbench.trainer import orders, stacked
from bnbench.trainer.evaluation import Points
from bnbench.trainer.loop import train_networks

pytest.importorskip("triton")

from bnbench.trainer import order_kernel

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def by_numpy(streams, count, epochs):
    return np.array([[generator.permutation(count) for generator in streams] for _ in range(epochs)])


def by_kernel(streams, count, epochs, launches):
    drawn = order_kernel.draw(streams, (epochs, len(streams), count), DEVICE)
    return torch.cat([*islice(drawn, launches)]).cpu().numpy()


def streams_of(seeds):
    return [stream(seed, "order") for seed in seeds]


@settings(max_examples=6, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 2**32), min_size=1, max_size=5),
    count=st.integers(2, 24),
    epochs=st.integers(1, 3),
    launches=st.integers(1, 2),
)
@example(seeds=[*range(33)], count=3, epochs=2, launches=2)  # more seeds than a program has lanes
@example(seeds=[0], count=2, epochs=1, launches=9)
def test_orders_of_the_kernel_are_numpys_launch_after_launch(seeds, count, epochs, launches):
    found = by_kernel(streams_of(seeds), count, epochs, launches)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, by_numpy(streams_of(seeds), count, epochs * launches))


@pytest.mark.parametrize("count", [4, 31, 32, 33, 128, 129, 200])
def test_bounds_of_draws_are_numpys_about_powers_of_two(count):
    np.testing.assert_array_equal(by_kernel(streams_of([8]), count, 1, 1), by_numpy(streams_of([8]), count, 1))


@pytest.mark.parametrize("low", [0, 1, 2**63, 2**64 - 1])
def test_carries_between_the_halves_of_a_state_are_numpys(low):
    made = []
    for _ in range(2):
        generator = stream(1, "order")
        state = generator.bit_generator.state
        state["state"] = {"state": (2**64 - 1) << 64 | low, "inc": 2**128 - 1 - low // 2 * 2}
        generator.bit_generator.state = state
        made.append([generator])
    np.testing.assert_array_equal(by_kernel(made[0], 5, 2, 2), by_numpy(made[1], 5, 4))


@pytest.fixture
def by_the_gpu(monkeypatch):
    """`orders` draws by the kernel, for few seeds too and though the GPU may be a CPU."""
    monkeypatch.setattr(orders, "_WORTH_A_GPU", 2)
    monkeypatch.setattr(orders, "_is_gpu", lambda _: True)
    orders._kernel.cache_clear()
    yield
    orders._kernel.cache_clear()


def found_by_orders(seeds, count, epochs):
    found = orders.orders(seeds, count, 4, DEVICE, ahead=True, at_once=count * len(seeds) // 2)
    drawn = torch.stack([*islice(found, epochs)]).cpu().numpy()
    found.close()
    return drawn


@pytest.mark.usefixtures("by_the_gpu")
def test_a_gpus_orders_come_from_the_kernel(monkeypatch):
    monkeypatch.setattr(orders, "_ahead", lambda *_: pytest.fail("drawn by the host"))
    drawn = found_by_orders([3, 4, 5], 6, 7)
    np.testing.assert_array_equal(drawn, by_numpy(streams_of([3, 4, 5]), 6, 7))


@pytest.mark.usefixtures("by_the_gpu")
def test_examples_after_skipped_epochs_are_those_of_the_next_epoch(monkeypatch):
    draw = orders.orders
    monkeypatch.setattr(stacked, "orders", lambda *found, **_: draw(*found, ahead=True, at_once=10))
    monkeypatch.setattr(orders, "_ahead", lambda *_: pytest.fail("drawn by the host"))
    x = torch.arange(5.0, device=DEVICE).expand(3, 5)[:, :, None]
    examples = stacked._Examples(Points(x, x, x, x), [3, 4, 5], 5, 9, shuffled=True)
    examples.skip(5)
    examples.shuffle()
    found = examples.batches[0][0][:, :, 0].cpu().numpy()
    np.testing.assert_array_equal(found, by_numpy(streams_of([3, 4, 5]), 5, 6)[5])


@pytest.mark.usefixtures("by_the_gpu")
def test_the_host_draws_where_the_kernels_orders_are_not_numpys(monkeypatch, capsys):
    draw = order_kernel.draw
    monkeypatch.setattr(order_kernel, "draw", lambda *arguments: (drawn.flip(2) for drawn in draw(*arguments)))
    drawn = found_by_orders([3, 4, 5], 6, 7)
    np.testing.assert_array_equal(drawn, by_numpy(streams_of([3, 4, 5]), 6, 7))
    assert capsys.readouterr().err == (
        "orders of examples are drawn by the host, since Triton's kernel draws others than this numpy "
        f"({np.__version__})\n"
    )


@pytest.mark.usefixtures("by_the_gpu")
def test_the_host_draws_where_the_kernel_cannot_be_built_and_says_so_once(monkeypatch, capsys):
    monkeypatch.setattr(order_kernel, "draw", mock.Mock(side_effect=RuntimeError("at 3:5:\nno compiler for C")))
    for _ in range(2):
        found = orders.orders([3, 4], 6, 4, DEVICE, ahead=True)
        np.testing.assert_array_equal(next(found).cpu().numpy(), by_numpy(streams_of([3, 4]), 6, 1)[0])
        found.close()
    assert capsys.readouterr().err == (
        "orders of examples are drawn by the host, since Triton's kernel cannot be built here: "
        "RuntimeError: no compiler for C\n"
    )


@pytest.mark.skipif(DEVICE.type == "cpu", reason="needs a GPU")
@pytest.mark.parametrize(
    ("seeds", "count", "epochs"), [(1000, 100, 40), (130, 1000, 5), (64, 20_000, 2), (2000, 2, 99)]
)
def test_a_gpu_draws_numpys_orders_of_many_seeds(seeds, count, epochs):
    found = orders.orders(range(seeds), count, epochs, DEVICE, ahead=True)
    drawn = torch.stack([*islice(found, epochs)]).cpu().numpy()
    np.testing.assert_array_equal(drawn, by_numpy(streams_of(range(seeds)), count, epochs))


@pytest.mark.skipif(DEVICE.type == "cpu", reason="needs a GPU")
def test_a_stack_on_a_gpu_has_the_same_bits_whoever_draws_the_orders_also_after_a_pause(monkeypatch):
    setting, seeds, kept = spec(batch_size=25, epochs=9), [*range(70)], {}
    data = [build(TASKS, setting["task"]).data(seed) for seed in seeds]

    def trained(start=None):
        engine = stacked.StackedEngine.of(setting, seeds, data, DEVICE)
        return train_networks(engine, setting, start, lambda epochs, state: kept.setdefault(epochs, state()))

    with monkeypatch.context() as patched:
        patched.setattr(orders, "_kernel", lambda _: None)
        expected = trained()
    monkeypatch.setattr(orders, "_ahead", lambda *_: pytest.fail("drawn by the host"))
    for found in (trained(), trained(kept[5])):
        for name, values in expected.losses.items():
            np.testing.assert_array_equal(found.losses[name], values)
