"""The hash of the package: the same wherever the same code lies, and another one after any edit."""

import shutil

import pytest

from bnbench.store import package_hash
from bnbench.vocabulary import PACKAGE


@pytest.fixture
def copy(tmp_path):
    """The package as an image has it: its folders that are links in a clone are folders there."""
    return shutil.copytree(PACKAGE, tmp_path / "bnbench", ignore=shutil.ignore_patterns("__pycache__"))


def test_a_copy_has_the_hash_of_the_original_whatever_python_and_editors_put_beside_it(copy):
    assert package_hash.digest(copy) == package_hash.digest()
    (copy / "__pycache__").mkdir()
    for name in ("__pycache__/cli.pyc", ".cli.py.swp", "cli.py~"):
        (copy / name).touch()
    package_hash.digest.cache_clear()
    assert package_hash.digest(copy) == package_hash.digest()


@pytest.mark.parametrize("file", ["trainer/loop.py", "schemas/study.schema.yaml", "page/templates/page.css"])
def test_an_edit_of_any_file_makes_another_hash(copy, file):
    with (copy / file).open("a") as stream:
        stream.write("\n")
    assert package_hash.digest(copy) != package_hash.digest()


def test_a_file_of_another_name_makes_another_hash(copy):
    (copy / "cli.py").rename(copy / "line.py")
    assert package_hash.digest(copy) != package_hash.digest()


def test_it_is_said_where_the_code_differs_and_only_there(monkeypatch, tmp_path):
    here = package_hash.digest()
    assert package_hash.difference("") == package_hash.difference(here) == ""
    said = package_hash.difference("0123456789ab")
    assert said.startswith(f"warning: {PACKAGE} holds other code ({here}) than what planned this run (0123456789ab): ")
    monkeypatch.setattr(package_hash, "IMAGE", tmp_path)
    said = package_hash.difference("0123456789ab")
    assert said.startswith(f"warning: the image holds other code ({here}) than the clone that planned this run (0123")
    assert said.endswith("build the image again: make image")
