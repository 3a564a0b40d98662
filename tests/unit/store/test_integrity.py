"""Tables whose values were changed under unchanged keys are not taken for true: they are named, and trained again.

From results as jobs write them; without their hashes, as earlier versions wrote them, the tables must still agree.
"""

import shutil

import numpy as np
import pyarrow as pa
import pytest
from specs import assert_same_bits, named, spec
from stores import changed, of_earlier_version

from bnbench import train
from bnbench.errors import UserError
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files, content, reuse, schemas, tables

SETTINGS = {
    "function": spec(batch_size=25),
    "classes, with points to choose by": spec(
        task=named("task", "moons", points=40, test_points=30), batch_size=20, validation=0.2
    ),
    "one network at a time": spec(batch_size=25, accumulate=2),
    "diverging": spec(optimizer=named("optimizer", "sgd", lr=1e30), norm=named("norm", "none"), batch_size=25),
}
FUNCTION, CLASSES = (Chunk(Setting.from_spec(SETTINGS[name]), 3, 3) for name in [*SETTINGS][:2])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a chunk of each setting."""
    folder = tmp_path_factory.mktemp("trained")
    for setting in SETTINGS.values():
        train.run(Chunk(Setting.from_spec(setting), 3, 3), folder, 1)
    return folder


@pytest.fixture
def results(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "results")


def other_value(value, kind):
    if value is None or str(value) == "nan":
        return "x" if pa.types.is_string(kind) else 1
    return f"{value}x" if pa.types.is_string(kind) else value * 2 + 1


def with_value(name, row, of):
    """A change of one value."""

    def change(table):
        values = table[name].to_pylist()
        values[row] = of(values[row])
        kind = table.schema.field(name)
        return table.set_column(table.column_names.index(name), kind, pa.array(values, kind.type))

    return change


@pytest.mark.parametrize("chunk", [Chunk(Setting.from_spec(each), 3, 3) for each in SETTINGS.values()], ids=SETTINGS)
def test_what_a_job_writes_is_whole_with_its_hash_and_without(results, chunk):
    assert not chunk_files.missing(chunk, results)
    for path in chunk_files.paths(chunk, results).values():
        assert set(tables.footer(path)["content"]) == {"columns", "sha256"}
        of_earlier_version(path)
    assert not chunk_files.missing(chunk, results)
    assert {kind: len(table) for kind, table in chunk_files.read_all(chunk, results).items()}["trials"] == 3


@pytest.mark.parametrize("chunk", [FUNCTION, CLASSES], ids=["function", "classes"])
@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in schemas.SCHEMAS for name in chunk_files.unlabelled(FUNCTION.setting, kind).names],
)
def test_any_column_in_which_one_value_was_changed_is_found(results, chunk, kind, name):
    path = chunk_files.paths(chunk, results)[kind]
    column = tables.read_parquet(path)[name]
    if not len(column):
        pytest.skip("no rows")
    changed(path, with_value(name, len(column) // 2, lambda value: other_value(value, column.type)))
    assert [*chunk_files.missing(chunk, results)] == [kind]
    with pytest.raises(UserError, match=rf"^{path}: .*; delete it and run the workflow again$"):
        chunk_files.read_all(chunk, results)


def doubled(name):
    return lambda table: table.set_column(
        table.column_names.index(name), table.schema.field(name), pa.compute.multiply(table[name], 2.0)
    )


def swapped(one, other):
    """The trials of two seeds exchanged, in the order of the rows that was."""

    def change(table):
        seeds = table["seed"].to_numpy()
        names = np.where(seeds == one, other, np.where(seeds == other, one, seeds))
        table = table.set_column(table.column_names.index("seed"), table.schema.field("seed"), pa.array(names))
        return table.take(pa.array(np.argsort(names, kind="stable")))

    return change


def negative(table):
    return doubled("test_loss")(table).set_column(
        table.column_names.index("eval_loss"),
        table.schema.field("eval_loss"),
        pa.compute.negate(table["eval_loss"]),
    )


CHANGES = {
    "doubled losses": ("losses", doubled("test_loss")),
    "doubled final losses": ("trials", doubled("train_loss")),
    "seeds of the losses swapped": ("losses", swapped(3, 5)),
    "seeds of the trials swapped": ("trials", swapped(4, 5)),
    "negative losses": ("losses", negative),
    "negative final losses": ("trials", negative),
    "a last epoch that contradicts the trials": ("losses", with_value("test_loss_precise", -1, lambda loss: loss + 1)),
    "no number before the end": ("losses", with_value("train_loss", 4, lambda loss: float("nan"))),
    "no number where losses were measured": ("losses", with_value("test_loss", 4, lambda loss: None)),
    "a loss that is not finite": ("losses", with_value("train_loss", 4, lambda loss: float("inf"))),
    "a divergence that was none": ("trials", with_value("diverged_at", 1, lambda at: 2)),
}


@pytest.mark.parametrize("chunk", [FUNCTION, CLASSES], ids=["function", "classes"])
@pytest.mark.parametrize(("kind", "change"), CHANGES.values(), ids=CHANGES)
def test_tables_without_a_hash_that_contradict_each_other_are_found_and_trained_again(
    results, trained, chunk, kind, change
):
    for path in chunk_files.paths(chunk, results).values():
        of_earlier_version(path)
    path = chunk_files.paths(chunk, results)[kind]
    of_earlier_version(path, change)
    assert {kind} <= {*chunk_files.missing(chunk, results)} <= {"losses", "trials"}
    with pytest.raises(UserError, match=r"^/[^:]*: .*delete (it|both) and run the workflow again$"):
        chunk_files.read_all(chunk, results)
    _, anew = reuse.rows(Chunk(chunk.setting, 3, 4), results)
    assert anew == [range(3, 7)]
    train.run(chunk, results, 1)
    assert not chunk_files.missing(chunk, results)
    assert_same_bits(chunk, results, trained)


def test_a_loss_that_becomes_a_number_again_after_a_divergence_is_found(results):
    chunk = Chunk(Setting.from_spec(SETTINGS["diverging"]), 3, 3)
    path = chunk_files.paths(chunk, results)["losses"]
    of_earlier_version(path, with_value("train_loss", 8, lambda loss: 0.5))
    assert [*chunk_files.missing(chunk, results)] == ["losses", "trials"]


def without_seed(table):
    return table.filter(pa.compute.not_equal(table["seed"], 4))


@pytest.mark.parametrize("chunk", [FUNCTION, CLASSES], ids=["function", "classes"])
@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.slice(1),
        lambda table: table.slice(0, len(table) - 1),
        lambda table: table.take(pa.array([0, *range(len(table))])),
        without_seed,
        swapped(3, 9),
    ],
    ids=["the first row lost", "the last row lost", "a row doubled", "a seed lost", "another seed"],
)
def test_predictions_with_other_rows_than_the_task_gives_are_found(results, chunk, change):
    path = chunk_files.paths(chunk, results)["predictions"]
    of_earlier_version(path, change)
    if change is without_seed and chunk is CLASSES:  # it may have been trained before classes were counted
        assert not chunk_files.missing(chunk, results)
        return
    assert [*chunk_files.missing(chunk, results)] == ["predictions"]


def test_predictions_of_a_function_cannot_all_be_lost(results):
    path = chunk_files.paths(FUNCTION, results)["predictions"]
    of_earlier_version(path, lambda table: table.slice(0, 0))
    assert [*chunk_files.missing(FUNCTION, results)] == ["predictions"]


def test_a_whole_table_of_another_training_with_a_hash_of_its_own_is_found(results):
    path = chunk_files.paths(FUNCTION, results)["losses"]
    footer, table = tables.footer(path), doubled("train_loss")(tables.read_parquet(path))
    names = footer["content"]["columns"]
    tables.write_parquet(path, table, {**footer, "content": content.described(table, names)})
    assert [*chunk_files.missing(FUNCTION, results)] == ["losses", "trials"]
    with pytest.raises(UserError, match=f"ends at other losses than {path}; delete both and run the workflow again"):
        chunk_files.read_all(FUNCTION, results)


def test_losses_that_are_trained_again_elsewhere_take_the_trials_with_them(results, trained):
    """On another processor the last bits differ: tables of two trainings must not stand side by side."""
    paths = chunk_files.paths(FUNCTION, results)
    of_earlier_version(paths["trials"], doubled("test_loss"))
    paths["losses"].unlink()
    assert [*chunk_files.missing(FUNCTION, results)] == ["losses"]
    train.run(FUNCTION, results, 1)
    assert_same_bits(FUNCTION, results, trained)


def test_shares_beyond_one_are_found_where_there_is_no_hash(results):
    for kind in ("losses", "trials"):
        of_earlier_version(
            chunk_files.paths(CLASSES, results)[kind], with_value("test_accuracy", -1, lambda share: share + 1)
        )
    assert [*chunk_files.missing(CLASSES, results)] == ["losses", "trials"]


def test_a_loss_of_the_users_own_may_be_negative(tmp_path):
    from tiny import theirs

    chunk = Chunk(Setting.from_spec(spec(batch_size=25, loss=theirs("loss", "absolute"))), 0, 2)
    train.run(chunk, tmp_path, 1)
    for kind in ("losses", "trials"):
        path = chunk_files.paths(chunk, tmp_path)[kind]
        of_earlier_version(path, negative)
        of_earlier_version(path, doubled("test_loss"))
    assert not chunk_files.missing(chunk, tmp_path)
