"""Initial weights of a stack: those of its seeds, one by one."""

import numpy as np
import pytest
import torch
from specs import named, spec

from bnbench.catalogue.norms import BatchNorm, Identity
from bnbench.trainer import initialization
from bnbench.trainer.initialization import drawn_for, initial_of, initial_weights, stacked, weights_hash
from bnbench.trainer.network import Network

CPU = torch.device("cpu")


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("init", ["independent", "sequential"])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_stacks_weights_and_hashes_are_those_of_its_seeds(norm, init, dtype, workers, monkeypatch):
    monkeypatch.setattr(initialization, "_WORTH_THREADS", 1)
    setting = spec(norm=named("norm", norm), hidden=[7, 5], init=init)
    seeds = [9, 3, 4, 3]
    drawn = drawn_for(setting, seeds, dtype, workers)
    alone = [initial_of(setting, seed) for seed in seeds]
    assert drawn.hashes == [weights_hash(layers) for layers in alone]
    for layer, (weight, bias) in enumerate(drawn.layers):
        for place, layers in enumerate(alone):
            own_weight, own_bias = layers[layer]
            assert torch.equal(weight[place], own_weight.to(dtype))
            assert (bias is None) == (own_bias is None)
            assert bias is None or torch.equal(bias[place], own_bias.to(dtype))


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("norm", [Identity(), BatchNorm()])
def test_a_network_holds_the_weights_transposed_between_zeros(norm, outputs):
    weights = [initial_weights([2, 7, 20, outputs], norm, "independent", seed) for seed in (1, 2)]
    network = Network(stacked(weights), norm, "relu", torch.float32, CPU)
    for layer, (weight, bias) in enumerate(stacked(weights)):
        own = network.parameters[f"linear{layer}.weight"]
        lone = outputs == 1 and layer == 2
        values = (weight if lone else weight.transpose(1, 2)).float()
        assert torch.equal(own[:, : values.shape[1], : values.shape[2]], values)
        assert own.count_nonzero() == values.count_nonzero()
        if bias is not None:
            own_bias = network.parameters[f"linear{layer}.bias"]
            assert torch.equal(own_bias[:, 0, : bias.shape[1]], bias.float())
            assert own_bias.count_nonzero() == bias.count_nonzero()
    for name, values in network.parameters.items():
        if name.startswith("norm"):
            assert (values == norm.parameters()[name.partition(".")[2]]).all()
    assert network.flat.shape == network.flat_gradient.shape
    assert network.flat_gradient.count_nonzero() == 0
    sizes = sum(values.numel() for values in network.parameters.values())
    assert np.count_nonzero(network.flat[sizes:].numpy()) == 0
