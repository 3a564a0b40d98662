"""The trainer: against plain torch one network at a time, and the sameness of a trial wherever it is trained."""

import math
import os
import subprocess
import sys
from functools import partial
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from plain_torch import ACTIVATIONS, TORCH_OPTIMIZERS, make_network, train_one
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error, r2_score
from specs import RATES, named, spec

from bnbench.catalogue import sources, tasks
from bnbench.catalogue.datafiles import inspect_table
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.parameters import build
from bnbench.catalogue.schedules import SCHEDULES
from bnbench.catalogue.task import Data
from bnbench.epochs import batch_bounds
from bnbench.errors import UserError
from bnbench.plan.chunks import Chunk
from bnbench.plan.layout import aligned
from bnbench.plan.settings import NUMERICS, Setting
from bnbench.store import schemas, tables
from bnbench.streams import stream
from bnbench.train import run
from bnbench.trainer import linears, network, orders, points
from bnbench.trainer.chunk import train
from bnbench.trainer.initialization import initial_weights, stacked

CPU = torch.device("cpu")
ARMS = {
    "ghost": named("norm", "ghost", size=8),
    "ghost, cumulative": named("norm", "ghost", size=8, momentum=None),
    "ghost, not affine": named("norm", "ghost", size=11, affine=False),
    "layer": named("norm", "layer"),
    "layer, not affine": named("norm", "layer", affine=False),
    "group": named("norm", "group"),
    "group, not affine": named("norm", "group", groups=1, affine=False),
    "rms": named("norm", "rms"),
    "rms, not affine": named("norm", "rms", affine=False),
    "population": named("norm", "population"),
    "population, every 3": named("norm", "population", every=3),
    "gamma decay": named("norm", "population_gamma"),
    "gamma decay, every 3": named("norm", "population_gamma", every=3),
    "gamma decay, by the unit": named("norm", "population_gamma", curvature="unit"),
    "frozen": named("norm", "frozen", share=0.4),
}


def data_of(setting, seeds):
    return [tasks.of(setting).data(seed) for seed in seeds]


def trained(setting, seeds):
    return train(setting, seeds, data_of(setting, seeds), CPU)


def rows(setting, seeds):
    """Everything that is measured of each seed, as one array of numbers."""
    result = trained(setting, seeds)
    losses = [np.concatenate([values[:, i] for values in result.losses.values()]) for i in range(len(seeds))]
    return {seed: np.concatenate([losses[i], result.fit[i]]) for i, seed in enumerate(seeds)}


def plain_losses(setting, seed, optimizer, **options):
    task = tasks.of(setting)
    data = task.data(seed)
    norm = build(NORMS, setting["norm"])
    widths = [data.train_x.shape[1], *setting["hidden"], data.train_y.shape[1]]
    layers = initial_weights(widths, norm, setting["init"], seed)
    network = make_network(layers, setting["norm"], setting["activation"])
    points, epochs = len(data.train_x), setting["epochs"]
    full = setting["batch_size"] == "full"
    kept = full and setting["norm"]["name"] != "ghost"
    generator = stream(seed, "order")
    orders = [np.arange(points) if kept else generator.permutation(points) for _ in range(epochs)]
    schedule = build(SCHEDULES, setting["schedule"])
    return train_one(
        network,
        partial(TORCH_OPTIMIZERS[optimizer], **options),
        data,
        orders,
        stream(seed, "forward.blocks.test_x").permutation(len(data.test_x)),
        None if full else setting["batch_size"],
        epochs,
        setting["evaluate_every"],
        lambda epoch: schedule.factor(epoch, epochs),
        {"squared": torch.nn.MSELoss(), "cross_entropy": torch.nn.CrossEntropyLoss()}[task.loss()],
    )


def assert_equals_plain_torch(setting, optimizer, seeds=(3, 4), **options):
    result = trained(setting, list(seeds))
    for i, seed in enumerate(seeds):
        for outcome, values in plain_losses(setting, seed, optimizer, **options).items():
            np.testing.assert_allclose(
                result.losses[outcome][:, i], values, rtol=1e-9, err_msg=f"{outcome}, seed {seed}"
            )


