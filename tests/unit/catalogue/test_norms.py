"""The arms: closed-form oracle, gradients by hand against autograd, and norms that have no gradient of their own."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from configs import refusal
from scipy import stats
from specs import named, own, spec
from stacked_norms import applied, assert_equals_module, normal

from bnbench.catalogue.norm import Moments
from bnbench.catalogue.norms import (
    NORMS,
    BatchNorm,
    FrozenBatchNorm,
    GhostBatchNorm,
    Norm,
    PopulationGammaNorm,
    PopulationNorm,
)
from bnbench.catalogue.parameters import build, schema
from bnbench.catalogue.task import Data
from bnbench.catalogue.tasks import TASKS
from bnbench.plan import config
from bnbench.trainer.chunk import train
from bnbench.trainer.initialization import initial_weights, stacked
from bnbench.trainer.network import Network

SLOPE, NOISE, SEEDS = 1.5, 0.3, range(32)


def gaussian_regression(seed, points=1024):
    """y = a z + noise at standard normal z; tested without noise at the population's quantiles."""
    generator = np.random.default_rng(seed)
    z = generator.standard_normal((points, 1))
    # Exactly the population's mean and variance, so that precise statistics are population statistics.
    z = (z - z.mean()) / z.std()
    return Data(z, SLOPE * z + NOISE * generator.standard_normal(z.shape), z, SLOPE * z)


@pytest.mark.parametrize("batch", [2, 4, 8, 16, 32, 64])
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
        network = Network(stacked(layers), norm, "tanh", torch.float64, torch.device("cpu"))
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
            return x * (x.square().mean(2, keepdim=True) + 1e-6).rsqrt() * parameters["gamma"], None

    monkeypatch.setitem(NORMS, "own", Rms)
    setting = spec(norm={"name": "own"}, hidden=[7, 5], epochs=80, optimizer=named("optimizer", "adam", lr=0.01))
    data = [build(TASKS, setting["task"]).data(seed) for seed in range(3)]
    losses = train(setting, range(3), data, torch.device("cpu")).losses
    assert (losses["train_loss"][-1] < losses["train_loss"][0] / 2).all()
    np.testing.assert_array_equal(losses["test_loss"], losses["test_loss_precise"])
    weights = [initial_weights([3, 7, 5, 1], Rms(), "independent", seed) for seed in range(2)]
    network = Network(stacked(weights), Rms(), "relu", torch.float64, torch.device("cpu"))
    x = normal(2, 9, 3)
    torch.testing.assert_close(network.evaluate(x), network.forward(x), rtol=1e-12, atol=0)


@dataclass(frozen=True)
class Halving(Norm):
    """A forward pass that overwrites what it gets."""

    def buffers(self):
        return {"seen": 0.0}

    def forward(self, x, parameters, buffers):
        buffers["seen"].add_(1)
        return x.mul_(0.5), None


def test_evaluation_is_the_function_of_training_on_copies_where_a_norm_says_nothing_else():
    x, buffers = torch.ones(2, 3, 4), {"seen": torch.zeros(2, 1, 4)}
    assert (Halving().evaluate(x, {}, buffers) == 0.5).all()
    assert (x == 1).all()
    assert (buffers["seen"] == 0).all()


@dataclass(frozen=True)
class Averaging(Halving):
    """A norm with statistics of which it does not say what the whole training set gives."""

    def forward(self, x, parameters, buffers):
        buffers["seen"].lerp_(x.mean(1, keepdim=True), 0.5)
        return x - buffers["seen"], None

    def evaluate(self, x, parameters, buffers):
        return x - buffers["seen"]


def test_a_norm_that_does_not_say_what_the_whole_set_gives_keeps_its_running_statistics(monkeypatch):
    monkeypatch.setitem(NORMS, "averaging", Averaging)
    setting = spec(norm={"name": "averaging"}, epochs=4, evaluate_every=2)
    data = [build(TASKS, setting["task"]).data(seed) for seed in range(2)]
    losses = train(setting, range(2), data, torch.device("cpu")).losses
    np.testing.assert_array_equal(losses["test_loss"], losses["test_loss_precise"])
    assert np.isfinite(losses["test_loss"][-1]).all()


