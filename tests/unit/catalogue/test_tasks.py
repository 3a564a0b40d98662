"""The tasks: the question's points, the random streams, real data, and every way in which a data file can be wrong."""

import numpy as np
import pandas as pd
import pytest
from specs import named

from bnbench.catalogue import tasks
from bnbench.catalogue.datafiles import inspect_table, read_table
from bnbench.catalogue.split_tasks import Diabetes, Digits, Table
from bnbench.catalogue.tasks import TASKS, Mixture, Moons, Sine
from bnbench.errors import UserError
from bnbench.streams import stream


def test_the_sine_task_is_the_questions_at_its_defaults():
    data = Sine().data(0)
    np.testing.assert_allclose(data.train_x[:, 0], np.linspace(-1, 1, 100))
    np.testing.assert_allclose(data.train_y, np.sin(3 * data.train_x))
    assert not set(data.test_x[:, 0]) & set(data.train_x[:, 0])
    assert data.test_x.min() > -1
    assert data.test_x.max() < 1


def test_noise_is_on_the_training_targets_alone_and_differs_by_seed():
    noisy, other, clean = Sine(noise=0.2).data(1), Sine(noise=0.2).data(2), Sine().data(1)
    assert 0.1 < (noisy.train_y - clean.train_y).std() < 0.3
    assert not np.array_equal(noisy.train_y, other.train_y)
    np.testing.assert_array_equal(noisy.test_y, clean.test_y)


def test_the_mixture_has_a_step_where_it_says():
    data = Mixture(frequencies=(2.0,), step=3.0, step_at=0.5, points=400).data(0)
    jumps = np.diff(data.train_y[:, 0])
    assert jumps.argmax() == np.searchsorted(data.train_x[:, 0], 0.5) - 1
    assert jumps.max() == pytest.approx(3.0, abs=0.05)


def test_the_moons_are_two_half_circles_and_noise_drawn_by_the_seed():
    one, other, clean = Moons(points=400).data(0), Moons(points=400).data(1), Moons(points=400, noise=0).data(0)
    assert not np.array_equal(one.train_x, other.train_x)
    assert [*one.train_y.sum(0)] == [200, 200]
    upper, lower = clean.train_x[::2], clean.train_x[1::2]
    np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(lower - [1, 0.5], axis=1), 1)
    assert upper[:, 1].min() >= 0
    assert lower[:, 1].max() <= 0.5
    assert (one.train_x - clean.train_x).std() == pytest.approx(0.2, rel=0.05)
    np.testing.assert_array_equal(one.train_y, clean.train_y)


def test_the_moons_are_those_of_scikit_learn_at_the_same_angles():
    from sklearn.datasets import make_moons

    theirs, labels = make_moons(200, shuffle=False)
    angle = np.arctan2(theirs[:100, 1], theirs[:100, 0])
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    np.testing.assert_allclose(theirs[:100], upper, atol=1e-12)
    np.testing.assert_allclose(theirs[100:], [1.0, 0.5] - upper, atol=1e-12)
    assert [*labels] == [0] * 100 + [1] * 100


def test_digits_can_be_their_own_targets():
    task = Digits(target="inputs")
    data = task.data(0)
    assert (task.loss(), task.outputs(), task.kind(), task.scores()) == ("squared", 64, "numbers", ("r2", "mae"))
    np.testing.assert_array_equal(data.train_y, data.train_x)
    np.testing.assert_array_equal(data.test_y, data.test_x)
    np.testing.assert_array_equal(data.train_x, Digits().data(0).train_x)
    assert data.target_scale is None
    assert (task.about().autoencodes, Digits().about().autoencodes) == (True, False)


@pytest.mark.parametrize("name", ["sine", "mixture", "diabetes", "digits", "moons"])
def test_the_promised_number_of_training_points_is_the_real_one(name):
    task = TASKS[name]()
    data = task.data(0)
    assert data.train_x.shape == (task.train_points(), task.inputs())
    assert data.train_y.shape == (task.train_points(), task.outputs())
    assert data.test_x.shape == (task.tested_points(), task.inputs())
    assert data.test_y.shape == (task.tested_points(), task.outputs())


