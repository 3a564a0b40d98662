"""The cost model: more work never costs less, jobs keep within their limits, and nothing but the setting counts."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specs import named, own, spec

from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.plan import cost
from bnbench.trainer.network import Network

quick = settings(max_examples=150, deadline=None, derandomize=True)


def some(kind, registry):
    """Any resolved entry with its defaults."""
    return st.sampled_from([own(kind) if name == "module" else named(kind, name) for name in sorted(registry)])


specs = st.builds(
    spec,
    hidden=st.lists(st.integers(1, 1500), min_size=1, max_size=4),
    norm=some("norm", NORMS),
    optimizer=some("optimizer", OPTIMIZERS),
    accumulate=st.sampled_from([1, 4]),
    batch_size=st.sampled_from(["full", 2, 10, 100]),
    activation=st.sampled_from(["relu", "tanh"]),
    epochs=st.integers(1, 100_000),
    evaluate_every=st.integers(1, 1000),
    dtype=st.sampled_from(["float32", "float64"]),
    device=st.sampled_from(["cpu", "cuda"]),
)


@quick
@given(specs, st.integers(1, 3000), st.integers(1, 3000))
def test_more_seeds_never_cost_less(setting, few, more):
    few, more = sorted((few, more))
    assert 0 < cost.seconds(setting, few) <= cost.seconds(setting, more)
    assert 0 < cost.memory(setting, few) <= cost.memory(setting, more)


@quick
@given(specs, st.integers(1, 300))
def test_time_is_a_sum_over_epochs_and_longer_training_costs_more(setting, seeds):
    longer = cost.seconds({**setting, "epochs": 10 * setting["epochs"]}, seeds)
    assert cost.seconds(setting, seeds) < longer < 10.001 * cost.seconds(setting, seeds)


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": [512, 512]},
        {"hidden": [256, 256, 256]},
        {"batch_size": 5},
        {"dtype": "float64"},
        {"activation": "tanh"},
        {"evaluate_every": 1},
        {"norm": named("norm", "batch")},
        {"optimizer": named("optimizer", "radam")},
        {"task": named("task", "sine", points=1000)},
    ],
    ids=", ".join,
)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_what_takes_longer_costs_more(change, device):
    plain = spec(hidden=[256, 256], norm=named("norm", "none"), batch_size=50, device=device)
    assert cost.seconds({**plain, **change}, 20) > cost.seconds(plain, 20)


@quick
@given(specs)
def test_jobs_are_the_largest_round_numbers_of_seeds_within_the_limits(setting):
    size = cost.seeds_per_job(setting)
    assert str(size).rstrip("0") in ("1", "2", "5")
    assert size == 1 or cost.seconds(setting, size) <= cost.JOB_SECONDS
    larger = size * (2.5 if str(size)[0] == "2" else 2)
    enough = cost.seconds(setting, int(larger)) > cost.JOB_SECONDS or size >= 100_000
    imports = 330 if setting["device"] == "cpu" else 3000
    too_large = cost.memory(setting, int(larger)) > imports + 2048
    too_large |= setting["device"] == "cuda" and larger * cost._bytes(setting) > 8 * 2**30
    assert enough or too_large


def test_jobs_of_the_default_study_take_minutes():
    for batch_size in ("full", 25):
        for norm in ("none", "batch"):
            setting = spec(hidden=[256, 256], norm=named("norm", norm), batch_size=batch_size, epochs=2000)
            assert 100 < cost.seconds(setting, cost.seeds_per_job(setting)) <= 300


@quick
@given(specs, st.integers(1, 1000), st.integers(1, 5))
def test_what_is_asked_of_a_cluster_is_more_than_is_needed_and_grows_with_the_attempt(setting, seeds, attempt):
    first, later = cost.asked(setting, seeds, 1), cost.asked(setting, seeds, attempt)
    assert first.minutes * 60 >= 2 * cost.seconds(setting, seeds) + 120
    assert first.mebibytes >= 1.5 * cost.memory(setting, seeds)
    assert later == (first.minutes * attempt, first.mebibytes * attempt)


@quick
@given(st.lists(st.integers(1, 300), min_size=1, max_size=3))
def test_stacks_are_as_large_as_the_weights_allow(hidden):
    setting = spec(hidden=hidden)
    size = cost.stack_size(setting)
    assert size == 2 or size * cost.weights(setting) * 16 <= 5 * 2**20
    assert (size + 1) * cost.weights(setting) * 16 > 5 * 2**20
    assert cost.stack_size({**setting, "device": "cuda"}) > 10**6


def test_weights_are_counted_as_they_lie_in_memory():
    import torch

    from bnbench.trainer.initialization import initial_weights, stacked

    setting, norm = spec(hidden=[20, 33]), NORMS["none"]()
    layers = initial_weights([1, 20, 33, 1], norm, "independent", 0)
    network = Network(stacked([layers]), norm, "relu", torch.float32, torch.device("cpu"))
    assert cost.weights(setting) == sum(values.numel() for values in network.parameters.values())


def test_the_model_is_known_without_torch():
    code = "import sys; from bnbench.plan import cost, study; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": "workflow"}).returncode == 0
