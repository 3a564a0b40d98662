"""No cell of a CSV file is a formula to a spreadsheet, numbers stay numbers, and what is read back is what was."""

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnbench.store import csv_cells

FORMULAS = [
    "=1+1",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1",
    "=cmd|' /C calc'!A0",
    "--x",
    "'=x",
    "''-x",
]
PLAIN = ["-0.5", "+1", "1e-3", "-1e5", "none", "lr=0.1", "a-b", "", "'quoted'", "'", "−1"]


def written(text):
    return csv_cells.guarded(pd.DataFrame({"level": [text]})).loc[0, "level"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_gets_a_quote_in_front(text):
    assert written(text) == f"'{text}"


@pytest.mark.parametrize("text", PLAIN)
def test_numbers_and_other_texts_stay_as_they_are(text):
    assert written(text) == text


def test_names_of_columns_are_texts_and_numbers_keep_their_type():
    found = csv_cells.guarded(pd.DataFrame({"=lr": [-0.5], "n": pd.array([-1], "Int64"), "flag": [True]}))
    assert found.to_csv(index=False) == "'=lr,n,flag\n-0.5,-1,True\n"


@given(st.lists(st.text(st.sampled_from("'=+-@\t1.e5x ")), min_size=1))
def test_what_is_read_back_is_what_was_written(texts):
    frame = pd.DataFrame({"=a": pd.Series(texts, dtype="str"), "b": range(len(texts))})
    file = io.StringIO(csv_cells.guarded(frame).to_csv(index=False))
    back = csv_cells.plain(pd.read_csv(file, dtype={"'=a": "str"}, keep_default_na=False))
    assert back.to_dict("list") == frame.to_dict("list")


def test_a_missing_text_stays_missing():
    frame = pd.DataFrame({"level": pd.Series(["=a", None], dtype="str")})
    assert csv_cells.guarded(frame)["level"].isna().tolist() == [False, True]