@pytest.mark.parametrize("batch_size", ["full", 25, 33])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_losses_of_every_epoch_equal_plain_torch_to_1e_9(norm, optimizer, batch_size):
    setting = spec(
        norm=named("norm", norm),
        optimizer=named("optimizer", optimizer, **RATES[optimizer]),
        batch_size=batch_size,
        epochs=50,
        evaluate_every=7,
        dtype="float64",
    )
    assert_equals_plain_torch(setting, optimizer)


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_small_batches_whose_weighted_sums_are_no_matrix_products_equal_plain_torch(norm):
    entry = named("optimizer", "adam", **RATES["adam"])
    setting = spec(norm=named("norm", norm), optimizer=entry, batch_size=10, epochs=20, dtype="float64")
    assert aligned(max(setting["hidden"])) * 10 < linears._LOOPED
    assert_equals_plain_torch(setting, "adam")


@pytest.mark.parametrize("optimizer", ["nadam", "radam", "adamax", "adagrad", "adadelta", "asgd", "rprop"])
def test_other_optimizers_equal_plain_torch(optimizer):
    # Rprop follows the sign of each gradient. Batch norm after one input makes gradients that are zero but for
    # rounding, so their sign is chance: Rprop is compared without it.
    norm = named("norm", "none" if optimizer == "rprop" else "batch")
    entry = named("optimizer", optimizer, **RATES[optimizer])
    assert_equals_plain_torch(spec(norm=norm, optimizer=entry, batch_size=25, dtype="float64"), optimizer)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_activations_equal_plain_torch(norm, activation):
    entry = named("optimizer", "adam", lr=0.01)
    setting = spec(norm=named("norm", norm), activation=activation, optimizer=entry, batch_size=25, dtype="float64")
    assert_equals_plain_torch(setting, "adam")


@pytest.mark.parametrize("options", [{"momentum": None}, {"momentum": 0.5}, {"affine": False}])
def test_options_of_batch_norm_equal_plain_torch(options):
    entry = named("optimizer", "adam", lr=0.01)
    assert_equals_plain_torch(
        spec(norm=named("norm", "batch", **options), optimizer=entry, batch_size=25, dtype="float64"), "adam"
    )


@pytest.mark.parametrize("batch_size", ["full", 25, 33])
@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_equals_plain_torch(arm, batch_size):
    # Statistics that are three steps old make training unstable at higher rates, where rounding grows.
    rate = 0.002 if "every" in arm else 0.05
    assert_equals_plain_torch(
        spec(
            norm=ARMS[arm],
            optimizer=named("optimizer", "sgd", lr=rate),
            batch_size=batch_size,
            epochs=20,
            evaluate_every=3,
            dtype="float64",
        ),
        "sgd",
        lr=rate,
    )


@pytest.mark.parametrize("arm", ["batch", "gamma decay", "gamma decay, by the unit", "layer"])
def test_classes_under_cross_entropy_equal_plain_torch(arm):
    setting = spec(
        task=named("task", "digits", test_fraction=0.9),
        norm={**ARMS, "batch": named("norm", "batch")}[arm],
        optimizer=named("optimizer", "sgd", lr=0.05),
        batch_size=64,
        epochs=3,
        evaluate_every=2,
        dtype="float64",
    )
    assert_equals_plain_torch(setting, "sgd", seeds=(3,))


@pytest.mark.parametrize(("name", "options"), [("cosine", {"final": 0.1}), ("step", {"every": 3, "gamma": 0.5})])
def test_schedules_equal_plain_torch_at_the_rates_of_their_formula(name, options):
    entry = named("optimizer", "adam", lr=0.01)
    assert_equals_plain_torch(
        spec(schedule=named("schedule", name, **options), optimizer=entry, batch_size=25, dtype="float64"), "adam"
    )


