"""How fast the trainer is: against a loop that trains one network at a time, and against the arithmetic itself.

The network is the question's, 1–256–256–1 with 100 points, Adam, float32, on one core. Four things are measured per
network and epoch, in one process and in turn, round after round, so that a change of the machine's pace meets all:

- loop: the same network as plain torch writes it, `nn.Linear`, `nn.BatchNorm1d` and `torch.optim.Adam` as they come;
- trainer: `bnbench.loop.train_network` with a chunk of seeds. Its one evaluation, at the last epoch, is amortized over
  the epochs of a round, and the loop makes the same three passes over the same points;
- products: the six large matrix products of a step of all seeds, in the sizes of each batch;
- update: Adam's fused update of that many weights, bound by memory.

The floor is products + update. Ratios are taken within a round; shown are medians over the rounds, and the quartiles of
the ratio to the loop. Run by `make bench`; `--output FILE` also writes the table.
"""

import argparse
import datetime
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bnbench.initialization import initial_weights
from bnbench.loop import Points, batch_bounds, train_network
from bnbench.networks import Network
from bnbench.norms import NORMS
from bnbench.tables import processor

HIDDEN, POINTS, SEEDS = 256, 100, 10
BATCH_SIZES: tuple[int | str, ...] = (16, 25, "full")
EPOCHS = 40  # of a round
Work = Callable[[], None]


def points() -> Points:
    """Noisy sines, as many test points as training points, for all seeds."""
    x = np.random.default_rng(0).uniform(-1, 1, (SEEDS, 2 * POINTS, 1))
    y = np.sin(3 * x) + 0.1 * np.random.default_rng(1).standard_normal(x.shape)
    parts = (x[:, :POINTS], y[:, :POINTS], x[:, POINTS:], y[:, POINTS:])
    return Points(*(torch.from_numpy(part).float() for part in parts))


def trainer(norm_name: str, batch_size: int | str, data: Points) -> Work:
    """All seeds through the package, from a network that is made once."""
    norm = NORMS[norm_name]()
    weights = [initial_weights([1, HIDDEN, HIDDEN, 1], norm, "independent", seed) for seed in range(SEEDS)]
    network = Network(weights, norm, "relu", torch.float32, torch.device("cpu"))
    spec = {
        "epochs": EPOCHS,
        "evaluate_every": EPOCHS,
        "batch_size": batch_size,
        "optimizer": {"name": "adam"},
        "schedule": {"name": "constant"},
    }
    return lambda: train_network(network, spec, list(range(SEEDS)), data) and None


def one_at_a_time(norm_name: str, batch_size: int | str, data: Points) -> Work:
    """One network of plain torch, evaluated as the trainer's is: training points, test points, test points."""

    def hidden(inputs: int) -> list[nn.Module]:
        norms = [nn.BatchNorm1d(HIDDEN)] if norm_name == "batch" else []
        return [nn.Linear(inputs, HIDDEN, bias=not norms), *norms, nn.ReLU()]

    network = nn.Sequential(*hidden(1), *hidden(HIDDEN), nn.Linear(HIDDEN, 1))
    optimizer, error = torch.optim.Adam(network.parameters()), nn.MSELoss()
    train_x, train_y, test_x, test_y = (part[0] for part in data)
    bounds = batch_bounds(POINTS, POINTS if batch_size == "full" else int(batch_size))

    def work() -> None:
        for _ in range(EPOCHS):
            network.train()
            order = torch.arange(POINTS) if batch_size == "full" else torch.randperm(POINTS)
            x, y = train_x[order], train_y[order]
            total = 0.0
            for start, stop in pairwise(bounds):
                optimizer.zero_grad()
                loss = error(network(x[start:stop]), y[start:stop])
                loss.backward()
                optimizer.step()
                total += loss.item()
        network.eval()
        with torch.no_grad():
            for x, y in ((train_x, train_y), (test_x, test_y), (test_x, test_y)):
                error(network(x), y).item()

    return work


