"""Frames: columns and named levels of an index become columns, and what pandas holds for missing is null."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from result_layouts import ordered, results, told

from bnbench.errors import UserError
from bnbench.own_results.frames import from_frame


@given(rows=results())
def test_a_frame_reads_as_its_rows_but_for_nan(rows):
    lacking = [
        {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
        for row in rows
    ]
    assert told(from_frame(pd.DataFrame(rows))) == ordered(lacking)
    indexed = pd.DataFrame(rows).set_index(["norm", "seed"])
    assert told(from_frame(indexed)) == ordered(lacking)


def test_nan_is_missing_and_told_and_infinity_stays():
    long = from_frame(pd.DataFrame({"loss": [1.0, np.nan, np.inf], "acc": [1.0, 2.0, 3.0]}))
    assert long.table.column("loss").to_pylist() == [1.0, None, math.inf]
    assert long.notes == ("NaN is read as a missing value in loss; write inf for a run that diverged.",)
    assert long.where(1) == "the frame"


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (pd.Series([1, 2]), [1.0, 2.0]),
        (pd.Series([1, None], dtype="Int64"), [1.0, None]),
        (pd.Series([True, False]), ["True", "False"]),
        (pd.Series(["bn", None]), ["bn", None]),
        (pd.Series(["bn", None], dtype="category"), ["bn", None]),
        (pd.Series([3, 4], dtype="category"), [3.0, 4.0]),
        (pd.Series([1, "bn"], dtype=object), ["1", "bn"]),
        (pd.Series([1, 0.5], dtype=object), [1.0, 0.5]),
        (pd.Series(pd.to_datetime(["2024-05-01", None])), ["2024-05-01 00:00:00.000000", None]),
        (pd.Series(pd.period_range("2024-05", periods=2, freq="M")), ["2024-05", "2024-06"]),
        (pd.Series(pd.to_timedelta([90, 30], unit="s")), [90.0, 30.0]),
    ],
)
def test_each_type_becomes_numbers_or_text(series, expected):
    assert from_frame(series.to_frame("x")).table.column("x").to_pylist() == expected


def test_columns_of_several_levels_have_dots():
    frame = (
        pd.DataFrame({"norm": ["a", "a", "b"], "loss": [1.0, 3.0, 2.0]}).groupby("norm").agg({"loss": ["mean", "max"]})
    )
    assert from_frame(frame).table.to_pydict() == {"norm": ["a", "b"], "loss.mean": [2.0, 2.0], "loss.max": [3.0, 2.0]}


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": []}), "the frame: found no rows, allowed: a row for each run or epoch"),
        (
            pd.DataFrame({"a": [1, 2]}, index=["bn", "none"]),
            "the frame: found an index without a name (bn and none, …), allowed: one that counts rows, or has a name"
            " (frame.index.name = …)",
        ),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            "the frame: found the column 'a' twice (columns 1 and 2), allowed: once",
        ),
    ],
)
def test_a_frame_without_rows_or_names_is_refused(frame, message):
    with pytest.raises(UserError) as caught:
        from_frame(frame)
    assert str(caught.value) == message


def test_a_frame_is_not_changed():
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="norm"))
    before = frame.copy()
    from_frame(frame)
    pd.testing.assert_frame_equal(frame, before)