def test_many_inputs_and_a_split_by_the_seed_equal_plain_torch():
    entry = named("optimizer", "adam", lr=0.01)
    assert_equals_plain_torch(
        spec(task=named("task", "diabetes"), optimizer=entry, batch_size=32, dtype="float64"), "adam"
    )


def test_the_question_starts_at_its_printed_losses():
    # The network with BN is drawn first, then the plain one, both from seed 0.
    for norm, printed in (("batch", "3.99e-01"), ("none", "4.84e-01")):
        setting = spec(hidden=[256, 256], norm=named("norm", norm), init="sequential", epochs=1)
        assert f"{trained(setting, [0]).losses['train_loss'][0, 0]:.2e}" == printed


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": [64, 64], "batch_size": 25},
        {"hidden": [64, 64], "batch_size": 33, "norm": named("norm", "none")},
        {"hidden": [16, 16], "batch_size": 10},
        {"hidden": [7, 5], "batch_size": 33},
        {"hidden": [7, 5], "batch_size": "full", "norm": named("norm", "none")},
        {"hidden": [7, 5], "batch_size": "full"},
        {"hidden": [33, 17], "batch_size": 33, "norm": named("norm", "batch", momentum=None, affine=False)},
        {"hidden": [33, 17], "batch_size": 25, "activation": "gelu", "norm": named("norm", "none")},
        {"hidden": [7, 5], "batch_size": 33, "activation": "silu", "optimizer": named("optimizer", "nadam")},
        {"hidden": [5], "batch_size": 33, "optimizer": named("optimizer", "rmsprop"), "dtype": "float64"},
        {"hidden": [7, 5], "batch_size": 50, "task": named("task", "diabetes")},
        {"hidden": [7, 5], "batch_size": 33, "norm": ARMS["ghost"]},
        {"hidden": [64, 64], "batch_size": 25, "norm": ARMS["layer"]},
        {"hidden": [7, 5], "batch_size": 33, "norm": ARMS["layer"]},
        {"hidden": [33, 17], "batch_size": 33, "norm": ARMS["gamma decay, every 3"]},
        {"hidden": [7, 5], "batch_size": 50, "norm": ARMS["gamma decay, by the unit"]},
        # Ten classes, and steps of 300 and of 59 examples.
        {
            "hidden": [17],
            "batch_size": 300,
            "norm": ARMS["gamma decay"],
            "task": named("task", "digits", test_fraction=0.8),
            "epochs": 1,
        },
        {"hidden": [7, 5], "batch_size": 33, "norm": ARMS["frozen"]},
        {"hidden": [7, 5], "batch_size": 33, "validation": 0.2},
    ],
    ids=lambda changes: "-".join(str(v["name"] if isinstance(v, dict) else v) for v in changes.values()),
)
def test_a_trial_has_the_same_bits_in_every_chunk_and_with_one_or_two_threads(changes):
    setting = spec(**{"epochs": 6, "evaluate_every": 3, **changes})
    torch.set_num_threads(1)
    expected = rows(setting, range(32))
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for size in (1, 2, 7, 32):
                for first in range(0, 32, size * (4 if size == 1 else 1)):
                    chunk = range(first, min(first + size, 32))
                    for seed, values in rows(setting, chunk).items():
                        np.testing.assert_array_equal(
                            values, expected[seed], err_msg=f"seed {seed}, {threads=}, {size=}"
                        )
    finally:
        torch.set_num_threads(1)


def test_the_moments_of_a_lone_input_have_the_same_bits_for_one_seed_of_many_points_and_with_two_threads():
    seeds = 8
    layers = [initial_weights([1, 7, 1], NORMS["batch"](), "independent", seed) for seed in range(seeds)]
    x = torch.randn(seeds, 40_001, 1, generator=torch.Generator().manual_seed(1))

    def statistics(part):
        made = network.Network(stacked(layers[part]), NORMS["batch"](), "relu", torch.float32, CPU)
        made.forward(x[part])
        return torch.cat([*made.buffers[0].values()], dim=1)

    expected = statistics(slice(0, seeds))
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            alone = torch.cat([statistics(slice(seed, seed + 1)) for seed in range(seeds)])
            torch.testing.assert_close(alone, expected, rtol=0, atol=0)
            torch.testing.assert_close(statistics(slice(0, seeds)), expected, rtol=0, atol=0)
    finally:
        torch.set_num_threads(1)


