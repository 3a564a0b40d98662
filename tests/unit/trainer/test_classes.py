"""Which class is taken for which: against scikit-learn, plain torch, the accuracy, and itself in other chunks."""

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest
import torch
from beside_plain import plain
from plain_torch import TORCH_OPTIMIZERS
from sklearn.metrics import confusion_matrix
from specs import RATES, assert_same_bits, named, spec
from stores import of_earlier_version
from tiny import CPU, data_of, images, sequences, theirs

from bnbench.catalogue import tasks
from bnbench.catalogue.tasks import HeldOut
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files, reuse, schemas, tables
from bnbench.train import run
from bnbench.trainer import classes
from bnbench.trainer.chunk import train
from bnbench.vocabulary import MEASURED

SEEDS, POINTS = 3, 41


class Kinds(tasks.Moons):
    """A task of some kind of targets and number of outputs."""

    def __init__(self, kind, outputs):
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_outputs", outputs)

    def outputs(self):
        return self._outputs

    def kind(self):
        return self._kind


MOONS = {"task": named("task", "moons"), "batch_size": 20, "epochs": 4, "evaluate_every": 2}
DIGITS = {"task": named("task", "digits", test_fraction=0.9), "batch_size": 60, "epochs": 3, "evaluate_every": 2}


def trained(setting, seeds=(3,)):
    return train(setting, range(seeds[0], seeds[-1] + 1), data_of(setting, seeds), CPU)


def drawn(outputs):
    return torch.randn(SEEDS, POINTS, outputs, dtype=torch.float64, generator=torch.Generator().manual_seed(outputs))


def test_counts_of_classes_are_scikit_learns():
    output, true = drawn(4), torch.randint(4, (SEEDS, POINTS), generator=torch.Generator().manual_seed(5))
    found = classes.counts(Kinds("classes", 4), output, torch.eye(4)[true])
    for counted, o, t in zip(found, output, true, strict=True):
        np.testing.assert_array_equal(counted, confusion_matrix(t, o.argmax(1), labels=range(4)))


def test_counts_of_one_flag_are_scikit_learns():
    output, true = drawn(1), torch.randint(2, (SEEDS, POINTS, 1), generator=torch.Generator().manual_seed(6))
    found = classes.counts(Kinds("flags", 1), output, true.double())
    for counted, o, t in zip(found, output, true, strict=True):
        np.testing.assert_array_equal(counted, confusion_matrix(t[:, 0], o[:, 0] > 0, labels=[0, 1]))


@pytest.mark.parametrize(
    ("kind", "outputs", "counted"),
    [("classes", 50, 50), ("classes", 51, 0), ("flags", 1, 2), ("flags", 2, 0), ("numbers", 3, 0)],
)
def test_up_to_fifty_classes_are_counted_and_no_several_flags(kind, outputs, counted):
    assert tasks.counted_classes(Kinds(kind, outputs)) == counted
    assert tasks.class_names(Kinds(kind, outputs)) == tuple(map(str, range(counted)))


def test_classes_are_called_what_the_table_calls_them_also_where_points_are_held_out():
    table = tasks.Table(path="flowers.csv", target="kind", width=3, labels=("setosa", "versicolor", "virginica"))
    assert tasks.class_names(table) == tasks.class_names(HeldOut(table, 0.2)) == table.labels
    assert tasks.class_names(replace(table, target=("a", "b"), width=2, labels=("yes", "1"))) == ()


@pytest.mark.usefixtures("tiny_images")
@pytest.mark.parametrize("norm", ["none", "batch", "ghost"])
@pytest.mark.parametrize("network", ["cnn", "resnet"])
def test_counts_are_those_of_the_same_network_in_plain_torch(network, norm):
    setting = images(network, norm=named("norm", norm))
    _, theirs_trained = plain(setting, 3, TORCH_OPTIMIZERS["sgd"])
    (data,) = data_of(setting, [3])
    with torch.no_grad():
        output = theirs_trained.eval()(torch.from_numpy(data.test_x).reshape(-1, 2, 6, 6))
    expected = np.zeros((3, 3), int)
    for true, predicted in zip(data.test_y.argmax(1), output.argmax(1).tolist(), strict=True):
        expected[true, predicted] += 1
    np.testing.assert_array_equal(trained(setting).classes[0], expected)
    assert expected.sum() == 9


SETTINGS = {
    "perceptron": spec(**DIGITS),
    "two classes": spec(**MOONS),
    "ghost": spec(**DIGITS, norm=named("norm", "ghost", size=9)),
    "statistics of the population, measured anew": spec(**DIGITS, norm=named("norm", "population", every=7)),
    "of yes and no": spec(**MOONS, loss=named("loss", "binary")),
    "with points to choose by": spec(**DIGITS, validation=0.3),
    "cnn": images("cnn"),
    "resnet, population": images("resnet", norm=named("norm", "population", every=4), epochs=5, evaluate_every=2),
    "statistics of the batch": images("cnn", norm=named("norm", "batch", statistics="batch")),
    "network that draws": images(theirs("network", "by_bias")),
}


@pytest.mark.usefixtures("tiny_images")
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_the_share_on_the_diagonal_is_the_accuracy_after_the_last_epoch(setting):
    found = trained(setting, (3, 4))
    shares = np.trace(found.classes, axis1=1, axis2=2) / found.classes.sum((1, 2))
    np.testing.assert_allclose(shares, found.losses["test_accuracy"][-1], rtol=1e-6)
    assert len({counted.tobytes() for counted in found.classes}) == 2


