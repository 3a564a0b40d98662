"""Files are whole or not there, and a spoilt one is named."""

import errno
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bnbench.errors import UserError
from bnbench.store import files, provenance, tables

TABLE = pa.table({"seed": [1, 2, 3], "loss": [0.5, 0.25, None]})
WRITERS = {
    "text": lambda path: files.write_text(path, "new"),
    "parquet": lambda path: tables.write_parquet(path, TABLE),
}


def stream_table(path):
    with tables.parquet_writer(path, TABLE.schema) as write:
        write(TABLE)


WRITERS["streamed"] = stream_table
every_writer = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def refusal(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def old(tmp_path):
    """A file that is there already; nothing but it may be there when a test ends."""
    path = tmp_path / "table.parquet"
    path.write_text("old")
    yield path
    assert [*tmp_path.iterdir()] == [path]


@every_writer
def test_a_written_file_takes_the_place_of_the_old_one_and_leaves_nothing_beside_it(old, write):
    write(old)
    assert old.read_bytes() != b"old"


def fail_within(writing):
    with writing as given:
        given(TABLE) if callable(given) else given.write_text("half")
        raise KeyboardInterrupt


def test_a_block_that_fails_leaves_the_old_file_and_no_other(old):
    for writing in (files.atomic(old), tables.parquet_writer(old, TABLE.schema)):
        with pytest.raises(KeyboardInterrupt):
            fail_within(writing)
    assert old.read_text() == "old"


@every_writer
def test_a_full_disk_is_told_of_with_the_files_name_and_the_old_file_stays(old, write, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert refusal(write, old) == f"{old}: cannot be written (No space left on device)"
    assert old.read_text() == "old"


def test_a_disk_that_fills_up_while_arrow_writes_is_told_of_too(old, monkeypatch):
    def full(*arguments, **options):
        raise OSError("[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    assert "No space left on device" in refusal(tables.write_parquet, old, TABLE)
    assert old.read_text() == "old"


def test_a_table_and_its_footer_come_back(tmp_path):
    footer = {"address": "sine-none-é", "setting": {"epochs": 5, "eps": 1e-5}, "provenance": provenance.provenance()}
    tables.write_parquet(tmp_path / "a.parquet", TABLE, footer)
    assert tables.read_parquet(tmp_path / "a.parquet") == TABLE
    assert tables.footer(tmp_path / "a.parquet") == footer


def test_a_table_is_read_as_it_is_whatever_its_folders_are_called(tmp_path):
    tables.write_parquet(tmp_path / "lr=0.1" / "a.parquet", TABLE)
    assert tables.read_parquet(tmp_path / "lr=0.1" / "a.parquet").column_names == TABLE.column_names


def test_a_streamed_table_has_a_row_group_a_part_and_may_be_empty(tmp_path):
    with tables.parquet_writer(tmp_path / "a.parquet", TABLE.schema) as write:
        write(TABLE)
        write(TABLE.slice(1))
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.num_row_groups == 2
    assert tables.read_parquet(tmp_path / "a.parquet") == pa.concat_tables([TABLE, TABLE.slice(1)])
    with tables.parquet_writer(tmp_path / "empty.parquet", TABLE.schema):
        pass
    assert tables.read_parquet(tmp_path / "empty.parquet") == TABLE.schema.empty_table()


READERS = [tables.read_parquet, tables.footer, tables.read_json]


@pytest.mark.parametrize("read", READERS)
def test_a_file_that_is_absent_is_named(tmp_path, read):
    assert refusal(read, tmp_path / "a") == f"{tmp_path}/a: no such file; run the workflow to make it"


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1,2,3\n1\n4,5,6,7\n", b'{"a": 1'])
def test_a_file_that_is_spoilt_is_named_with_the_way_out(tmp_path, read, content):
    path = tmp_path / "a"
    path.write_bytes(content)
    message = refusal(read, path)
    assert message.startswith(f"{path}: not ")
    assert message.endswith("; delete it and run the workflow again")


@pytest.mark.parametrize("read", READERS)
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "a")
    assert refusal(read, tmp_path / "a") == f"{tmp_path}/a: found a pipe, allowed: a regular file"


@pytest.mark.parametrize("read", [tables.read_parquet, tables.footer])
def test_a_table_that_was_cut_off_is_named(tmp_path, read):
    path = tmp_path / "a.parquet"
    tables.write_parquet(path, TABLE)
    path.write_bytes(path.read_bytes()[:-20])
    assert refusal(read, path).startswith(f"{path}: not a readable table (")


@pytest.mark.parametrize("stored", [b"{", b"[1]", b"\xff", b"null"])
def test_a_footer_that_is_no_mapping_is_told_of(tmp_path, stored):
    path = tmp_path / "a.parquet"
    pq.write_table(TABLE.replace_schema_metadata({b"bnbench": stored}), path)
    assert refusal(tables.footer, path).startswith(f"{path}: not a readable table (")


def test_another_programs_table_has_no_footer(tmp_path):
    pq.write_table(TABLE, tmp_path / "a.parquet")
    assert tables.footer(tmp_path / "a.parquet") == {}


def test_a_json_file_that_is_no_mapping_is_told_of(tmp_path):
    (tmp_path / "a.json").write_text("[1]")
    assert "not readable (found list, allowed: an object)" in refusal(tables.read_json, tmp_path / "a.json")