def test_a_norm_is_refused_that_keeps_statistics_and_does_not_say_how_it_evaluates(monkeypatch):
    monkeypatch.setitem(NORMS, "halving", Halving)
    said = refusal(config.load, {"study": "x", "norm": ["none", "halving"]}, "x.yaml")
    assert said == (
        "x.yaml: norm[1]: class Halving keeps seen in buffers() and has no evaluate(); "
        "allowed: a norm that keeps statistics and says in evaluate() how it uses them"
    )


def test_a_norm_without_a_forward_pass_is_refused(monkeypatch):
    @dataclass(frozen=True)
    class Nothing(Norm):
        """It cannot train."""

    monkeypatch.setitem(NORMS, "nothing", Nothing)
    said = refusal(config.load, {"study": "x", "norm": ["none", "nothing"]}, "x.yaml")
    assert said == "x.yaml: norm[1]: class Nothing lacks forward()"


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


def by_moments(norm, x, weight, dy, parameters, buffers):
    """Output and gradients of a layer that scales a lone input and of the norm behind it, from the input's moments."""
    centred = x - x.mean(1, keepdim=True)
    moments = Moments(x.mean(1, keepdim=True), centred.square().mean(1, keepdim=True), x.shape[1])
    scale, bias, saved = norm.of_linear(weight, moments, parameters, buffers)
    dweight = (centred * dy).sum(1, keepdim=True)
    gradients = norm.of_linear_backward(dy, dweight, saved)
    return centred * scale + (0 if bias is None else bias), {**gradients, "weight": dweight}


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize(("affine", "eps"), [(True, 1e-5), (True, 0.1), (False, 0.1)])
def test_batch_norm_by_the_moments_of_a_lone_input_is_torchs_behind_the_linear_layer(affine, eps, momentum):
    norm = BatchNorm(affine=affine, eps=eps, momentum=momentum)
    layer = torch.nn.Linear(1, 5, bias=False).double()
    theirs = torch.nn.BatchNorm1d(5, affine=affine, eps=eps, momentum=momentum).double()
    values = {"gamma": normal(1, 1, 5, seed=3), "beta": normal(1, 1, 5, seed=4)} if affine else {}
    for name, value in values.items():
        getattr(theirs, {"gamma": "weight", "beta": "bias"}[name]).data.copy_(value[0, 0])
    buffers = {name: torch.full((1, 1, 5), value).double() for name, value in norm.buffers().items()}
    for seed in (1, 2, 3):
        x, dy = 2 + normal(1, 9, 1, seed=seed), normal(1, 9, 5, seed=10 + seed)
        expected = theirs(layer(x[0]))
        wanted = torch.autograd.grad(expected, [layer.weight, *theirs.parameters()], dy[0])
        y, found = by_moments(norm, x, layer.weight.detach().T[None], dy, values, buffers)
        torch.testing.assert_close(y[0], expected.detach(), rtol=1e-10, atol=1e-12)
        for name, gradient in zip(["weight", *values], wanted, strict=True):
            torch.testing.assert_close(found[name][0, 0], gradient.reshape(-1), rtol=1e-8, atol=1e-12, msg=name)
        assert found["weight"].abs().max() > 1e-6
    torch.testing.assert_close(buffers["mean"][0, 0], theirs.running_mean)
    torch.testing.assert_close(buffers["variance"][0, 0], theirs.running_var)


