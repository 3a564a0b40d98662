"""Reads a text table whose cells are separated by commas, semicolons or tabs."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from bnbench.errors import UserError, first_line
from bnbench.own_results.joining import named, parts_of_lines, refuse_names
from bnbench.own_results.table import Long, Part

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""How a file in UTF-16 begins."""
_BLOCK = 16 << 20
"""Bytes that pyarrow reads at a time: a line must fit into them."""
_COUNTS = r"^\d+$"
_DECIMAL_COMMA = r"^[+-]?(\d+(,\d+)?|,\d+)([eE][+-]?\d+)?$|^[+-]?([nN][aA][nN]|[iI][nN][fF])$"


def cells(path: Path, name: str) -> Long:
    """The cells of a file as text without blanks around it; null is an empty cell.

    Args:
        path: a file in UTF-8, with a header; may be compressed (.gz).
        name: what messages call it.

    Raises:
        UserError: the file is absent, empty, not in UTF-8, has no row, a column without a name or with the name of
            another, or a line with more or fewer cells than the header.
    """
    data = _content(path, name)
    try:
        header, separator, start, lines = _header(data, name)
    except UnicodeDecodeError as error:
        raise _not_utf8(data, name) from error
    except csv.Error as error:
        raise UserError(f"{name}, line 1: {_problem(error)}") from error
    if not data[start : start + _BLOCK].strip() and not data[start:].strip():
        raise UserError(f"{name}: found a header without rows, allowed: a header and a row for each run or epoch")
    table = _parsed(data, start, len(header), separator, name)
    columns = [pc.utf8_trim_whitespace(column) for column in table.columns]
    parts = _parts(data, separator, table.num_rows, lines, name)
    notes = [f"Columns are separated by {_SEPARATORS[separator]}."] if _odd(separator, path) else []
    kept, dropped = _named_columns(header, columns, f"{name}, line {lines}")
    notes += dropped
    if separator != ",":
        notes += _with_points(kept)
    return Long(pa.table(kept), parts, tuple(notes))


def _content(path: Path, name: str) -> bytes:
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix.lower() == ".gz" else data
    except FileNotFoundError as error:
        raise UserError(f"{name}: no such file") from error
    except EOFError as error:
        raise UserError(f"{name}: the compressed file ends too early") from error
    except OSError as error:
        raise UserError(f"{name}: cannot be read ({error.strerror or error})") from error
    if data.startswith(_WIDE):
        raise UserError(f"{name}: found text in UTF-16, allowed: UTF-8")
    data = data.removeprefix(_BOM)
    if not data.strip():
        raise UserError(f"{name}: the file is empty, allowed: a header and a row for each run or epoch")
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _decoded(file: io.BytesIO) -> Iterator[str]:
    for line in file:
        yield line.decode("utf-8")


def _header(data: bytes, name: str) -> tuple[list[str], str, int, int]:
    """Names of the columns, what separates them, the byte behind them, and the line in which they end."""
    first = next(line for line in io.BytesIO(data) if line.strip()).decode("utf-8")
    # Where two split the line into as many cells, the comma has it, as it comes first.
    separator = max(_SEPARATORS, key=lambda each: len(next(csv.reader([first], delimiter=each))))
    file = io.BytesIO(data)
    rows = csv.reader(_decoded(file), delimiter=separator, strict=True)
    header = next((row for row in rows if any(cell.strip() for cell in row)), [])
    if not header:
        raise UserError(f"{name}: found a header without names, allowed: a name for each column")
    return [cell.strip() for cell in header], separator, file.tell(), rows.line_num


def _odd(separator: str, path: Path) -> bool:
    return separator != ("\t" if ".tsv" in [each.lower() for each in path.suffixes] else ",")


