"""Reading and completing a config: strict YAML, overrides as Snakemake takes them, defaults as config.yaml has them."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bnbench import config
from bnbench.errors import UserError
from bnbench.study import REGISTRIES

CONFIG = Path(__file__).parents[2] / "config.yaml"
SCHEMA = yaml.safe_load(config.SCHEMA.read_text(encoding="utf-8"))


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(content, name="wrong.yaml"):
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return written


def refusal(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("study: x\nhidden: [4, 5\n", ", line 3, column 1: broken YAML (expected ',' or ']', but got '<stream end>')"),
        ("study: x\n\tinit: 4", ", line 2, column 1: broken YAML (found character '\\t' that cannot start any token)"),
        ("study: x\nepochs: 5\nstudy: y\n", ", line 3, column 1: broken YAML (the key 'study' stands twice)"),
        ("report: {alpha: 0.05, alpha: 0.1}", ", line 1, column 23: broken YAML (the key 'alpha' stands twice)"),
        ("norm: [{name: batch, name: none}]", ", line 1, column 22: broken YAML (the key 'name' stands twice)"),
        ("5: a\n5.0: b\n", ", line 2, column 1: broken YAML (the key '5.0' stands twice)"),
        ("? [a, b]\n: 3\n", ", line 1, column 3: broken YAML (found unhashable key)"),
        ("study: 2024-13-01", ", line 1, column 8: broken YAML ('2024-13-01' is no timestamp)"),
        ("hidden: [!!int x]", ", line 1, column 10: broken YAML ('x' is no int)"),
        ("hidden: &a [*a]", ", line 1, column 9: broken YAML (found unconstructable recursive node)"),
        ("norm: *a", ", line 1, column 7: broken YAML (found undefined alias 'a')"),
        ("study: a\n---\nstudy: b\n", ", line 2, column 1: broken YAML (but found another document)"),
        ("a: !!python/object:os.system x", ", line 1, column 4: broken YAML (could not determine a constructor for the "
         "tag 'tag:yaml.org,2002:python/object:os.system')"),
        ("a: " + "[" * 1000, ": broken YAML (nested too deeply)"),
        ("study: \0", ": broken YAML (unacceptable character #x0000: special characters are not allowed)"),
        ("", ": found nothing, allowed: a mapping of keys to values, such as 'study: default'"),
        ("# nothing but a comment", ": found nothing, allowed: a mapping of keys to values, such as 'study: default'"),
        ("- study: x", ": found a list of 1, allowed: a mapping of keys to values, such as 'study: default'"),
        ("study", ": found 'study' (text), allowed: a mapping of keys to values, such as 'study: default'"),
        ("study: é".encode("latin-1"), ": not a text file in UTF-8 (unexpected end of data at byte 7)"),
        ("study: x".encode("utf-16"), ": not a text file in UTF-8 (invalid start byte at byte 0)"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_mapping_in_yaml_gets_one_message_with_its_place(write, content, message):
    assert refusal(config.read, write(content)) == f"wrong.yaml{message}"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    missing = tmp_path / "nope.yaml"
    assert refusal(config.read, missing) == f"{missing}: cannot read the config file (No such file or directory)"
    assert refusal(config.read, tmp_path) == f"{tmp_path}: cannot read the config file (Is a directory)"


def test_anchors_merges_and_a_byte_order_mark_are_fine(write):
    text = "\ufeffstudy: x\noptimizer: [&a {name: adam, lr: 0.1}, {<<: *a, lr: 0.2}]\n"
    assert config.read(write(text))["optimizer"] == [{"name": "adam", "lr": 0.1}, {"name": "adam", "lr": 0.2}]


@given(st.text(st.sampled_from("ab:,-[]{}&*!?|>'\"#%@ \n\t\0é019.~<"), max_size=30))
def test_whatever_a_file_holds_it_is_a_mapping_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        assert isinstance(config.read(path), dict)
    except UserError:
        return


HOUSES = "a,price\n1,2\n2,3\n3,5\n4,8\n"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (HOUSES, {"path": "nope.csv"}, "nope.csv: cannot read the data file (No such file or directory)"),
        (HOUSES, {"path": "data.txt"}, "data.txt: found a file ending in '.txt'; a table is a .csv or a .parquet file"),
        ("", {}, "data.csv: the file is empty"),
        ("a,price\n", {}, "data.csv: no rows; a table needs a header and at least 4 rows"),
        (HOUSES, {"target": "pric"}, "data.csv: no column 'pric' (did you mean 'price'?); the columns are a, price"),
        ("a,price\n1,2\n2,2\n3,2\n4,2\n", {}, "data.csv: target 'price' is constant; there is nothing to learn"),
        ("a,price\n1,x\n2,y\n3,z\n4,x\n", {}, "data.csv: target 'price' is not numeric (found str); "
         "a regression needs numbers"),
        ("a,price\n1,2\n2,\n3,5\n4,8\n", {}, "data.csv: missing value in row 2 (the first row under the header is 1), "
         "column 'price'; fill it in, or set 'missing: drop'"),
        ("a,price\n,2\n2,\n3,\n,8\n", {"missing": "drop"}, "data.csv: 0 usable rows; at least 4 are needed, "
         "for a training and a test part"),
        ("price,price\n1,2\n2,3\n3,5\n4,8\n", {}, "data.csv: cannot be read as csv (the column 'price' stands twice)"),
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
    assert message.startswith("wrong.yaml: task[1]: the level 'table path=./data.csv target=price' stands twice")


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("seeds=50", 50),
        ("seeds=1e3", 1000.0),
        ("seeds=", None),
        ("study=my-study", "my-study"),
        ("hidden=[64, 64]", [64, 64]),
        ("report={margin: 1.1, baseline: batch}", {"margin": 1.1, "baseline": "batch"}),
        ("norm=[none, {name: batch, momentum: null, affine: false}]",
         ["none", {"name": "batch", "momentum": None, "affine": False}]),
        ("optimizer=[{name: adam, lr: 1e-3}]", [{"name": "adam", "lr": 0.001}]),
        ("study=a=b", "a=b"),
    ],
)  # fmt: skip
def test_an_override_means_what_it_looks_like(pair, value):
    assert config.parse_overrides([pair]) == {pair.split("=")[0]: value}


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("seeds", "--config: found 'seeds', allowed: KEY=VALUE, such as seeds=50"),
        ("hidden=[1", "--config hidden: broken YAML in '[1' (expected ',' or ']', but got '<stream end>')"),
        ("hidden=&a [*a]", "--config hidden: broken YAML in '&a [*a]' (found unconstructable recursive node)"),
    ],
)
def test_a_wrong_override_is_refused(pair, message):
    assert refusal(config.parse_overrides, [pair]) == message


def test_overrides_change_top_level_keys_and_merge_into_mappings():
    overrides = config.parse_overrides(["seeds=50", "epochs=500", "report={margin: 1.2}", "seeds_per_job={cpu: 5}"])
    resolved = config.resolve(config.merged(config.read(CONFIG), overrides), "x")
    assert resolved["seeds"] == {"first": 0, "count": 50}
    assert resolved["epochs"] == 500
    assert resolved["report"]["margin"] == 1.2
    assert resolved["report"]["outcome"] == "test_loss"
    assert resolved["seeds_per_job"] == {"cpu": 5, "cuda": 256}
    assert config.merged({"seeds": 20}, {"seeds": {"count": 3}}) == {"seeds": {"count": 3}}


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
    assert ("default" in rule) == (path not in needed)


def test_config_yaml_says_every_key_and_what_is_taken_where_it_is_left_out():
    written = config.read(CONFIG)
    assert set(written) == set(SCHEMA["properties"]) - {"reference_points"}
    assert set(written["report"]) == set(SCHEMA["properties"]["report"]["properties"])
    default = config.resolve({"study": written["study"]}, "x")
    assert config.resolve(written, "config.yaml") == default
    for key in written:
        left_out = {name: value for name, value in written.items() if name != key or name == "study"}
        assert config.resolve(left_out, "x") == default


def test_the_schema_knows_every_entry_that_is_chosen_by_name():
    named = {rule["registry"] for rule in SCHEMA["properties"].values() if "registry" in rule}
    assert named == set(REGISTRIES)


@pytest.mark.parametrize("path", sorted((CONFIG.parent / "workflow" / "studies").glob("*.yaml")), ids=lambda p: p.name)
def test_the_studies_that_come_along_can_be_planned(path):
    assert config.load(config.read(path), str(path)).name == path.stem
