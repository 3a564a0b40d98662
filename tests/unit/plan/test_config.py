"""Checking and completing a config: data files, defaults as config.yaml has them, the studies that come along."""

from pathlib import Path

import pytest
from configs import refusal

from bnbench.catalogue.registries import REGISTRIES
from bnbench.plan import config, configfile

CONFIG = Path(__file__).parents[3] / "config.yaml"
SCHEMA = config.SCHEMA


HOUSES = "a,price\n1,2\n2,3\n3,5\n4,8\n"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (HOUSES, {"path": "nope.csv"}, "nope.csv: cannot read the data file (No such file or directory)"),
        (HOUSES, {"path": "data.txt"}, "data.txt: found a file ending in '.txt'; a table is a .csv or a .parquet file"),
        ("", {}, "data.csv: the file is empty"),
        ("a,price\n", {}, "data.csv: no rows; a table needs a header and at least 4 rows"),
        (HOUSES, {"target": "pric"}, "data.csv: target: no column 'pric' (did you mean 'price'?); "
         "the columns are a, price"),
        ("a,price\n1,2\n2,2\n3,2\n4,2\n", {}, "data.csv: target 'price' is constant; there is nothing to learn"),
        ("a,price\n1,x\n2,y\n3,z\n4,x\n", {"classes": False}, "data.csv: target 'price' is not numeric, 'x' in row 1 "
         "(the first row under the header is 1); a regression needs numbers"),
        ("a,price\n1,x\n2,y\n3,z\n4,x\n", {}, "data.csv: target 'price' has 3 different values in 4 rows; "
         "classes must recur, with two rows each on average"),
        ("a,price\n1,2\n2,\n3,5\n4,8\n", {}, "data.csv: missing value in row 2 (the first row under the header is 1), "
         "column 'price'; fill it in, or set 'missing: drop'"),
        ("a,price\n,2\n2,\n3,\n,8\n", {"missing": "drop"}, "data.csv: 0 usable rows; at least 4 are needed, "
         "for a training and a test part"),
        ("price,price\n1,2\n2,3\n3,5\n4,8\n", {}, "data.csv: cannot be read as csv (the column 'price' occurs twice)"),
        ("a,price\n1,2,3\n2,3,4\n3,5,6\n4,8,9\n", {}, "data.csv: cannot be read as csv (Error tokenizing data. "
         "C error: Expected 2 fields in line 2, saw 3)"),
    ],
)  # fmt: skip
def test_a_wrong_data_file_is_told_of_with_the_key_that_names_it(write, content, options, message):
    write(content, "data.csv")
    task = {"name": "table", "path": "data.csv", "target": "price", **options}
    assert refusal(config.resolve, {"study": "x", "task": task}, "wrong.yaml") == f"wrong.yaml: task: {message}"


def test_two_names_of_the_same_data_file_are_one_level(write):
    write(HOUSES, "data.csv")
    tasks = [{"name": "table", "path": path, "target": "price"} for path in ("data.csv", "./data.csv")]
    message = refusal(config.resolve, {"study": "x", "batch_size": "full", "task": tasks}, "wrong.yaml")
    assert message.startswith("wrong.yaml: task[1]: the level 'table path=./data.csv target=price' occurs twice")


def described(rule):
    """All rules below a rule of a mapping, with the path of each."""
    for key, item in rule.get("properties", {}).items():
        yield key, item
        yield from ((f"{key}.{path}", below) for path, below in described(item))
        yield from ((f"{key}[].{path}", below) for path, below in described(item.get("items", {})))


@pytest.mark.parametrize(("path", "rule"), [*described(SCHEMA)])
def test_the_schema_describes_every_key_and_gives_it_a_default(path, rule):
    assert rule["description"]
    needed = {"study", "seeds.count", "reference_points[].norm", "reference_points[].epoch", "reference_points[].value"}
    needed |= {"claims[].words", "claims[].source", "claims[].predicts"}
    assert ("default" in rule) == (path not in needed)


def test_config_yaml_says_every_key_and_what_is_taken_where_it_is_left_out():
    written = configfile.read(CONFIG)
    assert set(written) == set(SCHEMA["properties"]) - {"reference_points", "results"}
    assert set(written["report"]) == set(SCHEMA["properties"]["report"]["properties"])
    default = config.resolve({"study": written["study"], "task": written["task"]}, "x")
    assert config.resolve(written, "config.yaml") == default
    for key in {*written} - {"study", "task"}:
        left_out = {name: value for name, value in written.items() if name != key}
        assert config.resolve(left_out, "x") == default


def test_the_task_of_config_yaml_is_its_default_with_noise():
    written = configfile.read(CONFIG)
    (with_noise,) = config.resolve(written, "config.yaml")["task"]
    (default,) = config.resolve({"study": "x"}, "x")["task"]
    assert with_noise == default | {"noise": 0.1}


def test_the_schema_knows_every_entry_that_is_chosen_by_name():
    named = {rule["registry"] for rule in SCHEMA["properties"].values() if "registry" in rule}
    assert named == set(REGISTRIES)


@pytest.mark.parametrize("path", sorted((CONFIG.parent / "workflow" / "studies").glob("*.yaml")), ids=lambda p: p.name)
def test_the_studies_that_come_along_can_be_planned(path):
    written = configfile.located(configfile.read(path), [path.parent])  # some name a network in a file beside them
    assert config.load(written, str(path)).name == path.stem
