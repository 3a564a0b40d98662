"""The inputs of a table: one-hot columns, and the columns that look like ids and dates."""

import numpy as np
import pandas as pd
import pytest

from bnbench.catalogue.suspects import among, are_dates
from bnbench.catalogue.table_inputs import encoded
from bnbench.errors import UserError


def test_text_becomes_a_column_for_each_value_and_so_does_a_number_that_is_called_a_category():
    frame = pd.DataFrame({"area": [1.5, 2.5, 4.0], "town": ["Rome", "Oslo", "Rome"], "zip": [10, 30, 20]})
    plain, called = encoded("x", frame), encoded("x", frame, ["zip"])
    assert plain.categories == (("town", 2),)
    np.testing.assert_array_equal(plain.values, [[1.5, 10, 0, 1], [2.5, 30, 1, 0], [4.0, 20, 0, 1]])
    assert called.categories == (("town", 2), ("zip", 3))
    np.testing.assert_array_equal(called.values, [[1.5, 0, 1, 1, 0, 0], [2.5, 1, 0, 0, 0, 1], [4.0, 0, 1, 0, 1, 0]])
    assert frame["zip"].tolist() == [10, 30, 20]


@pytest.mark.parametrize("dtype", [None, pd.CategoricalDtype(["x", "y", "unused"])])
def test_as_many_inputs_are_told_as_there_are(dtype):
    frame = pd.DataFrame({"n": [1.0, 2.0, 3.0], "flag": [True, False, True], "c": pd.Series(list("xyx"), dtype=dtype)})
    found = encoded("x", frame)
    assert found.values.shape[1] == 2 + sum(count for _, count in found.categories)


@pytest.mark.parametrize(("values", "is_id"), [(10, False), (11, True), (20, True), (2, False)])
def test_text_with_more_different_values_than_half_the_rows_looks_like_an_id(values, is_id):
    frame = pd.DataFrame({"name": [f"h{row % values}" for row in range(20)], "number": range(20)})
    found = [(each.column, each.what, each.values) for each in among(frame)]
    assert found == ([("name", "id", values)] if is_id else [])


@pytest.mark.parametrize(
    "texts",
    [
        ["2020-01-31", "2021-12-01"],
        ["2020-01-31T10:00:00Z", "2020-02-01 09:30"],
        ["31.1.2020", "01.02.2020"],
        ["12/31/2020", "1/2/2021"],
        ["31/12/2020", "2/1/2021"],
        ["2020/01/31"],
        ["2020-01-31", "2020-02-01", "unknown"],
        ["3 Jan 2020", "14 Feb 2020"],
        ["January 3, 2020"],
    ],
)
def test_dates_are_known_by_their_format(texts):
    assert are_dates(pd.Series(texts))


@pytest.mark.parametrize(
    "texts", [["h1", "h2"], ["2020-01-31", "unknown"], ["2020-13-01", "2020-01-32"], ["10-12", "11-12"], ["Oslo, N"]]
)
def test_other_text_is_no_date(texts):
    assert not are_dates(pd.Series(texts))


def test_dates_look_wrong_however_few_there_are():
    frame = pd.DataFrame({"sold": ["2020-01-01", "2020-01-02"] * 10})
    assert [(each.column, each.what, each.values) for each in among(frame)] == [("sold", "date", 2)]


def test_numbers_beyond_64_bits_are_refused_unless_they_are_called_categories():
    frame = pd.DataFrame({"key": [10**30, 10**30 + 1, 10**30], "n": [1.0, 2.0, 3.0]})
    with pytest.raises(
        UserError, match=r"^x: column 'key' holds numbers beyond 64 bits, '10{29}1' in row 2 .*; write smaller"
    ):
        encoded("x", frame)
    assert encoded("x", frame, ["key"]).categories == (("key", 2),)
