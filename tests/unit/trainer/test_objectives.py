"""Losses: the gradient by hand, and a loss that has none."""

from functools import partial

import numpy as np
import pytest
import torch
from specs import named, spec
from torch.nn import functional

from bnbench.catalogue import own
from bnbench.catalogue.losses import (
    AbsoluteLoss,
    BinaryCrossEntropy,
    CrossEntropy,
    HuberLoss,
    Loss,
    OwnLoss,
    SquaredLoss,
)
from bnbench.catalogue.norms import BatchNorm
from bnbench.catalogue.parameters import build, schema
from bnbench.catalogue.tasks import TASKS
from bnbench.trainer import activations, loop, objectives, stacked
from bnbench.trainer.initialization import initial_weights
from bnbench.trainer.initialization import stacked as stack
from bnbench.trainer.network import Network

SEEDS = [3, 4]


class Plain(SquaredLoss):
    """The same loss, whose derivatives are left to autograd."""

    differentiate = hessian_roots = None


class PlainClasses(CrossEntropy):
    """The same for classes."""

    differentiate = hessian_roots = None


class Relative(Loss):
    """The squared error over the target's size, made up here: nothing but a forward pass."""

    def forward(self, output, target):
        return ((output - target) / (target.abs() + 1)).square()


def trained(loss, activation="relu", dtype=torch.float64):
    """The losses of a small network with BN on the sine, by outcome."""
    setting = spec(epochs=30, batch_size=25, optimizer=named("optimizer", "adam", lr=0.01))
    data = [build(TASKS, setting["task"]).data(seed) for seed in SEEDS]
    layers = [initial_weights([1, 7, 5, 1], BatchNorm(), "independent", seed) for seed in SEEDS]
    network = Network(stack(layers), BatchNorm(), activation, dtype, torch.device("cpu"))
    points = stacked.Points(
        *(torch.from_numpy(np.stack(part)).to(dtype) for part in zip(*(d[:4] for d in data), strict=True))
    )
    return loop.train_networks(stacked.StackedEngine(network, setting, SEEDS, points, loss), setting).losses


