"""Long tables of several files as one: rows keep their places, and notes are told once."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnbench.own_results.joining import counted, lines_of, named, parts_of_lines, together, with_constants
from bnbench.own_results.table import Long, Part


@given(lines=st.lists(st.integers(1, 40), min_size=1, unique=True).map(sorted))
def test_parts_tell_the_lines_that_they_are_made_of(lines):
    long = Long(pa.table({"a": lines}), parts_of_lines("x", np.array(lines)))
    assert [long.where(row) for row in range(len(lines))] == [f"x, line {line}" for line in lines]
    assert lines_of(long).tolist() == lines


def test_rows_of_several_files_are_told_by_their_own_lines():
    first = Long(pa.table({"a": [1.0, 2.0]}), (Part("x", 0, 2),), ("Both.", "One."), ("a",))
    second = Long(pa.table({"b": ["u"]}), (Part("y", 0, None),), ("Both.",), ("b", "a"))
    long = together([first, second, first])
    assert long.table.to_pydict() == {"a": [1.0, 2.0, None, 1.0, 2.0], "b": [None, None, "u", None, None]}
    assert [long.where(row) for row in range(5)] == ["x, line 2", "x, line 3", "y", "x, line 2", "x, line 3"]
    assert long.notes == ("Both.", "In 2 of 3 files: One.")
    assert long.factors == ("a", "b")
    assert lines_of(long) is None


def test_constants_stand_before_the_columns_of_the_file():
    long = with_constants(Long(pa.table({"a": [1.0, 2.0]}), (Part("x", 0, 2),)), {"norm": "bn"})
    assert long.table.to_pydict() == {"norm": ["bn", "bn"], "a": [1.0, 2.0]}
    assert long.table.column_names == ["norm", "a"]


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), ("ab", "a and b"), ("abc", "a, b and c"), ("abcdefg", "a, b, c, d, e and 2 more")],
)
def test_names_in_a_sentence(names, text):
    assert named(names) == text


def test_one_thing_and_more():
    assert (counted(1, "run"), counted(0, "run"), counted(2, "run")) == ("1 run", "0 runs", "2 runs")
