"""The locks pin what pyproject.toml asks for, and what is installed here is what they pin."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
LOCKS = {
    "containers/requirements.lock": ("train",),
    "tests/requirements.lock": ("train", "test"),
    "tests/benchmarks/requirements.lock": ("train", "bench"),
}


def asked(extras):
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    return [Requirement(text) for text in texts]


def pinned(lock):
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", (PROJECT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items(), ids=LOCKS)
def test_a_lock_pins_all_that_is_asked_for_within_what_is_allowed(lock, extras):
    pins = pinned(lock)
    for requirement in asked(extras):
        name = canonicalize_name(requirement.name)
        assert name in pins, f"{lock} lacks {name}: make lock"
        assert requirement.specifier.contains(pins[name], prereleases=True), f"{lock}: {name}=={pins[name]}: make lock"


def test_every_line_of_a_lock_is_a_pin():
    for lock in LOCKS:
        lines = [
            line for line in (PROJECT / lock).read_text().splitlines() if line and not line.lstrip().startswith("#")
        ]
        assert len(lines) == len(pinned(lock))


def test_the_locks_agree_with_each_other():
    runtime, tests, bench = map(pinned, LOCKS)
    assert runtime.items() <= tests.items()
    assert {name: bench[name] for name in runtime if name in bench}.items() <= runtime.items()


def test_what_runs_here_is_what_the_lock_pins():
    for name, version in pinned("containers/requirements.lock").items():
        assert metadata.version(name).partition("+")[0] == version
