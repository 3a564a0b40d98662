"""Losses: the gradient by hand, and a loss that has none."""

import numpy as np
import pytest
import torch
from specs import named, spec

from bnbench.catalogue import own
from bnbench.catalogue.losses import CrossEntropy, Loss, OwnLoss, SquaredLoss
from bnbench.catalogue.norms import BatchNorm
from bnbench.catalogue.parameters import build, schema
from bnbench.catalogue.tasks import TASKS
from bnbench.trainer import activations, loop, objectives, stacked
from bnbench.trainer.initialization import initial_weights
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
    network = Network(layers, BatchNorm(), activation, dtype, torch.device("cpu"))
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


def test_accuracy_is_the_share_of_examples_whose_largest_output_is_the_right_one():
    output, target = some_classes()
    right = [
        [bool(o.argmax() == t.argmax()) for o, t in zip(*seed, strict=True)]
        for seed in zip(output, target, strict=True)
    ]
    np.testing.assert_allclose(CrossEntropy().accuracy(output, target), np.mean(right, axis=1))
    assert SquaredLoss().accuracy(output, target) is None


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
