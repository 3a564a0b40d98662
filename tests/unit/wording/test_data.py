"""What plan and page say of the data: rows, inputs, targets, and columns and classes that look wrong."""

import pandas as pd
import pytest
import synthetic
from prose import assert_states, cases

from bnbench import cli
from bnbench.catalogue.about import About, Target
from bnbench.wording import data

CLASSES = (("no", 150), ("yes", 50))


@cases(
    numbers=(
        About("houses.csv", 288, 58, 12, unit="€", in_file=300, gaps=(("city", 8), ("area", 5), ("zip", 1)),
              dropped=("id", "sold"), categories=(("city", 9),), one_hot=9,
              targets=(Target("price", "many", 237030.6, 71206.2),)),
        ["houses.csv: 288 of 300 rows are used", "8 lack city, 5 lack area and 1 lacks zip", "each seed tests 58",
         "Left out are id and sold.", "12 inputs, 9 of them for the category city",
         "The target price is taken as numbers", "mean 237,031 €", "71,206 €"],
    ),
    classes=(
        About("a.csv", 200, 40, 2, held=32, in_file=200, targets=(Target("bought", "text", classes=CLASSES),)),
        ["a.csv: 200 rows; each seed tests 40", "holds out 32 for validation", "2 inputs.",
         "The target bought is taken as 2 classes, since it is text: no (75 %) and yes (25 %)."],
    ),
    many=(
        About("a.csv", 100, 20, 40, in_file=100, categories=tuple((f"c{k}", 3) for k in range(9)), one_hot=33,
              more_categories=2,
              targets=(Target("y", "asked", classes=tuple((f"k{k}", 10) for k in range(10))),)),
        ["33 of them for the categories c0 (3), ", "c5 (3) and 5 more", "10 classes, as the config says: k0 (10 %)",
         "k5 (10 %) and 4 more."],
    ),
    notes=(
        About("a.npz", 100, 20, 64, notes=("x: bytes are divided by 255", "y: 2 flags")),
        ["a.npz: 100 rows; each seed tests 20 of them. 64 inputs. x: bytes are divided by 255. y: 2 flags."],
    ),
    several_targets=(
        About("a.csv", 100, 20, 3, in_file=100,
              targets=(Target("y", "fractions", 0.5, 2.0), Target("z", "others", 3.0, 1.0))),
        ["The target y is taken as numbers, since it has fractions: mean 0.5, standard deviation 2.",
         "The target z is taken as numbers, since there are several targets"],
    ),
    autoencoding=(About("a.csv", 100, 20, 3, in_file=100, autoencodes=True), ["3 inputs. The targets are the inputs."]),
    digits=(About("digits", 1797, 359, 64, classes=10), ["digits: 1,797 rows; each seed tests 359", "10 classes."]),
)  # fmt: skip
def test_the_data_of_a_task_in_sentences(case, prose):
    about, facts = case
    said = data.told(about)
    assert_states(said, facts)
    assert said == prose


def test_functions_speak_for_themselves():
    study = synthetic.plan(task=["sine", "digits", "adding"], hidden=[4])
    assert [said.split(":")[0] for said in data.sentences(study)] == ["digits"]
    assert data.sentences(synthetic.plan()) == data.warnings(synthetic.plan()) == []


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = range(40)
    columns = {"id": [f"h{row}" for row in rows], "sold": [f"2020-01-{1 + row % 28:02}" for row in rows]}
    more = {"x": [row / 7 for row in rows], "y": ["rare" if not row else "ab"[row % 2] for row in rows]}
    pd.DataFrame({**columns, **more}).to_csv("data.csv", index=False)
    return tmp_path


def study(folder, **options):
    return synthetic.plan(task={"name": "table", "path": str(folder / "data.csv"), "target": "y", **options})


def test_ids_dates_and_rare_classes_are_warned_of_with_what_to_write(folder):
    found = data.warnings(study(folder))
    assert len(found) == 3
    assert_states(found[0], ["data.csv: column id", "40 different texts in 40 rows", "40 inputs", "drop: [id, sold]"])
    assert_states(found[1], ["data.csv: column sold", "dates", "28 inputs", "drop: [id, sold]"])
    assert_states(found[2], ["data.csv: of target y, rare has fewer than 5 rows"])
    assert data.warnings(study(folder, drop=["id", "sold"])) == found[2:]
    (only,) = data.warnings(study(folder, drop=["id"], target="x", categories=["y"]))
    assert_states(only, ["column sold", "drop: [id, sold]"])


def test_the_unit_is_that_of_all_tasks_or_their_own(folder):
    assert data.units(study(folder, target="x", unit="km")) == "km"
    assert data.units(study(folder, target="x")) == data.OWN_UNITS
    one = {"name": "table", "path": str(folder / "data.csv"), "target": "x", "unit": "km"}
    two = {**one, "drop": ["id"], "unit": "kg"}
    assert data.units(synthetic.plan(task=[one, two])) == data.OWN_UNITS
    assert data.units(synthetic.plan(task=[one, "sine"])) == data.OWN_UNITS


def test_errors_of_several_standardized_targets_are_in_standard_deviations(folder):
    pd.DataFrame({"x": [k / 7 for k in range(40)], "y": [k / 3 for k in range(40)], "z": 1.5}).to_csv("three.csv")
    several = {"name": "table", "path": str(folder / "three.csv"), "target": ["x", "y"], "unit": "km"}
    for task in (several, {"name": "digits", "target": "inputs"}):
        plan = synthetic.plan(task=task)
        assert data.units(plan) == plan.outcomes["mae"].unit == "standard deviations"
    assert synthetic.plan(task={**several, "target": "x"}).outcomes["mae"].unit == "km"


def test_plan_and_check_say_what_became_of_the_data(folder, capsys):
    task = "{name: table, path: data.csv, target: y, classes: true}"
    (folder / "a.yaml").write_text(f"study: a\nbatch_size: full\nseeds: 2\nepochs: 2\nhidden: [4]\ntask: {task}\n")
    assert cli.main(["plan", "--configfile", "a.yaml"]) == 0
    plan = capsys.readouterr().out
    assert (
        "\ndata        data.csv: 40 rows; each seed tests 8 of them. 69 inputs, 68 of them for the categories" in plan
    )
    assert plan.count("\nwarning: data.csv: ") == 3
    assert cli.main(["check", "--configfile", "a.yaml"]) == 0
    assert capsys.readouterr().out.count("\nwarning: data.csv: ") == 3
