"""The rooms of the package: a module in the wrong place, or an import that points up, is told of with what to do."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


@pytest.fixture
def package(tmp_path):
    """A copy of the package, to spoil."""
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    copied = tmp_path / "workflow" / "bnbench"
    shutil.copytree(PROJECT / "workflow" / "bnbench", copied, ignore=shutil.ignore_patterns("__pycache__"))
    return copied


def linted(package):
    """Exit status, the contracts that are broken, and all that is said, in one line."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=package.parents[1],
        env={"PYTHONPATH": str(package.parent), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join((done.stdout + done.stderr).split())
    broken = {name for name, words in CONTRACTS.items() if f"{words} BROKEN" in said}
    return done.returncode, broken, said


def test_the_package_keeps_all_its_contracts(package):
    status, broken, said = linted(package)
    assert (status, broken) == (0, set()), said


@pytest.mark.parametrize(
    ("module", "line", "contract", "told"),
    [
        (
            "plan/study.py",
            "from bnbench.store import tables",
            "layers",
            "bnbench.plan is not allowed to import bnbench.store: - bnbench.plan.study -> bnbench.store.tables",
        ),
        ("judging/stats.py", "import torch", "torch", "bnbench.judging is not allowed to import torch"),
        ("compare.py", "import torch", "torch", "bnbench.compare is not allowed to import torch"),
        (
            "judging/stats.py",
            "from bnbench.wording import formats",
            "judging",
            "bnbench.judging is not allowed to import bnbench.wording",
        ),
        ("elsewhere.py", "", "layers", "The following modules are not listed as layers: - bnbench.elsewhere"),
    ],
    ids=["an import that points up", "torch for the judge", "torch on the road", "English for the judge", "no room"],
)
def test_what_lies_in_the_wrong_room_is_named_with_what_to_do(package, module, line, contract, told):
    path = package / module
    before = path.read_text() if path.exists() else '"""A module of its own."""\n'
    path.write_text(f"{before}\n{line}\n")
    status, broken, said = linted(package)
    assert status == 1
    assert contract in broken
    assert told in said
    assert re.search(r": (move|return) ", CONTRACTS[contract])


def test_the_tests_have_the_rooms_of_the_package():
    rooms, folders = (
        {path.parent.name for path in PROJECT.glob(pattern)}
        for pattern in ("workflow/bnbench/*/__init__.py", "tests/unit/*/test_*.py")
    )
    assert rooms == folders
