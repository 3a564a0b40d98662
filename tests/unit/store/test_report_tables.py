"""Tables of a report keep to their schemas: what a writer may write, and in which types a reader gets it back."""

import math

import pandas as pd
import pytest
from configs import refusal

from bnbench import columns
from bnbench.store import report_tables, schemas
from bnbench.vocabulary import FACTORS

LABELS = dict.fromkeys(FACTORS, "1e3")
EXCLUSIONS = pd.DataFrame(
    [
        {**LABELS, "norm": "NA", "batch_size": "25", "seed": 3, "reason": "missing"},
        {**LABELS, "norm": "none", "batch_size": "full", "seed": 4, "reason": "diverged", "epoch": 12},
    ]
)


def test_labels_stay_text_and_whole_numbers_stay_whole_whatever_they_look_like(tmp_path):
    report_tables.write(tmp_path, "exclusions", EXCLUSIONS, "norm")
    found = report_tables.read(tmp_path, "exclusions")
    assert found["norm"].tolist() == ["NA", "none"]
    assert found["batch_size"].tolist() == ["25", "full"]
    assert found["seed"].dtype == "int64"
    assert found["epoch"].isna().tolist() == [True, False]
    assert (tmp_path / "tables" / "exclusions.csv").read_text().splitlines()[-1].endswith(",4,diverged,12")


def test_a_level_that_a_spreadsheet_would_run_is_written_behind_a_quote_and_comes_back_as_it_was(tmp_path):
    labels, factor = ["=1+1", "-0.5"], '=HYPERLINK("x")'
    frame = EXCLUSIONS.drop(columns=[*FACTORS]).assign(**{factor: labels, "other": "@a"})
    report_tables.write(tmp_path, "exclusions", frame, factor, (factor, "other"))
    text = (tmp_path / "tables" / "exclusions.csv").read_text()
    assert not any(line.startswith(("=", '"=', "@")) or ",@" in line for line in text.splitlines())
    assert "'=1+1" in text
    assert "-0.5" in text
    assert "'-0.5" not in text
    found = report_tables.read(tmp_path, "exclusions")
    assert found[factor].tolist() == labels
    assert found["other"].tolist() == ["@a", "@a"]


@pytest.mark.parametrize("name", schemas.TABLES)
def test_an_empty_table_has_its_columns_and_their_types(tmp_path, name):
    columns = schemas.of_report(name, "norm").names
    report_tables.write(tmp_path, name, pd.DataFrame(columns=columns), "norm")
    found = report_tables.read(tmp_path, name)
    assert found.empty
    assert found.columns.tolist() == columns
    assert ("norm" in columns) == ("norm" in schemas.TABLES[name].names and "treatment" not in columns)


def test_numbers_come_back_to_the_last_bit(tmp_path):
    value = math.pi * 1e-30
    row = {**LABELS, "baseline": "none", "treatment": "batch", "component": "total", "pairs": 8}
    row |= {"p": 1.0, "p_adjusted": 1.0, "adjustment": "maxT", "family": 4, "edge_effect": 0.5}
    frame = pd.DataFrame([{**row, "effect": value, "low": -math.inf, "high": math.nan}]).drop(columns="norm")
    report_tables.write(tmp_path, "decomposition", frame, "norm")
    (found,) = report_tables.read(tmp_path, "decomposition").to_dict("records")
    assert (found["effect"], found["low"], math.isnan(found["high"])) == (value, -math.inf, True)


@pytest.mark.parametrize(
    "wrong",
    [
        EXCLUSIONS.drop(columns="epoch"),
        EXCLUSIONS.assign(more=1),
        EXCLUSIONS.assign(seed="three"),
        EXCLUSIONS.assign(seed=0.5),
    ],
    ids=["a column is missing", "a column too many", "text for a number", "a broken number for a whole one"],
)
def test_a_table_that_is_not_as_its_schema_says_is_not_written(tmp_path, wrong):
    with pytest.raises(ValueError, match=r"exclusions|epoch|seed|three|Float"):
        report_tables.write(tmp_path, "exclusions", wrong, "norm")
    assert not (tmp_path / "tables").exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1,2,3\n1\n4,5,6,7\n", b'{"a": 1', b"seed\nx\n"])
def test_a_table_that_cannot_be_read_is_named_with_the_way_out(tmp_path, content):
    path = tmp_path / "tables" / "exclusions.csv"
    path.parent.mkdir()
    path.write_bytes(content)
    message = refusal(report_tables.read, tmp_path, "exclusions")
    assert message.startswith(f"{path}: not a readable table (")
    assert message.endswith("; delete it and run the workflow again")


def test_a_table_that_is_absent_is_named(tmp_path):
    assert refusal(report_tables.read, tmp_path, "exclusions").startswith(f"{tmp_path}/tables/exclusions.csv: no such")


def test_every_column_has_a_meaning_and_stands_in_some_table():
    used = {name for schema in (*schemas.SCHEMAS.values(), *schemas.TABLES.values()) for name in schema.names}
    assert used == set(columns.COLUMNS)
    assert all(schemas.description(field) for field in columns.COLUMNS.values())
    assert all(schemas.description(schema) for schema in (*schemas.SCHEMAS.values(), *schemas.TABLES.values()))