def test_the_gradient_by_hand_is_autograds():
    output, target = torch.randn(2, 3, 9, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    both = (objectives.differentiate(loss, output, target) for loss in (SquaredLoss(), Plain()))
    for by_hand, by_autograd in zip(*both, strict=True):
        torch.testing.assert_close(by_hand, by_autograd)
        assert by_hand.shape == (3, 9, 1)


def some_classes():
    generator = torch.Generator().manual_seed(1)
    output = 2 * torch.randn(3, 9, 4, dtype=torch.float64, generator=generator)
    return output, torch.eye(4, dtype=torch.float64)[torch.randint(4, (3, 9), generator=generator)]


def test_cross_entropy_is_torchs_and_its_gradient_autograds():
    output, target = some_classes()
    losses, gradient = objectives.differentiate(CrossEntropy(), output, target)
    expected = torch.nn.functional.cross_entropy(output.flatten(0, 1), target.flatten(0, 1), reduction="none")
    torch.testing.assert_close(losses.flatten(), expected)
    torch.testing.assert_close(gradient, objectives.differentiate(PlainClasses(), output, target)[1])
    torch.testing.assert_close(objectives.mean(CrossEntropy(), output, target), expected.view(3, 9).mean(1))


TORCH = {
    "squared": (SquaredLoss(), functional.mse_loss),
    "absolute": (AbsoluteLoss(), functional.l1_loss),
    "huber": (HuberLoss(), functional.huber_loss),
    "huber of 0.3": (HuberLoss(delta=0.3), partial(functional.huber_loss, delta=0.3)),
    "binary": (BinaryCrossEntropy(), functional.binary_cross_entropy_with_logits),
}
"""Losses of each output by itself, and what torch has for them."""


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("name", TORCH)
def test_losses_and_their_gradients_are_torchs_with_several_outputs_too(name, outputs):
    loss, theirs = TORCH[name]
    generator = torch.Generator().manual_seed(2)
    output = (2 * torch.randn(3, 9, outputs, dtype=torch.float64, generator=generator)).requires_grad_()
    target = torch.randint(2, output.shape, generator=generator).double()
    with torch.no_grad():
        output[0, 0, 0], output[0, 1, 0] = 80.0, target[0, 1, 0]
    expected = theirs(output, target, reduction="none").mean(2, keepdim=True)
    (slope,) = torch.autograd.grad(expected.sum(), output)
    with torch.no_grad():
        losses, gradient = objectives.differentiate(loss, output, target)
    torch.testing.assert_close(losses, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(gradient, slope, rtol=1e-9, atol=1e-12)
    # As the modular engine does.
    (by_autograd,) = torch.autograd.grad(loss.forward(output, target).sum(), output)
    torch.testing.assert_close(by_autograd, slope, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", TORCH)
def test_the_roots_of_every_loss_make_its_hessian(name):
    loss, theirs = TORCH[name]
    generator = torch.Generator().manual_seed(2)
    output = torch.randn(1, 5, 3, dtype=torch.float64, generator=generator)
    target = torch.randint(2, output.shape, generator=generator).double()
    roots = objectives.hessian_roots(loss, output, target)
    found = sum(root[..., :, None] * root[..., None, :] for root in roots)
    for place in range(5):

        def of_one(outputs, place=place):
            return theirs(outputs, target[0, place])

        expected = torch.autograd.functional.hessian(of_one, output[0, place])
        torch.testing.assert_close(found[0, place], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("smoothing", [0.1, 1.0])
def test_smoothed_cross_entropy_its_gradient_and_its_hessian_are_torchs(smoothing):
    output, target = some_classes()
    loss, output = CrossEntropy(label_smoothing=smoothing), output.requires_grad_()
    theirs = torch.nn.CrossEntropyLoss(label_smoothing=smoothing, reduction="none")
    expected = theirs(output.flatten(0, 1), target.flatten(0, 1).argmax(1)).view(3, 9, 1)
    (slope,) = torch.autograd.grad(expected.sum(), output)
    with torch.no_grad():
        losses, gradient = objectives.differentiate(loss, output, target)
        roots = objectives.hessian_roots(loss, output, target)
    torch.testing.assert_close(losses, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(gradient, slope, rtol=1e-9, atol=1e-12)
    hessian = torch.autograd.functional.hessian(lambda o: theirs(o[None], target[1, 2][None]).sum(), output[1, 2])
    found = sum(root[1, 2][:, None] * root[1, 2][None] for root in roots)
    torch.testing.assert_close(found, hessian, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", TORCH)
def test_training_with_every_loss_takes_the_same_road_with_the_gradient_of_autograd(name, monkeypatch):
    loss, _ = TORCH[name]
    by_hand = trained(loss)
    assert (by_hand["train_loss"][-1] < by_hand["train_loss"][0]).all()
    monkeypatch.setattr(type(loss), "differentiate", None)
    for outcome, values in trained(loss).items():
        np.testing.assert_allclose(values, by_hand[outcome], rtol=1e-9, err_msg=outcome)


def test_the_roots_by_hand_make_the_hessian_of_autograd():
    output, target = some_classes()
    for *losses, some in ((CrossEntropy(), PlainClasses(), output), (SquaredLoss(), Plain(), output[:, :, :1])):
        truth = target[:, :, : some.shape[2]]
        by_hand, by_autograd = (
            sum(root[..., :, None] * root[..., None, :] for root in roots)
            for roots in (objectives.hessian_roots(loss, some, truth) for loss in losses)
        )
        torch.testing.assert_close(by_hand, by_autograd)


def test_training_takes_the_same_road_with_either_gradient():
    for outcome, values in trained(SquaredLoss()).items():
        np.testing.assert_allclose(trained(Plain())[outcome], values, rtol=1e-9, err_msg=outcome)


def test_a_loss_needs_only_a_forward_pass():
    losses = trained(Relative())
    assert (losses["train_loss"][-1] < losses["train_loss"][0] / 2).all()
    assert np.isfinite(losses["test_loss"][-1]).all()


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_an_activation_needs_only_a_forward_pass(monkeypatch, name):
    by_hand = trained(SquaredLoss(), name)
    monkeypatch.delitem(activations._IN_PLACE, name, raising=False)
    monkeypatch.setattr(activations.ACTIVATIONS[name], "kernel", None)
    for outcome, values in trained(SquaredLoss(), name).items():
        np.testing.assert_allclose(values, by_hand[outcome], rtol=1e-9, err_msg=outcome)


def test_a_loss_of_the_users_is_called_by_the_names_of_its_parameters(tmp_path):
    (tmp_path / "losses.py").write_text("def loss(target, output, share):\n    return share * target - output\n")
    entry = {"name": "module", "path": str(tmp_path / "losses.py"), "build": "loss", "share": 2.0}
    declared = schema(OwnLoss)["properties"]
    made = objectives.Objective(spec(loss={**entry, **own.completed(OwnLoss, entry, declared)}))
    output, target = torch.tensor([[1.0], [2.0]]), torch.tensor([[5.0], [7.0]])
    assert made(output, target).tolist() == [[9.0], [12.0]]
