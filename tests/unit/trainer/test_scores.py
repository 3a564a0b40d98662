"""Scores against scikit-learn, to 1e-9."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score, roc_auc_score

from bnbench.catalogue.tasks import Moons
from bnbench.trainer import scores

SEEDS, POINTS = 3, 41


class Scored(Moons):
    """A task of some kind of targets and number of outputs."""

    def __init__(self, kind, outputs):
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_outputs", outputs)

    def outputs(self):
        return self._outputs

    def kind(self):
        return self._kind


def drawn(outputs, ties=False):
    """Outputs, on a few values where there shall be ties."""
    values = torch.randn(SEEDS, POINTS, outputs, dtype=torch.float64, generator=torch.Generator().manual_seed(outputs))
    return values.round() if ties else values


def classes(outputs):
    return torch.eye(outputs, dtype=torch.float64)[
        torch.randint(outputs, (SEEDS, POINTS), generator=torch.Generator().manual_seed(5))
    ]


def flags(outputs):
    return torch.randint(2, (SEEDS, POINTS, outputs), generator=torch.Generator().manual_seed(6)).double()


def assert_equals(kind, output, target, expected):
    """Every score of every seed is what a function gives of one seed's arrays."""
    found = scores.of(Scored(kind, output.shape[2]), output, target)
    assert found.keys() == expected.keys()
    for name, function in expected.items():
        each = [function(t.numpy(), o.numpy()) for o, t in zip(output, target, strict=True)]
        np.testing.assert_allclose(found[name].numpy(), each, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("outputs", [1, 3])
def test_scores_of_numbers_are_scikit_learns(outputs):
    target = drawn(outputs + 7)[:, :, :outputs] * torch.arange(1.0, outputs + 1)
    expected = {
        "r2": lambda t, o: r2_score(t, o, multioutput="variance_weighted"),
        "mae": mean_absolute_error,
    }
    assert_equals("numbers", drawn(outputs), target, expected)


def of_classes(t, o):
    return accuracy_score(t.argmax(1), o.argmax(1))


def test_accuracy_of_classes_is_scikit_learns():
    assert_equals("classes", drawn(4), classes(4), {"test_accuracy": of_classes})


@pytest.mark.parametrize("outputs", [1, 3])
def test_accuracy_of_flags_is_the_share_of_flags_that_are_right(outputs):
    expected = {"test_accuracy": lambda t, o: accuracy_score(t.ravel() > 0, o.ravel() > 0)}
    assert_equals("flags", drawn(outputs), flags(outputs), expected)


@pytest.mark.parametrize("ties", [False, True])
def test_the_area_under_the_curve_is_scikit_learns_with_ties_and_without(ties):
    output = drawn(2, ties)
    assert ((output[:, :, 1] - output[:, :, 0]).unique().numel() < POINTS) == ties
    expected = {"test_accuracy": of_classes, "auc": lambda t, o: roc_auc_score(t[:, 1], o[:, 1] - o[:, 0])}
    assert_equals("classes", output, classes(2), expected)


def test_a_score_that_the_points_do_not_define_is_nan():
    output, one_class = drawn(2), torch.eye(2, dtype=torch.float64)[torch.zeros(SEEDS, POINTS, dtype=torch.int64)]
    assert scores.of(Scored("classes", 2), output, one_class)["auc"].isnan().all()
    assert scores.of(Scored("numbers", 2), output, torch.ones_like(output))["r2"].isinf().all()


def test_a_network_that_diverged_has_no_area_under_the_curve():
    output = drawn(2)
    output[1, 4, 0] = torch.nan
    assert scores.of(Scored("classes", 2), output, classes(2))["auc"].isnan().tolist() == [False, True, False]


def test_scores_do_not_depend_on_the_other_seeds_of_the_stack():
    output, target = drawn(2), classes(2)
    for name, values in scores.of(Scored("classes", 2), output, target).items():
        alone = [scores.of(Scored("classes", 2), output[k : k + 1], target[k : k + 1])[name] for k in range(SEEDS)]
        assert torch.equal(values, torch.cat(alone)), name