def test_real_data_is_split_by_the_seed_and_standardized_on_the_training_part():
    one, two = Diabetes().data(1), Diabetes().data(2)
    assert len(one.train_x) + len(one.test_x) == 442
    assert not np.array_equal(one.train_y, two.train_y)
    np.testing.assert_allclose(one.train_x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(one.train_x.std(axis=0), 1)
    assert abs(one.test_x.mean()) > 1e-6
    np.testing.assert_array_equal(one.train_y, Diabetes().data(1).train_y)


def test_the_scale_of_standardized_targets_is_what_they_were_divided_by():
    data, (_, targets) = Diabetes().data(3), Diabetes().arrays()
    own = targets[stream(3, "data").permutation(442)]
    np.testing.assert_allclose(np.diff(data.train_y[:, 0]) * data.target_scale, np.diff(own[:354, 0]))
    np.testing.assert_allclose(np.diff(data.test_y[:, 0]) * data.target_scale, np.diff(own[354:, 0]), atol=1e-9)
    assert Sine().data(3).target_scale is None
    assert Digits().data(3).target_scale is None


def test_digits_are_ten_classes_each_with_a_one_in_its_column_and_most_of_them_told_by_the_nearest():
    data = Digits().data(0)
    assert (len(data.train_x), len(data.test_x)) == (1438, 359)
    targets = np.vstack([data.train_y, data.test_y])
    assert targets.shape == (1797, 10)
    assert set(np.unique(targets)) == {0.0, 1.0}
    assert (targets.sum(axis=1) == 1).all()
    assert (targets.sum(axis=0) > 170).all()
    nearest = ((data.test_x[:, None] - data.train_x) ** 2).sum(-1).argmin(1)
    assert (data.train_y[nearest].argmax(1) == data.test_y.argmax(1)).mean() > 0.9


def test_digits_are_split_by_the_seed_and_their_pixels_alone_are_standardized():
    one, two = Digits(test_fraction=0.5).data(1), Digits(test_fraction=0.5).data(2)
    assert not np.array_equal(one.train_y, two.train_y)
    np.testing.assert_array_equal(one.train_x, Digits(test_fraction=0.5).data(1).train_x)
    np.testing.assert_allclose(one.train_x.mean(axis=0), 0, atol=1e-12)
    varies = one.train_x.std(axis=0) > 0
    np.testing.assert_allclose(one.train_x.std(axis=0)[varies], 1)
    assert 50 < varies.sum() < 64
    assert not np.allclose(one.test_x.mean(axis=0), 0, atol=1e-6)
    assert (Digits().loss(), Digits().is_curve()) == ("cross_entropy", False)


@pytest.mark.parametrize(
    "entry",
    [{"name": name} for name in TASKS if name not in ("table", "arrays", "module")],
    ids=lambda entry: entry["name"],
)
@pytest.mark.parametrize("changes", [{}, {"noise": 0.1}, {"validation": 0.2}], ids=str)
def test_a_task_says_whether_its_points_differ_from_seed_to_seed_and_are_splits_of_the_same_rows(entry, changes):
    spec = {key: value for key, value in changes.items() if key == "validation"}
    noise = {key: value for key, value in changes.items() if key == "noise" and entry["name"] in ("sine", "mixture")}
    task = tasks.of({"task": {**entry, **noise}, **spec})
    one, two = task.data(1), task.data(2)
    assert bool(task.drawn()) == (not all(np.array_equal(*both) for both in zip(one, two, strict=True)))
    assert task.resamples() == (entry["name"] in ("diabetes", "digits"))


def test_splits_of_the_same_rows_hold_the_same_targets():
    one, two = Digits().data(1), Digits().data(2)
    for data in (one, two):
        assert len(data.train_y) + len(data.test_y) == 1797
    totals = [np.vstack([data.train_y, data.test_y]).sum(axis=0) for data in (one, two)]
    np.testing.assert_array_equal(*totals)


def test_streams_are_keyed_by_seed_and_role_and_stay_what_they_are():
    assert stream(0, "data").integers(1 << 30) != stream(0, "order").integers(1 << 30)
    assert stream(0, "data").integers(1 << 30) != stream(1, "data").integers(1 << 30)
    assert stream(0, "data").integers(1 << 30, size=3).tolist() == GOLDEN_STREAM


GOLDEN_STREAM = [1070022687, 167455527, 429444801]


@pytest.fixture
def frame():
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": generator.integers(20, 60, 40),
            "town": generator.choice(["Rome", "Oslo", "Lima"], 40),
            "member": generator.choice([True, False], 40),
            "price": generator.normal(size=40),
        }
    )


