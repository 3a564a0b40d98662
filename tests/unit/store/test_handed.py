"""What jobs are handed in a file: the same in every process that reads the config, and whole wherever it is there."""

import io
import json
import subprocess
import sys
from pathlib import Path

import own_tables
import pytest
import synthetic

from bnbench.errors import UserError
from bnbench.plan.preregistration import plan_of
from bnbench.store import handed

AGAIN = "import synthetic; from bnbench.store import handed; print(handed.path(handed.text(synthetic.plan())))"


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return synthetic.plan()


def test_the_study_its_plan_and_its_settings_come_back_as_they_were(study):
    handed.keep(handed.text(study))
    file = handed.path(handed.text(study))
    content = handed.read(file)
    assert handed.study(content, file) == study
    assert content["plan"] == plan_of(study)
    assert [handed.setting(content, each.address, file) for each in study.settings] == [*study.settings]


def test_every_process_knows_the_name_whether_or_not_the_file_is_there(study):
    path = [*map(str, filter(None, sys.path))]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {path}; {AGAIN}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said == f"{handed.path(handed.text(study))}\n"
    assert not handed.FOLDER.exists()


def test_a_file_that_is_there_is_left_as_it_is_and_another_study_has_another_one(study):
    handed.keep(handed.text(study))
    (file,) = handed.FOLDER.iterdir()
    before = file.stat()
    handed.keep(handed.text(study))
    assert file.stat() == before
    handed.keep(handed.text(synthetic.plan(seeds=3)))
    assert len([*handed.FOLDER.iterdir()]) == 2


def test_of_your_own_results_nothing_is_trained_and_so_none_is_planned():
    columns = {"norm": ["none", "none", "batch", "batch"], "seed": [0, 1, 0, 1], "val_loss": [1.0, 2.0, 3.0, 4.0]}
    content = json.loads(handed.text(own_tables.study(columns, factor="norm")))
    assert (content["plan"], content["settings"]) == (None, {})


def test_a_process_may_be_handed_it_on_its_standard_input(study, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(handed.text(study)))
    assert handed.study(handed.read(Path("-")), Path("-")) == study
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1]"))
    with pytest.raises(UserError, match=r"^standard input: found no JSON object \(found list, allowed: an object\)"):
        handed.read(Path("-"))


def test_what_is_missing_in_it_is_named(study):
    file = Path("x.json")
    with pytest.raises(UserError, match=r"^x\.json: found no 'study', allowed: a file that the planning process wrote"):
        handed.study({}, file)
    address = study.settings[0].address
    content = json.loads(handed.text(study))
    with pytest.raises(UserError, match=rf"^--setting: found {address}x, allowed: one of the \d+ in x\.json \(did you"):
        handed.setting(content, f"{address}x", file)
