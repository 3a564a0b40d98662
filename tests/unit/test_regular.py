"""What has no end or waits for a writer is refused before it is opened."""

import os
import socket

import pytest
from configs import refusal

from bnbench import regular


def fifo(path):
    os.mkfifo(path)


def listening(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))  # an address of a socket is short


def linked(device):
    return lambda path: path.symlink_to(device)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (fifo, "a pipe"),
        (listening, "a socket"),
        (linked("/dev/zero"), "a device"),
        (linked("/dev/null"), "a device"),
    ],
)
def test_a_pipe_a_socket_and_a_device_are_refused(tmp_path, monkeypatch, make, kind):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "odd.csv")
    assert (
        refusal(regular.require, tmp_path / "odd.csv") == f"{tmp_path}/odd.csv: found {kind}, allowed: a regular file"
    )
    assert refusal(regular.require, tmp_path / "odd.csv", "runs").startswith(f"runs: found {kind}")


def test_files_and_links_to_them_pass_and_so_does_a_folder(tmp_path):
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").symlink_to("a.csv")
    for path in (tmp_path / "a.csv", tmp_path / "b.csv", tmp_path):
        regular.require(path)


def test_what_is_absent_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        regular.require(tmp_path / "absent.csv")
