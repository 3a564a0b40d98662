"""The user's data are described by a process of its own, so planning needs no torch and is not disturbed."""

import importlib.util
import sys

import pytest

from bnbench.errors import UserError
from bnbench.plan import config, described

DATA = """\
import numpy as np
print("hello")


def make(points=30):
    print("making")
    x = np.random.rand(points + 10, 3)
    return x[:points], x[:points].sum(1), x[points:], x[points:].sum(1)


def failing():
    return make()[9]


def ending():
    import os
    os._exit(0)
"""


@pytest.fixture(autouse=True)
def unknown(monkeypatch, tmp_path):
    monkeypatch.setenv(described.KNOWN, "{}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.py").write_text(DATA, encoding="utf-8")


def task(build, **options):
    entry = {"name": "module", "path": "data.py", "build": build, **options}
    return config.resolve({"study": "s", "task": entry}, "s.yaml")["task"][0]


def test_a_process_of_its_own_says_what_the_data_are():
    found = task("make")["found"]
    assert (found["points"], found["test_points"], found["shape"], found["kind"]) == (30, 10, [3], "numbers")
    assert "data" not in sys.modules


def test_an_error_of_the_users_is_told_with_the_key_and_the_users_line():
    with pytest.raises(UserError) as error:
        task("failing")
    assert str(error.value).splitlines() == [
        "s.yaml: task: data.py:12: in failing: IndexError: tuple index out of range",
        "    return make()[9]",
        "while bnbench makes the data with failing",
    ]


def test_code_that_ends_the_program_is_told_of():
    with pytest.raises(UserError, match=r"data\.py: its run ended early"):
        task("ending")


def test_without_torch_the_planner_says_what_it_lacks(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    with pytest.raises(UserError, match=r"task: data\.py: torch is not installed here.*task arrays"):
        task("make")
