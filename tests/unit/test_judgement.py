"""Results of one's own, from the table to the report: the verb, the call from Python, and whatever tables there are."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import own_tables as tables
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from own_tables import grid, measured
from supported import DIRECTION, OPEN, OPEN_CHANGE

import bnbench
from bnbench import cli, judgement
from bnbench.errors import UserError

pytestmark = pytest.mark.filterwarnings("error")

TABLE = measured(grid(norm=["none", "batch"], lr=[0.1, 0.01], seed=range(8), epoch=range(4)), "val_loss", "val_acc")
TABLE = {**TABLE, "val_loss": [loss * (1 + (norm == "batch")) for loss, norm in zip(TABLE["val_loss"], TABLE["norm"],
         strict=True)], "val_acc": [1 / (1 + each) for each in TABLE["val_acc"]]}  # fmt: skip
quick = {"deadline": None, "derandomize": True, "phases": [Phase.generate]}


@pytest.fixture
def called(write, capsys):
    """Run a verb beside runs.csv; returns its status, and the lines of both of its streams."""
    write(tables.lines(TABLE), "runs.csv")

    def run(*arguments):
        status = cli.main([*arguments])
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err.splitlines()

    return run


@pytest.fixture(scope="module")
def report():
    frame = pd.DataFrame(TABLE)
    return bnbench.judge(frame, "norm", "none", "val_loss", name="mine")


def assert_is_reading(said):
    """Whether each column of the table is named in its role, by lines that begin with that."""
    roles = dict(line.split(": ", 1) for line in said)
    assert "128 rows" in roles["Table"]
    assert "32 runs" in roles["Table"]
    named = {"Compared": "'norm'", "Contexts": "'lr'", "Outcome": "'val_loss'", "Seeds": "'seed'", "Epochs": "'epoch'"}
    for role, column in {**named, "Beside it": "'val_acc'"}.items():
        assert column in roles[role]
    assert roles["Pairs"].startswith("runs of the same 'seed', 8 pairs in each comparison; ")


def test_a_dry_run_says_what_is_taken_for_what_and_writes_nothing(called):
    status, said, errors = called("judge", "runs.csv", "--outcome", "val_loss", "--dry-run")
    assert (status, errors) == (0, [])
    assert_is_reading(said)
    assert [path.name for path in Path().iterdir()] == ["runs.csv"]


def test_runs_that_are_too_few_to_decide_anything_are_warned_of(called, write):
    few = {
        name: [cell for cell, seed in zip(cells, TABLE["seed"], strict=True) if seed < 4]
        for name, cells in TABLE.items()
    }
    write(tables.lines(few), "few.csv")
    _, said, _ = called("judge", "few.csv", "--outcome", "val_loss", "--dry-run")
    assert said[-1].startswith("warning: 4 seeds can never show a difference in any of 2 contexts at alpha 0.05: ")
    _, said, _ = called("judge", "few.csv", "--outcome", "val_loss", "--dry-run", "--unpaired")
    assert not said[-1].startswith("warning: ")


def test_the_verb_writes_the_report_and_says_its_answer(called):
    status, said, errors = called("judge", "runs.csv", "--outcome", "val_loss", "--name", "mine", "--margin", "1.1")
    assert (status, said[:1]) == (0, ["reports/mine/index.html"])
    assert_is_reading(errors)
    assert Path(said[0]).stat().st_size > 10_000
    verdicts = json.loads(Path("reports/mine/verdicts.json").read_text(encoding="utf-8"))
    assert said[1] == verdicts["sentence"]
    assert verdicts["options"]["margin"] == 1.1
    assert {path.name for path in Path("reports/mine").iterdir()} == {
        *("index.html", "landing.rst", "verdicts.json", "tables", "figures", "data")
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--outcome", "valloss"], "runs.csv: --outcome: found no column 'valloss' (did you mean 'val_loss'?), "
         "allowed: one of norm, lr, seed, epoch, val_loss, val_acc"),
        ([], "runs.csv: which outcome decides? allowed: --outcome with one of val_loss, val_acc"),
        (["--outcome", "val_loss", "--alpha", "2"], "--alpha: found 2.0, allowed: a number at least 1e-05 and "
         "below 0.5"),
        (["--outcome", "val_loss", "--window", "-1"], "--window: found -1.0, allowed: a number at least 0 and at most "
         "1"),
        (["--outcome", "val_loss", "--margin", "0"], "--margin: found 0.0, allowed: a number above 0 and at "
         "most 1e+30, or null"),
        (["--outcome", "val_loss", "--margin", "0.9"], "--margin: found 0.9, allowed: more than 1, since ratios are "
         "compared"),
        (["--outcome", "val_loss", "--margin", "nan"], "--margin: found nan, allowed: finite numbers"),
        (["--outcome", "val_loss", "--name", "My Study"], "--name: found 'My Study' (text), allowed: text of "
         "lower-case letters, digits, - and _, starting with a letter or a digit"),
        (["--outcome", "val_loss", "--name", "claims"], "--name: found 'claims', allowed: another name, since "
         "reports/claims is the page of all claims"),
        (["--outcome", "val_loss", "--context", "norm", "--factor", "norm"], "runs.csv: found the column 'norm' twice "
         "(--factor and --context), allowed: one role each"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_told_in_one_line_by_its_flag(called, arguments, message):
    assert called("judge", "runs.csv", *arguments) == (2, [], [message])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "runs.csv: the file is empty, allowed: a header and a row for each run or epoch"),
        ("norm,seed,val_loss\n", "runs.csv: found a header without rows, allowed: a header and a row for each run or "
         "epoch"),
        ("norm,seed,val_loss\nnone,0,1\nnone,1\n", "runs.csv, line 3: found 2 cells, allowed: 3, as the header has"),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_in_one_line(called, write, content, message):
    write(content, "runs.csv")
    assert called("judge", "runs.csv") == (2, [], [message])


def test_the_same_from_a_config_names_its_keys(called, write):
    write("study: mine\nresults: {path: runs.csv}\n", "config.yaml")
    message = "config.yaml: runs.csv: which outcome decides? allowed: results.outcome with one of val_loss, val_acc"
    assert called("check") == (2, [], [message])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *(("out/Runs.csv", "runs"), ("a b.csv.gz", "a-b"), ("läufe µ.tsv", "laufe"), ("---.csv", "results")),
        *(("_x.parquet", "x"), ("runs.v2.jsonl", "runs-v2"), ("実験.csv", "results"), ("x" * 200 + ".csv", "x" * 80)),
        *(("claims.csv", "claims-results"), ("out/Claims", "claims-results"), ("example.parquet", "example-results")),
    ],
)
def test_a_study_is_called_after_its_file(path, name):
    assert judgement.named(path) == name


def test_python_gets_the_verdicts_and_the_page(report, tmp_path):
    assert report.verdicts["verdict"].tolist() == ["hurts", "hurts"]
    assert_is_reading(report.reading)
    assert report.sentence in repr(report)
    assert "<svg" in report._repr_html_()
    assert report.to_html(tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(report.table("pairs")) == 16


def test_a_page_that_cannot_be_written_is_told(report, tmp_path):
    with pytest.raises(UserError, match=r"cannot be written \(No such file or directory\)$"):
        report.to_html(tmp_path / "nowhere" / "page.html")


def test_a_frame_and_its_file_are_judged_the_same(called, report):
    called("judge", "runs.csv", "--outcome", "val_loss", "--name", "mine")
    of_file, of_frame = (
        json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
        for folder in (Path("reports/mine"), report.folder)
    )
    for of_one in (of_file, of_frame):
        del of_one["tables"]["provenance"]  # which has the address of each setting, with the digest of a file
    assert of_file["tables"] == of_frame["tables"]
    assert of_file["sentences"] == of_frame["sentences"]


def test_a_script_without_a_main_guard_can_call_it(called):
    Path("script.py").write_text(
        "import bnbench\nprint(bnbench.judge('runs.csv', outcome='val_loss', contexts=['lr']).sentence)\n"
    )
    ended = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == 1


def test_the_style_of_a_notebook_stays_as_it_was():
    before = dict(mpl.rcParams)
    bnbench.judge(pd.DataFrame(TABLE), outcome="val_loss")
    assert dict(mpl.rcParams) == before


@given(st.data())
@settings(max_examples=4, **quick)
def test_shuffled_rows_and_columns_give_the_same_verdicts_to_the_bit(tmp_path_factory, data):
    columns = {**TABLE, "lr": [f"{rate}" for rate in TABLE["lr"]]}
    order = data.draw(st.permutations(range(128)))
    other = {name: [columns[name][row] for row in order] for name in data.draw(st.permutations([*columns]))}
    one, two = (
        tables.compared(tmp_path_factory.mktemp("out"), each, outcome="val_loss", factor="norm")
        for each in (columns, other)
    )
    assert one == two


levels = st.sampled_from([["none", "batch"], ["b", "a", "c"], [0.5, 0.0], ["False", "True"], ["Ä", "ä", "x y"]])
held = st.dictionaries(
    st.sampled_from(["task", "lr", "device", "opt", "test", "pairs"]),
    st.sampled_from([["x", "y"], [0.1, 0.01], ["True", "False"], ["1", "two"]]),
    max_size=2,
)
outcome = st.sampled_from(
    ["val_loss", "test_loss", "train_loss", "acc", "r2", "episodic_return", "test_error", "seconds"]
)
drawn_table = st.fixed_dictionaries(
    {
        "factor": st.sampled_from(["norm", "arm", "effect", "model.name"]),
        "levels": levels,
        "held": held,
        "seeds": st.integers(2, 9),
        "epochs": st.sampled_from([0, 0, 1, 3, 6]),
        "outcome": outcome,
        "values": st.sampled_from(["positive", "unit", "negative", "zeros", "far"]),
        "effect": st.sampled_from([0.0, 0.0, 0.02, 1.0, -2.0]),
        "spread": st.sampled_from([0.0, 0.02, 0.4]),
        "nan": st.sampled_from([0.0, 0.0, 0.1]),
        "empty": st.sampled_from([0.0, 0.0, 0.1]),
        "dropped": st.sampled_from([0.0, 0.0, 0.1, 0.4]),
        "short": st.booleans(),
        "key": st.integers(0, 10_000),
    }
)


def columns_of(drawn):
    """A well-formed table as it was drawn."""
    generator = np.random.default_rng(drawn["key"])
    axes = {drawn["factor"]: drawn["levels"], **drawn["held"], "seed": range(drawn["seeds"])}
    if drawn["epochs"]:
        axes["epoch"] = range(drawn["epochs"])
    rows = [dict(zip(axes, row, strict=True)) for row in zip(*grid(**axes).values(), strict=True)]
    ends = {}
    kept = []
    for row in rows:
        run = tuple(cell for name, cell in row.items() if name != "epoch")
        end = ends.setdefault(
            run, generator.integers(1, drawn["epochs"] + 1) if drawn["short"] and drawn["epochs"] else 99
        )
        if row.get("epoch", 0) >= end or generator.random() < drawn["dropped"]:
            continue
        treated = row[drawn["factor"]] != drawn["levels"][0]
        number = generator.normal(0, drawn["spread"]) + treated * drawn["effect"] + 0.1 * row["seed"]
        number = {
            "positive": math.exp(number),
            "unit": 1 / (1 + math.exp(number)),
            "negative": number,
            "zeros": max(0.0, number - 0.1),
            "far": 1e99 * math.exp(number),
        }[drawn["values"]]
        if generator.random() < drawn["nan"]:
            number = float(generator.choice([math.nan, math.inf, -math.inf]))
        kept.append({**row, drawn["outcome"]: None if generator.random() < drawn["empty"] else number})
    return {name: [row[name] for row in kept] for name in (*axes, drawn["outcome"])}


def options_of(drawn):
    return {
        "factor": drawn["factor"],
        "baseline": drawn["levels"][0],
        "outcome": drawn["outcome"],
        "contexts": [*drawn["held"]],
        "epoch": "epoch" if drawn["epochs"] else None,
        "seed": "seed",
        "empty": "stopped",
    }


REFUSALS = (
    *("found one level", "found no rows", "found one seed", "no seed is in both arms", "no context has runs"),
    *("allowed: an outcome that varies", "allowed: an outcome that was measured", "has no level", "found no level"),
)
"""What no statistics could compare."""


@given(drawn_table)
@settings(max_examples=20, **quick)
def test_no_table_crashes_and_no_sentence_says_more_than_its_verdict(tmp_path_factory, drawn):
    columns = columns_of(drawn)
    verdicts, refused = told(tables.compared, tmp_path_factory.mktemp("out"), columns, **options_of(drawn))
    if verdicts is None:
        assert any(each in refused for each in REFUSALS), refused
        return
    rows = tables.rows_of(verdicts, "contexts")
    assert len(rows) == len(verdicts["sentences"])
    for row, said in zip(rows, verdicts["sentences"], strict=True):
        assert_supported(row, said)
    decided = {row["verdict"] for row in rows} & {"helps", "hurts"}
    assert bool(DIRECTION.search(bare(verdicts["sentence"]))) == bool(decided), verdicts["sentence"]


def told(function, *arguments, **more):
    """What a function gives, or None and the one line in which it refuses."""
    try:
        return function(*arguments, **more), ""
    except UserError as error:
        message = str(error)
    assert len(message.splitlines()) == 1
    return None, message


def bare(said):
    """A sentence without what names a direction and claims none."""
    said = re.sub(r"counting a diverged \w+ as the worst", "", said)
    return re.sub(OPEN_CHANGE, "", re.sub(OPEN, "", said))


def assert_supported(row, said):
    """A direction is named if there is a verdict on it, and then the right one."""
    assert not re.search(r"\bnan\b|\bNone\b|  | [.,;:)]|\(\)", said), said
    named = DIRECTION.search(bare(said))
    assert bool(named) == (row["verdict"] in ("helps", "hurts")), (row["verdict"], said)


spoiled = st.lists(
    st.tuples(
        st.sampled_from(["cell", "cell", "blank", "duplicate", "column", "cut"]),
        st.integers(0, 10_000),
        st.sampled_from(
            ["x", "0,5", "nan", "inf", "-1", "1e999", '"', "\t", "None", "2024-01-01", "µ", "1_0", "True", " "]
        ),
    ),
    min_size=1,
    max_size=4,
)


def spoil(text, faults):
    """The text of a table with faults in it."""
    for kind, place, cell in faults:
        rows = [line.split(",") for line in text.splitlines()]
        if not rows:
            return text
        row = place % len(rows)
        column = place % max(len(rows[row]), 1)
        if kind in ("cell", "blank") and rows[row]:
            rows[row][column] = cell if kind == "cell" else ""
        elif kind == "duplicate":
            rows.append(rows[row])
        elif kind == "column":
            rows = [own[:column] + own[column + 1 :] for own in rows]
        text = "\n".join(",".join(own) for own in rows) + "\n"
        if kind == "cut":
            text = text[: place % max(len(text), 1)]
    return text


@given(spoiled, st.booleans())
@settings(max_examples=100, **quick)
def test_a_spoiled_file_gives_a_reading_or_one_line(tmp_path_factory, faults, named):
    folder = tmp_path_factory.mktemp("spoiled")
    path = folder / "runs.csv"
    path.write_text(spoil(tables.lines(TABLE), faults), encoding="utf-8")
    said = {"factor": "norm", "outcome": "val_loss", "seed": "seed", "epoch": "epoch"} if named else {}
    lines, refused = told(lambda: judgement.reading(tables.study(path=str(path), **said)))
    assert lines or 0 < len(refused) < 1000
