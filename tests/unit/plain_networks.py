"""Convolutional and residual networks in plain torch, and the loop that trains one: an independent reference.

The package never imports this file; it shares with the package nothing but the initial weights, in the order of the
layers, and the order of the examples that it is fed.
"""

import copy
from contextlib import contextmanager
from functools import partial

import torch
from plain_norms import Frozen, Ghost
from plain_torch import batches, by_batch
from torch import nn
from torch.nn import functional


class _AnyRank:
    def _check_input_dim(self, x):
        pass


class AnyBatch(_AnyRank, nn.BatchNorm1d):
    """BN of activations of any rank."""


class AnyGhost(_AnyRank, Ghost):
    """Ghost BN, likewise."""


class AnyFrozen(_AnyRank, Frozen):
    """BN that freezes, likewise."""


class AnyPopulation(AnyBatch):
    """By the statistics that `refresh` has put there, in training as in evaluation."""

    def __init__(self, channels, every, **options):
        super().__init__(channels, **options)
        self.every = every

    def forward(self, x):
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class RMS(nn.Module):
    """Each example by the root mean square of all that it has."""

    def __init__(self, channels, eps, affine):
        super().__init__()
        self.eps, self.weight = eps, nn.Parameter(torch.ones(channels)) if affine else 1.0

    def forward(self, x):
        shape = [len(x), *[1] * (x.dim() - 1)]
        weight = self.weight.view(-1, *[1] * (x.dim() - 2))
        return x / (x.flatten(1).square().mean(1) + self.eps).sqrt().view(shape) * weight


def make_norm(entry, channels):
    """The module of an arm for activations [batch, channels, …]."""
    placed = ("name", "placement", "on", "layers", "statistics")
    options = {key: value for key, value in entry.items() if key not in placed}
    if entry.get("statistics") == "batch":
        options["track_running_stats"] = False
    made = {
        "none": lambda **_: nn.Identity(),
        "layer": lambda eps, affine: nn.GroupNorm(1, channels, eps, affine),
        "group": lambda groups, eps, affine: nn.GroupNorm(groups, channels, eps, affine),
        "instance": lambda eps, affine: nn.InstanceNorm2d(channels, eps, affine=affine),
        "rms": lambda **options: RMS(channels, **options),
        "batch": lambda **options: AnyBatch(channels, **options),
        "ghost": lambda **options: AnyGhost(channels, **options),
        "frozen": lambda **options: AnyFrozen(channels, **options),
        "population": lambda **options: AnyPopulation(channels, **options),
    }
    return made[entry["name"]](**options)


class Placed(nn.Module):
    """A network that asks for the arm's layers by their places."""

    def __init__(self, norm):
        super().__init__()
        self.norm, self.after = norm, norm.get("placement") == "after"
        self.on = norm.get("on", ["hidden"])
        shifted = norm["name"] in ("batch", "ghost", "frozen", "population", "instance")
        self.hidden_bias = not (shifted and "hidden" in self.on and not self.after)
        self.output_bias = not (shifted and "output" in self.on)

    def at(self, place, channels):
        return make_norm(self.norm, channels) if place in self.on else nn.Identity()

    def activated(self, norm, x):
        return norm(x.relu()) if self.after else norm(x).relu()


