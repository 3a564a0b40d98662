"""Data files with options: what is dropped and told of, columns that are named wrong, and what makes an address."""

import numpy as np
import pandas as pd
import pytest

from bnbench.catalogue import datafiles, tasks
from bnbench.catalogue.datafiles import inspect_table, read_table
from bnbench.errors import UserError
from bnbench.plan import config
from bnbench.streams import stream


@pytest.fixture
def houses(tmp_path):
    """40 rows, two of which lack a number, and one of these a town too."""
    draws = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": [f"h{row}" for row in range(40)],
            "area": draws.uniform(50, 150, 40),
            "zip": draws.choice([10, 20, 30], 40),
            "town": draws.choice(["Rome", "Oslo"], 40),
            "price": draws.normal(size=40),
            "sold": [row % 2 for row in range(40)],
        }
    )
    frame.loc[[3, 5], "area"] = np.nan
    frame.loc[5, "town"] = None
    path = tmp_path / "houses.csv"
    frame.to_csv(path, index=False)
    return str(path), frame


def task_of(path, **options):
    entry = {"name": "table", "path": path, "missing": "drop", **options}
    (resolved,) = config.resolve({"study": "x", "batch_size": "full", "task": entry}, "x")["task"]
    return tasks.of({"task": resolved})


def test_what_is_to_be_known_is_counted(houses):
    path, frame = houses
    about = task_of(path, target="price", categories=["zip"], unit="€").about()
    assert (about.name, about.unit) == ("houses.csv", "€")
    assert (about.in_file, about.rows, about.tested, about.gaps) == (40, 38, 8, (("area", 2), ("town", 1)))
    assert about.categories == (("id", 38), ("zip", 3), ("town", 2))
    assert about.inputs == 38 + 3 + 2 + 2
    used = frame.drop(index=[3, 5])["price"]
    (target,) = about.targets
    assert (target.name, target.why) == ("price", "fractions")
    assert (target.mean, target.deviation) == pytest.approx((used.mean(), used.std(ddof=0)))
    assert [(each.column, each.values) for each in about.suspects] == [("id", 38)]


@pytest.mark.parametrize(("mark", "called"), [(";", "semicolons"), ("\t", "a tab")])
@pytest.mark.parametrize("value", ["1.5", "1,5"])
def test_columns_that_no_commas_separate_are_refused(tmp_path, mark, called, value):
    path = tmp_path / "other.csv"
    path.write_text("\n".join([f"a{mark}b", *[f"{value}{mark}2"] * 5]))
    with pytest.raises(UserError, match=rf"other.csv: .*columns are separated by {called}, allowed: by commas"):
        read_table(str(path), "b")


def test_of_a_wide_table_the_first_columns_are_named_and_the_others_counted(tmp_path):
    gaps = {f"g{k}": [None if row == 10 else row * k for row in range(30)] for k in range(25)}
    texts = {f"t{k}": ["a", "b", "c"] * 10 for k in range(30)}
    pd.DataFrame({**gaps, **texts, "y": np.arange(30) / 7}).to_csv(tmp_path / "wide.csv", index=False)
    about = task_of(str(tmp_path / "wide.csv"), target="y").about()
    assert (len(about.gaps), about.more_gaps, about.rows) == (20, 5, 29)
    assert (len(about.categories), about.more_categories, about.one_hot) == (20, 10, 90)


def test_the_rows_that_are_held_out_are_known_too(houses):
    path, _ = houses
    (entry,) = config.resolve(
        {"study": "x", "task": {"name": "table", "path": path, "target": "price", "missing": "drop"}}, "x"
    )["task"]
    about = tasks.of({"task": entry, "validation": 0.5}).about()
    assert (about.rows, about.tested, about.held) == (38, 8, 15)


def test_what_is_missing_in_a_dropped_column_drops_no_row(houses):
    path, _ = houses
    task = task_of(path, target="price", drop=["area", "id"], missing="drop")
    assert (task.rows, task.about().gaps, task.about().dropped) == (39, (("town", 1),), ("area", "id"))
    assert task.data(0).train_x.shape == (31, 4)
    with pytest.raises(UserError, match=r"missing value in row 6 .*, column 'town'"):
        read_table(path, "price", drop=["area"])


def test_the_inputs_themselves_are_targets_unless_a_column_is_called_so(houses, tmp_path):
    path, _ = houses
    task = task_of(path, target="inputs", drop=["id"])
    data = task.data(2)
    assert (task.inputs(), task.outputs(), task.loss(), task.about().autoencodes) == (6, 6, "squared", True)
    np.testing.assert_array_equal(data.train_y, data.train_x)
    np.testing.assert_array_equal(data.test_y, data.test_x)
    named = tmp_path / "named.csv"
    pd.DataFrame({"inputs": [1.5, 2, 3, 4], "x": [1, 2, 3, 5], "z": [1, 2, 3, 5]}).to_csv(named, index=False)
    other = task_of(str(named), target="inputs")
    assert (other.inputs(), other.outputs(), other.about().autoencodes) == (2, 1, False)


def test_several_targets_are_standardized_each_by_its_own_training_part(houses):
    path, frame = houses
    data = task_of(path, target=["price", "zip"], drop=["area", "town"]).data(4)
    order = stream(4, "data").permutation(40)
    whole = frame[["price", "zip"]].to_numpy(float)[order]
    train, test = whole[:32], whole[32:]
    np.testing.assert_allclose(data.train_y, (train - train.mean(0)) / train.std(0))
    np.testing.assert_allclose(data.test_y, (test - train.mean(0)) / train.std(0))
    assert data.target_scale is None


