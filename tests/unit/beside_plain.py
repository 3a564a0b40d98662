"""Networks of the modular engine beside the same ones in plain torch."""

import numpy as np
import torch
from plain_networks import CNN, ResNet, double, train_one, weights
from tiny import SHAPE, data_of, engine_of, module_of, trained

from bnbench.streams import stream

PLAIN = {
    "cnn": lambda norm: CNN(norm, SHAPE, 3, [4, 6]),
    "resnet": lambda norm: ResNet(norm, SHAPE, 3, 4),
}
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def plain(setting, seed, make_optimizer):
    """Losses by outcome of the same network in plain torch, and the network afterwards."""
    (data,) = data_of(setting, [seed])
    norm = setting["norm"]
    with double():
        network = PLAIN[setting["network"]["name"]](norm)
        x_shape = (-1, *SHAPE)
        points = [torch.from_numpy(values) for values in data[:4]]
        points[::2] = [x.reshape(x_shape) for x in points[::2]]
    initial = weights(module_of(engine_of(setting, [seed])))
    with torch.no_grad():
        for own, theirs in zip(weights(network), initial, strict=True):
            own.copy_(theirs)
    generator, count = stream(seed, "order"), len(data.train_x)
    full = setting["batch_size"] == "full"
    shuffled = not full or norm["name"] == "ghost"
    orders = [generator.permutation(count) if shuffled else np.arange(count) for _ in range(setting["epochs"])]
    sizes = {"train_x": count, "test_x": len(data.test_x)}
    mixed = [stream(seed, f"forward.blocks.{name}").permutation(size) for name, size in sizes.items()]
    losses = train_one(
        network,
        make_optimizer(network.parameters()),
        points,
        orders,
        None if full else setting["batch_size"],
        torch.nn.CrossEntropyLoss(),
        mixed,
        mixes=norm.get("statistics") == "batch",
    )
    return losses, network


def statistics(network):
    """Running statistics, in the order in which the network holds its layers."""
    return [each for name, each in network.named_buffers() if name.endswith(STATISTICS)]


def assert_equals_plain_torch(setting, make_optimizer, seed=3):
    measured, engine = trained(setting, [seed])
    losses, network = plain(setting, seed, make_optimizer)
    for outcome, values in losses.items():
        np.testing.assert_allclose(measured.losses[outcome][:, 0], values, rtol=1e-9, err_msg=outcome)
    for found, expected in zip(statistics(module_of(engine)), statistics(network), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