def networks_with(*norms):
    """Networks of one input with the same weights, and parameters of the norm that are not those at the start."""
    layers = [initial_weights([1, 7, 5, 1], BatchNorm(), "independent", seed) for seed in range(4)]
    made = [Network(stacked(layers), norm, "relu", torch.float64, torch.device("cpu")) for norm in norms]
    for network in made:
        for name in network.parameters.keys() & {"norm0.gamma", "norm0.beta", "norm1.gamma"}:
            network.parameters[name].add_(normal(*network.parameters[name].shape, seed=len(name)))
    return made


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_first_layer_of_one_input_is_trained_by_its_moments_as_by_its_outputs(affine, momentum):
    @dataclass(frozen=True)
    class ByOutputs(BatchNorm):
        of_linear = of_linear_backward = None

    arguments = {"affine": affine, "momentum": momentum, "eps": 1e-3}
    ours, theirs = networks_with(BatchNorm(**arguments), ByOutputs(**arguments))
    for step in range(3):
        # Seen as the trainer gives it: rows of a longer array.
        x, dy = normal(4, 2, 16, seed=step)[:, :1, :9].transpose(1, 2), normal(4, 9, 1, seed=20 + step)
        outputs = [network.forward(x) for network in (ours, theirs)]
        torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-10, atol=1e-12)
        for network in (ours, theirs):
            network.backward(dy.clone())
        torch.testing.assert_close(ours.gradients, theirs.gradients, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(ours.buffers, theirs.buffers, rtol=1e-10, atol=1e-12)
    assert ours.gradients["linear0.weight"].abs().max() > 1e-4
    assert not ours.gradients["linear0.weight"][:, :, 7:].any()


def test_an_input_far_from_zero_costs_batch_norm_no_digits():
    x = (1000 + normal(3, 50, 1)).float()
    layers = [initial_weights([1, 7, 1], BatchNorm(), "independent", seed) for seed in range(3)]
    outputs = [
        Network(stacked(layers), BatchNorm(), "identity", dtype, torch.device("cpu")).forward(x.to(dtype)).double()
        for dtype in (torch.float32, torch.float64)
    ]
    torch.testing.assert_close(outputs[0], outputs[1], rtol=0, atol=1e-3)


def test_frozen_norm_takes_the_moments_of_the_input_only_while_it_normalizes_by_the_batch():
    norm = FrozenBatchNorm(share=0.5)
    assert norm.of_linear is not None
    assert norm.at(0.5).of_linear is None
    ours, theirs = networks_with(norm, PopulationNorm(every=0))
    ours.begin(0.5)
    x, dy = normal(4, 9, 1), normal(4, 9, 1, seed=2)
    torch.testing.assert_close(ours.forward(x), theirs.forward(x), rtol=0, atol=0)
    for network in (ours, theirs):
        network.backward(dy.clone())
    torch.testing.assert_close(ours.gradients, theirs.gradients, rtol=0, atol=0)


def test_a_class_with_a_forward_pass_of_its_own_inherits_nothing_that_stands_for_another():
    @dataclass(frozen=True)
    class Doubled(BatchNorm):
        def forward(self, x, parameters, buffers):
            y, saved = super().forward(x, parameters, buffers)
            return 2 * y, saved

    for norm in (Doubled, batch_norm_by_autograd()):
        assert norm.of_linear is norm.of_linear_backward is None
    ours, theirs = networks_with(Doubled(), BatchNorm())
    theirs.parameters["norm0.gamma"].mul_(2)
    theirs.parameters["norm0.beta"].mul_(2)
    theirs.parameters["norm1.gamma"].mul_(2)
    theirs.parameters["norm1.beta"].mul_(2)
    x = normal(4, 9, 1)
    torch.testing.assert_close(ours.forward(x), theirs.forward(x))


@pytest.mark.parametrize("size", [12, 16])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_ghost_norm_with_one_virtual_batch_is_batch_norm(size, momentum):
    x, dy = normal(3, 12, 5), normal(3, 12, 5, seed=2)
    results = []
    for norm in (GhostBatchNorm(size=size, momentum=momentum), BatchNorm(momentum=momentum)):
        y, saved, parameters, buffers = applied(norm, x, steps=3)
        dx, gradients = norm.backward(dy.clone(), saved, parameters)
        results.append([y, dx, *gradients.values(), *buffers.values()])
    for ghost, batch in zip(*results, strict=True):
        torch.testing.assert_close(ghost, batch, rtol=0, atol=0)


@pytest.mark.parametrize("count", [12, 13, 14])
def test_the_running_averages_of_ghost_norm_are_as_published(count):
    # rm ← (1−a)^k rm + Σ_i (1−a)^(k−i) a m_i over the k virtual batches, and the same for the variances.
    x, a = normal(2, count, 3), 0.2
    parts = [*x[:, :12].split(4, dim=1)]
    if count == 13:  # a last one of one example joins the one before it
        parts[-1] = x[:, 8:]
    elif count == 14:
        parts.append(x[:, 12:])
    k = len(parts)
    weights = [(1 - a) ** (k - i) * a for i in range(1, k + 1)]
    _, _, _, buffers = applied(GhostBatchNorm(size=4, momentum=a), x)
    means = sum(w * part.mean(1, keepdim=True) for w, part in zip(weights, parts, strict=True))
    variances = sum(w * part.var(1, keepdim=True) for w, part in zip(weights, parts, strict=True))
    torch.testing.assert_close(buffers["mean"], means)
    torch.testing.assert_close(buffers["variance"], (1 - a) ** k + variances)


def test_batch_norm_without_running_statistics_is_torchs():
    norm = BatchNorm(statistics="batch")
    reference = torch.nn.BatchNorm1d(3, track_running_stats=False).double()
    x = normal(1, 9, 3)
    assert_equals_module(norm, reference, x, normal(1, 9, 3, seed=2))
    _, _, parameters, buffers = applied(norm, x)
    assert buffers == {}
    torch.testing.assert_close(norm.evaluate(x, parameters, {})[0], reference.eval()(x[0]).detach())


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_stands_before_every_hidden_activation_unless_it_is_told_otherwise(name):
    norm = build(NORMS, own("norm") if name == "module" else named("norm", name))
    assert (norm.placement, norm.on, norm.layers) == ("before", ("hidden",), ("*",))


def test_what_is_not_there_stands_nowhere_and_what_freezes_statistics_keeps_some():
    rules = {name: schema(norm)["properties"] for name, norm in NORMS.items()}
    assert rules["none"] == {}
    assert all({"placement", "on", "layers"} <= {*rule} for name, rule in rules.items() if name != "none")
    assert [name for name, rule in rules.items() if "statistics" in rule] == ["batch"]


def test_population_norm_at_full_batch_is_batch_norm_but_for_the_gradient_through_the_statistics():
    x, dy = normal(1, 20, 4), normal(1, 20, 4, seed=2)
    population, batch = PopulationNorm(), BatchNorm()
    _, _, parameters, buffers = applied(population, x)
    buffers.update(population.population([x]))
    y, saved = population.forward(x.clone(), parameters, buffers)
    expected, kept = batch.forward(x.clone(), parameters, {n: v.clone() for n, v in buffers.items()})
    torch.testing.assert_close(y, expected)
    ours, ours_by_name = population.backward(dy.clone(), saved, parameters)
    theirs, theirs_by_name = batch.backward(dy.clone(), kept, parameters)
    for name, gradient in theirs_by_name.items():
        torch.testing.assert_close(ours_by_name[name], gradient)
    # The part of BN's gradient that goes through the statistics, by autograd: x held fixed but in them.
    leaf = x.clone().requires_grad_()
    mean, variance = leaf.mean(1, keepdim=True), leaf.var(1, keepdim=True, unbiased=False)
    through = parameters["gamma"] * (x - mean) / (variance + 1e-5).sqrt()
    (by_statistics,) = torch.autograd.grad(through, leaf, dy)
    assert by_statistics.abs().max() > 0.01
    torch.testing.assert_close(ours + by_statistics, theirs)


def measured_zeta(norm, z, roots, gamma=1.0):
    """ζM of one unit with standardized input z, of whose output these roots come back."""
    parameters = {"gamma": torch.full((1, 1, 1), gamma), "beta": torch.zeros(1, 1, 1)}
    x = z.reshape(1, -1, 1)
    buffers = {**norm.population([x]), "fourth": None, "fisher": None, "curvature": None}
    parameters = {name: value.to(x.dtype) for name, value in parameters.items()}
    standard = (x - buffers["mean"]) / buffers["variance"].sqrt()
    saved = (x - buffers["mean"], buffers["variance"].rsqrt())
    sums = norm.measure([root(standard) for root in roots], saved, parameters)
    means = {name: value / x.shape[1] for name, value in sums.items()}
    return norm.zeta({**means, "points": torch.full((1, 1, 1), 1e9)}, 1).item()


Z = torch.from_numpy(stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000))
"""Standard normal numbers, as even as can be."""


