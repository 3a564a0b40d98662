"""What pip installs is all that the package needs: it works where there is no checkout."""

import os
import subprocess
import sys
import zipfile

import pytest

from checkouts import PROJECT, TINY, Checkout

PACKAGE = PROJECT / "workflow" / "bnbench"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that pip builds of the working tree."""
    source, built = tmp_path_factory.mktemp("source") / "bnbench", tmp_path_factory.mktemp("wheel")
    folder = Checkout.of(PROJECT, source).folder
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (folder / name).write_bytes((PROJECT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", built, folder], check=True, capture_output=True)
    return next(built.glob("*.whl"))


@pytest.fixture
def bnbench(wheel, tmp_path):
    """A function that runs a verb of the installed package in a folder with nothing but a config."""
    installed, folder = tmp_path / "installed", tmp_path / "empty"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    folder.mkdir()
    (folder / "config.yaml").write_text(str(TINY))

    def run(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(installed)}
        command = [sys.executable, "-m", "bnbench", *arguments]
        return subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)

    return run


def test_a_wheel_holds_every_file_of_the_package(wheel):
    there = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    there |= {path for name in ("captions", "schemas") for path in (PACKAGE / name).iterdir()}
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if name.startswith("bnbench/")}
    assert {str(path.relative_to(PACKAGE.parent)): path.read_bytes() for path in there} == held


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("--version", "bnbench "),
        ("check", "tiny: 2 norms × 2 batch sizes × 4 seeds = 16 trials"),
        ("plan", "study       tiny: 2 norms × 2 batch sizes × 4 seeds = 16 trials"),
    ],
)
def test_an_installed_package_works_in_an_empty_folder(bnbench, verb, said):
    run = bnbench(verb)
    assert run.stderr == ""
    assert run.stdout.startswith(said)


def test_a_wheel_brings_the_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert b"bnbench = bnbench.cli:main" in archive.read(points)
