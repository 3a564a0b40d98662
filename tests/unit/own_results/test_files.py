"""Results read the same whatever layout they have, and a digest changes with all that is read and with nothing else."""

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from result_layouts import (
    as_chart,
    as_csv,
    as_folders,
    as_json_lines,
    as_lightning,
    as_parquet,
    csv_text,
    ordered,
    results,
    told,
    write,
)

from bnbench.errors import UserError
from bnbench.own_results.files import digest, read

LAYOUTS = [as_csv, as_parquet, as_json_lines, as_lightning, as_folders, as_chart]


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=25)
@given(rows=results())
def test_the_same_results_read_the_same_in_each_layout(tmp_path_factory, layout, rows):
    found = told(read(*layout(rows, tmp_path_factory.mktemp("results"))))
    assert found == ordered(rows)


@given(rows=results(), order=st.randoms(use_true_random=False))
def test_shuffled_rows_and_columns_read_the_same(tmp_path_factory, rows, order: random.Random):
    names = [*rows[0]]
    order.shuffle(names)
    shuffled = order.sample(rows, len(rows))
    path = write(tmp_path_factory.mktemp("results") / "runs.csv", csv_text(shuffled, names))
    assert told(read(str(path))) == ordered(rows)


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=25)
@given(rows=results())
def test_a_digest_is_that_of_the_files_wherever_they_lie(tmp_path_factory, layout, rows):
    here, there = (layout(rows, tmp_path_factory.mktemp("results")) for _ in range(2))
    assert digest(*here) == digest(*there)


@pytest.mark.parametrize("layout", [as_lightning, as_folders])
def test_a_digest_changes_with_each_file_and_each_name(tmp_path, layout):
    rows = [
        {"norm": norm, "seed": seed, "epoch": 0, "loss": 1.0, "acc": None} for norm in ("a", "b") for seed in (0, 1)
    ]
    path, pattern = layout(rows, tmp_path / "runs")
    seen = {digest(path, pattern)}
    files = sorted(each for each in (tmp_path / "runs").rglob("*") if each.is_file())
    assert len(files) >= 4
    for file in files:
        file.write_bytes(file.read_bytes() + b"\n")
        seen.add(digest(path, pattern))
    folder = files[0].parent
    folder.rename(folder.with_name(f"{folder.name}9"))
    seen.add(digest(path, pattern))
    assert len(seen) == len(files) + 2
    before = digest(path, pattern)
    write(tmp_path / "runs" / "notes.txt", "not read")
    assert digest(path, pattern) == before


def test_an_absolute_pattern_has_the_digest_of_a_relative_one(tmp_path):
    write(tmp_path / "runs" / "bn" / "log.csv", "epoch,loss\n0,1\n")
    assert digest("", f"{tmp_path}/runs/{{norm}}/*.csv") == digest(str(tmp_path), "runs/{norm}/*.csv")


def test_a_folder_of_other_files_asks_for_a_pattern(tmp_path):
    write(tmp_path / "bn" / "log.csv", "epoch,loss\n0,1\n")
    with pytest.raises(UserError, match=r"found \.csv files in a folder, allowed: one file, or a pattern .*\{norm\}"):
        read(str(tmp_path))


def test_a_folder_without_results_says_what_it_may_hold(tmp_path):
    write(tmp_path / "notes.md", "none")
    with pytest.raises(UserError, match=r"found no results in this folder, allowed: Lightning's metrics\.csv"):
        read(str(tmp_path))


def test_a_file_that_is_not_there_is_named_with_one_like_it(tmp_path):
    write(tmp_path / "runs.csv", "a,b\n1,2\n")
    with pytest.raises(UserError, match=r"run\.csv: no such file or folder \(did you mean 'runs\.csv'\?\)"):
        read(str(tmp_path / "run.csv"))


def test_an_ending_without_a_reader_says_which_there_are(tmp_path):
    path = write(tmp_path / "runs.xlsx", "x")
    with pytest.raises(UserError, match=r"found a file ending in '\.xlsx', allowed: \.csv, \.tsv"):
        read(str(path))