class CNN(Placed):
    """Two convolutions, each followed by pooling, and a linear layer."""

    def __init__(self, norm, shape, outputs, channels):
        super().__init__(norm)
        self.first = self.at("input", shape[0])
        self.conv1 = nn.Conv2d(shape[0], channels[0], 3, padding=1, bias=self.hidden_bias)
        self.conv2 = nn.Conv2d(channels[0], channels[1], 3, padding=1, bias=self.hidden_bias)
        self.norm1, self.norm2 = (self.at("hidden", width) for width in channels)
        left = channels[1] * (shape[1] // 4) * (shape[2] // 4)
        self.linear = nn.Linear(left, outputs, bias=self.output_bias)
        self.last = self.at("output", outputs)

    def forward(self, x):
        x = functional.max_pool2d(self.activated(self.norm1, self.conv1(self.first(x))), 2)
        x = functional.max_pool2d(self.activated(self.norm2, self.conv2(x)), 2)
        return self.last(self.linear(x.flatten(1)))


class ResNet(Placed):
    """Eight layers: a convolution, a block in each of three stages, and a linear layer."""

    def __init__(self, norm, shape, outputs, width):
        super().__init__(norm)
        widths = [width, width, 2 * width, 4 * width]
        self.first = self.at("input", shape[0])
        self.conv = nn.Conv2d(shape[0], width, 3, padding=1, bias=self.hidden_bias)
        self.norm0 = self.at("hidden", width)
        self.blocks = nn.ModuleList()
        for stage in (1, 2, 3):
            before, after = widths[stage - 1 : stage + 1]
            stride = 1 if stage == 1 else 2
            both = [
                nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=self.hidden_bias),
                nn.Conv2d(after, after, 3, padding=1, bias=self.hidden_bias),
                self.at("hidden", after),
                self.at("hidden", after),
            ]
            self.blocks.append(nn.ModuleList(both))
        self.linear = nn.Linear(widths[-1], outputs, bias=self.output_bias)
        self.last = self.at("output", outputs)

    def forward(self, x):
        x = self.activated(self.norm0, self.conv(self.first(x)))
        for stage, (conv1, conv2, norm1, norm2) in enumerate(self.blocks):
            # Shortcut A of He et al. (2016): every other pixel, and channels of zeros around the old ones.
            shortcut = x
            if stage:
                shortcut = x[:, :, ::2, ::2]
                zeros = torch.zeros_like(shortcut[:, : shortcut.shape[1] // 2])
                shortcut = torch.cat([zeros, shortcut, zeros], dim=1)
            y = conv2(self.activated(norm1, conv1(x)))
            x = norm2((y + shortcut).relu()) if self.after else (norm2(y) + shortcut).relu()
        return self.last(self.linear(x.mean((2, 3))))


def weights(network):
    """Parameters of convolutions and linear layers, in their order."""
    return [
        each for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear) for each in layer.parameters()
    ]


def standing(network, x):
    """The norms that keep statistics, in the order in which the network calls them."""
    kinds, order = (AnyBatch, AnyGhost, AnyFrozen), []
    layers = [each for each in network.modules() if isinstance(each, kinds) and each.running_mean is not None]
    hooks = [each.register_forward_pre_hook(lambda layer, _: order.append(layer)) for each in layers]
    network(x[:2])
    for hook in hooks:
        hook.remove()
    return order


@torch.no_grad()
def measure(network, x):
    """Take the statistics of all of `x`, layer by layer, each behind the ones before it."""
    was = network.training
    network.eval()
    for layer in [each for each in standing(network, x) if not getattr(each, "frozen", False)]:
        seen = []
        hook = layer.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.append(inputs[0]))
        network(x)
        hook.remove()
        axes = [axis for axis in range(seen[0].dim()) if axis != 1]
        layer.running_mean.copy_(seen[0].mean(axes))
        layer.running_var.copy_(seen[0].var(axes, unbiased=False))
    network.train(was)


def refresh(network, step, x):
    every = [each.every for each in network.modules() if isinstance(each, AnyPopulation)]
    if every and step % every[0] == 0:
        measure(network, x)


def train_one(network, optimizer, points, orders, batch_size, error, mixed, *, mixes=False):
    """Train one network, its examples in `orders[epoch]`, and evaluate it after every epoch: losses by outcome.

    `mixed` is an order of the training points and one of the test points, in which batches with statistics of their own
    are evaluated: for one outcome, and if it `mixes` for all. A `batch_size` of None is that of all points.
    """
    train_x, train_y, test_x, test_y = points
    at_once, batch_size = batch_size or len(test_x), batch_size or len(train_x)
    seen = mixed if mixes else [slice(None), slice(None)]
    outcomes = ("train_loss", "eval_loss", "test_loss", "test_loss_precise", "test_loss_batch")
    losses = {name: [] for name in outcomes}
    step = 0
    for epoch, order in enumerate(orders):
        network.train()
        for layer in network.modules():
            if isinstance(layer, Frozen):
                layer.begin(epoch / len(orders))
        found = []
        for part in batches(len(train_x), batch_size):
            refresh(network, step, train_x)
            x, y = train_x[order][part], train_y[order][part]
            found.append(update(optimizer, partial(gradients, network, error, x, y)))
            step += 1
        refresh(network, step, train_x)
        losses["train_loss"].append(sum(found) / len(found))
        network.eval()
        size = batch_size if mixes else len(train_x)
        with torch.no_grad():
            losses["eval_loss"].append(evaluated(network, train_x[seen[0]], train_y[seen[0]], size, error))
            losses["test_loss"].append(evaluated(network, test_x[seen[1]], test_y[seen[1]], size, error))
            precise = copy.deepcopy(network)
            measure(precise, train_x)
            losses["test_loss_precise"].append(evaluated(precise, test_x[seen[1]], test_y[seen[1]], size, error))
            losses["test_loss_batch"].append(by_batch(network, test_x[mixed[1]], test_y[mixed[1]], at_once, error))
    return losses


def gradients(network, error, x, y):
    """Fill the gradients of a batch; its loss."""
    network.zero_grad()
    loss = error(network(x), y)
    loss.backward()
    return loss


def update(optimizer, compute):
    """One step by what `compute` gives; an optimizer of no class of torch's does it all itself."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        return optimizer(compute)
    loss = compute().item()
    optimizer.step()
    return loss


def evaluated(network, x, y, size, error):
    """The loss of all points, that go through the network in parts."""
    output = torch.cat([network(x[part]) for part in batches(len(x), size)])
    return error(output, y).item()


@contextmanager
def double():
    """Modules of double precision."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)