def test_orders_drawn_ahead_are_those_that_each_seeds_stream_gives_epoch_by_epoch():
    three_epochs = 3 * 2 * 10
    drawn = list(islice(orders.orders([4, 9], 10, 8, CPU, at_once=three_epochs), 8))
    for i, seed in enumerate((4, 9)):
        generator = stream(seed, "order")
        for order in drawn:
            np.testing.assert_array_equal(order[i].numpy(), generator.permutation(10))


def test_no_optimizer_imports_torchs_compiler():
    # Importing it takes longer than importing torch, and would delay the first step of every job.
    code = """
import itertools, sys, torch
from specs import named, spec
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS
from bnbench.store import schemas
from bnbench.trainer.chunk import train
cnn = {"name": "cnn", "channels": [4], "kernel": 3, "activation": None, "dropout": 0.1}
images = {"task": named("task", "digits", test_fraction=0.95), "network": cnn}
for name, changes in itertools.product(OPTIMIZERS, ({}, images)):
    if name == "module":  # whose class may import anything
        continue
    setting = spec(**changes, optimizer=named("optimizer", name), epochs=2)
    train(setting, [0, 1], [build(TASKS, setting["task"]).data(seed) for seed in (0, 1)], torch.device("cpu"))
    if "torch._dynamo" in sys.modules:
        sys.exit(name)
"""
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": path})


def test_a_diverging_seed_is_marked_and_leaves_its_neighbours_bits_alone():
    # Rate and start are such that some seeds blow up and some do not.
    setting = spec(norm=named("norm", "none"), hidden=[64, 64], optimizer=named("optimizer", "sgd", lr=1.2), epochs=60)
    seeds = range(24)
    result = trained(setting, seeds)
    diverged = [i for i, epoch in enumerate(result.diverged_at) if epoch is not None]
    finite = [i for i in range(24) if i not in diverged]
    assert diverged
    assert finite
    for i in diverged:
        loss = result.losses["train_loss"][:, i]
        assert np.isfinite(loss[: result.diverged_at[i]]).all()
        assert np.isnan(loss[result.diverged_at[i] :]).all()
    alone = rows(setting, [seeds[i] for i in finite])
    together = rows(setting, seeds)
    for i in finite:
        np.testing.assert_array_equal(together[i], alone[i])


@pytest.mark.parametrize("batch_size", ["full", 25])
def test_both_arms_share_the_hash_of_their_initial_weights_and_seeds_do_not(batch_size):
    hashes = {
        norm: trained(spec(norm=named("norm", norm), epochs=1, batch_size=batch_size), [0, 1]).hashes
        for norm in ("none", "batch")
    }
    assert hashes["none"] == hashes["batch"]
    assert len(set(hashes["none"])) == 2


def test_a_short_last_batch_joins_the_one_before_it():
    assert batch_bounds(100, 33) == [0, 33, 66, 100]
    assert batch_bounds(100, 16)[-2:] == [96, 100]
    assert batch_bounds(100, 100) == [0, 100]
    assert batch_bounds(3, 2) == [0, 3]


def chunk_of(changed, first, count):
    labels = Setting.from_spec(changed).labels
    return Chunk(Setting(changed, labels, "sine-batch-01234567"), first, count)


def test_a_job_writes_three_tables_in_the_documented_columns(tmp_path):
    said = run(chunk_of(spec(), 4, 3), tmp_path, threads=1)
    assert "seeds 4 to 6 for 10 epochs" in said
    for kind, rows_expected in (("losses", 30), ("trials", 3), ("predictions", 90)):
        path = tmp_path / kind / "sine-batch-01234567" / "seeds-4-6.parquet"
        table = tables.read_parquet(path)
        assert table.schema.equals(schemas.SCHEMAS[kind])
        assert table.num_rows == rows_expected
        assert tables.footer(path)["address"] == "sine-batch-01234567"
    losses = tables.read_parquet(tmp_path / "losses").to_pandas()
    assert losses["test_loss"].notna().sum() == 6
    trials = tables.read_parquet(tmp_path / "trials").to_pandas()
    last = losses[losses.epoch == 9].set_index("seed")
    np.testing.assert_array_equal(trials.set_index("seed").test_loss, last.test_loss)
    assert trials.diverged_at.isna().all()


