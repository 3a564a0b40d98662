"""The training that somebody writes in plain PyTorch: a loop over seeds, epochs and batches, with what is measured."""

import copy
from collections.abc import Callable

import torch
from own_net import conv_net
from torch import Tensor, nn


class Arm:
    """What `conv_net` asks of a norm, in PyTorch's own layers."""

    def __init__(self, name: str) -> None:
        self.bias = name == "none"

    def __call__(self, channels: int) -> nn.Module:
        return nn.Identity() if self.bias else nn.BatchNorm2d(channels)


def training(
    norm: str, data: list[tuple[Tensor, ...]], epochs: int, batch_size: int, every: int, device: torch.device
) -> Callable[[], list[float]]:
    """Train a network for each seed's points; gives their test losses at the end."""

    def work() -> list[float]:
        return [_one(norm, seed, points, epochs, batch_size, every, device) for seed, points in enumerate(data)]

    return work


def _one(
    norm: str,
    seed: int,
    points: tuple[Tensor, ...],
    epochs: int,
    batch_size: int,
    every: int,
    device: torch.device,
) -> float:
    torch.manual_seed(seed)
    train_x, train_y, test_x, test_y = (part.to(device) for part in points)
    network = conv_net(Arm(norm), (1, 8, 8), 10).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    error = nn.CrossEntropyLoss()
    test_loss = 0.0
    for epoch in range(epochs):
        network.train()
        order = torch.randperm(len(train_x), device=device)
        losses = []
        for start in range(0, len(train_x), batch_size):
            rows = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = error(network(train_x[rows]), train_y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        torch.stack(losses).mean().item()
        if (epoch + 1) % every == 0:
            test_loss = _evaluate(network, error, train_x, train_y, test_x, test_y, precise=norm == "batch")
    return test_loss


@torch.no_grad()
def _evaluate(
    network: nn.Sequential,
    error: nn.Module,
    train_x: Tensor,
    train_y: Tensor,
    test_x: Tensor,
    test_y: Tensor,
    *,
    precise: bool,
) -> float:
    """Losses at both parts, the accuracy, and the test loss with statistics of the whole training set."""
    network.eval()
    error(network(train_x), train_y).item()
    output = network(test_x)
    (output.argmax(1) == test_y).float().mean().item()
    if precise:
        twin = copy.deepcopy(network).train()
        for module in twin:
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        twin(train_x)
        error(twin.eval()(test_x), test_y).item()
    return float(error(output, test_y))
