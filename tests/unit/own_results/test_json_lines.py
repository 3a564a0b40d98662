"""JSON lines: objects become rows, and a broken line is told by its number."""

import math

import pytest

from bnbench.errors import UserError
from bnbench.own_results import json_lines


def read(tmp_path, content):
    path = tmp_path / "runs.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return json_lines.read(path, "runs.jsonl")


def test_null_and_an_absent_key_are_missing_and_the_token_nan_is_a_number(tmp_path):
    values = read(
        tmp_path, '{"loss": 1}\n{"loss": null, "acc": 0.5}\n{"loss": NaN}\n{"loss": -Infinity}\n'
    ).table.to_pydict()
    assert values["loss"][:2] == [1.0, None]
    assert math.isnan(values["loss"][2])
    assert values["loss"][3] == -math.inf
    assert values["acc"] == [None, 0.5, None, None]


def test_objects_become_columns_and_lists_are_left_out(tmp_path):
    long = read(tmp_path, '{"config": {"lr": 0.1, "net": {"norm": "bn"}, "sizes": [1]}, "ok": true}\n{"ok": "no"}\n')
    assert long.table.to_pydict() == {
        "config.lr": [0.1, None],
        "config.net.norm": ["bn", None],
        "ok": ["True", "no"],
    }
    assert long.notes == ("Lists are left out: config.sizes.",)


def test_lines_are_told_where_some_are_blank(tmp_path):
    long = read(tmp_path, '\ufeff{"a": 1}\n\n{"a": 2}')
    assert [long.where(row) for row in (0, 1)] == ["runs.jsonl, line 1", "runs.jsonl, line 3"]


def test_rows_of_several_blocks_stand_together(tmp_path, monkeypatch):
    monkeypatch.setattr(json_lines, "_BLOCK", 2)
    long = read(tmp_path, '{"a": 1}\n{"a": 2, "b": 0.5}\n{}\n{}\n\n{"a": "bn"}\n{"c": 3}\n')
    assert long.table.to_pydict() == {
        "a": ["1", "2", "bn", None],
        "b": [None, 0.5, None, None],
        "c": [None, None, None, 3.0],
    }
    assert long.where(2) == "runs.jsonl, line 6"


LINES = "a JSON object in each line, as pandas writes by to_json(…, orient='records', lines=True)"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "runs.jsonl: found no values, allowed: a JSON object in each line, for each run or epoch"),
        ("{}\n", "runs.jsonl: found no values, allowed: a JSON object in each line, for each run or epoch"),
        (
            '{"a": 1}\n{"a"}\n',
            "runs.jsonl, line 2: broken JSON (Expecting ':' delimiter, column 5), allowed: a JSON object",
        ),
        ('{"a": 1}\n3\n', 'runs.jsonl, line 2: found 3, allowed: a JSON object, such as {"seed": 0}'),
        ('{"a": 1}\n[1]\n', f"runs.jsonl, line 2: found a list of 1, allowed: {LINES}"),
        ('[{"a": 1}, {"a": 2}]', f"runs.jsonl, line 1: found a list of 2, allowed: {LINES}"),
        ('{"": 1}\n', "runs.jsonl: found column 1 without a name, allowed: a name for each column"),
        ('{"a.b": 1, "a": {"b": 2}}\n', "runs.jsonl, line 1: found the key 'a.b' twice, allowed: once"),
        (b'{"a": "\xe9"}\n', "runs.jsonl, line 1: found the byte 0xe9, allowed: text in UTF-8"),
        (
            '[\n{"a": 1}\n]',
            f"runs.jsonl, line 1: found JSON over several lines, allowed: {LINES}",
        ),
    ],
)
def test_a_broken_file_gives_one_line(tmp_path, content, message):
    with pytest.raises(UserError) as caught:
        read(tmp_path, content)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "line",
    [
        '{"a": "\\ud800"}',
        '{"a": 1' + "0" * 400 + "}",
        "[" * 100_000,
        '{"a":' * 30 + "1" + "}" * 30,
        '{"a": 1' + "0" * 9999 + "}",
    ],
)
def test_a_value_that_no_column_holds_is_refused(tmp_path, line):
    with pytest.raises(UserError, match=r"^runs\.jsonl, lines? 1.*: ") as caught:
        read(tmp_path, line)
    assert "\n" not in str(caught.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"^runs\.jsonl: no such file$"):
        json_lines.read(tmp_path / "runs.jsonl", "runs.jsonl")
