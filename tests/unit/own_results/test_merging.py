"""Merged rows: one per epoch or step, with the last value of each column, and the line in which each begins."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from bnbench.own_results.joining import parts_of_lines
from bnbench.own_results.merging import merged
from bnbench.own_results.table import Long

ROWS = st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 9))), min_size=1, max_size=12)


def long_of(columns):
    table = pa.table(columns)
    return Long(table, parts_of_lines("x", np.arange(2, 2 + table.num_rows)))


@given(rows=ROWS)
def test_a_step_has_the_last_value_that_it_was_given(rows):
    steps, values = zip(*rows, strict=True)
    result = merged(long_of({"step": pa.array(steps), "v": pa.array(values, pa.int64())}))
    expected = dict.fromkeys(steps)
    expected |= {step: value for step, value in rows if value is not None}
    assert dict(zip(*(result.table.column(name).to_pylist() for name in ("step", "v")), strict=True)) == expected
    begins = [f"x, line {2 + steps.index(step)}" for step in expected]
    assert [result.where(row) for row in range(result.table.num_rows)] == begins


def test_a_row_without_an_epoch_belongs_to_the_next_that_has_one_or_else_to_the_last():
    epochs = pa.array([None, "0", None, None, "1", None])
    result = merged(
        long_of({"epoch": epochs, "lr": ["a", None, "b", None, None, "c"], "v": [None, "x", None, "y", "z", None]})
    )
    assert result.table.to_pydict() == {"epoch": ["0", "1"], "lr": ["a", "c"], "v": ["x", "z"]}


def test_rows_that_are_apart_already_stay_as_they_are():
    long = long_of({"epoch": ["0", "1"], "step": ["5", "9"], "v": ["x", None]})
    assert merged(long).table == long.table
    assert merged(long).notes == ()
    other = long_of({"v": ["x", "x"]})
    assert merged(other) is other
