"""The Makefile: it takes a Python that fits, says why an environment cannot be made, and adds to the user's paths."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    """A folder with the Makefile and what an environment is made from."""
    (tmp_path / "containers").mkdir()
    for name in ("Makefile", "containers/requirements.lock"):
        shutil.copy2(PROJECT / name, tmp_path / name)
    return tmp_path


def make(project, *arguments, **environment):
    own = ("PYTHON", "PYTHONPATH", "PIP_ARGS", "MAKEFLAGS", "MAKELEVEL")
    clean = {name: value for name, value in os.environ.items() if name not in own}
    command = ["make", "-C", project, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**clean, **environment})


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return path


FAILURES = {
    "no interpreter": (
        None,
        ": No such file or directory",
        "does not run: install it, or name another of 3.11 to 3.13",
    ),
    "too old": (
        'case "$*" in *version_info*) exit 1;; -V) echo Python 3.9.2;; esac',
        "",
        "is Python 3.9.2: name one of 3.11 to 3.13",
    ),
    "no ensurepip": (
        'case "$*" in *ensurepip*) echo "No module named ensurepip" >&2; exit 1;; esac',
        "No module named ensurepip\n",
        "install Python's venv (on Debian: apt-get install python3.12-venv)",
    ),
    "full disk": (
        'case "$*" in *"-m venv"*) echo "[Errno 28] No space left on device" >&2; exit 1;; esac',
        "[Errno 28] No space left on device\n",
        "fix the error above",
    ),
}


@pytest.mark.parametrize(("does", "own_words", "advice"), FAILURES.values(), ids=FAILURES)
def test_an_environment_that_cannot_be_made_names_the_reason(project, does, own_words, advice):
    python = project / "python3.12"
    if does is not None:
        script(python, does)
    run = make(project, ".venv/ready", f"PYTHON={python}")
    assert run.returncode != 0
    assert own_words in run.stderr
    (line,) = [line for line in run.stderr.splitlines() if line.endswith("; then give the same command again")]
    assert advice in line
    assert not (project / ".venv" / "ready").exists()


@pytest.mark.parametrize("linked", [False, True], ids=["its own", "another clone's"])
def test_an_environment_holds_the_package_of_the_clone_that_made_it(project, linked):
    environment = project / "environment" if linked else project / ".venv"
    script(environment / "bin" / "python", 'echo "$@"')
    if linked:
        (project / ".venv").symlink_to(environment)
    python = script(project / "python3.12", 'echo "$@"')
    run = make(project, ".venv/ready", f"PYTHON={python}")
    assert run.returncode == 0, run.stderr
    assert "--requirement containers/requirements.lock\n" in run.stdout
    assert ("-m venv .venv\n" in run.stdout, "--editable .\n" in run.stdout) == (not linked, not linked)


@pytest.fixture
def machine(project):
    """A function that says which Pythons there are, by name and version; returns the search path."""
    tools = project / "tools"
    tools.mkdir()
    for tool in ("bash", "make", "grep", "sed", "expand"):
        (tools / tool).symlink_to(shutil.which(tool))

    def brings(**versions):
        for name, minor in versions.items():
            script(tools / name.replace("_", "."), f"[ {minor} -ge 11 ] && [ {minor} -le 13 ]")
        return str(tools)

    return brings


@pytest.mark.parametrize(
    ("versions", "taken"),
    [
        ({"python3": 11, "python3_11": 11, "python3_13": 13}, "python3.11"),
        ({"python3": 9, "python3_13": 13}, "python3.13"),
        ({"python3": 12}, "python3"),
        ({"python3": 14}, ""),
    ],
)
def test_the_first_python_that_fits_is_taken(project, machine, versions, taken):
    assert f"PYTHON={taken}\n" in make(project, "help", PATH=machine(**versions)).stdout


def test_where_no_python_fits_that_is_said(project, machine):
    run = make(project, ".venv/ready", PATH=machine(python3=14))
    assert "no Python 3.11, 3.12 or 3.13 was found" in run.stderr


def test_pip_is_told_where_to_look(project):
    said = make(project, "-n", ".venv/ready", "PYTHON=python3", "PIP_ARGS=--extra-index-url somewhere").stdout
    assert "--extra-index-url somewhere --requirement containers/requirements.lock" in said


@pytest.mark.parametrize(("own", "after"), [(None, ""), ("mine:yours", ":mine:yours")])
def test_the_users_own_pythonpath_stays_behind_ours(project, own, after):
    script(project / ".venv" / "bin" / "python", 'echo "$PYTHONPATH"')
    (project / ".venv" / "ready").touch()
    environment = {"PYTHONPATH": own} if own else {}
    run = make(project, "plan", "-o", "containers/requirements.lock", **environment)
    assert f"{project}/workflow{after}\n" in run.stdout
