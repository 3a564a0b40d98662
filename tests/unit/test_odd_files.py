"""Every odd data file is refused in one line that names the file and the cell, or accepted and told of; none hangs."""

import stat
import subprocess
import sys
import time

import pytest
from odd_files import ODD
from prose import assert_states

from bnbench import judgement
from bnbench.errors import UserError
from bnbench.plan import config
from bnbench.wording import data

LIMIT = 3
"""Seconds for a file."""

SAMPLE = {
    "one question mark: an input": "check",
    "decimal commas: a target": "check",
    "a pipe: table in csv": "check",
    "Parquet, lists: a target": "check",
    "one question mark: the outcome": "judge",
    "a pipe: runs in csv": "judge",
    "/dev/zero: runs in jsonl": "judge",
    "JSON lines: deep lists": "judge",
}
"""Files that go through the real command line as well."""


def table_or_arrays(odd):
    """What a study tells of the data of its task."""
    known = {"table": {"name": "table", "target": "y"}, "arrays": {"name": "arrays", "test_fraction": 0.2}}[odd.of]
    task = {**known, "path": odd.file, **odd.options}
    study = config.load({"study": "odd", "batch_size": "full", "task": task}, "odd.yaml")
    return [*data.sentences(study), *data.warnings(study)]


def of_runs(odd):
    """What the judge tells of the runs."""
    study = judgement.study_of(odd.file, None, {"factor": "norm", "outcome": "val_loss", **odd.options}, {}, None)
    return judgement.reading(study)


def there(folder):
    """What is in a folder, with its kind and size."""
    return {path.name: (stat.S_IFMT(path.lstat().st_mode), path.lstat().st_size) for path in folder.iterdir()}


def test_there_are_enough_of_them():
    assert len(ODD) >= 100


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_refused_in_one_line_or_told_of(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    odd = ODD[name]
    odd.make(tmp_path / odd.file)
    before, started = there(tmp_path), time.monotonic()
    try:
        told = (of_runs if odd.of == "runs" else table_or_arrays)(odd)
    except UserError as error:
        said, accepted = str(error), False
        assert "\n" not in said
        assert odd.file in said
    else:
        said, accepted = " ".join(told), True
    assert time.monotonic() - started < LIMIT
    assert_states(said, odd.said)
    assert accepted == odd.accepted
    assert said.isprintable() or "\u00a0" in said or "\u202f" in said
    assert there(tmp_path) == before


@pytest.mark.parametrize("name", SAMPLE)
def test_the_command_line_refuses_it_too_and_writes_nothing(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    odd = ODD[name]
    odd.make(tmp_path / odd.file)
    verb = SAMPLE[name]
    if verb == "check":
        target = odd.options.get("target", "y")
        (tmp_path / "odd.yaml").write_text(f"study: odd\ntask: {{name: table, path: {odd.file}, target: {target}}}\n")
    what = ["--configfile", "odd.yaml"] if verb == "check" else [odd.file, "--factor", "norm", "--outcome", "val_loss"]
    before = there(tmp_path)
    done = subprocess.run(  # noqa: PLW1510 - its status is what is looked at
        [sys.executable, "-m", "bnbench", verb, *what], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert_states(done.stderr, [odd.file, odd.said[0]] if verb == "check" else odd.said)
    assert there(tmp_path) == before
