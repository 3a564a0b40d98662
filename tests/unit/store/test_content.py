"""A hash of the content finds any change of any value, and nothing else: not how a file encodes the same values."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnbench.store import content, schemas, tables

KINDS = {pa.int64(): st.integers(-(2**63), 2**63 - 1), pa.float64(): st.floats(), pa.string(): st.text(max_size=5)}


@st.composite
def tables_drawn(draw):
    """Small tables in the columns of a stored one, with nulls."""
    kind = draw(st.sampled_from([*schemas.SCHEMAS]))
    rows = draw(st.integers(1, 6))
    columns = {
        field.name: draw(st.lists(st.none() | KINDS[field.type], min_size=rows, max_size=rows))
        for field in schemas.SCHEMAS[kind]
    }
    return pa.table(columns, schema=pa.schema([field.remove_metadata() for field in schemas.SCHEMAS[kind]]))


def replaced(table, name, row, value):
    values = table[name].to_pylist()
    values[row] = value
    return table.set_column(table.column_names.index(name), name, pa.array(values, table.schema.field(name).type))


def same(one, other):
    """Whether two values are the same bits."""
    if isinstance(one, float) and isinstance(other, float):
        return np.float64(one).tobytes() == np.float64(other).tobytes()
    return one == other


@given(tables_drawn(), st.data())
@settings(max_examples=200, deadline=None)
def test_any_single_value_that_was_changed_is_found(table, data):
    said = content.described(table, table.column_names)
    name = data.draw(st.sampled_from(table.column_names))
    row = data.draw(st.integers(0, len(table) - 1))
    value = data.draw(st.none() | KINDS[table.schema.field(name).type])
    changed = not same(table[name][row].as_py(), value)
    assert content.is_as_written(replaced(table, name, row, value), said) != changed


@given(tables_drawn(), st.data())
@settings(max_examples=50, deadline=None)
def test_rows_that_are_lost_doubled_or_in_another_order_are_found(table, data):
    said = content.described(table, table.column_names)
    rows = data.draw(st.lists(st.integers(0, len(table) - 1), max_size=8))
    other = table.take(pa.array(rows, pa.int64()))
    assert content.is_as_written(other, said) == (str(other.to_pylist()) == str(table.to_pylist()))


@given(tables_drawn(), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_the_same_values_have_the_same_hash_however_a_file_encodes_them(tmp_path_factory, table, rows):
    said = content.described(table, table.column_names)
    path = tmp_path_factory.mktemp("encoded") / "table.parquet"
    for options in ({"use_dictionary": False}, {"compression": "zstd", "row_group_size": rows}, {"version": "1.0"}):
        pq.write_table(table, path, **options)
        assert content.is_as_written(pq.read_table(path), said)
    tables.write_parquet(path, table, {"address": "x", "content": said})
    stored = tables.read_stored(path, table.column_names)
    assert content.is_as_written(stored.table, stored.footer["content"])
    sliced = pa.concat_tables([table, table]).slice(len(table))
    assert content.is_as_written(sliced, said)


@given(tables_drawn())
@settings(max_examples=20, deadline=None)
def test_a_column_that_a_later_version_adds_changes_nothing(table):
    said = content.described(table, table.column_names)
    assert content.is_as_written(table.append_column("later", pa.nulls(len(table), pa.float64())), said)
    assert not content.is_as_written(table.drop_columns([table.column_names[-1]]), said)


@pytest.mark.parametrize("said", [None, [], "abc", 3, {}, {"columns": 3}, {"columns": [["x"]]}, {"columns": ["x"]}])
def test_a_footer_that_says_nothing_of_the_content_is_none_of_it(said):
    assert not content.is_as_written(pa.table({"x": [1.0]}), said)