@pytest.mark.usefixtures("tiny_images")
@pytest.mark.parametrize("setting", [spec(), sequences()], ids=["function", "sequences"])
def test_of_numbers_nothing_is_counted(setting):
    assert trained(setting).classes is None


def stored(setting, folder, first=0, count=4, threads=1):
    """The predictions of a chunk, without its labels."""
    chunk = Chunk(Setting.from_spec(setting), first, count)
    run(chunk, folder, threads)
    return chunk_files.read(chunk, "predictions", folder).to_pandas()


@pytest.mark.parametrize("changes", [{}, {"accumulate": 2}], ids=["stacked", "modular"])
def test_rows_are_the_same_in_every_chunk_and_with_one_or_two_threads(changes, tmp_path):
    setting = spec(**{**DIGITS, "dtype": "float32", **changes})
    whole = stored(setting, tmp_path / "whole")
    assert [*whole] == ["seed", "x", "y", "y_fit", "points"]
    assert whole["x"].isna().all()
    assert whole["points"].gt(0).all()
    tested = tasks.of(setting).tested_points()
    assert whole.groupby("seed")["points"].sum().to_dict() == dict.fromkeys(range(4), tested)
    for threads in (1, 2):
        for first, count in ((0, 1), (1, 3)):
            part = stored(setting, tmp_path / f"{threads} {first}", first, count, threads)
            own = whole[whole["seed"].between(first, first + count - 1)].reset_index(drop=True)
            assert part.equals(own)
    # Seeds that another chunk has are taken from there.
    stored(setting, tmp_path / "grown", 0, 2)
    stored(setting, tmp_path / "grown", 0, 4)
    assert_same_bits(Chunk(Setting.from_spec(setting), 0, 4), tmp_path / "whole", tmp_path / "grown")


def test_a_trial_that_diverged_has_no_rows_and_its_chunk_is_whole(tmp_path):
    setting = spec(**DIGITS, norm=named("norm", "none"), optimizer=named("optimizer", "sgd", lr=1e30))
    assert stored(setting, tmp_path, count=2).empty
    assert not chunk_files.missing(Chunk(Setting.from_spec(setting), 0, 2), tmp_path)


def diverged(table):
    """The same where the trial of seed 2 diverged in its first epoch."""
    of_seed = table["seed"].to_numpy() == 2
    if "points" in table.column_names:
        return table.filter(~of_seed)
    for place, field in enumerate(table.schema):
        if field.name in MEASURED:
            table = table.set_column(place, field.name, pc.if_else(of_seed, None, table[field.name]))
        if field.name == "diverged_at":
            table = table.set_column(place, field.name, pc.if_else(of_seed, 0, table[field.name]))
    return table


def test_a_chunk_of_which_one_trial_diverged_is_whole(tmp_path):
    setting = spec(**MOONS)
    stored(setting, tmp_path)
    chunk = Chunk(Setting.from_spec(setting), 0, 4)
    path = chunk_files.paths(chunk, tmp_path)["predictions"]
    for of_kind in chunk_files.paths(chunk, tmp_path).values():
        of_earlier_version(of_kind, diverged)
    table = tables.read_parquet(path)
    footer = tables.footer(path)
    assert not chunk_files.missing(chunk, tmp_path)
    assert chunk_files.read(chunk, "predictions", tmp_path)["seed"].unique().to_pylist() == [0, 1, 3]
    for spoilt in (table.take([0, 0, *range(1, len(table))]), table.slice(0, 0)):
        tables.write_parquet(path, spoilt, footer)
        assert ("predictions" in chunk_files.missing(chunk, tmp_path)) == bool(len(spoilt))
    other = table.set_column(
        table.column_names.index("seed"), table.schema.field("seed"), [table["seed"].to_numpy() + 9]
    )
    tables.write_parquet(path, other, footer)
    assert "predictions" in chunk_files.missing(chunk, tmp_path)


@pytest.mark.parametrize("setting", [spec(), spec(**MOONS)], ids=["function", "classes"])
def test_files_of_a_version_that_counted_nothing_are_read_and_trials_taken_from_them(setting, tmp_path):
    first, both = (Chunk(Setting.from_spec(setting), 0, count) for count in (2, 3))
    counted = stored(setting, tmp_path, count=2)
    path = chunk_files.paths(first, tmp_path)["predictions"]
    of_earlier_version(
        path,
        lambda table: (table if counted["points"].isna().all() else table.slice(0, 0)).drop_columns(["points"]),
    )
    table = tables.read_parquet(path)
    assert not chunk_files.missing(first, tmp_path)
    found = chunk_files.read(first, "predictions", tmp_path)
    assert found.column_names == ["seed", "x", "y", "y_fit", "points"]
    assert found["points"].null_count == len(found) == len(table)
    assert [*reuse.rows(both, tmp_path)[1]] == [range(2, 3)]
    run(both, tmp_path, 1)
    assert not chunk_files.missing(both, tmp_path)
    assert tables.read_parquet(chunk_files.paths(both, tmp_path)["predictions"]).schema.equals(
        schemas.SCHEMAS["predictions"]
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("changes", [{}, {"accumulate": 2}], ids=["stacked", "modular"])
def test_counts_on_cuda_are_those_of_the_cpu(changes):
    setting = spec(**{**DIGITS, "dtype": "float64", "optimizer": named("optimizer", "sgd", **RATES["sgd"]), **changes})
    data = data_of(setting, range(3))
    on_cuda = train({**setting, "device": "cuda"}, range(3), data, torch.device("cuda"))
    np.testing.assert_array_equal(on_cuda.classes, train(setting, range(3), data, CPU).classes)