def trials_of(setting, folder):
    """The trials of two seeds, as a job stores them."""
    run(chunk_of(setting, 0, 2), folder, threads=1)
    return tables.read_parquet(folder / "trials").to_pandas().set_index("seed")


def test_the_test_loss_over_the_stored_variance_is_one_minus_r2_of_the_predictions(tmp_path):
    trials = trials_of(spec(dtype="float64"), tmp_path)
    fits = tables.read_parquet(tmp_path / "predictions").to_pandas()
    for seed, rows in fits.groupby("seed"):
        expected = r2_score(rows["y"], rows["y_fit"])
        assert 1 - trials["test_loss"][seed] / trials["target_variance"][seed] == pytest.approx(expected)
    assert trials["target_scale"].isna().all()


@pytest.mark.parametrize("held", [{}, {"validation": 0.3}], ids=["whole", "less what is held out"])
def test_of_standardized_targets_the_stored_scale_leads_back_to_the_targets_own_variance(tmp_path, held):
    trials = trials_of(spec(task=named("task", "diabetes"), epochs=1, **held), tmp_path)
    for seed, trial in trials.iterrows():
        tested = load_diabetes().target[stream(seed, "data").permutation(442)[354:]]
        assert trial["target_variance"] * trial["target_scale"] ** 2 == pytest.approx(tested.var())
    assert 60 < trials["target_scale"].min() < trials["target_scale"].max() < 90


def table(folder, target, **columns):
    """The resolved task of a table with these columns."""
    path = folder / "data.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return named("task", "table", path=str(path), target=target, **inspect_table(str(path), target))


def test_of_several_targets_the_loss_over_the_stored_variance_is_one_minus_their_pooled_r2(tmp_path):
    draws = np.random.default_rng(0)
    x = draws.normal(size=(60, 3))
    targets = {"a": x @ [1, 2, 3], "b": 1000 * x[:, 0] + 5, "c": draws.normal(size=60)}
    task = table(tmp_path, [*targets], p=x[:, 0], q=x[:, 1], r=x[:, 2], **targets)
    trials = trials_of(spec(task=task, dtype="float64"), tmp_path)
    assert (1 - trials["test_loss"] / trials["target_variance"]).tolist() == pytest.approx(trials["r2"].tolist())
    whole = np.stack([*targets.values()], axis=1)
    for seed, trial in trials.iterrows():
        order = stream(seed, "data").permutation(60)
        train, test = whole[order[:48]], whole[order[48:]]
        assert trial["target_variance"] == pytest.approx((test.var(axis=0) / train.var(axis=0)).mean())
    assert trials["target_scale"].isna().all()


def test_a_class_that_the_training_part_or_the_test_part_lacks_stops_no_training(tmp_path):
    classes = ["rare", *(["a", "b"] * 15)]
    task = table(tmp_path, "y", x=np.arange(31) / 7, y=classes)
    tested = [0 in stream(seed, "data").permutation(31)[25:] for seed in range(12)]
    assert {*tested} == {True, False}
    run(chunk_of(spec(task=task, epochs=3), 0, 12), tmp_path, threads=1)
    trials = tables.read_parquet(tmp_path / "trials").to_pandas()
    assert np.isfinite(trials[["train_loss", "test_loss", "test_accuracy"]]).all(axis=None)


