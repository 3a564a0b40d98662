"""The cost model: more work never costs less, jobs keep within their limits, and nothing but the setting counts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specs import named, own, spec

from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.plan import cost, cuda_cost, engines, prices
from bnbench.plan.engines import engine
from bnbench.trainer import orders
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
    on_host = 330 + 2048 if setting["device"] == "cpu" else 3000 + 6144
    too_large = cost.memory(setting, int(larger)) > on_host
    if setting["device"] == "cuda" and engine(setting) == "stacked":
        assert size == 1 or size * cuda_cost.bytes_per_network(setting) <= 12 * 2**30
        too_large |= larger * cuda_cost.bytes_per_network(setting) > 12 * 2**30
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


def test_amounts_are_those_that_have_a_price():
    for device, amounts, price in (("cpu", cost.amounts, prices.CPU), ("cuda", cuda_cost.amounts, prices.CUDA)):
        for setting in (spec(device=device), spec(device=device, dtype="float64", norm=named("norm", "population"))):
            assert list(amounts(setting, 3)) == list(price)


@quick
@given(specs, st.integers(1, 300), st.integers(0, 3), st.integers(1, 1000))
def test_wider_networks_and_more_epochs_never_take_less_of_a_gpu(setting, seeds, layer, more):
    setting = {**setting, "device": "cuda"}
    layer %= len(setting["hidden"])
    hidden = [width + more * (place == layer) for place, width in enumerate(setting["hidden"])]
    # Of as many epochs as are evaluated alike, since the last one always is.
    epochs = {"epochs": setting["epochs"] + more * setting["evaluate_every"]}
    for change in ({"hidden": hidden}, epochs):
        assert cost.seconds({**setting, **change}, seeds) >= cost.seconds(setting, seeds)
        assert cuda_cost.bytes_per_network({**setting, **change}) >= cuda_cost.bytes_per_network(setting)
    assert cost.seconds({**setting, **epochs}, seeds) > cost.seconds(setting, seeds)


@quick
@given(specs, st.integers(1, 300))
def test_fused_steps_launch_fewer_kernels_and_are_priced_by_themselves(setting, seeds):
    setting = {**setting, "device": "cuda", "norm": named("norm", "batch"), "optimizer": named("optimizer", "adam")}
    fused, plain = (cuda_cost.amounts(setting, seeds, fused=fused) for fused in (True, False))
    assert 0 < fused["fused launches"] < plain["launches"]
    assert fused["launches"] == fused["weights"] == plain["fused launches"] == plain["fused units"] == 0
    assert fused["units"] < plain["units"]  # what is left of it are evaluations
    assert fused["orders"] == plain["orders"]
    assert fused["evaluations"] == plain["evaluations"] > 0


def test_fused_products_are_counted_by_smaller_tiles():
    few = spec(device="cuda", hidden=[256, 256], batch_size=4, norm=named("norm", "none"))
    fused, plain = (cuda_cost.amounts(few, 20, fused=fused) for fused in (True, False))
    evaluated = fused["multiplications"]
    assert 4 * fused["fused multiplications"] == plain["multiplications"] - evaluated > 0


def test_the_host_launches_what_no_graph_can_hold():
    for change in (
        {"norm": named("norm", "population")},
        {"norm": named("norm", "frozen")},
        {"optimizer": named("optimizer", "adagrad")},
    ):
        found = cuda_cost.amounts(spec(device="cuda", **change), 20)
        assert found["launches from the host"] > 0 == found["launches"] == found["fused launches"]


RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def sweep():
    """The settings of the sweep that the prices of CUDA were fitted to first."""
    found = json.loads((RESULTS / prices.SWEEPS[0]).read_text(encoding="utf-8"))
    assert found["device"] == prices.CARD
    timed = [row for row in found["rows"] if row.get("seconds_per_epoch", 0) > 0]
    return sorted(timed, key=lambda row: json.dumps([row["spec"], row["seeds"]], sort_keys=True))


def epoch(spec, seeds, **fused):
    """Seconds of an epoch, by the prices."""
    return sum(amount * prices.CUDA[name] for name, amount in cuda_cost.amounts(spec, seeds, **fused).items())


def test_nine_of_ten_settings_that_were_held_out_took_what_is_estimated_within_a_factor_of_one_and_a_half():
    rows = sweep()
    assert len(rows) > 40
    assert {engines.fused(row["spec"]) for row in rows} == {True, False}
    ratios = [epoch(row["spec"], row["seeds"]) / row["seconds_per_epoch"] for row in rows[::3]]
    off = [max(ratio, 1 / ratio) for ratio in ratios]
    assert sum(each <= 1.5 for each in off) >= 0.9 * len(off)
    assert max(off) < 2


def test_full_batches_by_torchs_own_kernels_take_what_was_measured_before_there_were_others():
    found = json.loads((RESULTS / prices.SWEEPS[1]).read_text(encoding="utf-8"))
    rows = [row for row in found["rows"] if row["spec"]["batch_size"] == "full"]  # without the orders of those days
    assert found["fused"] is False
    assert len(rows) > 20
    ratios = [epoch(row["spec"], row["seeds"], fused=False) / row["seconds_per_epoch"] for row in rows]
    assert sum(1 / 1.5 <= ratio <= 1.5 for ratio in ratios) >= 0.9 * len(ratios)


def test_what_comes_before_the_training_takes_what_is_estimated():
    rows = sweep()
    ratios = [cost.seconds_setting_up(row["spec"], row["seeds"]) / row["seconds_setting_up"] for row in rows]
    assert sum(1 / 1.5 <= ratio <= 1.5 for ratio in ratios) >= 0.9 * len(ratios)
    assert cost.seconds_setting_up({**rows[0]["spec"], "device": "cpu"}, 100) == 0


def test_an_estimate_is_the_sum_of_amounts_times_prices():
    for row in sweep():
        setting = {**row["spec"], "norm": named("norm", "layer")}
        assert cost.seconds(setting, row["seeds"]) == pytest.approx(setting["epochs"] * epoch(setting, row["seeds"]))


def test_a_gpu_draws_the_orders_of_many_seeds_in_the_time_of_some():
    few, many, more = (
        cuda_cost.amounts(spec(device="cuda", batch_size=25), seeds)["orders"] for seeds in (32, 64, 640)
    )
    assert 0 < 2 * few == many == more
    assert orders._WORTH_A_GPU == cuda_cost._ORDERED_AT_ONCE


def fitted(path, rows, **about):
    """What the benchmark prints of a sweep, as Python reads it."""
    path.write_text(json.dumps({"device": "a card", **about, "rows": rows}), encoding="utf-8")
    script = Path(__file__).parents[2] / "benchmarks" / "cuda_cost_model.py"
    command = [sys.executable, str(script), "--fit", str(path)]
    found = {}
    exec(subprocess.run(command, capture_output=True, text=True, check=True).stdout, found)
    return found


def test_prices_can_be_fitted_to_any_sweep_and_what_it_does_not_show_keeps_its_price(tmp_path):
    rows = sweep()
    doubled = {name: 2 * price for name, price in prices.CUDA.items()}
    shown = set()
    for place, row in enumerate(rows):
        amounts = cuda_cost.amounts(row["spec"], row["seeds"], fused=False)
        row["seconds_per_epoch"] = sum(amount * doubled[name] for name, amount in amounts.items())
        row["seconds_setting_up"] = 2 * cost.seconds_setting_up(row["spec"], row["seeds"])
        row["bytes_per_network"] = 3 * cuda_cost.bytes_per_network({**row["spec"], "epochs": 1}) / prices.CUDA_MEMORY
        if place % 3:
            shown |= {name for name, amount in amounts.items() if amount}
    found = fitted(tmp_path / "sweep.json", rows, fused=False)
    assert (found["CARD"], found["SWEEPS"], found["CUDA_MEMORY"]) == ("a card", ("sweep.json",), 3)
    assert not {name for name in shown if name.startswith("fused")}
    for row in rows:
        before = cuda_cost.of_setting_up(row["spec"], row["seeds"])
        estimate = sum(amount * found["CUDA_SETTING_UP"][name] for name, amount in before.items())
        assert estimate == pytest.approx(row["seconds_setting_up"], rel=0.3)
    for name, price in prices.CUDA.items():
        uncertain = 0.35 if name == "orders" else 0.2  # these are a small part everywhere
        assert found["CUDA"][name] == pytest.approx(price * (2 if name in shown else 1), rel=uncertain)
    for row in rows:
        amounts = cuda_cost.amounts(row["spec"], row["seeds"], fused=False)
        estimate = sum(amount * found["CUDA"][name] for name, amount in amounts.items())
        assert estimate == pytest.approx(row["seconds_per_epoch"], rel=0.1)


def test_the_model_is_known_without_torch():
    code = "import sys; from bnbench.plan import cost, study; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": "workflow"}).returncode == 0
