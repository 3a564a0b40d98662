"""What a dead run left is forgotten, and what a live one holds is not, however many there are."""

import errno
import logging
import subprocess
import sys

import pytest

from bnbench import at_work, snakemake_internals

HOLD = """
import sys
from pathlib import Path
from bnbench.snakemake_internals import go_on_after_a_kill
go_on_after_a_kill(Path(sys.argv[1]))
print("holds", flush=True)
input()
"""


@pytest.fixture
def run(tmp_path):
    """A function that starts a run which lives until its standard input ends."""
    runs = []

    def start():
        command = [sys.executable, "-c", HOLD, str(tmp_path)]
        runs.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert runs[-1].stdout.readline() == "holds\n"
        return runs[-1]

    yield start
    for process in runs:
        process.kill()
        process.communicate()


@pytest.fixture
def notes(tmp_path):
    """A lock and an unfinished job, as Snakemake notes them."""
    for name in ("locks/0.output.lock", "incomplete/cmVzdWx0cw==", "incomplete/@bG9uZw/cmVzdWx0cw=="):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return lambda: sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*/*") if path.is_file())


@pytest.fixture(autouse=True)
def _released():
    yield
    for handle in at_work._held:
        handle.close()
    at_work._held.clear()


def test_notes_of_a_dead_run_are_forgotten(tmp_path, notes):
    snakemake_internals.go_on_after_a_kill(tmp_path)
    assert notes() == []


def test_notes_are_left_while_any_run_is_alive_even_when_the_first_one_has_ended(tmp_path, notes, run):
    kept = notes()
    first, second = run(), run()
    assert notes() == []
    for name in kept:
        (tmp_path / name).touch()
    first.communicate()
    third = run()
    assert notes() == kept
    second.communicate()
    third.communicate()
    run()
    assert notes() == []


def test_a_folder_that_cannot_be_made_is_left_to_snakemake(tmp_path):
    (tmp_path / "file").touch()
    snakemake_internals.go_on_after_a_kill(tmp_path / "file" / "state")


def test_of_what_snakemake_says_a_missing_backup_alone_is_left_out(caplog):
    logger = logging.getLogger("snakemake.logging")
    for _ in range(2):  # as often as a Snakefile is read
        snakemake_internals.say_nothing_of_backups()
    logger.warning("Cannot restore results/losses/x/seeds-0-1.parquet: no backup found.")
    logger.warning("Cannot restore the rest.")
    assert [record.message for record in caplog.records] == ["Cannot restore the rest."]
    assert len(logger.filters) == 1


def noted(tmp_path):
    return (tmp_path / "running").read_text().splitlines()


def test_a_run_is_told_which_others_are_at_work_but_not_of_those_that_ended_or_only_plan(tmp_path, run):
    first, second = run(), run()
    second.communicate()
    with at_work.joined(tmp_path / "running", noted=False) as others:
        pass
    assert (others.alone, [each.process for each in others.noted]) == (False, [first.pid])
    assert f"Another run is at work in this folder (process {first.pid}, since " in others.refusal()
    assert others.refusal().endswith("Do not use --unlock: finished results are kept anyway.")
    assert len(noted(tmp_path)) == 2


def test_who_is_alone_forgets_what_was_noted(tmp_path, run):
    run().communicate()
    snakemake_internals.go_on_after_a_kill(tmp_path, dry_run=True)
    assert noted(tmp_path) == []


def test_a_run_on_another_machine_that_left_locks_is_told_of_since_its_lock_may_not_be_seen(tmp_path, notes, capsys):
    (tmp_path / "running").write_text("login2\t4711\t2026-01-31 12:00\nno note\n")
    snakemake_internals.go_on_after_a_kill(tmp_path, dry_run=True)
    assert notes() == []
    assert capsys.readouterr().err == (
        "A run did not end in order here (process 4711 on login2, since 2026-01-31 12:00). If it is still at work "
        "there, stop one of the two: both would train the same.\n"
    )


def test_without_locks_nothing_is_forgotten_and_it_is_said_what_is_not_known(tmp_path, notes, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(at_work.fcntl, "flock", unsupported)
    kept = notes()
    (tmp_path / "running").write_text("login2\t4711\t2026-01-31 12:00\n")
    with at_work.joined(tmp_path / "running", noted=True) as others:
        pass
    assert others.alone is None
    assert "(process 4711 on login2, since 2026-01-31 12:00), and it cannot be seen from here" in others.refusal()
    snakemake_internals.go_on_after_a_kill(tmp_path)
    assert notes() == kept


def test_snakemake_says_what_is_known_instead_of_advising_to_unlock(tmp_path, run, monkeypatch):
    from snakemake.exceptions import LockException

    monkeypatch.setattr(LockException, "__init__", LockException.__init__)  # put back afterwards
    first = run()
    snakemake_internals.go_on_after_a_kill(tmp_path)
    assert f"(process {first.pid}, since " in str(LockException())
