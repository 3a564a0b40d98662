"""`make image` builds with what is there, and says what to install where nothing is."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[2] / "containers" / "build.sh"


@pytest.fixture
def build(tmp_path):
    """A function that runs the script where there are only these tools, which write down how they were called."""
    for name in ("bash", "dirname", "sed", "stat", "numfmt", "env"):
        (tmp_path / name).symlink_to(shutil.which(name))

    def run(*tools, **environment):
        for tool in tools:
            (tmp_path / tool).write_text(
                f'#!{shutil.which("bash")}\nprintf "%s\\n" "{tool}" "$@" >"{tmp_path}/called"\n'
            )
            (tmp_path / tool).chmod(0o755)
        done = subprocess.run(
            [BUILD], check=False, capture_output=True, text=True, env={"PATH": tmp_path, **environment}
        )
        called = tmp_path / "called"
        return done, called.read_text().splitlines() if called.exists() else []

    return run


def test_where_no_tool_is_it_says_what_to_install(build):
    done, called = build()
    assert done.returncode == 1
    assert "none of apptainer, podman and docker is here; install one" in done.stderr
    assert called == []


def test_the_first_tool_that_is_there_is_taken_and_arguments_reach_it(build):
    _, called = build(
        "podman", "docker", FLAVOUR="cuda", PIP_ARGS="--extra-index-url x", BASE="ours:1", OPTIONS="-v a:b"
    )
    assert called[:2] == ["podman", "build"]
    assert {"FLAVOUR=cuda", "PIP_ARGS=--extra-index-url x", "BASE=ours:1", "SOURCE=unknown", "-v", "a:b"} <= {*called}
    assert called[-3:] == ["--file", "containers/Containerfile", "."]
    assert build("podman", "docker", TOOL="docker")[1][0] == "docker"


def test_apptainer_takes_a_folder_as_its_base(build, tmp_path):
    _, called = build("apptainer", "podman", BASE=str(tmp_path))
    assert called[0] == "apptainer"
    assert "BOOTSTRAP=localimage" in called
    assert called[-1] == "containers/bnbench.def"
    assert "BOOTSTRAP=localimage" not in build("apptainer", BASE="ours:1")[1]


def _revision(folder, **environment):
    """What the image of a copy of the script in a folder would be told that it is built from."""
    done = subprocess.run(
        [folder / "containers" / "build.sh"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment, "TOOL": "echo"},
    )
    return re.search(r"REVISION=(\S+)", done.stdout)[1]


def _git(folder, *arguments):
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    return subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path):
    """A repository with the script and a package, and the commit that it is at."""
    for name in ("containers/build.sh", "workflow/bnbench/__init__.py", "workflow/studies/own.yaml", "Snakefile"):
        (tmp_path / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "here" / name).write_text("")
    shutil.copy(BUILD, tmp_path / "here" / "containers")
    _git(tmp_path / "here", "init", "-q")
    _git(tmp_path / "here", "add", ".")
    _git(tmp_path / "here", "commit", "-q", "-m", "all")
    return tmp_path / "here", _git(tmp_path / "here", "rev-parse", "HEAD").strip()


def test_the_image_is_told_the_commit_and_whether_what_it_takes_was_edited(repository):
    folder, commit = repository
    (folder / "results.txt").write_text("not in the image")
    (folder / "workflow" / "studies" / "own.yaml").write_text("seeds: 5")
    assert _revision(folder) == commit
    (folder / "workflow" / "bnbench" / "new.py").write_text("")
    assert _revision(folder) == f"{commit}-dirty"


def test_the_image_is_told_no_commit_of_another_repository(repository, tmp_path):
    folder, commit = repository
    unpacked = folder / "unpacked"
    shutil.copytree(folder / "containers", unpacked / "containers")
    shutil.copytree(folder / "workflow", unpacked / "workflow")
    assert _revision(unpacked) == "unknown"
    other = tmp_path / "other"
    other.mkdir()
    _git(other, "init", "-q")
    _git(other, "commit", "-q", "--allow-empty", "-m", "other")
    assert _revision(folder, GIT_DIR=str(other / ".git"), GIT_WORK_TREE=str(other)) == commit


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no dpkg here")
def test_the_list_of_packages_gets_those_of_debian_beside_pythons(tmp_path):
    python = {"type": "library", "name": "torch", "version": "2", "purl": "pkg:pypi/torch@2"}
    (tmp_path / "sbom.json").write_text(json.dumps({"bomFormat": "CycloneDX", "components": [python]}))
    subprocess.run([sys.executable, BUILD.parent / "debian_packages.py", tmp_path / "sbom.json"], check=True)
    first, *others = json.loads((tmp_path / "sbom.json").read_text())["components"]
    assert first == python
    found = {each["name"]: each for each in others}
    version = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "dpkg"], check=True, capture_output=True, text=True
    )
    assert found["dpkg"]["version"] == version.stdout
    assert all(each["purl"].startswith("pkg:deb/") and "?arch=" in each["purl"] for each in others)
    assert len({each["bom-ref"] for each in others}) == len(others)


def test_a_system_without_dpkg_leaves_the_list_as_it_is(tmp_path):
    (tmp_path / "sbom.json").write_text("{}")
    command = [sys.executable, BUILD.parent / "debian_packages.py", tmp_path / "sbom.json"]
    subprocess.run(command, check=True, env={"PATH": str(tmp_path)})
    assert (tmp_path / "sbom.json").read_text() == "{}"
