"""`bnbench.load`: a study's tables as pandas has them, with all that tells its settings apart, and no torch."""

import subprocess
import sys

import pandas as pd
import pytest
import synthetic

import bnbench
from bnbench import collect, compare
from bnbench.errors import UserError
from bnbench.plan import settings
from bnbench.store import chunk_files, schemas
from bnbench.vocabulary import FACTORS, OF_SETTING


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The reports of two studies, that differ in what is no factor and in a factor."""
    folder = tmp_path_factory.mktemp("loaded")
    for name, changes in {"short": {"epochs": 40}, "long": {"epochs": 50, "hidden": [8], "tune": None}}.items():
        study = synthetic.plan(study=name, **changes)
        data = folder / name / "data"
        collect.run(study, synthetic.stored(study, folder / "results"), data)
        compare.run(study, data, folder / name, synthetic.SPLITS)
    return folder


def test_there_is_a_row_per_trial_and_epoch_with_its_labels(reports):
    losses = bnbench.load("short", reports=reports)
    assert len(losses) == 2 * 8 * 40
    assert not losses.duplicated(["setting", "seed", "epoch"]).any()
    assert {*losses["norm"]} == {"none", "batch"}
    assert losses.groupby("norm", observed=True)["train_loss"].count().to_dict() == {"batch": 320, "none": 320}


@pytest.mark.parametrize("what", ["losses", "trials", "predictions"])
def test_what_tells_two_studies_apart_stands_in_columns(reports, what):
    both = pd.concat([bnbench.load(name, what, reports) for name in ("short", "long")])
    held = [*FACTORS, *OF_SETTING]
    apart = both.drop_duplicates([*held, "setting"])
    assert len(apart) == both["setting"].nunique() == 4
    assert not apart.duplicated(held).any()
    assert {*zip(both["epochs"], both["hidden"], strict=True)} == {(40, "4"), (50, "8")}
    assert {*both["objective"]} == {"squared"}
    assert {*both["dtype"]} == {"float32"}


def test_tables_of_the_report_are_read_too(reports):
    assert bnbench.load("short", "contexts", reports)["pairs"].tolist() == [8]
    assert len(bnbench.load("short", "pairs", reports)) == 8


def test_a_study_is_found_by_its_folder(reports):
    pd.testing.assert_frame_equal(bnbench.load(reports / "long", "trials"), bnbench.load("long", "trials", reports))
    pd.testing.assert_frame_equal(bnbench.load(str(reports / "long")), bnbench.load("long", reports=reports))


def test_whoever_asks_for_what_is_not_there_hears_what_is(reports, tmp_path):
    with pytest.raises(UserError) as error:
        bnbench.load("shirt", reports=reports)
    assert str(error.value) == (
        f"{reports}: found no study 'shirt' (did you mean 'short'?), allowed: one of long, short, or the path of a "
        "folder"
    )
    with pytest.raises(
        UserError, match=r"what: found 'context' \(text\) \(did you mean 'contexts'\?\), allowed: one of"
    ):
        bnbench.load("short", "context", reports)
    with pytest.raises(UserError, match=r"none, since there are no reports yet; run the workflow first"):
        bnbench.load("short", reports=tmp_path / "reports")
    (tmp_path / "half" / "data").mkdir(parents=True)
    with pytest.raises(UserError, match=r"curves\.parquet: no such file; run the workflow to make it"):
        bnbench.load("half", reports=tmp_path)


def test_the_import_is_cheap_and_loading_needs_no_torch():
    heavy = {"torch", "scipy", "pandas", "pyarrow", "numpy", "yaml"}
    code = f"import sys, bnbench; print(sorted(set(sys.modules) & {heavy!r}))"
    code += "; import bnbench.store.loading; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\nFalse\n"


def test_every_key_that_changes_numbers_is_a_column_of_the_results():
    named = {"loss": "objective"}
    for kind in schemas.SCHEMAS:
        assert {named.get(key, key) for key in settings.KEYS} <= {*schemas.SCHEMAS[kind].names}


def test_what_is_tuned_and_your_own_files_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text("def net(norm):\n    return norm(1)\n")
    own = {"name": "module", "path": "nets.py", "build": "net"}
    tuned = {"optimizer": [{"name": "sgd", "lr": [0.01, 0.1]}], "tune": {"validation": 0.25}}
    (setting, *_) = synthetic.plan(network=own, **tuned).settings
    found = chunk_files.same(setting)
    assert found["validation"] == 0.25
    assert found["files"] == f"nets.py {setting.spec['network']['sha256'][:8]}"
    (plain, *_) = synthetic.plan(loss="task", task={"name": "digits"}, dtype="float64").settings
    found = chunk_files.same(plain)
    assert (found["validation"], found["files"]) == (None, None)
    assert (found["objective"], found["dtype"]) == ("cross_entropy", "float64")