def test_one_target_in_a_list_is_that_target(houses):
    path, _ = houses
    assert task_of(path, target=["sold"]) == task_of(path, target="sold")


def test_classes_are_not_standardized(houses):
    path, frame = houses
    task = task_of(path, target="sold", drop=["area", "town"])
    assert (task.loss(), task.outputs(), task.scores()) == ("cross_entropy", 2, ("test_accuracy", "auc"))
    data = task.data(1)
    order = stream(1, "data").permutation(40)
    np.testing.assert_array_equal(np.vstack([data.train_y, data.test_y])[:, 1], frame["sold"][order])
    flags = task_of(path, target=["sold", "town"], drop=["area"])
    assert (flags.loss(), flags.kind(), flags.outputs(), flags.labels) == ("binary", "flags", 2, ("1", "Rome"))


def test_a_deviation_that_is_0_to_the_computer_divides_nothing(tmp_path):
    path = tmp_path / "data.csv"
    frame = pd.DataFrame({"x": [1e-170 * (row % 2) for row in range(20)], "y": np.arange(20) / 3})
    frame.to_csv(path, index=False)
    data = task_of(str(path), target="y").data(0)
    assert np.isfinite(data.train_x).all()
    assert np.isfinite(data.test_x).all()


def test_a_level_of_the_test_part_alone_and_a_constant_are_zero_in_training_and_finite_in_the_test(tmp_path):
    path = tmp_path / "data.csv"
    frame = pd.DataFrame({"town": "Rome", "tax": 0.1, "x": np.arange(20) / 7, "y": np.arange(20) / 3})
    (row,) = stream(0, "data").permutation(20)[19:]
    frame.loc[row, ["town", "tax"]] = ["Oslo", 0.2]
    frame.to_csv(path, index=False)
    data = task_of(str(path), target="y", test_fraction=0.05).data(0)
    np.testing.assert_allclose(data.train_x[:, [0, 2, 3]], 0, atol=1e-15)
    np.testing.assert_allclose(data.test_x[0, [0, 2, 3]], [0.1, 1, -1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": ["ida"]}, r"drop: no column 'ida' \(did you mean 'id'\?\); the columns are id, area, "),
        ({"categories": ["zips"]}, r"categories: no column 'zips' \(did you mean 'zip'\?\)"),
        ({"target": ["price", "prise"]}, r"target: no column 'prise' \(did you mean 'price'\?\)"),
        ({"target": ["price", "price"]}, "column 'price' is named twice in 'target'"),
        ({"drop": ["price"]}, "column 'price' is named in 'target' and in 'drop'"),
        ({"drop": ["zip"], "categories": ["zip"]}, "column 'zip' is named in 'drop' and in 'categories'"),
        ({"target": "inputs", "classes": True}, "found 'classes: true' with 'target: inputs'"),
        ({"drop": ["id", "area", "zip", "town", "sold"]}, "no column to learn from"),
        (
            {"target": "inputs", "drop": ["id", "area", "zip", "town", "sold", "price"]},
            "no column to learn from",
        ),
    ],
)
def test_columns_that_are_named_wrong_are_told_of(houses, options, message):
    path, _ = houses
    with pytest.raises(UserError, match=rf"houses\.csv: {message}"):
        inspect_table(path, **{"target": "price", "missing": "drop", **options})


def test_a_file_is_parsed_once_for_all_tasks_and_anew_when_it_changes(houses, monkeypatch):
    path, frame = houses
    parsed = []
    monkeypatch.setattr(datafiles, "_read_csv", lambda file: parsed.append(1) or pd.read_csv(file))
    datafiles._parsed.cache_clear()
    for target in ("price", "sold", "zip"):
        read_table(path, target, "drop")
    assert len(parsed) == 1
    frame.assign(price=frame["price"] + 1).to_csv(path, index=False)
    assert read_table(path, "price", "drop").y.mean() == pytest.approx(frame["price"].drop(index=[3, 5]).mean() + 1)
    assert len(parsed) == 2


def addresses(path, **options):
    task = {"name": "table", "path": path, "missing": "drop", **options}
    return [each.address for each in config.load({"study": "x", "task": task}, "x").settings]


def test_what_changes_no_number_moves_no_address_and_the_rest_does(houses):
    path, _ = houses
    plain, sold = addresses(path, target="price"), addresses(path, target="sold")
    assert addresses(path, target="price", unit="€", classes=False) == plain
    assert addresses(path, target="sold", classes=True) == sold
    others = [
        addresses(path, target="sold", classes=False),
        addresses(path, target="price", drop=["id"]),
        addresses(path, target="price", drop=["id", "zip"]),
        addresses(path, target="price", categories=["zip"]),
        addresses(path, target=["price", "zip"]),
        addresses(path, target=["zip", "price"]),
    ]
    assert addresses(path, target="price", drop=["zip", "id"]) == others[2]
    assert len({address for each in (plain, sold, *others) for address in each}) == 8 * len(plain)


def test_a_label_that_was_fitted_as_a_number_has_the_address_that_it_had_before_there_were_classes(houses):
    path, _ = houses
    study = config.load(
        {"study": "x", "task": {"name": "table", "path": path, "target": "sold", "missing": "drop"}}, "x"
    )
    setting = study.settings[0]
    added = ("classes", "drop", "categories", "unit", "width", "labels", "found")
    before = {key: value for key, value in setting.spec["task"].items() if key not in added}
    former = type(setting).from_spec({**setting.spec, "task": before})
    assert former.address != setting.address
    assert [former.address] == addresses(path, target="sold", classes=False)[:1]
    assert tasks.of(former.spec).loss() == "squared"
