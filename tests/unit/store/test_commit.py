"""The commit beside the numbers is that of the checkout whose code ran, and says whether that was edited."""

import os
import shutil
import subprocess

import pytest

from bnbench.store import provenance

FILES = {
    "README.md": "what it is\n",
    ".gitignore": "__pycache__/\n",
    "workflow/bnbench/__init__.py": "",
    "workflow/bnbench/trainer/loop.py": "lr = 1\n",
    "workflow/rules/train.smk": "rule train:\n",
    "workflow/schemas/study.schema.yaml": "title: A study\n",
    "workflow/studies/mine.yaml": "seeds: 3\n",
}


def git(folder, *arguments):
    named = {
        f"GIT_{role}_{what}": "nobody@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    plain = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**plain, **named},
    )
    return done.stdout.strip()


def written(folder):
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def repository(folder, keep="."):
    folder.mkdir(exist_ok=True)
    git(folder, "init", "--quiet")
    git(folder, "add", keep)
    git(folder, "commit", "--quiet", "--message", "first")
    return git(folder, "rev-parse", "HEAD")


def found(checkout):
    return provenance.commit(checkout / "workflow" / "bnbench")


@pytest.fixture
def checkout(tmp_path):
    folder = written(tmp_path / "clone")
    return folder, repository(folder)


def test_a_checkout_as_it_was_committed_has_the_plain_commit(checkout):
    folder, head = checkout
    assert found(folder) == head


EDITS = {
    "an edited module": lambda at: (at / "workflow/bnbench/trainer/loop.py").write_text("lr = 2\n"),
    "an edited module that is staged": lambda at: (
        (at / "workflow/bnbench/trainer/loop.py").write_text("lr = 2\n"),
        git(at, "add", "."),
    ),
    "a new module": lambda at: (at / "workflow/bnbench/trainer/mine.py").write_text(""),
    "a module that is gone": lambda at: (at / "workflow/bnbench/trainer/loop.py").unlink(),
    "an edited rule": lambda at: (at / "workflow/rules/train.smk").write_text("rule other:\n"),
    "an edited schema": lambda at: (at / "workflow/schemas/study.schema.yaml").write_text(""),
    "a new module, where git is told to show none": lambda at: (
        git(at, "config", "status.showUntrackedFiles", "no"),
        (at / "workflow/bnbench/mine.py").write_text(""),
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_workflow_is_called_dirty(checkout, edit):
    folder, head = checkout
    edit(folder)
    assert found(folder) == f"{head}-dirty"


NO_EDITS = {
    "the documents": lambda at: (at / "README.md").write_text("other words\n"),
    "a study": lambda at: (at / "workflow/studies/mine.yaml").write_text("seeds: 5\n"),
    "a new study": lambda at: (at / "workflow/studies/other.yaml").write_text("seeds: 5\n"),
    "results": lambda at: (at / "results").mkdir(),
    "what Python compiles": lambda at: (
        (at / "workflow/bnbench/__pycache__").mkdir(),
        (at / "workflow/bnbench/__pycache__/x.pyc").write_text(""),
    ),
    "times": lambda at: os.utime(at / "workflow/bnbench/trainer/loop.py", (1, 1)),
    "modes": lambda at: (at / "workflow/bnbench/trainer/loop.py").chmod(0o755),
}


@pytest.mark.parametrize("change", NO_EDITS.values(), ids=NO_EDITS)
def test_what_changes_no_code_makes_nothing_dirty(checkout, change):
    folder, head = checkout
    change(folder)
    assert found(folder) == head


@pytest.mark.parametrize("ignored", [False, True], ids=["untracked", "ignored"])
@pytest.mark.parametrize("place", ["unpacked/bnbench", "."], ids=["below", "at the top"])
def test_a_package_that_was_unpacked_inside_another_repository_takes_no_commit_from_it(tmp_path, place, ignored):
    above = tmp_path / "theirs"
    above.mkdir()
    (above / "paper.tex").write_text("words\n")
    (above / ".gitignore").write_text("workflow/\nunpacked/\n" if ignored else "")
    repository(above)
    assert found(written(above / place)) == ""


def test_a_package_that_another_repository_tracks_elsewhere_takes_no_commit_from_it(tmp_path):
    above = tmp_path / "theirs"
    written(above / "vendored")
    repository(above)
    assert found(above / "vendored") == ""


def test_a_package_without_a_repository_has_no_commit(tmp_path):
    assert found(written(tmp_path / "unpacked")) == ""


def test_a_repository_without_a_commit_gives_none(tmp_path):
    folder = written(tmp_path / "clone")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    assert found(folder) == ""


VARIABLES = {
    "GIT_DIR": ".git",
    "GIT_WORK_TREE": ".",
    "GIT_INDEX_FILE": ".git/index",
    "GIT_COMMON_DIR": ".git",
    "GIT_OBJECT_DIRECTORY": ".git/objects",
}


@pytest.mark.parametrize("names", [[name] for name in VARIABLES] + [[*VARIABLES]], ids="+".join)
def test_no_variable_of_the_environment_leads_to_another_repository(checkout, tmp_path, monkeypatch, names):
    folder, head = checkout
    other = written(tmp_path / "other")
    (other / "more.txt").write_text("another history\n")
    assert repository(other) != head
    for name in names:
        monkeypatch.setenv(name, str(other / VARIABLES[name]))
    assert found(folder) == head
    assert found(written(tmp_path / "unpacked")) == ""


def test_a_worktree_has_its_own_commit(checkout, tmp_path):
    folder, head = checkout
    git(folder, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    tree = tmp_path / "tree"
    (tree / "workflow/bnbench/trainer/loop.py").write_text("lr = 3\n")
    assert (found(folder), found(tree)) == (head, f"{head}-dirty")
    git(tree, "commit", "--quiet", "--all", "--message", "second")
    assert found(tree) == git(tree, "rev-parse", "HEAD") != head


def test_a_submodule_has_its_own_commit(checkout, tmp_path):
    folder, head = checkout
    above = tmp_path / "theirs"
    above.mkdir()
    (above / "paper.tex").write_text("words\n")
    repository(above)
    git(above, "submodule", "--quiet", "add", str(folder), "tools/bnbench")
    git(above, "commit", "--quiet", "--message", "second")
    assert found(above / "tools" / "bnbench") == head != git(above, "rev-parse", "HEAD")


def test_a_moved_or_copied_checkout_keeps_its_commit(checkout, tmp_path):
    folder, head = checkout
    shutil.copytree(folder, tmp_path / "copied")
    assert found(tmp_path / "copied") == head
