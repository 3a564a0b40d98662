"""An absent package is told of in one line, with the extra of this package that brings it."""

import importlib.util
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bnbench import extras
from bnbench.catalogue.split_tasks import Diabetes, Digits
from bnbench.errors import UserError

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


@pytest.fixture
def absent(monkeypatch):
    """A function that hides a module."""
    find = importlib.util.find_spec

    def hide(module):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else find(name))

    return hide


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("torch", "torch is not installed; pip install 'bnbench[train]' installs it"),
        ("sklearn", "scikit-learn is not installed; pip install 'bnbench[train]' installs it"),
        ("tensorboard", "tensorboard is not installed; pip install 'bnbench[tensorboard]' installs it"),
    ],
)
def test_what_is_absent_is_named_with_the_extra_that_brings_it(absent, module, said):
    absent(module)
    with pytest.raises(UserError) as error:
        extras.need(module)
    assert str(error.value) == said


@pytest.mark.parametrize("module", extras.MODULES)
def test_the_extra_that_is_named_brings_the_package_and_a_plain_installation_does_not(module):
    package, extra = extras.MODULES[module]
    brought = {Requirement(text).name for text in PROJECT["optional-dependencies"][extra]}
    assert package in brought
    assert not brought & {Requirement(text).name for text in PROJECT["dependencies"]}


def test_what_is_there_is_no_error():
    extras.need("torch")


@pytest.mark.parametrize("task", [Digits, Diabetes])
def test_a_task_of_scikit_learns_says_that_it_is_absent(absent, task):
    absent("sklearn")
    with pytest.raises(UserError, match=r"^scikit-learn is not installed; pip install 'bnbench\[train\]' installs it$"):
        task().data(0)
