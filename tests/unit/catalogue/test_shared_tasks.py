"""Tasks whose rows are held once: what the planner takes arrays for, and which rows a seed has."""

import subprocess
import sys

import numpy as np
import pytest
from array_files import halves, images, written

from bnbench.catalogue.shared_tasks import Arrays
from bnbench.catalogue.tasks import HeldOut
from bnbench.errors import UserError
from bnbench.plan import config


def entry(path, **options):
    """The resolved entry of a file."""
    return config.resolve({"study": "arrays", "task": {"name": "arrays", "path": str(path), **options}}, "s")["task"][0]


def planned(path, **options):
    resolved = entry(path, **options)
    return Arrays(**{key: value for key, value in resolved.items() if key != "name"})


def task_of(tmp_path, arrays, **options):
    return planned(written(tmp_path / "a.npz", arrays), **options)


def test_a_file_of_two_parts_says_all_that_the_planner_asks(tmp_path):
    task = task_of(tmp_path, halves(80, 40, (8, 8)))
    assert (task.train_points(), task.tested_points(), task.inputs(), task.outputs()) == (80, 40, 64, 4)
    assert (task.shape(), task.kind(), task.loss(), task.drawn()) == ((1, 8, 8), "classes", "cross_entropy", ())
    assert not task.resamples()
    assert task.held_mebibytes() == pytest.approx(120 * 65 / 2**20, abs=1e-3)
    said = " ".join(task.about().notes)
    assert "[examples, 8, 8] is read as images with one channel" in said
    assert "bytes are divided by 255" in said
    assert "4 classes from 0 to 3, 25.0 % of the examples each, since it holds uint8" in said


@pytest.mark.parametrize(
    ("y", "options", "kind", "outputs", "loss"),
    [
        (np.arange(120) % 3, {}, "classes", 3, "cross_entropy"),
        (np.arange(120)[:, None] % 3 + 5, {}, "classes", 3, "cross_entropy"),
        (np.arange(120) % 2 == 0, {}, "classes", 2, "cross_entropy"),
        (np.arange(120) % 3, {"classes": False}, "numbers", 1, "squared"),
        (np.arange(120.0) % 3, {}, "numbers", 1, "squared"),
        (np.arange(120.0) % 3, {"classes": True}, "classes", 3, "cross_entropy"),
        (np.arange(600.0).reshape(120, 5), {}, "numbers", 5, "squared"),
        (np.arange(360).reshape(120, 3), {"classes": False}, "numbers", 3, "squared"),
        (np.arange(360).reshape(120, 3) % 2 == 0, {}, "flags", 3, "binary"),
        (np.arange(120) % 3, {"target": "inputs"}, "numbers", 64, "squared"),
    ],
)
def test_targets_are_taken_for_what_they_are(tmp_path, y, options, kind, outputs, loss):
    arrays = halves() | {"y_train": y[:80], "y_test": y[80:]}
    task = task_of(tmp_path, arrays, **options)
    assert (task.kind(), task.outputs(), task.loss()) == (kind, outputs, loss)


def test_classes_are_those_of_both_parts_in_their_order(tmp_path):
    y = np.array([7, 3, 3, 7] * 30)
    y[-1] = 5
    task = task_of(tmp_path, halves() | {"y_train": y[:80], "y_test": y[80:]})
    data = task.data(0)
    assert task.outputs() == 3
    assert data.train.source.y[:4].tolist() == [2, 0, 0, 2]
    assert data.test.source.y[-1] == 1


def test_all_seeds_have_the_rows_of_one_array(tmp_path):
    task = task_of(tmp_path, halves())
    one, other = task.data(0), task.data(1)
    assert one.train.source is other.train.source
    assert isinstance(one.train.source.x.base.base, np.memmap)
    np.testing.assert_array_equal(one.train.rows, np.arange(80))
    np.testing.assert_array_equal(other.test.rows, np.arange(40))


def test_one_part_is_split_anew_for_every_seed(tmp_path):
    x, y = images(50, (8, 8))
    task = task_of(tmp_path, {"x": x, "y": y}, test_fraction=0.2)
    assert (task.train_points(), task.tested_points(), task.drawn(), task.resamples()) == (40, 10, ("split",), True)
    one, other, again = task.data(0), task.data(1), task.data(0)
    for data in (one, other):
        assert sorted([*data.train.rows, *data.test.rows]) == [*range(50)]
        assert data.train.source is data.test.source is one.train.source
    assert {*one.test.rows} != {*other.test.rows}
    np.testing.assert_array_equal(one.train.rows, again.train.rows)


def test_validation_takes_rows_from_the_training_part_alone(tmp_path):
    task = HeldOut(task_of(tmp_path, halves()), 0.25)
    data = task.data(3)
    assert (len(data.train), len(data.validation), len(data.test)) == (60, 20, 40)
    assert sorted([*data.train.rows, *data.validation.rows]) == [*range(80)]
    assert data.validation.source is data.train.source
    assert task.train_points() == 60