def products(batch_size: int | str) -> Work:
    """The matrix products of an epoch: the hidden layer's, forward and back to inputs and weights; the output's."""
    bounds = batch_bounds(POINTS, POINTS if batch_size == "full" else int(batch_size))
    weight, row = torch.randn(SEEDS, HIDDEN, HIDDEN), torch.randn(SEEDS, 1, HIDDEN)
    gradient, row_gradient = torch.empty_like(weight), torch.empty_like(row)
    x, y, error = (
        {stop - start: torch.randn(SEEDS, stop - start, width) for start, stop in pairwise(bounds)}
        for width in (HIDDEN, HIDDEN, 1)
    )

    @torch.no_grad()
    def work() -> None:
        for _ in range(EPOCHS):
            for start, stop in pairwise(bounds):
                a, b, e = (tensors[stop - start] for tensors in (x, y, error))
                torch.bmm(a, weight, out=b)
                torch.bmm(a.transpose(1, 2), b, out=gradient)
                torch.bmm(b, weight.transpose(1, 2), out=a)
                a.fill_(1e-3)  # products of products would overflow
                torch.bmm(row, a.transpose(1, 2))
                torch.bmm(e.transpose(1, 2), a, out=row_gradient)
                torch.bmm(e.transpose(1, 2), a, out=row_gradient)

    return work


def update(batch_size: int | str) -> Work:
    """The updates of an epoch: two rows and a square matrix of weights, and two rows of biases, per seed."""
    steps = len(batch_bounds(POINTS, POINTS if batch_size == "full" else int(batch_size))) - 1
    weights = nn.Parameter(torch.randn(SEEDS * (HIDDEN + 4) * HIDDEN))
    weights.grad = torch.randn_like(weights)
    optimizer = torch.optim.Adam([weights], fused=True)

    def work() -> None:
        for _ in range(EPOCHS * steps):
            optimizer.step()

    return work


def seconds(work: Work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def row(norm_name: str, batch_size: int | str, data: Points, rounds: int) -> str:
    """One line of the table."""
    # The loop trains one network, everything else trains all seeds.
    works = [(make(norm_name, batch_size, data), n) for make, n in ((one_at_a_time, 1), (trainer, SEEDS))]
    works += [(make(batch_size), SEEDS) for make in (products, update)]
    for work, _ in works:
        work()
    times = np.array([[seconds(work) / n / EPOCHS * 1e6 for work, n in works] for _ in range(rounds)])
    loop, stacked, product, adam = times.T
    gain, over = loop / stacked, stacked / (product + adam)
    low, _, high = statistics.quantiles(gain)
    cells = [*(f"{np.median(t):,.0f}" for t in (loop, stacked, product, adam, product + adam))]
    cells += [f"{np.median(gain):.2f} ({low:.2f}–{high:.2f})", f"{np.median(over):.2f}"]
    return f"| {batch_size} | {'yes' if norm_name == 'batch' else 'no'} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the trainer against a plain loop and against the arithmetic.")
    parser.add_argument("--output", type=Path, help="also write the table here")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = points()
    today = datetime.datetime.now(datetime.UTC).date()
    table = [
        "# Speed of training",
        "",
        f"{processor()}, 1 thread, torch {torch.__version__}, a chunk of {SEEDS} seeds, {today}.",
        f"Network 1–{HIDDEN}–{HIDDEN}–1, {POINTS} points, Adam, float32. µs per network and epoch, medians of "
        f"{arguments.rounds} rounds; in brackets the quartiles.",
        "",
        "| batch | BN | loop | trainer | products | update | floor | loop / trainer | trainer / floor |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(table), flush=True)
    for batch_size in BATCH_SIZES:
        for norm_name in ("none", "batch"):
            table.append(row(norm_name, batch_size, data, arguments.rounds))
            print(table[-1], flush=True)
    if arguments.output:
        arguments.output.write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
