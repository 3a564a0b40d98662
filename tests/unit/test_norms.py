"""The arms: closed-form oracle, gradients by hand against autograd, and norms that have no gradient of their own."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from specs import named, spec

from bnbench.initialization import initial_weights
from bnbench.networks import Network
from bnbench.norms import NORMS, BatchNorm, Norm
from bnbench.tasks import Data
from bnbench.train import train

SLOPE, NOISE, SEEDS = 1.5, 0.3, range(32)


def gaussian_regression(seed, points=1024):
    """y = a z + noise at standard normal z; tested without noise at the population's quantiles."""
    generator = np.random.default_rng(seed)
    z = generator.standard_normal((points, 1))
    # Exactly the population's mean and variance, so that precise statistics are population statistics.
    z = (z - z.mean()) / z.std()
    return Data(z, SLOPE * z + NOISE * generator.standard_normal(z.shape), z, SLOPE * z)


@pytest.mark.parametrize("batch", [2, 4, 8, 16, 32])
def test_batch_norm_before_a_scale_head_shrinks_the_slope_as_the_closed_form_says(batch):
    # γ* = a c_M with c_M = √(2/M) Γ(M/2)/Γ((M−1)/2); excess test error under population statistics a²(1 − c_M)².
    shrinkage = math.sqrt(2 / batch) * math.exp(math.lgamma(batch / 2) - math.lgamma((batch - 1) / 2))
    setting = spec(
        hidden=[1],
        activation="identity",
        norm=named("norm", "batch", eps=0.0),
        batch_size=batch,
        optimizer=named("optimizer", "sgd", lr=0.02 if batch < 8 else 0.05),
        schedule=named("schedule", "cosine"),
        epochs=16,
        evaluate_every=16,
        dtype="float64",
    )
    result = train(setting, SEEDS, [gaussian_regression(seed) for seed in SEEDS], torch.device("cpu"))
    z = np.stack([gaussian_regression(seed).test_x[:, 0] for seed in SEEDS])
    # The networks are linear in z, so their fit under running statistics is a slope up to those statistics' own error.
    excess = result.losses["test_loss_precise"][-1]
    slope = 1 - np.sqrt(excess) / SLOPE
    error = slope.std(ddof=1) / math.sqrt(len(SEEDS))
    assert z.shape == (32, 1024)
    assert abs(slope.mean() - shrinkage) < 4 * error + 0.002
    assert error < 0.01


def batch_norm_by_autograd():
    @dataclass(frozen=True)
    class Plain(BatchNorm):
        """The same forward pass, with autograd's gradient."""

        backward = None

    return Plain


@pytest.mark.parametrize("affine", [True, False])
def test_the_gradient_by_hand_is_autograds(affine):
    layers = [initial_weights([3, 7, 5, 1], BatchNorm(), "independent", seed) for seed in range(4)]
    x = torch.randn(4, 9, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    gradients = []
    for norm in (BatchNorm(affine=affine), batch_norm_by_autograd()(affine=affine)):
        network = Network(layers, norm, "tanh", torch.float64, torch.device("cpu"))
        with torch.no_grad():
            for value in (network.parameters[n] for n in network.parameters if n.startswith("norm")):
                value.add_(0.3)
            network.backward(network.forward(x).mul(2.0))
        gradients.append({name: value.clone() for name, value in network.gradients.items()})
    for name, by_hand in gradients[0].items():
        torch.testing.assert_close(by_hand, gradients[1][name], rtol=1e-10, atol=1e-12, msg=name)
        assert by_hand.abs().max() > 0 or name.endswith("weight") is False


def test_a_norm_needs_only_a_forward_pass(monkeypatch):
    """RMS normalization, made up here: registered under a name, it trains with nothing else changed."""

    @dataclass(frozen=True)
    class Rms(Norm):
        """Divide by the root mean square over the units, then scale."""

        def parameters(self):
            return {"gamma": 1.0}

        def forward(self, x, parameters, buffers):
            return self.evaluate(x, parameters, buffers), None

        def evaluate(self, x, parameters, buffers):
            return x * (x.square().mean(2, keepdim=True) + 1e-6).rsqrt() * parameters["gamma"]

    monkeypatch.setitem(NORMS, "rms", Rms)
    setting = spec(norm={"name": "rms"}, hidden=[7, 5], epochs=80, optimizer=named("optimizer", "adam", lr=0.01))
    from bnbench.parameters import build
    from bnbench.tasks import TASKS

    data = [build(TASKS, setting["task"]).data(seed) for seed in range(3)]
    losses = train(setting, range(3), data, torch.device("cpu")).losses
    assert (losses["train_loss"][-1] < losses["train_loss"][0] / 2).all()
    np.testing.assert_array_equal(losses["test_loss"], losses["test_loss_precise"])


def test_precise_statistics_of_blocks_are_those_of_the_whole():
    x = torch.randn(2, 50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    pooled = BatchNorm().population(x.split([20, 29, 1], dim=1))
    torch.testing.assert_close(pooled["mean"], x.mean(1, keepdim=True))
    torch.testing.assert_close(pooled["variance"], x.var(1, keepdim=True, unbiased=False))


def test_running_statistics_are_those_of_torch():
    reference = torch.nn.BatchNorm1d(3, dtype=torch.float64)
    norm = BatchNorm()
    parameters = {"gamma": torch.ones(1, 1, 3, dtype=torch.float64), "beta": torch.zeros(1, 1, 3, dtype=torch.float64)}
    buffers = {name: torch.full((1, 1, 3), value, dtype=torch.float64) for name, value in norm.buffers().items()}
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        x = torch.randn(1, 8, 3, dtype=torch.float64, generator=generator)
        torch.testing.assert_close(norm.forward(x.clone(), parameters, buffers)[0][0], reference(x[0]))
    torch.testing.assert_close(buffers["mean"][0, 0], reference.running_mean)
    torch.testing.assert_close(buffers["variance"][0, 0], reference.running_var)
