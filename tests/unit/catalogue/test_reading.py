"""A file that an image does not see is told with what makes it see it."""

import pytest
from configs import refusal

from bnbench.catalogue import reading


@pytest.fixture
def work(tmp_path, monkeypatch):
    """The working folder; what marks an image lies in another."""
    (tmp_path / "work").mkdir()
    (tmp_path / "image.json").write_text("{}")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def said(file, image):
    return refusal(reading.content, file, "Python file", image)


def test_the_bytes_are_those_of_the_file(work, tmp_path):
    (work / "nets.py").write_bytes(b"x = 1\r\n")
    assert reading.content(work / "nets.py", "Python file", tmp_path / "image.json") == b"x = 1\r\n"


def test_within_an_image_a_file_outside_of_the_working_folder_is_told_with_how_to_bind_it(work, tmp_path):
    file, link = tmp_path / "group" / "nets.py", work / "link.py"
    link.symlink_to(file)
    absent = "cannot read the Python file (No such file or directory)"
    bind = f'put the file there, or give Snakemake --apptainer-args "--bind {tmp_path / "group"}"'
    for found in (file, link):
        message = said(found, tmp_path / "image.json")
        assert message.startswith(f"{found}: {absent}; ")
        assert message.endswith(bind)
        assert "\n" not in message
        assert said(found, tmp_path / "no image.json") == f"{found}: {absent}"


def test_no_binding_is_told_of_where_it_would_not_help(work, tmp_path):
    image, absent = tmp_path / "image.json", work / "nets.py"
    assert said(absent, image) == f"{absent}: cannot read the Python file (No such file or directory)"
    assert said(tmp_path, image) == f"{tmp_path}: cannot read the Python file (Is a directory)"
