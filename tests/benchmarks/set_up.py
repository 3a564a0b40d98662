"""What the host does for a stack of networks, before their training and during it, against how it was done before.

- weights: initial weights of all seeds are drawn, hashed, rounded and laid out in the flat vector; time per network.
  Before: one network after another in float64, stacked, padded, transposed and rounded once all were there, and zeros
  for the gradients likewise;
- orders: orders of the examples are drawn and brought to the device; time per point, seed and epoch. Before: seed by
  seed into arrays of their own, then stacked, by the thread that trains;
- waited: the part of that time for which the thread that trains waits, if between two epochs it does something else for
  as long as the drawing takes, as with a GPU (here it sleeps). Nothing hides the first orders, a sixth or more of all.

`--threads 1 2` says with how many threads; before, there was one. Run by hand; on a GPU with `--device cuda`.
"""

import argparse
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import accumulate, islice
from typing import Any

import numpy as np
import torch
from common import Array, Work, in_turn, keep, machine, spread, table
from torch import Tensor
from torch.nn import functional

from bnbench.catalogue.norms import BatchNorm
from bnbench.plan import config
from bnbench.plan.layout import aligned
from bnbench.streams import stream
from bnbench.trainer.initialization import Layers, drawn_for, initial_of
from bnbench.trainer.network import Network
from bnbench.trainer.orders import orders

CASES = {"256–256": ([256, 256], 64), "64–64": ([64, 64], 200), "16": ([16], 1000)}
POINTS = {"1,000 × 100": (1000, 100), "200 × 25": (200, 25), "10 × 1,000": (10, 1000)}


def weights_before(spec: dict[str, Any], seeds: Sequence[int], device: torch.device) -> tuple[Tensor, list[str]]:
    """The flat vector and the hashes, as they were made before."""
    weights = [initial_of(spec, seed) for seed in seeds]
    start: dict[str, Tensor] = {}
    for layer in range(len(weights[0])):
        start |= {f"{layer}.{name}": values for name, values in _stack_before(weights, layer).items()}
    for layer in range(len(weights[0]) - 1):
        for name, value in BatchNorm().parameters().items():
            start[f"norm{layer}.{name}"] = torch.full((len(seeds), 1, len(weights[0][layer][0])), value)
    flat = _flatten_before(start, device)
    _flatten_before({name: torch.zeros_like(values) for name, values in start.items()}, device)
    return flat, [_hash_before(layers) for layers in weights]


def _stack_before(weights: Sequence[Layers], layer: int) -> dict[str, Tensor]:
    weight = torch.stack([seed[layer][0] for seed in weights])
    first, lone = layer == 0, layer == len(weights[0]) - 1 and weight.shape[1] == 1
    outputs = 1 if lone else aligned(weight.shape[1])
    inputs = 1 if first and weight.shape[2] == 1 else aligned(weight.shape[2])
    weight = functional.pad(weight, (0, inputs - weight.shape[2], 0, outputs - weight.shape[1]))
    stacked = {"weight": weight if lone else weight.transpose(1, 2)}
    biases = [bias for _, bias in (seed[layer] for seed in weights) if bias is not None]
    if biases:
        bias = torch.stack(biases)[:, None]
        stacked["bias"] = functional.pad(bias, (0, outputs - bias.shape[2]))
    return stacked