def test_braces_of_a_pattern_are_factors_but_for_the_seed(tmp_path):
    for lr in ("0.1", "0.01"):
        write(tmp_path / f"lr{lr}" / "seed3" / "log.csv", "epoch,loss\n0,1\n1,2\n")
    long = read(str(tmp_path), "lr{lr}/seed{seed}/*.csv")
    assert long.factors == ("lr",)
    assert long.table.to_pydict() == {
        "lr": [0.01, 0.01, 0.1, 0.1],
        "seed": [3.0] * 4,
        "epoch": [0.0, 1.0] * 2,
        "loss": [1.0, 2.0] * 2,
    }
    assert long.where(3) == f"{tmp_path / 'lr0.1' / 'seed3' / 'log.csv'}, line 3"
    assert long.notes == ("The pattern finds 2 files, and in their names lr (2 values) and seed (1 value).",)


def test_files_that_braces_do_not_tell_apart_have_a_run(tmp_path):
    for run in ("x", "y"):
        write(tmp_path / "bn" / f"{run}.csv", "loss\n1\n")
    long = read(str(tmp_path), "{norm}/*.csv")
    assert long.table.column("run").to_pylist() == ["bn/x.csv", "bn/y.csv"]


def test_a_column_in_the_file_and_in_the_pattern_is_refused(tmp_path):
    write(tmp_path / "bn" / "log.csv", "norm,loss\nbn,1\n")
    with pytest.raises(UserError, match=r"log\.csv: found the column 'norm' in the file and in the pattern"):
        read(str(tmp_path), "{norm}/*.csv")


def test_a_column_that_is_text_in_one_file_is_text_in_all(tmp_path):
    write(tmp_path / "a.csv", "x,y\n1,0.5\n")
    write(tmp_path / "b.csv", "x\nbn\n")
    write(tmp_path / "c.jsonl", '{"x": 2.5, "y": null}\n')
    long = read(str(tmp_path), "{file}.*")
    assert long.table.column("x").to_pylist() == ["1", "bn", "2.5"]
    assert long.table.column("y").to_pylist() == [0.5, None, None]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_folder_that_links_to_itself_is_walked_once(tmp_path):
    write(tmp_path / "runs" / "a" / "metrics.csv", "epoch,step,loss\n0,1,0.5\n")
    (tmp_path / "runs" / "a" / "again").symlink_to(tmp_path / "runs")
    assert read(str(tmp_path / "runs")).table.column("run").to_pylist() == ["a"]


ODD = st.one_of(st.binary(max_size=40), st.text('ab,";\n\r\t1.{}[]: é\0', max_size=40).map(str.encode))


def outcome(path):
    """What is read, or the message of why not."""
    try:
        return read(str(path)), None
    except UserError as error:
        return None, str(error)


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.csv.gz", "x.jsonl", "x.parquet"])
@given(content=ODD)
def test_a_file_of_anything_gives_rows_or_one_line(tmp_path_factory, name, content):
    path = tmp_path_factory.mktemp("results") / name
    path.write_bytes(content)
    long, message = outcome(path)
    where = message or long.where(long.table.num_rows - 1)
    assert where.startswith(str(path))
    assert len(where.splitlines()) == 1
    assert message or long.table.num_rows > 0


@pytest.mark.parametrize("name", ["metrics.csv", "hparams.yaml"])
@given(content=ODD)
def test_a_run_of_anything_gives_rows_or_one_line(tmp_path_factory, name, content):
    folder = tmp_path_factory.mktemp("results")
    write(folder / "metrics.csv", "epoch,step,loss\n0,1,0.5\n")
    (folder / name).write_bytes(content)
    long, message = outcome(folder)
    where = message or long.where(long.table.num_rows - 1)
    assert where.startswith(str(folder / name) if message else str(folder / "metrics.csv"))
    assert len(where.splitlines()) == 1
    assert message or long.table.num_rows > 0
