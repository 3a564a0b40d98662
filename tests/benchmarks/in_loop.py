"""The same training as plain torch writes it, one network at a time: `nn.Linear`, `nn.BatchNorm1d`, `torch.optim`."""

import copy
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from cases import Case
from torch import nn


def training(case: Case, device: str = "cpu") -> Callable[[], np.ndarray]:
    """Train the first seed's network for the case's epochs at every call; gives the train-mode losses, [epochs]."""
    network = _network(case).to(device)
    optimizer, error = torch.optim.Adam(network.parameters()), nn.MSELoss()
    train_x, train_y, test_x, test_y = (torch.from_numpy(part[0]).to(device) for part in case.points())
    drawn = case.orders()

    def work() -> np.ndarray:
        losses = []
        for epoch in range(case.epochs):
            network.train()
            x, y = (train_x, train_y) if drawn is None else (part[drawn[epoch, 0]] for part in (train_x, train_y))
            batches = []
            for start, stop in pairwise(case.bounds):
                optimizer.zero_grad()
                loss = error(network(x[start:stop]), y[start:stop])
                loss.backward()
                optimizer.step()
                batches.append(loss.item())
            losses.append(np.mean(batches))
        _evaluate(network, ((train_x, train_y), (test_x, test_y)), precise=case.norm == "batch")
        return np.array(losses)

    return work


def _network(case: Case) -> nn.Sequential:
    layers: list[nn.Module] = []
    for (weight, bias), (inputs, outputs) in zip(case.weights()[0], pairwise(case.widths), strict=True):
        linear = nn.Linear(inputs, outputs, bias=bias is not None)
        with torch.no_grad():
            linear.weight.copy_(weight)
            if bias is not None:
                linear.bias.copy_(bias)
        layers += [linear, *([nn.BatchNorm1d(outputs)] if bias is None else []), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@torch.no_grad()
def _evaluate(network: nn.Sequential, parts: tuple[tuple[torch.Tensor, torch.Tensor], ...], *, precise: bool) -> None:
    """Losses at both parts, and with statistics of the whole training set at the second."""
    network.eval()
    for x, y in parts:
        nn.functional.mse_loss(network(x), y).item()
    if precise:
        (train_x, _), (test_x, test_y) = parts
        twin = copy.deepcopy(network).train()
        for module in twin:
            if isinstance(module, nn.BatchNorm1d):
                module.momentum = 1.0
        twin(train_x)
        nn.functional.mse_loss(twin.eval()(test_x), test_y).item()