def test_zeta_of_a_relu_unit_under_half_the_squared_error_is_the_published_one():
    # Half the squared error has the Hessian 1, so its root comes back through the ReLU as its slope.
    slope = [lambda h: (h > 0).to(h.dtype)]
    assert measured_zeta(PopulationGammaNorm(), Z, slope) == pytest.approx(0.375, abs=1e-3)
    # To the letter: the gradient of examples whose residuals are standard normal noise, whatever the input.
    noise = normal(1, len(Z), 1, seed=3)
    gradient = [lambda h: (h > 0) * noise]
    assert measured_zeta(PopulationGammaNorm(curvature="unit"), Z, gradient) == pytest.approx(0.375, abs=2e-3)


def test_zeta_knows_that_a_batch_is_drawn_without_replacement_and_a_full_one_not_by_chance():
    norm = PopulationGammaNorm()
    means = {"fourth": 3.0, "fisher": 0.5, "curvature": 0.5, "points": 101.0}
    buffers = {name: torch.full((1, 1, 1), value) for name, value in means.items()}
    assert norm.zeta(buffers, 101).item() == 0
    assert norm.zeta(buffers, 51).item() == pytest.approx(0.375 / 51 / 2)
    assert PopulationGammaNorm(curvature="unit").zeta(buffers, 101).item() == pytest.approx(0.375 / 101)


