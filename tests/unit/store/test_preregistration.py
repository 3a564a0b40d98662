"""Records of what was planned: written once, before anything is trained, by whoever comes first."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest
from specs import spec

from bnbench import train
from bnbench.errors import UserError
from bnbench.plan.chunks import Chunk
from bnbench.plan.preregistration import digest
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files, files, preregistration
from bnbench.trainer import stacks
from bnbench.vocabulary import PACKAGE

SETTING = Setting.from_spec(spec())
PLAN = {"study": "one", "outcome": "test_loss", "seeds": {"first": 0, "count": 4}}
OTHER = {**PLAN, "outcome": "train_loss"}


def chunk(first, last):
    return Chunk(SETTING, first, last - first + 1)


def records(results):
    found = preregistration.of_settings([SETTING], results)[SETTING.address]["records"]
    return {(record["plan"]["outcome"], record["plan"]["seeds"]["count"]): record["trained"] for record in found}


def test_a_plan_is_recorded_before_any_seed_is_trained(tmp_path, monkeypatch):
    seen = []
    whole = stacks._train_whole
    monkeypatch.setattr(stacks, "_train_whole", lambda *given: seen.append(records(tmp_path)) or whole(*given))
    train.run(chunk(0, 1), tmp_path, 1, plan=PLAN)
    assert seen == [{("test_loss", 4): 0}]
    assert records(tmp_path) == {("test_loss", 4): 0}


def test_more_jobs_of_the_same_plan_change_nothing(tmp_path):
    train.run(chunk(0, 1), tmp_path, 1, plan=PLAN)
    (path,) = (tmp_path / preregistration.FOLDER / SETTING.address).iterdir()
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    train.run(chunk(2, 3), tmp_path, 1, plan=PLAN)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_another_plan_is_recorded_with_the_seeds_that_were_there(tmp_path):
    train.run(chunk(0, 1), tmp_path, 1, plan=PLAN)
    train.run(chunk(2, 4), tmp_path, 1, plan={**OTHER, "seeds": {"first": 0, "count": 5}})
    assert records(tmp_path) == {("test_loss", 4): 0, ("train_loss", 5): 2}


def test_who_trains_nothing_records_nothing(tmp_path):
    train.run(chunk(0, 3), tmp_path, 1, plan=PLAN)
    train.run(chunk(0, 3), tmp_path, 1, plan=OTHER)  # all is there
    train.run(chunk(1, 2), tmp_path, 1, plan=OTHER)  # all is taken from another chunk
    assert records(tmp_path) == {("test_loss", 4): 0}
    assert preregistration.of_settings([SETTING], tmp_path)[SETTING.address]["trained"] == 4


def test_training_by_hand_without_a_plan_records_nothing(tmp_path):
    train.run(chunk(0, 1), tmp_path, 1)
    assert records(tmp_path) == {}


def test_seeds_of_overlapping_chunks_count_once_and_those_of_half_a_chunk_do_not(tmp_path):
    train.run(chunk(0, 3), tmp_path, 1)
    train.run(chunk(2, 5), tmp_path, 1)
    train.run(chunk(8, 9), tmp_path, 1)
    chunk_files.paths(chunk(8, 9), tmp_path)["trials"].unlink()
    assert preregistration.of_settings([SETTING], tmp_path)[SETTING.address]["trained"] == 6


def test_no_record_names_a_user_or_a_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("USER", "somebody")
    preregistration.keep(PLAN, SETTING, tmp_path)
    (path,) = (tmp_path / preregistration.FOLDER / SETTING.address).iterdir()
    assert path.name == f"{digest(PLAN)}.json"
    assert json.loads(path.read_text()) == {"plan": PLAN, "trained": 0}


def _write(results, barrier, trained):
    from bnbench.store import reuse

    reuse.seeds_there = lambda *_: trained
    barrier.wait()
    preregistration.keep(PLAN, SETTING, results)


def test_of_many_writers_at_once_one_wins_and_nothing_is_left_of_the_others(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(8)
    writers = [context.Process(target=_write, args=(tmp_path, barrier, number)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    (path,) = (tmp_path / preregistration.FOLDER / SETTING.address).iterdir()
    assert json.loads(path.read_text())["trained"] in range(8)


KILLED = """
import os, signal, sys
from pathlib import Path
from bnbench.store import files

def killed(temporary, path):
    os.kill(os.getpid(), signal.SIGKILL)

files._link = killed
files.write_once(Path(sys.argv[1]), '{"half": true}')
"""


def test_a_writer_that_is_killed_leaves_no_record_and_the_next_one_writes_it(tmp_path):
    path = tmp_path / preregistration.FOLDER / SETTING.address / f"{digest(PLAN)}.json"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], check=False, env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    )
    assert done.returncode == -signal.SIGKILL
    assert records(tmp_path) == {}
    preregistration.keep(PLAN, SETTING, tmp_path)
    assert records(tmp_path) == {("test_loss", 4): 0}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_training_that_is_killed_leaves_its_record(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(stacks, "_train_whole", killed)
        with pytest.raises(KeyboardInterrupt):
            train.run(chunk(0, 1), tmp_path, 1, plan=PLAN)
    train.run(chunk(0, 1), tmp_path, 1, plan=OTHER)
    # Nothing had been seen when the second plan came into force.
    assert records(tmp_path) == {("test_loss", 4): 0, ("train_loss", 4): 0}


def test_a_file_is_written_once_also_where_the_file_system_has_no_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    files.write_once(tmp_path / "a.txt", "first")
    files.write_once(tmp_path / "a.txt", "second")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "first"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"trained": 0, "plan": {}}', '{"trained": "0", "plan": {}}'])
def test_a_spoilt_record_is_one_message_that_names_it(tmp_path, text):
    path = tmp_path / preregistration.FOLDER / SETTING.address / "0.json"
    files.write_text(path, text)
    with pytest.raises(UserError, match=r"0\.json: not a record"):
        preregistration.of_settings([SETTING], tmp_path)


def test_tables_that_were_collected_without_records_have_none(tmp_path):
    assert preregistration.collected(tmp_path) == {}
    preregistration.collect([SETTING], tmp_path / "results", tmp_path)
    assert preregistration.collected(tmp_path) == {SETTING.address: {"trained": 0, "records": []}}
