"""A file is written whole or not at all, and what a killed writer left goes with the next one."""

import os
import subprocess
import sys

import pytest

from bnbench.errors import UserError
from bnbench.store import files

WRITER = """
import signal, sys
from pathlib import Path
from bnbench.store import files
with files.atomic(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    signal.pause()
"""


def refusal(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.fixture
def writer(tmp_path):
    """A process in the middle of writing `a.txt`."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "a.txt")], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"writing\n"
    yield process
    process.kill()
    process.communicate()


def test_what_a_killed_writer_left_goes_with_the_next_one(writer, tmp_path):
    writer.kill()
    writer.wait()
    (leftover,) = tmp_path.iterdir()
    assert leftover.name.startswith(".a.txt.")
    files.write_text(tmp_path / "a.txt", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_living_writer_writes_is_left_alone(writer, tmp_path):
    files.write_text(tmp_path / "a.txt", "whole")
    assert len([*tmp_path.iterdir()]) == 2


def test_a_file_that_was_taken_for_a_leftover_before_it_was_locked_is_made_anew(tmp_path, monkeypatch):
    taken = []

    def lock(handle, how):
        if not taken:
            taken.extend(path.unlink() for path in tmp_path.iterdir())

    monkeypatch.setattr(files.fcntl, "flock", lock)
    files.write_text(tmp_path / "a.txt", "whole")
    assert len(taken) == 1
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_a_file_system_without_locks_is_written_too(tmp_path, monkeypatch):
    def refuse(handle, how):
        raise OSError("no locks here")

    monkeypatch.setattr(files.fcntl, "flock", refuse)
    files.write_text(tmp_path / "a.txt", "old")
    files.write_text(tmp_path / "a.txt", "whole")
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert refusal(files.write_text, tmp_path / "file" / "a.txt", "x").startswith(f"{tmp_path}/file/a.txt: cannot be")
    (tmp_path / "folder.txt").mkdir()
    message = f"{tmp_path}/folder.txt: cannot be written (Is a directory)"
    assert refusal(files.write_text, tmp_path / "folder.txt", "x") == message


def test_folders_are_made_as_they_are_needed(tmp_path):
    files.write_text(tmp_path / "a" / "b" / "c.txt", "x")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "x"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_who_may_read_a_file_follows_the_umask(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        files.write_text(tmp_path / "a.txt", "x")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == mode