def test_flags_have_the_share_that_is_right(tmp_path):
    x = np.linspace(-1, 1, 50)
    task = table(tmp_path, ["up", "odd"], x=x, up=x > 0, odd=[row % 2 for row in range(50)])
    trials = trials_of(spec(task=task, epochs=3, sources=sources.here([("loss", "binary")])), tmp_path)
    assert task["labels"] == ["True", "1"]
    shares = 20 * trials["test_accuracy"]  # of two flags at each of ten points
    np.testing.assert_allclose(shares, shares.round(), rtol=1e-6)
    assert trials["target_variance"].isna().all()


def test_of_one_target_the_stored_variance_is_that_of_its_points_to_the_last_bit():
    targets = np.random.default_rng(1).normal(size=(1001, 1)) / 3
    assert points.tested_variance(Data(targets, targets, targets, targets), (1,)) == targets.var()


@pytest.mark.parametrize("held", [{}, {"validation": 0.3}], ids=["whole", "less what is held out"])
def test_the_mean_absolute_error_is_in_the_targets_own_units_and_r2_has_none(tmp_path, held):
    setting = spec(task=named("task", "diabetes"), epochs=2, evaluate_every=1, dtype="float64", **held)
    trials, losses = trials_of(setting, tmp_path), tables.read_parquet(tmp_path / "losses").to_pandas()
    found = train(setting, range(len(trials)), [tasks.of(setting).data(seed) for seed in trials.index], CPU)
    for seed, trial in trials.iterrows():
        rows = stream(seed, "data").permutation(442)
        tested, trained_on = load_diabetes().target[rows[354:]], load_diabetes().target[rows[:354]]
        fit = trained_on.mean() + trained_on.std() * found.fit[seed]
        assert trial["mae"] == pytest.approx(mean_absolute_error(tested, fit), rel=1e-9)
        assert trial["r2"] == pytest.approx(r2_score(tested, fit), rel=1e-9)
        own = losses[losses.seed == seed].set_index("epoch")["mae"]
        assert own[1] == trial["mae"]
        assert own[0] > 20


def test_of_classes_no_variance_and_no_scale_is_stored(tmp_path):
    trials = trials_of(spec(task=named("task", "digits"), epochs=1), tmp_path)
    assert trials[["target_variance", "target_scale"]].isna().all(axis=None)
    assert trials["test_accuracy"].notna().all()


def test_a_task_with_many_inputs_writes_no_predictions(tmp_path):
    run(chunk_of(spec(task=named("task", "diabetes"), epochs=1), 0, 2), tmp_path, threads=1)
    assert tables.read_parquet(tmp_path / "predictions").num_rows == 0


def test_a_job_that_another_version_of_the_arithmetic_planned_is_refused(tmp_path):
    setting = Setting.from_spec(spec(numerics=NUMERICS + 1))
    with pytest.raises(UserError, match=rf"planned by version {NUMERICS + 1} of the arithmetic, and here is version"):
        run(Chunk(setting, 0, 2), tmp_path, threads=1)
    assert not [*tmp_path.iterdir()]


def test_cuda_without_a_device_is_refused_by_name_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="sine-batch-01234567: the setting asks for device 'cuda'"):
        run(chunk_of(spec(device="cuda"), 0, 2), tmp_path, threads=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop", "adagrad"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_cuda_in_a_graph_equals_the_cpu(optimizer, schedule):
    setting = spec(
        optimizer=named("optimizer", optimizer, **RATES[optimizer]),
        schedule=named("schedule", schedule),
        batch_size=33,
        dtype="float64",
        epochs=20,
    )
    data = data_of(setting, range(4))
    on_cuda = train({**setting, "device": "cuda"}, range(4), data, torch.device("cuda"))
    on_cpu = train(setting, range(4), data, CPU)
    for outcome, values in on_cpu.losses.items():
        np.testing.assert_allclose(on_cuda.losses[outcome], values, rtol=1e-8)


def test_losses_that_are_not_measured_are_null_in_the_table(tmp_path):
    run(chunk_of(spec(), 0, 2), tmp_path, threads=1)
    column = tables.read_parquet(tmp_path / "losses")["test_loss"]
    assert column.null_count == 16
    assert not any(math.isnan(v) for v in column.drop_null().to_pylist())
    assert isinstance(column, pa.ChunkedArray)