def _parsed(data: bytes, start: int, width: int, separator: str, name: str) -> pa.Table:
    """The rows, in columns of text with their places, from `0` on, as names."""
    names = [str(place) for place in range(width)]
    read = pa.csv.ReadOptions(column_names=names, block_size=_BLOCK)
    parse = pa.csv.ParseOptions(delimiter=separator, newlines_in_values=b'"' in data)
    convert = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    try:
        return pa.csv.read_csv(pa.BufferReader(pa.py_buffer(data)[start:]), read, parse, convert)
    except pa.ArrowInvalid as error:
        try:
            _lines(data, separator, width, name)
        except UnicodeDecodeError:
            raise _not_utf8(data, name) from error
        raise UserError(f"{name}: cannot be read as a table ({first_line(error)})") from error


def _not_utf8(data: bytes, name: str) -> UserError:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return UserError(f"{name}, line {line}: found the byte 0x{data[error.start]:02x}, allowed: text in UTF-8")
    return UserError(f"{name}: cannot be read as text in UTF-8")


def _parts(data: bytes, separator: str, rows: int, header_line: int, name: str) -> tuple[Part, ...]:
    """Where rows are; line by line only if some line is blank or some cell spans several."""
    if data.count(b"\n") + (not data.endswith(b"\n")) == rows + header_line:
        return (Part(name, 0, header_line + 1),)
    lines = _lines(data, separator, None, name)
    return parts_of_lines(name, lines) if len(lines) == rows else (Part(name, 0, None),)


def _lines(data: bytes, separator: str, width: int | None, name: str) -> np.ndarray:
    """The line [rows] in which each row begins.

    Raises:
        UserError: a row has not `width` cells, where that is given.
        UnicodeDecodeError: a line is not in UTF-8.
    """
    # Strict, so that a quote that nothing closes does not swallow the rows behind it.
    rows = csv.reader(_decoded(io.BytesIO(data)), delimiter=separator, strict=True)
    found: list[int] = []
    before = 0
    try:
        for row in rows:
            if row:
                found.append(before + 1)
                if width is not None and len(row) != width:
                    cells = f"{len(row)} {'cell' if len(row) == 1 else 'cells'}"
                    raise UserError(f"{name}, line {before + 1}: found {cells}, allowed: {width}, as the header has")
            before = rows.line_num
    except csv.Error as error:
        raise UserError(f"{name}, line {before + 1}: {_problem(error)}") from error
    return np.array(found[1:], dtype=np.int64)


def _problem(error: csv.Error) -> str:
    why = "found a quote that is never closed" if "end of data" in str(error) else f"cannot be read ({error})"
    return f"{why}, allowed: quotes in pairs, around a whole cell"


def _named_columns(
    header: list[str], columns: list[pa.ChunkedArray], where: str
) -> tuple[dict[str, pa.ChunkedArray], list[str]]:
    """Columns by their names, without an index of counts and without nameless columns that hold nothing."""
    kept, notes = [], []
    for place, (name, column) in enumerate(zip(header, columns, strict=True)):
        if not name and column.null_count == len(column):
            continue
        if place == 0 and name in {"", "Unnamed: 0"} and len(header) > 1 and _counts(column):
            notes.append("The first column has no name and counts rows: it is left out.")
            continue
        kept.append((name, column))
    if kept and not kept[0][0]:
        allowed = "a name for each column, such as index_label='model' of pandas' to_csv gives it"
        raise UserError(f"{where}: found a first column without a name, allowed: {allowed}")
    refuse_names([name for name, _ in kept], where)
    return dict(kept), notes


def _counts(column: pa.ChunkedArray) -> bool:
    return bool(pc.all(pc.fill_null(pc.match_substring_regex(column, _COUNTS), fill_value=False)).as_py())


def _with_points(columns: dict[str, pa.ChunkedArray]) -> list[str]:
    """Give numbers with a decimal comma a point, in place, and say it."""
    changed = []
    for name, column in columns.items():
        fits = pc.all(pc.match_substring_regex(column, _DECIMAL_COMMA)).as_py()
        if fits and pc.any(pc.match_substring(column, ",")).as_py():
            columns[name] = pc.replace_substring(column, ",", ".")
            changed.append(name)
    return [f"The comma is read as a decimal point in {named(changed)}."] if changed else []
