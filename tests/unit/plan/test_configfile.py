"""Reading what a user wrote: strict YAML, and overrides as Snakemake takes them."""

import copy
import os
import re
from pathlib import Path

import pytest
import yaml
from configs import refusal
from hypothesis import given
from hypothesis import strategies as st
from snakemake.cli import parse_config
from snakemake.utils import update_config

from bnbench.errors import UserError
from bnbench.plan import config, configfile

CONFIG = Path(__file__).parents[3] / "config.yaml"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("study: x\nhidden: [4, 5\n", ", line 3, column 1: broken YAML (expected ',' or ']', but got '<stream end>')"),
        ("study: x\n\tinit: 4", ", line 2, column 1: broken YAML (found character '\\t' that cannot start any token)"),
        ("study: x\nepochs: 5\nstudy: y\n", ", line 3, column 1: broken YAML (the key 'study' occurs twice)"),
        ("report: {alpha: 0.05, alpha: 0.1}", ", line 1, column 23: broken YAML (the key 'alpha' occurs twice)"),
        ("norm: [{name: batch, name: none}]", ", line 1, column 22: broken YAML (the key 'name' occurs twice)"),
        ("5: a\n5.0: b\n", ", line 2, column 1: broken YAML (the key '5.0' occurs twice)"),
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
    assert refusal(configfile.read, write(content)) == f"wrong.yaml{message}"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    missing = tmp_path / "nope.yaml"
    assert refusal(configfile.read, missing) == f"{missing}: cannot read the config file (No such file or directory)"
    assert refusal(configfile.read, tmp_path) == f"{tmp_path}: cannot read the config file (Is a directory)"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    said = refusal(configfile.read, tmp_path / "pipe.yaml")
    assert said == f"{tmp_path / 'pipe.yaml'}: found a pipe, allowed: a regular file"


def test_numbers_of_a_file_in_json_are_those_of_json(write):
    text = '{"study": "x", "optimizer": {"name": "adam", "lr": 1e-05}, "claims": [{"words": "\\ud83e\\uddea"}]}'
    found = configfile.read(write(text))
    assert found["optimizer"]["lr"] == 0.00001
    assert found["claims"] == [{"words": "🧪"}]


SAME = ["0", "-5", "+5", "0x1F", "5.", ".5", "1.0e-3", "1.5e+3", "-.inf", ".nan", "true", "FALSE", "null", "~", ""]


@pytest.mark.parametrize("written", [*SAME, "'012'", '"yes"', "!!str 5", "y", "No way", "1.2.3", "a:b", "12 3", "v012"])
def test_what_all_readers_of_yaml_read_alike_is_read(write, written):
    read, usual = (reader(write(f"a: {written}")) for reader in (configfile.read, _as_pyyaml_reads))
    assert repr(read) == repr(usual)


def _as_pyyaml_reads(path):
    return yaml.safe_load(Path(path).read_text())


@given(st.text(st.sampled_from("0123456789+-._:eExXobBaAfFyYnNosTtrRuUlL~"), min_size=1, max_size=8))
def test_a_word_is_read_as_by_yaml_1_2_or_refused(tmp_path_factory, word):
    path = tmp_path_factory.getbasetemp() / "word.yaml"
    path.write_text(f"a: {word}")
    try:
        read = configfile.read(path)["a"]
    except UserError:
        return
    is_number = re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+", word)
    assert isinstance(read, int | float) == bool(is_number or word.lower() in ("true", "false"))
    if is_number and word.lstrip("+-").isdecimal():
        assert read == int(word)


def test_the_key_on_of_a_norm_is_a_word_and_no_truth_value(write):
    written = configfile.read(write("study: x\nnorm: [none, {name: batch, on: [hidden, input]}]"))
    assert config.resolve(written, "x")["norm"][1]["on"] == ["hidden", "input"]


def test_anchors_merges_and_a_byte_order_mark_are_fine(write):
    text = "\ufeffstudy: x\noptimizer: [&a {name: adam, lr: 0.1}, {<<: *a, lr: 0.2}]\n"
    assert configfile.read(write(text))["optimizer"] == [{"name": "adam", "lr": 0.1}, {"name": "adam", "lr": 0.2}]


@given(st.text(st.sampled_from("ab:,-[]{}&*!?|>'\"#%@ \n\t\0é019.~<"), max_size=30))
def test_whatever_a_file_holds_it_is_a_mapping_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        assert isinstance(configfile.read(path), dict)
    except UserError:
        return


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
    assert configfile.parse_overrides([pair]) == {pair.split("=")[0]: value}


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("seeds", "--config: found 'seeds', allowed: KEY=VALUE, such as seeds=50"),
        ("hidden=[1", "--config hidden: broken YAML in '[1' (expected ',' or ']', but got '<stream end>')"),
        ("hidden=[" + "1," * 20_000 + "1]", "--config hidden: found more than 10,000 values, allowed: at most 10,000"),
        (
            "hidden=" + "[" * 30 + "]" * 30,
            "--config hidden: found lists and mappings nested more than 20 deep, allowed: at most 20",
        ),
        ("hidden=&a [*a]", "--config hidden: broken YAML in '&a [*a]' (found unconstructable recursive node)"),
    ],
)
def test_a_wrong_override_is_refused(pair, message):
    assert refusal(configfile.parse_overrides, [pair]) == message