def test_zeta_of_an_identity_unit_is_three_quarters():
    assert measured_zeta(PopulationGammaNorm(), Z, [torch.ones_like]) == pytest.approx(0.75, abs=1e-3)


@pytest.mark.parametrize("batch", [8, 32, 128])
def test_batch_norm_costs_a_relu_unit_what_gamma_decay_says(batch):
    # E ½ (relu(ĥ) − y)² under batch statistics, less the same under population statistics: ζM up to terms in 1/M.
    noise, rows = np.random.default_rng(4), 4_000_000 // batch
    h = noise.standard_normal((rows, batch))
    target = np.maximum(h, 0) + noise.standard_normal(h.shape)
    standard = (h - h.mean(1, keepdims=True)) / h.std(1, keepdims=True)
    errors = [np.square(np.maximum(value, 0) - target) / 2 for value in (standard, h)]
    by_batch = (errors[0] - errors[1]).mean(1) * batch
    error = by_batch.std() / math.sqrt(rows)
    assert abs(by_batch.mean() - 0.375) < 4 * error + 0.15 / batch


@pytest.mark.parametrize("batch", [4, 8, 32])
def test_gamma_decay_shrinks_a_slope_about_twice_as_much_as_batch_norm(batch):
    """The caveat: PN + gamma decay ends at a/(1 + 3/(2M)), BN at a c_M, so their excess risks differ."""
    norm, x = PopulationGammaNorm(eps=0.0), Z[::100].reshape(1, -1, 1)
    y = SLOPE * x
    parameters = {"gamma": torch.ones(1, 1, 1, dtype=x.dtype), "beta": torch.zeros(1, 1, 1, dtype=x.dtype)}
    buffers = norm.population([x])
    saved = (x - buffers["mean"], buffers["variance"].rsqrt())
    sums = norm.measure([torch.full_like(x, math.sqrt(2))], saved, parameters)
    buffers |= {name: value / x.shape[1] for name, value in sums.items()} | {"points": torch.full_like(x[:, :1], 1e9)}
    for _ in range(300):
        output, kept = norm.forward(x.clone(), parameters, buffers)
        kept = (*kept[:-1], norm.zeta(buffers, batch))
        _, gradients = norm.backward(2 * (output - y) / x.shape[1], kept, parameters)
        parameters["gamma"] -= 0.1 * gradients["gamma"]
    slope = parameters["gamma"].item() / SLOPE
    assert slope == pytest.approx(1 / (1 + 3 / (2 * batch)), abs=0.005)
    shrinkage = math.sqrt(2 / batch) * math.exp(math.lgamma(batch / 2) - math.lgamma((batch - 1) / 2))
    assert (1 - slope) ** 2 > 1.6 * (1 - shrinkage) ** 2


def test_frozen_norm_is_batch_norm_and_then_population_norm_with_its_statistics():
    norm = FrozenBatchNorm(share=0.5, eps=1e-3)
    assert norm.at(0.0) is norm.at(0.49) is norm
    fixed = norm.at(0.5)
    assert fixed == norm.at(1.0)
    x = normal(2, 9, 3)
    _, _, parameters, buffers = applied(norm, x)
    before = {name: value.clone() for name, value in buffers.items()}
    y, _ = fixed.forward(x.clone(), parameters, buffers)
    torch.testing.assert_close(y, norm.evaluate(x, parameters, before))
    torch.testing.assert_close(buffers, before, rtol=0, atol=0)
    assert not fixed.refreshed_every()


@pytest.mark.parametrize("name", sorted({*NORMS} - {"none", "instance", "module"}))
def test_arms_in_evaluation_mode_change_no_buffer_and_leave_their_input(name):
    norm = NORMS[name]()
    x = normal(2, 9, 4)
    kept = x.clone()
    _, _, parameters, buffers = applied(norm, x)
    before = {key: value.clone() for key, value in buffers.items()}
    norm.evaluate(x, parameters, buffers)
    torch.testing.assert_close(x, kept, rtol=0, atol=0)
    torch.testing.assert_close(buffers, before, rtol=0, atol=0)
