"""Data files as they should not be: a table for a task, arrays, or results of runs, and what must happen to each."""

from __future__ import annotations

import datetime
import decimal
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 40
NUMBERS = [f"{1 + 7.31 * row % 5:.2f}" for row in range(ROWS)]
RUNS = pd.DataFrame(
    {
        "norm": ["none", "batch"] * (ROWS // 2),
        "seed": [row // 2 for row in range(ROWS)],
        "val_loss": [float(each) for each in NUMBERS],
    }
)


@dataclass(frozen=True)
class Odd:
    """A file, and what must happen."""

    of: str
    """`table`, `arrays` or `runs`."""
    file: str
    make: Callable[[Path], object]
    said: Sequence[str]
    """Parts of the message, in their order; of a file that is accepted, parts of what is told of it."""
    options: dict[str, Any] = field(default_factory=dict)
    accepted: bool = False


def spoilt(cell: str, at: int = 3) -> list[str]:
    """Numbers, except for one cell."""
    return [cell if row == at else each for row, each in enumerate(NUMBERS)]


AMONG, OTHER = "text among numbers", "numbers in another notation"
COLUMNS: dict[str, tuple[list[Any], str, str]] = {
    "decimal commas": ([each.replace(".", ",") for each in NUMBERS], OTHER, f"'{NUMBERS[0].replace('.', ',')}' in"),
    "per cent": ([f"{each}%" for each in NUMBERS], OTHER, f"'{NUMBERS[0]}%' in"),
    "currency": ([f"€{each}" for each in NUMBERS], OTHER, f"'€{NUMBERS[0]}' in"),
    "currency behind": ([f"{each} CHF" for each in NUMBERS], OTHER, " CHF' in"),
    "thousands": ([f"{1000 + 7 * row:,}" for row in range(ROWS)], OTHER, "'1,000' in"),
    "apostrophes": ([f"{1000 + 7 * row:,}".replace(",", "’") for row in range(ROWS)], OTHER, "'1’000' in"),
    "typographic minus": ([f"−{each}" for each in NUMBERS], OTHER, f"'−{NUMBERS[0]}' in"),
    "brackets": ([f"({each})" for each in NUMBERS], OTHER, f"'({NUMBERS[0]})' in"),
    "underscores": ([f"{1 + row}_000" for row in range(ROWS)], OTHER, "'1_000' in"),
    "hexadecimal": ([hex(16 + row) for row in range(ROWS)], OTHER, "'0x10' in"),
    "zero width": ([f"{each}\u200b" for each in NUMBERS], OTHER, "\\u200b' in"),
    "tensors": ([f"tensor({each})" for each in NUMBERS], OTHER, f"'tensor({NUMBERS[0]})' in"),
    "one NUL": (spoilt("1.\x005"), OTHER, "'1.\\x005' in"),
    "one question mark": (spoilt("?"), AMONG, "'?' in"),
    "one dash": (spoilt("-"), AMONG, "'-' in"),
    "n.a.": (spoilt("n.a."), AMONG, "'n.a.' in"),
    "missing": (spoilt("missing"), AMONG, "'missing' in"),
    "one escape": (spoilt("\x1b[2J"), AMONG, "'\\x1b[2J' in"),
    "a direction": (spoilt("\u202e5.1"), OTHER, "'\\u202e5.1' in"),
    "several question marks": (["?" if row % 5 == 3 else each for row, each in enumerate(NUMBERS)], AMONG, "'?' in"),
}
"""Columns that should be numbers → their cells, what is wrong with them, and the cell that is named."""


def table(column: Sequence[Any], path: Path) -> None:
    """A table whose column `a` is this one; `b` and `y` are numbers."""
    numbers = np.arange(ROWS) % 7
    pd.DataFrame({"a": column, "b": numbers * 1.5, "y": numbers + np.arange(ROWS) / 9}).to_csv(path, index=False)


def runs(path: Path, **columns: Any) -> None:
    """Runs with further or other columns."""
    RUNS.assign(**columns).to_csv(path, index=False)


def parquet(column: pa.Array, path: Path) -> None:
    """A table whose column `a` is this one."""
    numbers = np.arange(ROWS, dtype=float)
    pq.write_table(pa.table({"a": column, "b": pa.array(numbers % 7), "y": pa.array(numbers % 5 + numbers / 9)}), path)


def parquet_runs(column: pa.Array, path: Path) -> None:
    """Runs with the outcome `val_acc` besides."""
    pq.write_table(pa.Table.from_pandas(RUNS, preserve_index=False).append_column("val_acc", column), path)


def text(content: str | bytes, path: Path) -> None:
    """A file of these bytes."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def linked(target: str, path: Path) -> None:
    """A link."""
    path.symlink_to(target)


def listening(path: Path) -> None:
    """A socket."""
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))


def lines(rows: Sequence[Any], path: Path) -> None:
    """JSON lines."""
    path.write_text("".join(each if isinstance(each, str) else json.dumps(each) + "\n" for each in rows))


def arrays(path: Path, **named: Any) -> None:
    """An .npz file."""
    np.savez(path, **named)


def of_columns() -> Iterator[tuple[str, Odd]]:
    """Each column as an input and as a target, as the outcome of runs, beside it, and as what counts the seeds."""
    for name, (column, what, cell) in COLUMNS.items():
        make, row = partial(table, column), "(the first row under the header is 1)"
        yield (
            f"{name}: an input",
            Odd("table", "odd.csv", make, ["column 'a' holds", what, cell, row, "drop: [a] or categories: [a]"]),
        )
        yield (
            f"{name}: an input on which the config insists",
            Odd("table", "odd.csv", make, ["the category a"], {"categories": ["a"]}, accepted=True),
        )
        yield (
            f"{name}: a target",
            Odd("table", "odd.csv", make, ["target 'a' holds", what, cell, row, "'classes: true'"], {"target": "a"}),
        )
        found = cell.removesuffix(" in").lstrip("'")
        yield (
            f"{name}: the outcome",
            Odd("runs", "odd.csv", partial(runs, val_loss=column), ["odd.csv, line", "column val_loss: found", found]),
        )
        yield (
            f"{name}: beside the outcome",
            Odd("runs", "odd.csv", partial(runs, val_acc=column), ["'val_acc' (mostly numbers", found], accepted=True),
        )
        yield (
            f"{name}: the seeds",
            Odd("runs", "odd.csv", partial(runs, seed=column), ["odd.csv, column seed: found", found]),
        )


_STAMPS = [datetime.datetime(2020, 1, 1 + row % 28, tzinfo=datetime.UTC) for row in range(ROWS)]
_NEITHER = "column 'a' holds neither numbers nor categories, but"
PARQUET: dict[str, tuple[pa.Array, Sequence[str], Sequence[str] | None]] = {
    "lists": (pa.array([[1, 2]] * ROWS), [_NEITHER, "'[1 2]'", "a column for each number"], ["left out: val_acc"]),
    "lists of one size": (
        pa.FixedSizeListArray.from_arrays(pa.array(range(2 * ROWS)), 2),
        [_NEITHER, "a column for each number"],
        ["left out: val_acc"],
    ),
    "structs": (pa.array([{"u": 1.0}] * ROWS), [_NEITHER, "dict", "drop: [a]"], ["'val_acc.u'"]),
    "maps": (pa.array([[("k", 1)]] * ROWS, pa.map_(pa.string(), pa.int32())), [_NEITHER], ["left out: val_acc"]),
    "durations": (
        pa.array([datetime.timedelta(seconds=row) for row in range(ROWS)]),
        [_NEITHER, "Timedelta", "a number of seconds"],
        ["Beside it: 'val_acc'"],
    ),
    "times with a zone": (
        pa.array(_STAMPS, pa.timestamp("us", tz="Europe/Rome")),
        [_NEITHER, "Timestamp", "such as the year"],
        ["'val_acc' (dates)"],
    ),
    "times of an unknown zone": (
        pa.array(_STAMPS, pa.timestamp("us", tz="Mars/Phobos")),
        ["cannot be read as parquet (column 'a' has times of the zone 'Mars/Phobos'"],
        ["'val_acc' (dates)"],
    ),
    "dates": (pa.array([each.date() for each in _STAMPS]), [_NEITHER, "'2020-01-01'"], ["'val_acc' (dates)"]),
    "times of a day": (pa.array([datetime.time(1, row) for row in range(ROWS)]), [_NEITHER, "seconds"], None),
    "nothing": (pa.nulls(ROWS), ["column 'a' holds no value in any row", "drop: [a]"], ["'val_acc' (empty)"]),
    "identifiers": (
        pa.array([uuid.UUID(int=row).bytes for row in range(ROWS)], pa.uuid()),
        [_NEITHER, "UUID", "numbers or text"],
        ["left out: val_acc"],
    ),
    "fractions as text": (pa.array(NUMBERS), ["holds numbers as text", f"'{NUMBERS[0]}'"], ["Beside it: 'val_acc'"]),
    "commas in a dictionary": (
        pa.array([each.replace(".", ",") for each in NUMBERS]).dictionary_encode(),
        [OTHER, "in row 1"],
        ["'val_acc' (mostly numbers"],
    ),
}
"""Columns of Parquet → what a task says, and what the judge tells of them beside the outcome."""

TAKEN: dict[str, tuple[pa.Array, str]] = {
    "decimals": (pa.array([decimal.Decimal(each) for each in NUMBERS]), "2 inputs."),
    "half precision": (pa.array(np.arange(ROWS, dtype=np.float16)), "2 inputs."),
    "a dictionary of texts": (pa.array(["x", "y"] * (ROWS // 2)).dictionary_encode(), "2 of them for the category a"),
    "a dictionary of numbers": (pa.array([1.5, 2.5] * (ROWS // 2)).dictionary_encode(), "2 inputs."),
    "codes as text": (pa.array(["01", "02"] * (ROWS // 2)), "2 of them for the category a"),
    "bytes": (pa.array([b"x\xff", b"y"] * (ROWS // 2)), "2 of them for the category a"),
    "views of texts": (pa.array(["x", "y"] * (ROWS // 2), pa.string_view()), "2 of them for the category a"),
}
"""Columns of Parquet that are inputs."""


def of_parquet() -> Iterator[tuple[str, Odd]]:
    """Columns of every type, and frames with an index and columns of several levels."""
    for name, (column, said, told) in PARQUET.items():
        yield f"Parquet, {name}: an input", Odd("table", "odd.parquet", partial(parquet, column), said)
        target = [each.replace("column 'a' holds neither", "target 'a' holds neither") for each in said[:1]]
        target = [each.replace("categories", "classes") for each in target]
        if "no value" not in said[0]:
            yield (
                f"Parquet, {name}: a target",
                Odd("table", "odd.parquet", partial(parquet, column), target, {"target": "a"}),
            )
        if told is not None:
            yield (
                f"Parquet, {name}: beside the outcome",
                Odd("runs", "odd.parquet", partial(parquet_runs, column), told, accepted=True),
            )
    for name, (column, given) in TAKEN.items():
        yield (
            f"Parquet, {name}: an input",
            Odd("table", "odd.parquet", partial(parquet, column), [given], accepted=True),
        )
    frame = pd.DataFrame({"a": np.arange(ROWS) % 7.0, "y": np.arange(ROWS) / 9})
    several = pd.MultiIndex.from_product([range(8), range(5)], names=["g", "h"])
    index = frame.set_axis(several)
    columns = frame.set_axis(pd.MultiIndex.from_tuples([("a", "x"), ("y", "")]), axis=1)
    twice = pa.table([pa.array(frame["a"])] * 2 + [pa.array(frame["y"])], names=["a", "a", "y"])
    nameless = pa.table([pa.array(frame["a"]), pa.array(frame["y"])], names=["", "y"])
    empty: dict[str, tuple[Callable[[Path], object], Sequence[str]]] = {
        "columns of two levels": (columns.to_parquet, ["columns have 2 levels", "'a.x'"]),
        "a column twice": (partial(pq.write_table, twice), ["the column 'a' occurs twice"]),
        "a column without a name": (partial(pq.write_table, nameless), ["column 1 has no name"]),
        "no rows": (frame[:0].to_parquet, ["no rows"]),
        "no columns": (frame[[]].to_parquet, ["no columns"]),
        "cut off": (partial(text, b"PAR1" + b"\0" * 50), ["cannot be read as parquet"]),
        "another file": (partial(text, "a,y\n1,2\n"), ["cannot be read as parquet"]),
    }
    for name, (make, said) in empty.items():
        yield f"Parquet, {name}: a table", Odd("table", "odd.parquet", make, said)
    yield (
        "Parquet, an index of two levels: a table",
        Odd("table", "odd.parquet", index.to_parquet, ["1 input"], accepted=True),
    )
    grouped = RUNS.groupby(["norm", "seed"]).agg({"val_loss": ["mean", "std"]})
    options = {"outcome": "val_loss.mean"}
    yield (
        "Parquet, columns and an index of two levels: runs",
        Odd("runs", "odd.parquet", grouped.to_parquet, ["Outcome: 'val_loss.mean'"], options, accepted=True),
    )
    words = RUNS.set_axis(pd.MultiIndex.from_product([list("abcdefgh"), range(5)]))
    yield (
        "Parquet, an index of two levels without names: runs",
        Odd("runs", "odd.parquet", words.to_parquet, ["found an index without a name"]),
    )
    yield "Parquet, no rows: runs", Odd("runs", "odd.parquet", RUNS[:0].to_parquet, ["found no rows"])
    yield "Parquet, no columns: runs", Odd("runs", "odd.parquet", RUNS[[]].to_parquet, ["found no rows"])


def of_tables() -> Iterator[tuple[str, Odd]]:
    """Columns that are not numbers in disguise and still not meant, and files that are no table."""
    for name, column, said, accepted in (
        ("beyond 64 bits", [10**20 + row for row in range(ROWS)], ["numbers beyond 64 bits", "in row 40"], False),
        ("one beyond 64 bits", [*range(ROWS - 1), 2**70], ["beyond 64 bits", f"'{2**70}' in row 40"], False),
        ("infinite", spoilt("inf"), ["column 'a' holds an infinite value, 'inf' in row 4"], False),
        ("known gaps", spoilt("N/A"), ["missing value in row 4", "column 'a'", "'missing: drop'"], False),
        ("ISO dates", [f"2020-01-{1 + row % 28:02}" for row in range(ROWS)], ["dates, such as '2020-01-01'"], True),
        ("a few dates", ["?", *["2020-01-01", "2020-01-02"] * 20][:ROWS], ["column a holds dates"], True),
        ("an id", [f"h{row}" for row in range(ROWS)], ["40 different texts", "'h0'", "drop: [a]"], True),
        ("names", ["Rome", "Oslo"] * (ROWS // 2), ["2 of them for the category a"], True),
        ("sizes", ["S", "M", "L", "XL", "38"] * (ROWS // 5), ["5 of them for the category a"], True),
        ("blanks around", [f" {each} " for each in NUMBERS], ["2 inputs."], True),
    ):
        yield f"{name}: an input", Odd("table", "odd.csv", partial(table, column), said, accepted=accepted)
    dates = [f"2020-01-{1 + row % 5:02}" for row in range(ROWS)]
    yield (
        "ISO dates: a target",
        Odd("table", "odd.csv", partial(table, dates), ["target 'a' holds dates, '2020-01-01'"], {"target": "a"}),
    )
    many = "a,y\n" + "".join(f"u{row},{row % 7}.5\n" for row in range(3000))
    yield (
        "an id of 3,000 values: an input",
        Odd("table", "odd.csv", partial(text, many), ["column 'a' holds 3,000 different texts", "'u0'", "drop: [a]"]),
    )
    huge = "a,b,y\n" + "".join(f"u{row},v{row},{row % 7}.5\n" for row in range(40_000))
    yield (
        "categories that fill the memory: inputs",
        Odd("table", "odd.csv", partial(text, huge), ["column 'a'", "40,000 cat"], {"categories": ["a", "b"]}),
    )
    index = RUNS[["seed", "val_loss"]].assign(y=np.arange(ROWS) / 9)
    yield "an index: an input", Odd("table", "odd.csv", index.to_csv, ["Unnamed: 0 has no name"], accepted=True)
    for name, content, parts in (
        ("semicolons", "a;y\n" + "1,5;2\n" * 5, ["separated by semicolons"]),
        ("nothing", "", ["the file is empty"]),
        ("a header", "a,y\n", ["no rows"]),
        ("three rows", "a,y\n1,2\n2,3\n3,4\n", ["3 usable rows"]),
        ("one column", "y\n1\n2\n3\n5\n", ["no column to learn from"]),
        ("UTF-16", "a,y\n1,2\n2,3\n3,4\n4,5\n".encode("utf-16"), ["cannot be read as csv"]),
        ("Latin letters", "a,y\ncaf\xe9,2\n".encode("latin-1") * 5, ["cannot be read as csv"]),
        ("a row too long", "a,y\n1,2\n2,3\n3,4,5\n4,5\n5,6\n", ["cannot be read as csv", "line 4"]),
        ("an open quote", 'a,y\n1,2\n"2,3\n3,4\n4,5\n5,6\n', ["odd.csv"]),
        ("no header", "1.5,2\n2.5,3\n3.5,4\n4.5,5\n5.5,6\n", ["no column 'y'"]),
        ("an image", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, ["odd.csv"]),
    ):
        yield f"a file of {name}: a table", Odd("table", "odd.csv", partial(text, content), parts)


def of_special_files() -> Iterator[tuple[str, Odd]]:
    """Pipes, devices, sockets, folders and links to nothing."""
    kinds: dict[str, tuple[Callable[[Path], object], Sequence[str]]] = {
        "a pipe": (os.mkfifo, ["found a pipe, allowed: a regular file"]),
        "a socket": (listening, ["found a socket, allowed: a regular file"]),
        "/dev/zero": (partial(linked, "/dev/zero"), ["found a device, allowed: a regular file"]),
        "/dev/null": (partial(linked, "/dev/null"), ["found a device, allowed: a regular file"]),
        "a link to itself": (partial(linked, "odd.csv"), ["odd.csv"]),
        "a link to nothing": (partial(linked, "absent"), ["odd.csv"]),
    }
    for name, (make, said) in kinds.items():
        for of, ending in (
            ("table", "csv"),
            ("table", "parquet"),
            ("arrays", "npz"),
            ("runs", "csv"),
            ("runs", "jsonl"),
        ):
            fits = [each.replace("odd.csv", f"odd.{ending}") for each in said]
            link = partial(linked, f"odd.{ending}") if name == "a link to itself" else make
            yield f"{name}: {of} in {ending}", Odd(of, f"odd.{ending}", link, fits)
    for of, ending, said in (
        ("table", "csv", ["cannot read the data file (Is a directory)"]),
        ("arrays", "npz", ["cannot read the data file (Is a directory)"]),
        ("runs", "csv", ["found no results in this folder"]),
    ):
        yield f"a folder: {of} in {ending}", Odd(of, f"odd.{ending}", Path.mkdir, said)


def of_arrays() -> Iterator[tuple[str, Odd]]:
    """Arrays that are none, or do not fit."""
    x, y = np.arange(ROWS * 3.0).reshape(ROWS, 3), np.arange(ROWS) / 9
    objects = np.array([{"a": 1}] * ROWS, dtype=object)
    for name, given, said in (
        ("objects", {"x": objects, "y": y}, ["'x' holds Python objects"]),
        ("texts", {"x": x, "y": np.array(["?"] * ROWS)}, ["odd.npz", "y"]),
        ("texts as inputs", {"x": np.array([["1,5"]] * ROWS), "y": y}, ["odd.npz", "x"]),
        ("dates", {"x": x, "y": np.array(["2020-01-01"] * ROWS, "datetime64[D]")}, ["odd.npz", "y"]),
        ("no targets", {"x": x}, ["odd.npz"]),
        ("no rows", {"x": x[:0], "y": y[:0]}, ["odd.npz"]),
        ("rows that do not fit", {"x": x, "y": y[:-1]}, ["odd.npz"]),
        ("NaN", {"x": np.where(x == 4, np.nan, x), "y": y}, ["odd.npz", "x"]),
        ("a number", {"x": np.float64(1), "y": y}, ["odd.npz", "x"]),
        ("complex numbers", {"x": x + 1j, "y": y}, ["odd.npz", "x"]),
    ):
        yield f"arrays: {name}", Odd("arrays", "odd.npz", partial(arrays, **given), said)
    yield "arrays: a text file", Odd("arrays", "odd.npz", partial(text, "x,y\n"), ["cannot be read as .npz"])
    yield "arrays: nothing", Odd("arrays", "odd.npz", partial(text, ""), ["cannot be read as .npz"])


def of_json_lines() -> Iterator[tuple[str, Odd]]:
    """JSON lines that are none."""
    rows: list[Any] = RUNS.to_dict("records")
    for name, odd, said in (
        ("a text", {**rows[0], "val_loss": "?"}, ["odd.jsonl, line 1", "val_loss: found '?'"]),
        ("a comma", {**rows[0], "val_loss": "1,5"}, ["odd.jsonl, line 1", "'1,5'", "a decimal point"]),
        ("a list", [1, 2], ["odd.jsonl, line 1: found a list of 2"]),
        ("a number", 5, ["odd.jsonl, line 1: found 5"]),
        ("a broken line", "{\n", ["odd.jsonl, line 1"]),
        ("a huge number", f'{{"norm": "none", "seed": 1, "val_loss": {10**400}}}\n', ["odd.jsonl"]),
        ("deep lists", "[" * 50_000 + "\n", ["odd.jsonl, line 1: broken JSON"]),
        ("half of a pair", '{"norm": "\\ud800", "seed": 0, "val_loss": 1}\n', ["odd.jsonl", "no column can hold"]),
    ):
        yield f"JSON lines: {name}", Odd("runs", "odd.jsonl", partial(lines, [odd, *rows[1:]]), said)
    yield "JSON lines: nothing", Odd("runs", "odd.jsonl", partial(text, ""), ["found no values"])


def of_runs() -> Iterator[tuple[str, Odd]]:
    """Tables of runs with odd names and levels, or none."""
    for name, content, said in (
        ("nothing", "", ["the file is empty"]),
        ("a header", "norm,seed,val_loss\n", ["a header without rows"]),
        ("UTF-16", "norm,seed,val_loss\n".encode("utf-16"), ["UTF-16"]),
        ("an open quote", 'norm,seed,val_loss\n"none,1,2\n', ["line 2", "quote"]),
        ("a row too short", "norm,seed,val_loss\nnone,1\n", ["line 2: found 2 cells"]),
        ("a column twice", "norm,norm,val_loss\nnone,1,2\n", ["the column 'norm' twice"]),
        ("a byte", b"norm,seed,val_loss\nnone\xff,1,2\n", ["line 2: found the byte 0xff"]),
    ):
        yield f"a file of {name}: runs", Odd("runs", "odd.csv", partial(text, content), said)
    big = [10**30 + row for row in range(ROWS)]
    yield (
        "beyond 64 bits: the seeds",
        Odd("runs", "odd.csv", partial(runs, seed=big), ["column seed: found 10000", "2^53"]),
    )
    moved = [f"{level}\x1b[2J\u202e" for level in RUNS["norm"]]
    options = {"baseline": "none\\x1b[2J\\u202e"}
    yield (
        "hidden characters: the arms",
        Odd("runs", "odd.csv", partial(runs, norm=moved), ["batch\\x1b[2J\\u202e against"], options, accepted=True),
    )
    named = RUNS.assign(**{"a\x07\u202eb": range(ROWS)})
    yield (
        "hidden characters: a name",
        Odd("runs", "odd.csv", partial(named.to_csv, index=False), ["'a\\x07\\u202eb'"], accepted=True),
    )
    course = {
        "seed": [row // 4 for row in range(ROWS)],
        "epoch": [*"00?1", *(str(row // 2 % 2) for row in range(4, ROWS))],
    }
    yield (
        "one question mark: the epochs",
        Odd("runs", "odd.csv", partial(runs, **course), ["odd.csv, line 4, column epoch: found '?'"]),
    )


ODD = dict(
    each
    for cases in (of_columns, of_parquet, of_tables, of_special_files, of_arrays, of_json_lines, of_runs)
    for each in cases()
)
"""What is odd → the file."""
