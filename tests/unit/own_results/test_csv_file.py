"""Tables of text: each odd file gives its rows or one line that says where it breaks."""

import gzip
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnbench.errors import UserError
from bnbench.own_results.csv_file import cells
from bnbench.own_results.joining import with_numbers


def read(tmp_path, content, name="runs.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return with_numbers(cells(path, name))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "runs.csv: the file is empty, allowed: a header and a row for each run or epoch"),
        ("\n \n", "runs.csv: the file is empty, allowed: a header and a row for each run or epoch"),
        ("a,b\n", "runs.csv: found a header without rows, allowed: a header and a row for each run or epoch"),
        ("a,b\n\n", "runs.csv: found a header without rows, allowed: a header and a row for each run or epoch"),
        ("a,b\n1,2\n\n1,2,3\n", "runs.csv, line 4: found 3 cells, allowed: 2, as the header has"),
        ("a,b\n1,2\n3\n", "runs.csv, line 3: found 1 cell, allowed: 2, as the header has"),
        ('a,b\n"x\ny",2\n3\n', "runs.csv, line 4: found 1 cell, allowed: 2, as the header has"),
        ("a,b,a\n1,2,3\n", "runs.csv, line 1: found the column 'a' twice (columns 1 and 3), allowed: once"),
        ("a,,b\n1,2,3\n", "runs.csv, line 1: found column 2 without a name, allowed: a name for each column"),
        (
            ",b\nbn,2\n",
            "runs.csv, line 1: found a first column without a name, allowed: a name for each column, such as"
            " index_label='model' of pandas' to_csv gives it",
        ),
        ("a,b\n1,é\n".encode("latin-1"), "runs.csv, line 2: found the byte 0xe9, allowed: text in UTF-8"),
        ("é,b\n1,2\n".encode("latin-1"), "runs.csv, line 1: found the byte 0xe9, allowed: text in UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "runs.csv: found text in UTF-16, allowed: UTF-8"),
        (
            'a,b\n1,2\n3,"x\n5,6\n',
            "runs.csv, line 3: found a quote that is never closed, allowed: quotes in pairs, around a whole cell",
        ),
    ],
)
def test_a_broken_file_gives_one_line(tmp_path, content, message):
    with pytest.raises(UserError) as caught:
        read(tmp_path, content)
    assert str(caught.value) == message


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"^runs\.csv: no such file$"):
        cells(tmp_path / "runs.csv", "runs.csv")


def test_a_file_that_only_seems_compressed_is_named(tmp_path):
    with pytest.raises(UserError, match=r"^runs\.csv\.gz: cannot be read \(Not a gzipped file"):
        read(tmp_path, "a,b\n1,2\n", "runs.csv.gz")
    with pytest.raises(UserError, match=r"^runs\.csv\.gz: the compressed file ends too early$"):
        read(tmp_path, gzip.compress(b"a,b\n1,2\n", mtime=0)[:-4], "runs.csv.gz")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("a,b\n1,x\n2,y\n", "runs.csv"),
        ("a,b\r\n1,x\r\n2,y\r\n", "runs.csv"),
        ("a,b\r1,x\r2,y", "runs.csv"),
        ("\ufeffa,b\n1,x\n2,y\n", "runs.csv"),
        (" a , b\n1 , x\n 2,y \n", "runs.csv"),
        ('"a","b"\n"1","x"\n"2","y"\n', "runs.csv"),
        ("a,b,\n1,x,\n2,y,\n", "runs.csv"),
        ("a\tb\n1\tx\n2\ty\n", "runs.tsv"),
        (gzip.compress(b"a,b\n1,x\n2,y\n", mtime=0), "runs.csv.gz"),
    ],
)
def test_ways_to_write_one_table_read_the_same(tmp_path, content, name):
    long = read(tmp_path, content, name)
    assert long.table.to_pydict() == {"a": [1.0, 2.0], "b": ["x", "y"]}
    assert [long.where(row) for row in (0, 1)] == [f"{name}, line 2", f"{name}, line 3"]
    assert long.notes == ()


def test_lines_are_told_where_some_are_blank_or_a_cell_holds_two(tmp_path):
    long = read(tmp_path, '\na,b\n1,"x\ny"\n\n2,z\n3,w\n')
    assert long.table.num_rows == 3
    assert [long.where(row) for row in range(3)] == ["runs.csv, line 3", "runs.csv, line 6", "runs.csv, line 7"]


def test_blanks_are_missing_and_nan_is_a_number(tmp_path):
    values = read(tmp_path, "a,b\n1,x\n,\nNA,y\nnan,z\n-inf,w\n").table.to_pydict()
    assert values["a"][:3] == [1.0, None, None]
    assert math.isnan(values["a"][3])
    assert values["a"][4] == -math.inf
    assert values["b"] == ["x", None, "y", "z", "w"]


@pytest.mark.parametrize("index", ["", "Unnamed: 0"])
def test_an_index_that_counts_rows_is_left_out_and_told(tmp_path, index):
    long = read(tmp_path, f"{index},a\n0,5\n7,6\n")
    assert long.table.to_pydict() == {"a": [5.0, 6.0]}
    assert long.notes == ("The first column has no name and counts rows: it is left out.",)


def test_semicolons_and_decimal_commas_are_told(tmp_path):
    long = read(tmp_path, "norm;loss;note\nbn;0,5;a,b\nnone;1;c\nbn;;d\n")
    assert long.table.to_pydict() == {"norm": ["bn", "none", "bn"], "loss": [0.5, 1.0, None], "note": ["a,b", "c", "d"]}
    assert long.notes == ("Columns are separated by semicolons.", "The comma is read as a decimal point in loss.")


def test_tabs_in_a_csv_are_told(tmp_path):
    assert read(tmp_path, "a\tb\n1\t2\n").notes == ("Columns are separated by tabs.",)


def test_more_rows_than_a_block_holds_keep_their_lines(tmp_path):
    rows = [f"{row},{'x' * 1000}" for row in range(20_000)]
    long = read(tmp_path, "\n".join(["a,b", *rows[:15_000], "", *rows[15_000:]]))
    assert long.table.column("a").to_pylist() == [float(row) for row in range(20_000)]
    assert long.where(19_999) == "runs.csv, line 20002"


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=5).map(str.strip)


@given(rows=st.lists(st.tuples(CELLS, st.floats()), min_size=1, max_size=5))
def test_what_pandas_writes_comes_back(tmp_path_factory, rows):
    frame = pd.DataFrame([(f"x{text}", value) for text, value in rows], columns=["text", "number"])
    path = tmp_path_factory.mktemp("results") / "runs.csv"
    frame.to_csv(path, index=False, na_rep="nan")
    back = with_numbers(cells(path, "runs.csv")).table
    assert back.column("text").to_pylist() == [f"x{text}" for text, _ in rows]
    assert repr(back.column("number").to_pylist()) == repr([value for _, value in rows])
