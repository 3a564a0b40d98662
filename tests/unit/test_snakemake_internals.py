"""What a dead run left is forgotten, and what a live one holds is not, however many there are."""

import logging
import subprocess
import sys

import pytest

from bnbench import snakemake_internals

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
    for handle in snakemake_internals._held:
        handle.close()
    snakemake_internals._held.clear()


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