def test_overrides_change_top_level_keys_and_merge_into_mappings():
    overrides = configfile.parse_overrides(["seeds=50", "epochs=500", "report={margin: 1.2}", "seeds_per_job={cpu: 5}"])
    resolved = config.resolve(configfile.merged(configfile.read(CONFIG), overrides), "x")
    assert resolved["seeds"] == {"first": 0, "count": 50}
    assert resolved["epochs"] == 500
    assert resolved["report"]["margin"] == 1.2
    assert resolved["report"]["outcome"] == "test_loss"
    assert resolved["seeds_per_job"] == {"cpu": 5, "cuda": "auto"}
    assert configfile.merged({"seeds": 20}, {"seeds": {"count": 3}}) == {"seeds": {"count": 3}}


PAIRS = [
    "seeds=50",
    "seeds=050",
    "seeds=1e3",
    "seeds=",
    "seeds={first: 2, count: 4}",
    "study=two words",
    "study='quoted'",
    "batch_size=[full, 25]",
    "report={margin: 1.2, baseline: none}",
    "optimizer=[{name: adam, lr: 1e-3, amsgrad: true}, sgd]",
    "norm=[{name: batch, momentum: null}]",
]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_means_what_snakemake_takes_it_for(pair):
    assert configfile.parse_overrides([pair]) == configfile.typed(parse_config([pair]))


@pytest.mark.parametrize(
    "overrides",
    [
        {"seeds": 5},
        {"report": {"margin": 1.2}},
        {"report": {"margin": {"deep": 1}}},
        {"norm": ["batch"]},
        {"task": {"name": "sine"}},
        {"report": 5},
    ],
)
def test_overrides_are_merged_as_snakemake_merges_them(overrides):
    study = {"seeds": 4, "norm": ["none", "batch"], "report": {"margin": 1.1, "outcome": "eval_loss"}}
    expected = copy.deepcopy(study)
    update_config(expected, overrides)
    assert configfile.merged(study, overrides) == expected


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A function that writes empty files, `study/` beside the config and `run/`, where the run starts."""
    for folder in ("study", "run"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "run")

    def write(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path / "study"

    return write


def path_of(written, *folders):
    config = configfile.located({"network": {"name": "module", "path": written, "build": "net"}}, folders)
    return config["network"]["path"]


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        (["study/nets.py"], "../study/nets.py"),
        (["study/nets.py", "run/nets.py"], "../study/nets.py"),
        (["run/nets.py"], "nets.py"),
        ([], "nets.py"),
    ],
    ids=["beside the config", "in both", "where the run starts", "nowhere"],
)
def test_a_file_is_looked_for_beside_the_config_first(study, files, seen):
    folder = study(*files)
    assert path_of("nets.py", folder) == path_of("nets.py", Path("../study")) == seen


def test_of_several_configs_the_first_one_beside_which_the_file_lies_wins(study):
    folder = study("study/nets.py", "other/nets.py", "other/norms.py")
    other = folder.parent / "other"
    assert path_of("nets.py", folder, other) == "../study/nets.py"
    assert path_of("norms.py", folder, other) == "../other/norms.py"


def test_an_absolute_path_stays(study):
    folder = study("study/nets.py")
    assert path_of(str(folder / "nets.py"), folder) == str(folder / "nets.py")


def test_files_of_all_entries_are_found_and_nothing_else_changes(study):
    folder = study("study/a.py", "study/data.csv")
    table = {"name": "table", "path": "data.csv", "target": "y"}
    norm = {"name": "module", "path": "a.py", "build": "norm", True: ["hidden"]}
    written = {
        "task": table,
        "norm": ["none", norm, {"name": "module", "path": 5}],
        "report": {"baseline": norm, "path": "a.py"},
        "seeds": 4,
    }
    before = copy.deepcopy(written)
    found = {**norm, "path": "../study/a.py"}
    assert configfile.located(written, [folder]) == {
        "task": {**table, "path": "../study/data.csv"},
        "norm": ["none", found, {"name": "module", "path": 5}],
        "report": {"baseline": found, "path": "a.py"},
        "seeds": 4,
    }
    assert written == before


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ({"path": "runs.csv"}, "../study/runs.csv"),
        ({"pattern": "*.csv"}, "../study"),
        ({"path": "gone.csv"}, "gone.csv"),
    ],
    ids=["a file", "the folder itself", "nowhere"],
)
def test_results_are_seen_from_the_folder_of_their_config(tmp_path, monkeypatch, written, seen):
    for name in ("study", "run"):
        (tmp_path / name).mkdir()
    (tmp_path / "study/runs.csv").touch()
    monkeypatch.chdir(tmp_path / "run")
    located = configfile.located({"results": written}, [tmp_path / "study"])
    assert located == {"results": {**written, "path": seen}}
