"""Which engine and which kernels train a setting: told from the setting alone, and why it is not the stacked one."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specs import named, own, spec

from bnbench.catalogue.activations import ACTIVATIONS
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.plan.engines import engine, fused, modular_because
from bnbench.plan.settings import Setting

STACKED = {
    "norm": [name for name in NORMS if name not in ("instance", "module")],
    "optimizer": [name for name in OPTIMIZERS if name not in ("lbfgs", "adafactor", "muon", "module")],
}

plain = st.builds(
    spec,
    task=st.sampled_from(["sine", "adding", "diabetes", "digits", "moons"]).map(lambda name: named("task", name)),
    network=st.just(named("network", "mlp")),
    hidden=st.sampled_from([[4], [16, 8]]),
    activation=st.sampled_from([*ACTIVATIONS]),
    norm=st.sampled_from(STACKED["norm"]).map(lambda name: named("norm", name)),
    optimizer=st.sampled_from(STACKED["optimizer"]).map(lambda name: named("optimizer", name)),
    schedule=st.sampled_from([named("schedule", "constant", warmup=3), named("schedule", "cosine")]),
    loss=st.just({"name": "task"}),
    accumulate=st.just(1),
    batch_size=st.sampled_from(["full", 25]),
    init=st.sampled_from(["independent", "sequential"]),
    device=st.sampled_from(["cpu", "cuda"]),
    dtype=st.sampled_from(["float32", "float64"]),
    epochs=st.integers(1, 1000),
)
"""Whatever the stacked engine can train."""

MODULAR = {
    "network 'cnn'": {"network": named("network", "cnn"), "task": named("task", "digits")},
    "network 'resnet'": {"network": named("network", "resnet"), "task": named("task", "digits")},
    "network 'module'": {"network": own("network")},
    "task 'arrays'": {"task": named("task", "arrays", path="a.npz")},
    "task 'module'": {"task": named("task", "module", path="data.py", build="make")},
    "dropout": {"network": named("network", "mlp", dropout=0.1)},
    "placement: after": {"norm": named("norm", "layer", placement="after")},
    "on: input": {"norm": named("norm", "batch", on=("input",))},
    "on: hidden, output": {"norm": named("norm", "batch", on=("hidden", "output"))},
    "layers: norm0": {"norm": named("norm", "batch", layers=("norm0",))},
    "norm 'instance'": {"norm": named("norm", "instance")},
    "norm 'batch'": {"norm": named("norm", "batch", statistics="batch")},
    "norm 'module'": {"norm": own("norm")},
    "optimizer 'lbfgs'": {"optimizer": named("optimizer", "lbfgs")},
    "optimizer 'adafactor'": {"optimizer": named("optimizer", "adafactor")},
    "optimizer 'muon'": {"optimizer": named("optimizer", "muon")},
    "optimizer 'module'": {"optimizer": own("optimizer")},
    "clip: 1": {"optimizer": named("optimizer", "adam", clip=1.0)},
    "weight_decay_on: weights": {"optimizer": named("optimizer", "adamw", weight_decay_on="weights")},
    "accumulate: 2": {"accumulate": 2},
    "a loss of your own": {"loss": own("loss")},
}
"""Why a setting needs the modular engine → what in it does."""


@settings(max_examples=100, deadline=None)
@given(plain)
def test_the_stacked_engine_trains_every_plain_perceptron(setting):
    assert (engine(setting), modular_because(setting)) == ("stacked", "")


@pytest.mark.parametrize(("why", "change"), MODULAR.items(), ids=MODULAR)
@settings(max_examples=10, deadline=None)
@given(plain)
def test_each_of_these_alone_needs_the_modular_engine(why, change, setting):
    changed = {**setting, **change}
    assert (engine(changed), modular_because(changed)) == ("modular", why)


@pytest.mark.parametrize("kind", STACKED)
def test_the_modular_engine_knows_why_for_every_entry_that_the_stacked_one_lacks(kind):
    registry = {"norm": NORMS, "optimizer": OPTIMIZERS}[kind]
    assert {f"{kind} '{name}'" for name in registry if name not in STACKED[kind]} <= {*MODULAR}


def test_a_setting_of_an_earlier_version_has_the_engine_that_it_had():
    assert not {"network", "loss", "accumulate"} & {*spec()}
    assert engine(spec()) == "stacked"


@settings(max_examples=30, deadline=None)
@given(plain, st.sampled_from([*MODULAR.values()]))
def test_a_job_has_the_engine_of_the_plan(setting, change):
    for each in (setting, {**setting, **change}):
        assert engine(Setting.from_spec(json.loads(Setting.from_spec(each).to_json())).spec) == engine(each)


SMALL = spec(hidden=[64, 64], norm=named("norm", "batch"), batch_size=25, device="cuda")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"norm": named("norm", "none")},
        {"norm": named("norm", "batch", affine=False)},
        {"activation": "identity"},
        {"batch_size": "full"},
        {"batch_size": 128, "task": named("task", "sine", points=3000)},
        *({"optimizer": named("optimizer", name)} for name in ("sgd", "momentum", "adam", "adamw")),
        {"network": named("network", "mlp"), "loss": {"name": "task"}},
    ],
    ids=str,
)
def test_fused_kernels_take_the_steps_of_a_small_regression_on_a_gpu(change):
    assert fused({**SMALL, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"device": "cpu"},
        {"dtype": "float64"},
        {"activation": "tanh"},
        {"batch_size": 1, "norm": named("norm", "none")},
        {"batch_size": 129, "task": named("task", "sine", points=3000)},
        {"batch_size": "full", "task": named("task", "diabetes")},
        {"task": named("task", "digits")},
        {"loss": named("loss", "absolute")},
        {"norm": named("norm", "batch", momentum=None)},
        {"norm": named("norm", "batch", statistics="batch")},
        {"norm": named("norm", "batch", placement="after")},
        *({"norm": named("norm", name)} for name in ("ghost", "frozen", "layer", "population")),
        *({"optimizer": named("optimizer", name)} for name in OPTIMIZERS if "adam" in name[1:] or name == "rprop"),
        {"optimizer": named("optimizer", "adam", clip=1.0)},
        {"network": named("network", "mlp", dropout=0.5)},
    ],
    ids=str,
)
def test_fused_kernels_take_no_others(change):
    assert not fused({**SMALL, **change})