def planned(path, **options):
    options = {"target": "price", "missing": "refuse", **options}
    return Table(path=str(path), **options, **inspect_table(str(path), options["target"], options["missing"]))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_any_table_becomes_numbers_with_one_hot_categories(tmp_path, frame, ending):
    path = tmp_path / f"houses.{ending}"
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    task = planned(path, test_fraction=0.25)
    assert (task.rows, task.features) == (40, 5)
    data = task.data(3)
    assert data.train_x.shape == (30, 5)
    assert task.train_points() == 30
    np.testing.assert_allclose(data.train_x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.train_y.std(), 1)


def test_the_path_does_not_matter_but_the_bytes_do(tmp_path, frame):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    frame.to_csv(one, index=False)
    frame.to_csv(two, index=False)
    np.testing.assert_array_equal(planned(one).data(0).train_x, planned(two).data(0).train_x)
    task = planned(one)
    one.write_text(one.read_text().replace("Rome", "Bonn"))
    with pytest.raises(UserError, match=r"one\.csv: the file changed since the study was planned"):
        task.data(0)


def wrong(frame, **changes):
    return frame.assign(**changes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the data file"),
        ("", "the file is empty"),
        ("age,price\n", "no rows"),
        ("age,prices\n1,2\n", r"target: no column 'price' \(did you mean 'prices'\?\); the columns are age, prices"),
        ("age,price\n1,2\n2,2\n3,2\n4,2\n", "target 'price' is constant"),
        ("price\n1\n2\n3\n4\n", "no column to learn from; allowed: at least one besides price"),
        ("age,price\n1,2\n2,\n3,4\n", r"missing value in row 2 \(.*\), column 'price'"),
        ("age,price\n1,2\n2,3\n", "2 usable rows; at least 4"),
        ("age,price\n1,2\n2,inf\n3,1\n4,1\n", "target 'price' holds an infinite value"),
        ("age,price\n1,2\n2,3,4,5\n", "cannot be read as csv"),
    ],
)
def test_a_wrong_data_file_gets_one_clear_message(tmp_path, content, message):
    path = tmp_path / "data.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        inspect_table(str(path), "price", "refuse")
    assert "data.csv" in str(caught.value)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "data.xlsx").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"ending in '\.xlsx'; a table is a \.csv or a \.parquet file"):
        inspect_table(str(tmp_path / "data.xlsx"), "price", "refuse")
    (tmp_path / "data.parquet").write_bytes(b"not parquet")
    with pytest.raises(UserError, match="cannot be read as parquet"):
        inspect_table(str(tmp_path / "data.parquet"), "price", "refuse")


def test_rows_with_gaps_are_dropped_where_the_config_says_so(tmp_path, frame):
    frame.loc[[3, 5], "age"] = np.nan
    frame.to_csv(tmp_path / "data.csv", index=False)
    assert len(read_table(str(tmp_path / "data.csv"), "price", "drop").x) == 38


SHARES = [(100, 0.2, 20), (100, 0.5, 50), (10, 0.01, 1), (7, 0.25, 2), (4, 0.5, 2), (3, 0.5, 1), (3, 0.01, 1)]


@pytest.mark.parametrize(("points", "share", "held"), SHARES)
def test_a_share_of_the_training_points_is_held_out_and_one_at_the_least(points, share, held):
    task = tasks.of({"task": named("task", "sine", points=points, test_points=9), "validation": share})
    data = task.data(0)
    assert len(data.validation_x) == len(data.validation_y) == task.held_points() == held
    assert len(data.train_x) == len(data.train_y) == task.train_points() == points - held
    assert task.tested_points() == 9 + held


@pytest.mark.parametrize("name", ["sine", "mixture", "diabetes", "digits"])
def test_points_for_validation_are_training_points_that_train_nothing_and_the_test_keeps_its_own(name):
    entry = named("task", name)
    whole, data = (tasks.of({"task": entry, **held}).data(3) for held in ({}, {"validation": 0.2}))
    assert whole.validation_x is None
    np.testing.assert_array_equal(data.test_x, whole.test_x)
    np.testing.assert_array_equal(data.test_y, whole.test_y)
    together = np.vstack([np.hstack([data.train_x, data.train_y]), np.hstack([data.validation_x, data.validation_y])])
    before = np.hstack([whole.train_x, whole.train_y])
    np.testing.assert_array_equal(together[np.lexsort(together.T)], before[np.lexsort(before.T)])
    # The others keep their order.
    places = [np.flatnonzero((before == row).all(1))[0] for row in together[: len(data.train_x)]]
    assert (np.diff(places) >= 0).all()