def _flatten_before(start: dict[str, Tensor], device: torch.device) -> Tensor:
    ends = list(accumulate(values.numel() for values in start.values()))
    flat = torch.zeros(-(-ends[-1] // 1024) * 1024, device=device)
    for end, values in zip(ends, start.values(), strict=True):
        flat[end - values.numel() : end].view(values.shape).copy_(values)
    return flat


def _hash_before(layers: Layers) -> str:
    digest = hashlib.sha256()
    for tensor in (*(weight for weight, _ in layers), layers[-1][1]):
        if tensor is not None:
            digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]


def weights_now(
    spec: dict[str, Any], seeds: Sequence[int], device: torch.device, threads: int
) -> tuple[Tensor, list[str]]:
    """The same as the package makes them."""
    drawn = drawn_for(spec, seeds, torch.float32, threads)
    network = Network(drawn.layers, BatchNorm(), "relu", torch.float32, device)
    return network.flat, drawn.hashes


def orders_before(seeds: Sequence[int], count: int, epochs: int, device: torch.device) -> Iterator[Tensor]:
    """Orders epoch after epoch, as they were drawn before."""
    streams = [stream(seed, "order") for seed in seeds]
    at_once = min(epochs, max(1, 2**20 // (len(seeds) * count)))
    unordered = np.tile(np.arange(count), (at_once, 1))
    while True:
        drawn = np.stack([generator.permuted(unordered, axis=1) for generator in streams], axis=1)
        yield from torch.from_numpy(drawn).to(device)


def measured_weights(options: argparse.Namespace, device: torch.device) -> Iterator[list[str]]:
    """Microseconds a network; what is timed gives the same bits either way."""
    for name, (hidden, count) in CASES.items():
        network = {"name": "mlp", "hidden": hidden}
        spec = (
            config.load({"study": "weights", "norm": ["none", "batch"], "network": network}, "set_up.py")
            .settings[-1]
            .spec
        )
        seeds = range(count)
        works: dict[str, Work] = {"before": synchronized(partial(weights_before, spec, seeds, device), device)}
        for threads in options.threads:
            works[str(threads)] = synchronized(partial(weights_now, spec, seeds, device, threads), device)
            now, hashes = weights_now(spec, seeds, device, threads)
            before, hashes_before = weights_before(spec, seeds, device)
            assert torch.equal(now, before)
            assert hashes == hashes_before
        yield from _rows(f"weights of {count} networks {name}, µs a network", works, count / 1e6, options.rounds)


def measured_orders(options: argparse.Namespace, device: torch.device) -> Iterator[list[str]]:
    """Nanoseconds a point, seed and epoch, and how much of it training waits for."""
    for name, (count, points) in POINTS.items():
        epochs = max(10, 6 * 2**20 // (count * points))
        draw = [range(count), points, epochs, device]
        before = next(islice(orders_before(*draw), epochs - 1, None))
        works: dict[str, Work] = {"before": synchronized(partial(drawn, partial(orders_before, *draw), epochs), device)}
        ahead = {"before": partial(orders_before, *draw)}
        for threads in options.threads:
            now = partial(orders, *draw, threads)
            works[str(threads)] = synchronized(partial(drawn, now, epochs), device)
            ahead[str(threads)] = partial(now, ahead=True)
            assert torch.equal(next(islice(now(), epochs - 1, None)), before)
        unit = epochs * count * points / 1e9
        yield from _rows(f"orders, {name}, ns", works, unit, options.rounds)
        alone = float(np.median(in_turn({"before": works["before"]}, 3)["before"])) / epochs
        waits = {way: np.array([waited(of, epochs, alone) for _ in range(options.rounds)]) for way, of in ahead.items()}
        yield from _written(f"waited for orders, {name}, ns", waits, unit)


def synchronized(work: Work, device: torch.device) -> Work:
    """The same, until the device has done it."""

    def done() -> None:
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return done


def drawn(begin: Callable[[], Iterator[Tensor]], epochs: int) -> None:
    """Ask for so many epochs' orders."""
    for _ in islice(begin(), epochs):
        pass


def waited(begin: Callable[[], Iterator[Tensor]], epochs: int, pause: float) -> float:
    """Seconds that the one who asks waits in all, if it pauses for so long after each epoch."""
    total, found = 0.0, begin()
    for _ in range(epochs):
        started = time.perf_counter()
        next(found)
        total += time.perf_counter() - started
        time.sleep(pause)
    return total


def _rows(name: str, works: dict[str, Work], unit: float, rounds: int) -> Iterator[list[str]]:
    yield from _written(name, in_turn(works, rounds), unit)


def _written(name: str, seconds: dict[str, Array], unit: float) -> Iterator[list[str]]:
    """A row for each way of now: what was measured in seconds, in its unit, and how it compares in each round."""
    before = seconds["before"]
    for way, values in seconds.items():
        if way != "before":
            yield [name, way, spread(before / unit, 1), spread(values / unit, 1), spread(before / values, 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the host does for the networks of a stack.")
    parser.add_argument("--device", default="cpu", choices=("cuda", "cpu"))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.set_num_threads(1)
    load, *_ = os.getloadavg()
    rows = [*measured_weights(options, device), *measured_orders(options, device)]
    where = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    keep(
        "set-up" if device.type == "cpu" else "set-up-cuda",
        [
            "# What the host does for a stack of networks",
            "",
            machine("torch", "numpy"),
            "",
            f"Device: {where}. Medians of {options.rounds} rounds and their quartiles; before and now take turns, and "
            "give the same bits. Weights are timed per network, orders per point, seed and epoch. When it began, "
            f"{load:.1f} processes wanted a core. If there are fewer cores, a second thread had none to itself, and "
            "times are longer than they need be. [set_up.py](../set_up.py) says what is measured.",
            "",
            *table(["what", "threads", "before", "now", "ratio"], rows),
        ],
    )


if __name__ == "__main__":
    main()
