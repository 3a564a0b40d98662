"""What differs between the seeds of a study is what its tasks and batches say, and what its trials really draw."""

import re

import numpy as np
import pytest
import synthetic
from golden import FILE, TABLE

from bnbench.catalogue import tasks
from bnbench.catalogue.rows import Part
from bnbench.catalogue.task import DRAWN
from bnbench.plan import config
from bnbench.plan.randomness import varying
from bnbench.vocabulary import PACKAGE

TUNED = {"tune": {"validation": 0.2}, "optimizer": {"name": "adam", "lr": [0.001, 0.01]}}
ARRAYS = FILE.with_name("golden_arrays.npz")
NOISY = {"name": "sine", "noise": 0.1}


@pytest.mark.parametrize(
    ("changes", "drawn", "order"),
    [
        ({"batch_size": ["full", 25]}, {"sine": ()}, "some"),  # as the default study
        ({}, {"sine": ()}, "none"),
        ({"batch_size": 25}, {"sine": ()}, "all"),
        ({"batch_size": 100}, {"sine": ()}, "none"),  # all 100 points
        ({"batch_size": 99}, {"sine": ()}, "none"),  # a last batch of one example joins the one before it
        ({"batch_size": 98}, {"sine": ()}, "all"),
        ({"task": NOISY}, {"sine noise=0.1": ("noise",)}, "none"),
        ({"task": "diabetes"}, {"diabetes": ("split",)}, "none"),
        ({"task": ["sine", NOISY]}, {"sine": (), "sine noise=0.1": ("noise",)}, "none"),
        ({"task": ["sine", "diabetes"], "batch_size": 100}, {"sine": (), "diabetes": ("split",)}, "some"),
        (TUNED, {"sine": ("validation",)}, "none"),
        ({**TUNED, "batch_size": 80}, {"sine": ("validation",)}, "none"),  # all that are left
    ],
)
def test_the_sources_that_vary_are_those_of_this_study(changes, drawn, order):
    found = varying(synthetic.plan(**changes))
    assert (found.drawn, found.order) == (drawn, order)


def test_a_function_without_noise_draws_no_data():
    found = varying(config.load({"study": "default"}, "config.yaml"))
    assert (found.drawn, found.order) == ({"sine": ()}, "some")


FILES = {
    "table": {"path": TABLE, "target": "price"},
    "arrays": {"path": str(ARRAYS)},
    "module": {"path": str(ARRAYS.parent / "own" / "data.py"), "build": "tensors"},
}
"""Tasks that read a file → the parameters that say which."""


def are_same(one, other):
    """Whether two parts of the points of a trial are equal; of rows that are held once, by their places and seeds."""
    if isinstance(one, Part):
        same_seed = getattr(one.source, "seed", None) == getattr(other.source, "seed", None)
        return same_seed and np.array_equal(one.rows, other.rows)
    return np.array_equal(one, other)


@pytest.mark.parametrize("name", tasks.TASKS)
@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("tuned", [{}, TUNED])
def test_a_task_says_that_it_draws_points_exactly_where_two_seeds_have_different_ones(name, noise, tuned):
    options = FILES.get(name, {})
    if issubclass(tasks.TASKS[name], tasks.Function):
        options["noise"] = noise
    task = tasks.of(synthetic.plan(task={"name": name, **options}, **tuned).settings[0].spec)
    one, other = task.data(0), task.data(1)
    differ = not all(are_same(a, b) for a, b in zip(one, other, strict=True))
    assert bool(task.drawn()) == differ
    assert {*task.drawn()} <= {*DRAWN}


def test_nothing_else_is_drawn_than_what_is_spoken_of():
    # A new role, such as that of dropout masks, is to be named in plan/randomness.py and in the words of the report.
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    roles = re.findall(r'(?<!def )\bstream\(\w+, f?"?([\w.]+)', code)
    # `role` stands for `init.<layer>.<parameter>`.
    assert {*roles} == {"order", "data", "validation", "role", "forward.blocks.", "forward.metrics"}
