"""The independent reference of the trainer: one network at a time, with torch.nn, torch.optim and autograd alone.

The package never imports this file; it shares with the package nothing but the initial weights and the order of the
examples that it is fed.
"""

import math
from itertools import pairwise

import torch
from plain_norms import Frozen, Population, make_norm, refresh
from torch import nn

TORCH_OPTIMIZERS = {
    "sgd": lambda p, lr=0.05: torch.optim.SGD(p, lr=lr),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.003),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.01),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.01),
    "adamax": lambda p: torch.optim.Adamax(p, lr=0.01),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05),
    "adadelta": lambda p: torch.optim.Adadelta(p, lr=1.0),
    "asgd": lambda p: torch.optim.ASGD(p, lr=0.05),
    "rprop": lambda p: torch.optim.Rprop(p, lr=0.001),
}

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU}


def make_network(layers, norm, activation="relu"):
    """torch.nn modules from `layers` (of each, weight [outputs, inputs] and bias or None) and the entry of a norm."""
    options = {key: value for key, value in norm.items() if key != "name"}
    modules = []
    for i, (weight, bias) in enumerate(layers):
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=torch.float64)
        linear.weight.data.copy_(weight)
        if bias is not None:
            linear.bias.data.copy_(bias)
        modules.append(linear)
        if i < len(layers) - 1:
            if norm["name"] != "none":
                modules.append(make_norm(norm["name"], weight.shape[0], **options))
            modules.append(ACTIVATIONS[activation]())
    return nn.Sequential(*modules)


def batches(points, batch_size):
    """Slices of an epoch; a last one of fewer than two examples joins the one before it."""
    starts = [*range(0, points, batch_size), points]
    if points % batch_size == 1 and len(starts) > 2:
        del starts[-2]
    return [slice(a, b) for a, b in pairwise(starts)]


def precise(network, x):
    """A copy of the network whose running statistics are those of all of `x` under the present weights."""
    import copy

    network = copy.deepcopy(network)
    norms = [m for m in network if isinstance(m, nn.BatchNorm1d) and not (isinstance(m, Frozen) and m.frozen)]
    for i in range(len(norms)):
        # One pass in evaluation mode a layer, since each layer's statistics depend on those before it.
        seen = []
        hook = norms[i].register_forward_pre_hook(lambda _module, inputs, seen=seen: seen.append(inputs[0]))
        network.eval()
        network(x)
        hook.remove()
        norms[i].running_mean = seen[0].mean(0)
        norms[i].running_var = seen[0].var(0, unbiased=False)
    return network


def by_batch(network, x, y, batch_size, error):
    """The loss of all points with the network in training mode, of a copy, since that changes its averages."""
    import copy

    network = copy.deepcopy(network).train()
    return error(torch.cat([network(x[part]) for part in batches(len(x), batch_size)]), y).item()


def train_one(network, make_optimizer, data, orders, tested, batch_size, epochs, evaluate_every, rate=None, error=None):
    """Train one network, its examples in `orders[epoch]`. Returns losses by outcome, NaN if not measured.

    The batches of test points come in the order `tested`, of `batch_size`, or all in one where that is None.
    """
    train_x, train_y, test_x, test_y = (torch.from_numpy(a) for a in data[:4])
    optimizer = make_optimizer(network.parameters())
    start = optimizer.param_groups[0]["lr"]
    error = error or nn.MSELoss()
    rate = rate or (lambda epoch: 1.0)
    step = 0
    outcomes = ("train_loss", "eval_loss", "test_loss", "test_loss_precise", "test_loss_batch")
    losses = {name: [math.nan] * epochs for name in outcomes}
    for epoch in range(epochs):
        network.train()
        for norm in [m for m in network if isinstance(m, Frozen)]:
            norm.begin(epoch / epochs)
        optimizer.param_groups[0]["lr"] = start * rate(epoch)
        x, y = train_x[orders[epoch]], train_y[orders[epoch]]
        values = []
        for part in batches(len(x), batch_size or len(x)):
            refresh(network, step, train_x, train_y, error)
            optimizer.zero_grad()
            loss = error(network(x[part]), y[part])
            decay = [m.penalty(len(x[part])) for m in network if isinstance(m, Population) and m.decay]
            (loss + sum(decay)).backward()
            optimizer.step()
            step += 1
            values.append(loss.item())
        losses["train_loss"][epoch] = sum(values) / len(values)
        if (epoch + 1) % evaluate_every == 0 or epoch == epochs - 1:
            refresh(network, step, train_x, train_y, error)
            network.eval()
            with torch.no_grad():
                losses["eval_loss"][epoch] = error(network(train_x), train_y).item()
                losses["test_loss"][epoch] = error(network(test_x), test_y).item()
                losses["test_loss_precise"][epoch] = error(precise(network, train_x)(test_x), test_y).item()
                mixed = (test_x[tested], test_y[tested])
                losses["test_loss_batch"][epoch] = by_batch(network, *mixed, batch_size or len(test_x), error)
    return losses
