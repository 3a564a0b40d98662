"""Parquet files: columns of any type become numbers or text, or are left out and named."""

import datetime
import math
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bnbench.errors import UserError
from bnbench.own_results.arrow_columns import plain, read_parquet


def test_null_is_missing_and_nan_is_a_number(tmp_path):
    pq.write_table(pa.table({"loss": [1.0, None, math.nan]}), tmp_path / "runs.parquet")
    long = read_parquet(tmp_path / "runs.parquet", "runs.parquet")
    first, second, third = long.table.column("loss").to_pylist()
    assert (first, second) == (1.0, None)
    assert math.isnan(third)
    assert long.where(2) == "runs.parquet"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1, None], pa.int64()), [1.0, None]),
        (pa.array([1, None], pa.uint8()), [1.0, None]),
        (pa.array([0.5, None], pa.float32()), [0.5, None]),
        (pa.array([Decimal("0.25"), None]), [0.25, None]),
        (pa.array([True, None]), ["True", None]),
        (pa.array(["bn", None], pa.large_string()), ["bn", None]),
        (pa.array(["bn", None]).dictionary_encode(), ["bn", None]),
        (pa.array([datetime.date(2024, 5, 1), None]), ["2024-05-01", None]),
        (pa.array([datetime.timedelta(seconds=90), None]), [90.0, None]),
        (pa.nulls(2), [None, None]),
    ],
)
def test_each_type_becomes_numbers_or_text(values, expected):
    column = plain(pa.table({"x": values}), "x").table.column("x")
    assert column.to_pylist() == expected
    assert column.type in {pa.float64(), pa.string()}


def test_structs_become_columns_and_lists_are_left_out():
    config = pa.array([{"lr": 0.1, "net": {"width": 8}, "sizes": [1]}, None])
    long = plain(pa.table({"config": config, "raw": pa.array([b"x", b"y"])}), "x")
    assert long.table.to_pydict() == {"config.lr": [0.1, None], "config.net.width": [8.0, None]}
    assert long.notes == ("Neither numbers nor text, and left out: config.sizes and raw.",)


def test_an_index_that_counts_rows_is_left_out_and_another_refused(tmp_path):
    path = tmp_path / "runs.parquet"
    frame = pd.DataFrame({"loss": [1.0, 2.0]}, index=[5, 3])
    frame.to_parquet(path)
    long = read_parquet(path, "runs.parquet")
    assert long.table.column_names == ["loss"]
    assert long.notes == ("An index without a name counts rows: it is left out.",)
    frame.index = ["bn", "none"]
    frame.to_parquet(path)
    with pytest.raises(UserError, match=r"^runs\.parquet: found an index without a name, allowed: one with a name"):
        read_parquet(path, "runs.parquet")


def test_folders_that_look_like_partitions_add_no_columns(tmp_path):
    path = tmp_path / "seed=3" / "runs.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"loss": [1.0]}), path)
    assert read_parquet(path, "x").table.column_names == ["loss"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"a": pa.array([], pa.float64())}), "x: found no rows, allowed: a row for each run or epoch"),
        (
            pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]),
            "x: found the column 'a' twice (columns 1 and 2), allowed: once",
        ),
        (
            pa.table({"c": pa.array([{"lr": 1}]), "c.lr": pa.array([2])}),
            "x: found the column 'c.lr' twice (columns 1 and 2), allowed: once",
        ),
        (pa.table({"a": [[1]]}), "x: found no column of numbers or text, allowed: at least one"),
    ],
)
def test_a_table_without_rows_or_with_a_name_twice_is_refused(table, message):
    with pytest.raises(UserError) as caught:
        plain(table, "x")
    assert str(caught.value) == message


def test_what_is_no_parquet_is_told_in_one_line(tmp_path):
    (tmp_path / "runs.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"^runs\.parquet: cannot be read as Parquet \(.*\)$"):
        read_parquet(tmp_path / "runs.parquet", "runs.parquet")
    with pytest.raises(UserError, match=r"^absent\.parquet: no such file$"):
        read_parquet(tmp_path / "absent.parquet", "absent.parquet")