WRONG = [
    ({"x_train": None}, {}, "no array 'x_train'"),
    ({"y_test": None}, {}, "no array 'y_test'.*the file holds x_train, y_train, x_test"),
    ({"y_train": np.zeros(79)}, {}, "x_train has 80 examples and y_train 79, allowed: the same number of both"),
    (
        {"x_test": np.zeros((40, 9, 9), np.uint8)},
        {},
        r"x_test has the shape \[40, 9, 9\], allowed: like .*\[80, 8, 8\]",
    ),
    ({"y_train": np.array([["a"]] * 80)}, {}, "y_train holds <U1"),
    ({"x_train": np.zeros((80, 8, 8), complex)}, {}, "x_train holds complex128, allowed: numbers"),
    ({"x_train": np.ones((80, 8, 8), np.longdouble)}, {}, r"x_train holds float128, allowed: numbers of 64 bits"),
    ({"y_train": np.ones(80, np.longdouble)}, {}, "y_train holds float128, allowed: .* of 64 bits at most"),
    ({"y_train": np.ones(80), "y_test": np.ones(40)}, {}, "y_train is constant; there is nothing to learn"),
    ({"y_train": np.ones(80, int), "y_test": np.ones(40, int)}, {"classes": False}, "y_train is constant"),
    (
        {"y_train": np.zeros((80, 2), int), "y_test": np.zeros((40, 2), int)},
        {},
        r"shape \[80, 2\] of int64, allowed: one class for each example",
    ),
    (
        {"y_train": np.arange(80) % 2, "y_test": np.ones(40) / 2},
        {},
        "y_test holds float64 and .*y_train int64, allowed",
    ),
    ({"y_train": np.arange(80) % 2 > 0, "y_test": np.arange(40) % 3}, {}, "y_test holds int64 and .*y_train bool"),
    ({"y_train": np.zeros((80, 2, 2))}, {}, r"shape \[80, 2, 2\], allowed: \[examples\] or"),
    ({"y_train": np.zeros(80, int), "y_test": np.zeros(40, int)}, {}, "has one class only"),
    ({}, {"test_fraction": 0.5}, "holds x_test, which is the test part; take test_fraction out"),
    ({"x": np.ones((9, 2)), "y": np.ones(9), "x_train": None}, {}, "with test_fraction"),
    ({"x_train": np.zeros((80, 32, 32, 3), np.uint8)}, {}, r"channels last; allowed: .*transpose\(0, 3, 1, 2\)"),
]


@pytest.mark.parametrize(("changes", "options", "told"), WRONG, ids=[told for _, _, told in WRONG])
def test_arrays_that_do_not_fit_are_told_of(tmp_path, changes, options, told):
    arrays = {name: each for name, each in (halves() | changes).items() if each is not None}
    if "x_train" in changes and changes["x_train"] is not None and changes["x_train"].ndim == 4:
        arrays["x_test"] = changes["x_train"][:40]
    path = written(tmp_path / "a.npz", arrays)
    with pytest.raises(UserError, match=told):
        entry(path, **options)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["x_train", "x_test", "y_test"])
def test_a_value_that_is_not_finite_is_told_with_its_row(tmp_path, monkeypatch, name, bad):
    from bnbench.catalogue import rows

    monkeypatch.setattr(rows, "_AT_ONCE", 1000)  # a few rows
    arrays = {key: each.astype(float) for key, each in halves().items()}
    arrays[name][33] = bad
    with pytest.raises(UserError, match=rf"{name} holds {bad} in row 33"):
        entry(written(tmp_path / "a.npz", arrays))


def test_the_address_follows_the_bytes_and_not_the_place(tmp_path):
    study = {"study": "s", "epochs": 1}

    def address(path, **options):
        task = {"name": "arrays", "path": path, **options}
        return config.load({**study, "task": task}, "s").settings[0].address

    one = address(written(tmp_path / "a.npz", halves()))
    assert one == address(written(tmp_path / "b.npz", halves()))
    assert one != address(written(tmp_path / "c.npz", halves(seed=1)))
    assert one != address(str(tmp_path / "a.npz"), target="inputs")


def test_a_file_that_changed_since_is_told_of(tmp_path):
    task = task_of(tmp_path, halves())
    written(tmp_path / "a.npz", halves(seed=1))
    with pytest.raises(UserError, match="the file changed since the study was planned"):
        task.data(0)


def test_a_file_of_arrays_is_planned_without_torch(tmp_path):
    path = written(tmp_path / "a.npz", halves())
    code = (
        "import sys; from bnbench.plan import config\n"
        f"study = config.load({{'study': 's', 'task': {{'name': 'arrays', 'path': {path!r}}}}}, 's')\n"
        "assert len(study.settings) == 8 and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
