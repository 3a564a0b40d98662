"""A plain perceptron has the same losses on either engine, to 1e-9 in float64."""

import numpy as np
import pytest
import torch
from specs import RATES, named, spec

from bnbench.catalogue import tasks
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.plan import engines
from bnbench.trainer.chunk import train

CPU = torch.device("cpu")
SEEDS = range(3, 6)
ARMS = {
    "none": named("norm", "none"),
    "batch": named("norm", "batch"),
    "ghost": named("norm", "ghost", size=8),
    "frozen": named("norm", "frozen", share=0.4),
    "population": named("norm", "population", every=2),
    "layer": named("norm", "layer"),
    "group": named("norm", "group"),
    "rms": named("norm", "rms"),
}
OPTIONS = {
    "cumulative": named("norm", "batch", momentum=None),
    "cumulative ghost": named("norm", "ghost", size=9, momentum=None),
    "BN, not affine": named("norm", "batch", affine=False),
    "layer, not affine": named("norm", "layer", affine=False),
    "one group": named("norm", "group", groups=1),
    "rms, not affine": named("norm", "rms", affine=False),
    "population before every step": named("norm", "population"),
}
ELEMENTWISE = [name for name, one in OPTIMIZERS.items() if one.elementwise]


def small(**changes):
    """Settings in which rounding does not grow.

    Ten inputs, since behind a single one batch norm leaves gradients that are nothing but rounding. Wide groups and
    batches of ten or more, since three units or examples that happen to agree divide by next to nothing.
    """
    base = {
        "task": named("task", "diabetes", test_fraction=0.8),
        "hidden": [16, 12],
        "batch_size": 25,
        "epochs": 6,
        "evaluate_every": 2,
        "dtype": "float64",
        "optimizer": named("optimizer", "sgd", lr=0.05),
    }
    return spec(**{**base, **changes})


@pytest.fixture
def assert_equal_on_both(monkeypatch):
    def check(setting):
        data = [tasks.of(setting).data(seed) for seed in SEEDS]
        found = {}
        for name in ("stacked", "modular"):
            monkeypatch.setattr(engines, "engine", lambda _, name=name: name)
            found[name] = train(setting, SEEDS, data, CPU)
        one, other = found["stacked"], found["modular"]
        assert one.losses.keys() == other.losses.keys()
        for outcome, values in one.losses.items():
            np.testing.assert_allclose(other.losses[outcome], values, rtol=1e-9, err_msg=outcome)
        np.testing.assert_allclose(other.fit, one.fit, rtol=1e-9, atol=1e-11)
        assert other.hashes == one.hashes
        assert one.diverged_at == other.diverged_at

    return check


@pytest.mark.parametrize("optimizer", ELEMENTWISE)
@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_with_every_optimizer_of_the_stacked_engine(arm, optimizer, assert_equal_on_both):
    assert_equal_on_both(small(norm=ARMS[arm], optimizer=named("optimizer", optimizer, **RATES[optimizer])))


def test_these_are_all_arms_that_both_engines_train():
    both = {name for name, norm in NORMS.items() if not norm.measures and not norm.needs_positions}
    assert both - {"module"} == {*ARMS}


@pytest.mark.parametrize("arm", OPTIONS)
def test_options_of_the_arms(arm, assert_equal_on_both):
    assert_equal_on_both(small(norm=OPTIONS[arm]))


@pytest.mark.parametrize("init", ["independent", "sequential"])
@pytest.mark.parametrize("batch_size", ["full", 16, 29, 33])
@pytest.mark.parametrize("arm", ["none", "batch", "ghost"])
def test_batch_sizes_initial_weights_and_points_to_choose_by(arm, batch_size, init, assert_equal_on_both):
    assert_equal_on_both(small(norm=ARMS[arm], batch_size=batch_size, init=init, validation=0.3))


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": named("schedule", "cosine", warmup=2), "activation": "gelu"},
        {"schedule": named("schedule", "step", every=2, warmup=1), "activation": "identity"},
        {"activation": "silu", "hidden": [5]},
        {"activation": "sigmoid", "hidden": [8, 4, 6]},
        {"activation": "tanh", "optimizer": named("optimizer", "adam", lr=0.01, amsgrad=True, weight_decay=0.1)},
        {"optimizer": named("optimizer", "rmsprop", lr=0.003, centered=True, momentum=0.5)},
        {"optimizer": named("optimizer", "sgd", lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.1)},
        {"seed_varies": "weights"},
        {"seed_varies": "order"},
        {"seed_varies": "data"},
        {"task": named("task", "digits", test_fraction=0.9), "batch_size": 64, "epochs": 2},
        {"task": named("task", "sine", points=4500), "batch_size": 2000, "norm": ARMS["population"], "epochs": 2},
    ],
    ids=lambda changes: "-".join(str(v["name"] if isinstance(v, dict) else v) for v in changes.values()),
)
def test_whatever_else_a_setting_says(changes, assert_equal_on_both):
    assert_equal_on_both(small(**changes))
