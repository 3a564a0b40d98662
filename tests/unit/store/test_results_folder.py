"""Which folder holds the results: a name that would be misread is refused, and a job knows the one that was planned."""

import os
from pathlib import Path

import pytest

from bnbench.errors import UserError
from bnbench.store import results_folder

NAMES = {
    "": "found nothing, allowed: a folder; if BNBENCH_RESULTS is not set, it is ./results",
    " ": "found nothing, allowed: a folder; if BNBENCH_RESULTS is not set, it is ./results",
    "~/mine": "found ~/mine, allowed: a path without ~, such as {home}/mine",
    "~nobody-of-this-name/x": "found ~nobody-of-this-name/x, allowed: a path without ~, such as /home/…",
    "-x": "found -x, which reads like an option; allowed: a path, such as ./-x",
    "of {user}": "found of {{user}}, allowed: a path without braces",
    "a\nb": "found 'a\\nb', allowed: a path without control characters, in UTF-8",
    "caf\udce9": "found 'caf\\udce9', allowed: a path without control characters, in UTF-8",
    "file": "file is not a folder; move it away, or set BNBENCH_RESULTS to another folder",
    "file/in/it": "file is not a folder; move it away, or set BNBENCH_RESULTS to another folder",
    "pipe": "pipe is not a folder; move it away, or set BNBENCH_RESULTS to another folder",
    "nowhere": "nowhere is a link to gone, which does not exist; make it, or remove the link",
    "nowhere/in/it": "nowhere is a link to gone, which does not exist; make it, or remove the link",
    "round": "round is a link to round, which does not exist; make it, or remove the link",
    "long" * 100: "{long}: cannot be read (File name too long)",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    os.mkfifo("pipe")
    for name, target in {"nowhere": "gone", "round": "round"}.items():
        (tmp_path / name).symlink_to(target)
    return tmp_path


@pytest.mark.parametrize(("name", "message"), NAMES.items(), ids=[repr(name)[:20] for name in NAMES])
def test_a_name_that_cannot_be_the_folder_is_refused_in_one_message(folder, name, message, monkeypatch):
    said = message.format(home=Path.home(), long="long" * 100)
    with pytest.raises(UserError) as refused:
        results_folder.named(name, "--results: ")
    assert str(refused.value) == f"--results: {said}"
    monkeypatch.setattr(os, "environ", {**os.environ, "BNBENCH_RESULTS": name})
    with pytest.raises(UserError) as refused:
        results_folder.of_environment()
    assert str(refused.value) == f"BNBENCH_RESULTS: {said}"


@pytest.mark.parametrize("name", ["new/one", "..", "with space, comma: and 'quote'", "caf\u00e9", "linked"])
def test_other_names_are_taken_as_they_are(folder, name):
    (folder / "linked").symlink_to(".")
    assert results_folder.named(name) == Path(name)


def test_without_the_variable_it_is_results_here_which_must_not_be_a_file_either(folder, monkeypatch):
    monkeypatch.delenv("BNBENCH_RESULTS", raising=False)
    assert results_folder.of_environment() == Path("results")
    (folder / "results").touch()
    with pytest.raises(UserError, match=r"^results is not a folder; move it away, or set BNBENCH"):
        results_folder.of_environment()


def test_a_folder_that_can_be_written_is_left_as_it_is(folder):
    results = folder / "deep" / "down"
    results_folder.check_writable(results, results / "losses")
    assert sorted(results.rglob("*")) == [results / "losses"]


def test_a_folder_that_cannot_be_written_is_named_with_the_reason_and_what_to_do(folder):
    with pytest.raises(UserError) as refused:
        results_folder.check_writable(Path("/proc/bnbench"))
    assert str(refused.value) == (
        "/proc/bnbench: the results cannot be written (No such file or directory); allow it, or set BNBENCH_RESULTS "
        "to another folder"
    )


def test_a_job_tells_the_planned_folder_from_another_one(folder):
    mark = results_folder.keep_mark(folder / "planned")
    assert mark == results_folder.keep_mark(folder / "planned") == results_folder.mark(folder / "planned")
    assert mark != results_folder.keep_mark(folder / "of another run")
    results_folder.check_mark(folder / "planned", mark)
    results_folder.check_mark(folder / "planned", "")  # who planned has seen none
    for other in (folder / "of another run", folder / "nothing there"):
        with pytest.raises(
            UserError, match=r"this is not the folder for which the run was planned, .*to a folder that all nodes see"
        ):
            results_folder.check_mark(other, mark)
    assert not (folder / "nothing there").exists()


def test_in_an_image_it_says_how_to_bind_the_folder(folder, monkeypatch):
    monkeypatch.setattr(results_folder, "IMAGE", folder / "file")
    with pytest.raises(UserError, match=rf'--apptainer-args "--bind {folder}/x", or -v {folder}/x:{folder}/x with pod'):
        results_folder.check_mark(Path("x"), "a mark")
