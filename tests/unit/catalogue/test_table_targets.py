"""The targets of a table: what is taken for numbers, classes and flags, why, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from bnbench.catalogue import table_targets
from bnbench.errors import UserError

TRUE_FALSE = (True, False)


def of(classes="auto", **columns):
    return table_targets.of("data.csv", pd.DataFrame(columns), classes)


def recurring(*values, rows=20):
    return [values[row % len(values)] for row in range(rows)]


@pytest.mark.parametrize(
    ("values", "labels", "why"),
    [
        (recurring("no", "yes"), ("no", "yes"), "text"),
        (recurring("b", "c", "a"), ("a", "b", "c"), "text"),
        (recurring(*TRUE_FALSE), ("False", "True"), "boolean"),
        (pd.Series(recurring(*TRUE_FALSE), dtype=object), ("False", "True"), "boolean"),
        (recurring(0, 1), ("0", "1"), "few"),
        (recurring(0.0, 1.0), ("0", "1"), "few"),
        (recurring(7, -3), ("-3", "7"), "few"),
        (recurring(10, 9, 2), ("2", "9", "10"), "few"),
        (pd.Series(recurring("low", "high"), dtype=pd.CategoricalDtype(["low", "high"], ordered=True)),
         ("low", "high"), "text"),
        (pd.Series(recurring(1, 2), dtype="Int64"), ("1", "2"), "few"),
        (recurring(*range(10), rows=50), tuple(map(str, range(10))), "few"),
        (recurring(0, 1, rows=4), ("0", "1"), "few"),
    ],
)  # fmt: skip
def test_text_true_and_false_and_few_whole_numbers_are_classes_with_a_one_in_the_column_of_each(values, labels, why):
    found = of(y=values)
    assert found.labels == labels
    names = [{"0.0": "0", "1.0": "1"}.get(str(value), str(value)) for value in values]
    np.testing.assert_array_equal(found.values, [[name == label for label in labels] for name in names])
    (told,) = found.told
    assert (told.why, told.mean) == (why, None)
    assert told.classes == tuple((label, names.count(label)) for label in labels)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (recurring(0.5, 1.0), "fractions"),
        (recurring(*range(11), rows=110), "many"),
        (recurring(*range(10), rows=49), "many"),
        (recurring(0, 1, 2, rows=14), "many"),
    ],
)
def test_fractions_and_many_whole_numbers_are_numbers(values, why):
    found = of(y=values)
    assert found.labels == ()
    np.testing.assert_array_equal(found.values[:, 0], values)
    (told,) = found.told
    assert (told.why, told.classes) == (why, ())
    assert (told.mean, told.deviation) == pytest.approx((np.mean(values), np.std(values)))


def test_the_config_may_ask_for_numbers_or_for_classes():
    assert of(classes=False, y=recurring(0, 1)).labels == ()
    np.testing.assert_array_equal(of(classes=False, y=recurring(*TRUE_FALSE)).values[:2, 0], [1.0, 0.0])
    assert of(classes=True, y=recurring(0.5, 1.5)).labels == ("0.5", "1.5")
    assert of(classes=True, y=recurring(*range(11), rows=22)).told[0].why == "asked"


@pytest.mark.parametrize(
    ("classes", "values", "message"),
    [
        ("auto", ["a"] * 4, "target 'y' is constant; there is nothing to learn"),
        ("auto", list("abca"), "target 'y' has 3 different values in 4 rows; classes must recur"),
        (True, [1.5, 2.5, 3.5, 3.5], "target 'y' has 3 different values in 4 rows; classes must recur"),
        (False, list("abab"), "target 'y' is not numeric, 'a' in row 1 .*; a regression needs numbers"),
        (
            "auto",
            ["1", "2.5", "?", "3", "4", "?"],
            r"text among numbers, '\?' in row 3 .*; correct it, .*classes: true",
        ),
        ("auto", pd.date_range("2020-01-01", periods=4), "neither numbers nor classes"),
        ("auto", [1.0, 2.0, np.inf, 4.0], "target 'y' holds an infinite value, 'inf' in row 3 "),
        ("auto", [10**18 + row for row in range(20)], "numbers near 1e\\+18 that are all the same to 16 digits"),
        (
            "auto",
            [10**30 + row for row in range(20)],
            r"holds numbers beyond 64 bits, '10{28}19' in row 20 .*; write smaller",
        ),
    ],
)
def test_a_target_that_is_neither_numbers_nor_classes_is_refused(classes, values, message):
    with pytest.raises(UserError, match=rf"^data\.csv: .*{message}"):
        of(classes, y=values)


def test_names_of_classes_that_are_too_long_to_be_passed_to_jobs_are_refused():
    with pytest.raises(UserError, match=r"target 'y' has 2 classes, whose names have 5,001 characters; allowed: 5,000"):
        of(y=recurring("a" * 5000, "b"))


def test_classes_that_are_numbers_but_for_some_are_taken_where_the_config_says_so():
    assert of(classes=True, y=["1", "2", "other"] * 4).labels == ("1", "2", "other")


def test_several_targets_of_two_values_are_flags():
    found = of(spam=recurring("no", "yes"), seen=recurring(1, 0), old=recurring(*TRUE_FALSE[::-1]))
    assert found.labels == ("yes", "1", "True")
    np.testing.assert_array_equal(found.values[:3], [[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    assert [each.why for each in found.told] == ["text", "few", "boolean"]


def test_several_targets_are_numbers_unless_all_have_two_values():
    found = of(price=np.arange(20) / 7, rooms=recurring(1, 2, 3), sold=recurring(0, 1))
    assert found.labels == ()
    assert found.values.shape == (20, 3)
    assert [each.why for each in found.told] == ["fractions", "others", "others"]
    assert of(rooms=recurring(1, 2, 3), sold=recurring(0, 1)).labels == ()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": recurring("no", "yes"), "b": np.arange(20) / 7}, "target 'a' holds classes, and 'b' numbers"),
        ({"a": recurring("no", "yes"), "b": recurring("x", "y", "z")}, "target 'b' has 3 classes"),
    ],
)
def test_several_targets_of_different_kinds_are_refused(columns, message):
    allowed = "several targets must all be numbers, or must each have two values"
    with pytest.raises(UserError, match=rf"^data\.csv: {message}; {allowed}$"):
        of(**columns)
