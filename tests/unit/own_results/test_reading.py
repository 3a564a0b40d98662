"""What is read of a table: the facts and the cells, in whatever order its rows and columns stand; or one message."""

import copy
import json
import math

import numpy as np
import own_tables as tables
import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_tables import grid, measured

from bnbench.errors import UserError
from bnbench.own_results import files, reading
from bnbench.own_results.columns import Columns
from bnbench.own_results.levels import in_order, label
from bnbench.own_results.roles import Wanted

ARMS = {"norm": ["none", "batch"]}
SIMPLE = measured(grid(**ARMS, lr=[0.1, 0.2], seed=range(6)), "val_loss")
CURVES = measured(grid(**ARMS, lr=[0.1, 0.2], seed=range(4), epoch=range(3)), "val_loss", "val_acc")


def refused(columns, **said):
    with pytest.raises(UserError) as error:
        tables.read(columns, **said)
    assert "\n" not in str(error.value)
    return str(error.value)


def with_cell(name, row, cell, columns=SIMPLE):
    """The columns with one cell that is another; beside text, numbers are text too, as in a file."""
    cells = [*columns[name]]
    cells[row] = cell
    if isinstance(cell, str):
        cells = [None if each is None else str(each) for each in cells]
    return {**columns, name: cells}


def test_the_facts_are_what_stands_in_the_table():
    found = tables.facts(CURVES, outcome="val_loss")
    assert (found["rows"], found["runs"], found["baseline"]) == (48, 16, "none")
    assert found["factors"] == [
        {"name": "norm", "column": "norm", "levels": ["batch", "none"], "numbers": False},
        {"name": "lr", "column": "lr", "levels": ["0.1", "0.2"], "numbers": True},
    ]
    assert [(each["name"], each["better"], each["scale"]) for each in found["outcomes"]] == [
        ("val_loss", "lower", "ratio"),
        ("val_acc", "higher", "difference"),
    ]
    assert found["seed"] == {"column": "seed", "coded": [], "ranges": [[0, 3]]}
    assert found["epoch"] == {"column": "epoch", "first": 0, "last": 2}
    assert len(found["settings"]) == 4
    assert found["settings"][1] == {"labels": {"norm": "batch", "lr": "0.2"}, "seeds": [[0, 3]]}
    assert json.loads(json.dumps(found)) == found


@given(st.data())
def test_the_order_of_rows_and_columns_changes_nothing(data):
    columns = {**CURVES, "note": ["x", "y", None, "z"] * 12, "day": ["2024-01-02", "2024-01-03"] * 24}
    columns |= {name: [*cells, *cells[:5]] for name, cells in columns.items()}
    rows = data.draw(st.permutations(range(53)))
    names = data.draw(st.permutations([*columns]))
    other = {name: [columns[name][row] for row in rows] for name in names}
    said = {"outcome": "val_loss", "factor": "norm", "duplicates": "mean"}
    one, two = tables.read(columns, **said), tables.read(other, **said)
    assert one.facts == two.facts
    assert one.curves.equals(two.curves)
    assert (one.settings == two.settings).all()


@given(st.permutations(range(24)))
def test_runs_that_have_no_name_are_told_apart_by_what_stands_in_their_rows(rows):
    columns = {"norm": SIMPLE["norm"], "val_loss": SIMPLE["val_loss"]}
    other = {name: [cells[row] for row in rows] for name, cells in reversed(columns.items())}
    one, two = (tables.read(each, unpaired=True) for each in (columns, other))
    assert one.facts == two.facts
    assert one.curves.equals(two.curves)
    assert one.facts["runs"] == 24


values = st.sampled_from([0.5, 1.0, 2.0, 3.5, math.nan, None])


@given(st.lists(st.tuples(*[st.integers(0, 1)] * 2, st.integers(0, 3), st.integers(0, 2), values), min_size=20))
def test_curves_hold_each_cell_of_the_table_once(rows):
    rows = [*rows, (0, 0, 4, 0, 1.5), (1, 0, 4, 0, 2.5), (0, 0, 5, 0, 2.0)]  # a pair at least, so that none is refused
    columns = {
        name: [row[place] for row in rows] for place, name in enumerate(("arm", "task", "seed", "epoch", "val_loss"))
    }
    columns |= {name: [f"{name}{cell}" for cell in columns[name]] for name in ("arm", "task")}
    said = {"factor": "arm", "contexts": ["task"], "epoch": "epoch", "duplicates": "mean", "empty": "stopped"}
    found = tables.read(columns, baseline="arm0", **said)
    cells = {}
    for arm, task, seed, epoch, loss in rows:
        cells.setdefault((f"arm{arm}", f"task{task}", seed, epoch), []).append(loss)
    curves = found.curves.to_pydict()
    keys = [*zip(*(curves[name] for name in ("arm", "task", "seed", "epoch")), strict=True)]
    assert keys == sorted(cells)
    for key, loss in zip(keys, curves["val_loss"], strict=True):
        own = [each for each in cells[key] if each is not None]
        if not own:
            assert loss is None
        elif any(map(math.isnan, own)):
            assert math.isnan(loss)
        else:
            assert loss == pytest.approx(math.exp(sum(map(math.log, own)) / len(own)), rel=1e-12)
    labels = [each["labels"] for each in found.facts["settings"]]
    assert [(labels[place]["arm"], labels[place]["task"]) for place in found.settings] == [key[:2] for key in keys]


@pytest.mark.parametrize(
    ("columns", "said", "message"),
    [
        (with_cell("val_loss", 3, "diverged"), {"outcome": "val_loss"}, "runs.csv, line 5, column val_loss: found "
         "'diverged' (text), allowed: numbers, nan where a run diverged, and nothing where it was not measured"),
        (with_cell("val_loss", 0, "0,5"), {"outcome": "val_loss"}, "runs.csv, line 2, column val_loss: found '0,5' "
         "(text) (write a decimal point, not a comma), allowed: numbers"),
        (with_cell("val_loss", 7, "1_000"), {"outcome": "val_loss"}, "line 9, column val_loss: found '1_000' (text)"),
        ({**SIMPLE, "val_loss": [0.5] * 24}, {"outcome": "val_loss"}, "runs.csv, column val_loss: found 0.5 in every "
         "row, allowed: an outcome that varies"),
        ({**SIMPLE, "val_loss": [math.nan] * 24}, {"outcome": "val_loss"}, "runs.csv, column val_loss: found no "
         "number, allowed: an outcome that was measured"),
        (with_cell("val_loss", 5, -0.25), {"scale": "ratio"}, "runs.csv, line 7, column val_loss: found -0.25, "
         "allowed: 0 or more, to be compared by ratios; or --scale difference"),
        ({**SIMPLE, "quality": SIMPLE["val_loss"]}, {"outcome": "quality"}, "runs.csv: is a lower or a higher "
         "'quality' better? allowed: --better lower or --better higher"),
        (SIMPLE, {"baseline": "nome"}, "runs.csv: --baseline: found no level 'nome' of 'norm' (did you mean 'none'?), "
         "allowed: one of batch, none"),
        ({**SIMPLE, "norm": ["a"] * 12 + ["b"] * 12}, {}, "runs.csv: which level of 'norm' is the baseline? allowed: "
         "--baseline with one of a, b"),
        ({**SIMPLE, "norm": ["a"] * 24}, {"factor": "norm"}, "runs.csv, column norm: found one level, a, allowed: at "
         "least two, to compare"),
        (with_cell("norm", 20, None), {"factor": "norm"}, "runs.csv, line 22, column norm: found nothing, allowed: a "
         "level in every row, such as none"),
        (with_cell("lr", 1, None), {"contexts": ["lr"]}, "runs.csv, line 3, column lr: found nothing, allowed: a level "
         "in every row"),
        (with_cell("seed", 2, None), {}, "runs.csv, line 4, column seed: found nothing, allowed: the seed of the run "
         "in every row"),
        (with_cell("seed", 2, 0.5), {}, "runs.csv, line 4, column seed: found 0.5, allowed: whole numbers, as the "
         "seed; or --seed with another column"),
        (with_cell("seed", 2, 2.0**60), {}, "runs.csv, line 4, column seed: found 1152921504606846976, allowed: whole "
         "numbers up to 9007199254740992 (2^53)"),
        ({**SIMPLE, "seed": [3] * 24}, {"seed": "seed", "duplicates": "mean"}, "runs.csv, column seed: found one seed, "
         "3, allowed: at least two; with fewer than six nothing can be decided at α = 0.05"),
        ({**SIMPLE, "seed": [*range(24)]}, {"contexts": []}, "runs.csv, column seed: no seed is in both arms (baseline "
         "0, 1, 2, 3, 4 …; others 12, 13, 14, 15, 16 …), allowed: seeds that the arms share; or --unpaired, if they "
         "share none by design"),
        (with_cell("epoch", 4, 0.5, CURVES), {"epoch": "epoch", "outcome": "val_loss"}, "runs.csv, line 6, column "
         "epoch: found 0.5, allowed: whole numbers, as the epoch; or --epoch with another column"),
        (with_cell("epoch", 4, -1, CURVES), {"epoch": "epoch", "outcome": "val_loss"}, "runs.csv, line 6, column "
         "epoch: found -1, allowed: epochs from 0 on"),
        (with_cell("epoch", 4, "four", CURVES), {"epoch": "epoch", "outcome": "val_loss"}, "runs.csv, line 6, column "
         "epoch: found 'four' (text), allowed: whole numbers"),
        (measured({**ARMS, "run": ["a", "b"]}, "val_loss"), {"unpaired": True}, "runs.csv: found 1 and 1 runs in the "
         "two arms, allowed: at least two in each, since one run shows no spread"),
        ({name: cells[:0] for name, cells in SIMPLE.items()}, {}, "runs.csv: found no rows, allowed: one for each run, "
         "or for each run and epoch"),
        (measured(grid(norm=["none"], lr=[0.1], seed=range(4)) | {"norm": ["none", "none", "batch", "batch"],
         "lr": ["x", "x", "y", "y"]}, "val_loss"), {"contexts": ["lr"], "factor": "norm"}, "runs.csv: no context has "
         "runs with norm=none and with another level, allowed: --context with fewer columns"),
        (measured({"norm": ["none", "batch"] * 3, "epoch": [0, 0, 1, 1, 2, 2]}, "val_loss"),
         {"unpaired": True, "epoch": "epoch"}, "runs.csv: no column says which rows belong to one run, allowed: --seed "
         "with one of norm, epoch, val_loss"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_told_in_one_line(columns, said, message):
    assert message in refused(columns, **said)


def test_one_run_against_many_is_refused_where_runs_are_not_paired():
    columns = measured({"norm": ["none", *["batch"] * 9]}, "val_loss")
    assert "found 1 and 9 runs in the two arms, allowed: at least two in each" in refused(columns, unpaired=True)


def test_steps_that_no_runs_share_are_refused_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr("bnbench.own_results.comparable.MOST_CELLS", 11)
    assert "column epoch: found 3 different values, allowed: such as runs share" in refused(CURVES, outcome="val_loss")
    monkeypatch.setattr("bnbench.own_results.comparable.MOST_CELLS", 12)
    tables.read(CURVES, outcome="val_loss")


@pytest.mark.parametrize(
    ("levels", "asked", "found"),
    [
        (["none", "batch"], None, "none"),
        (["None", "batch"], None, "None"),
        (["0", "0.5"], None, "0"),
        (["False", "True"], False, "False"),
        (["False", "True"], "true", "True"),
        (["0.5", "1"], "0.50", "0.5"),
        (["0.5", "1"], 1, "1"),
        (["1e-05", "0.1"], "0.00001", "1e-05"),
    ],
)
def test_a_baseline_is_found_by_its_name_or_as_the_user_writes_it(levels, asked, found):
    columns = measured({"arm": [level for level in levels for _ in range(6)], "seed": [*range(6)] * 2}, "val_loss")
    assert tables.facts(columns, factor="arm", baseline=asked)["baseline"] == found


def test_true_and_false_are_levels_of_a_factor_and_1_and_0_of_an_outcome():
    solved = ["True", "False", "True", "True"] * 6
    found = tables.read({**SIMPLE, "solved": solved}, outcome="solved", factor="norm")
    assert found.facts["outcomes"][0]["per_cent"]
    assert {*found.curves["solved"].to_pylist()} == {0.0, 1.0}


def test_levels_that_differ_by_blanks_are_one_and_by_capitals_two_which_is_told():
    norm = ["none", "Batch"] * 3 + ["none ", "batch"] * 3
    columns = measured({"norm": norm, "seed": [n for n in range(6) for _ in range(2)]}, "val_loss")
    found = tables.facts(columns, baseline="none", factor="norm")
    assert found["factors"][0]["levels"] == ["Batch", "batch", "none"]
    assert found["notes"] == [
        "Levels of 'norm' that differ only by blanks count as one.",
        "Levels of 'norm' that differ only in case stay separate: Batch, batch.",
    ]


def test_seeds_may_be_texts_and_negative():
    columns = {**SIMPLE, "seed": [f"s{seed}" for seed in SIMPLE["seed"]]}
    assert tables.facts(columns, factor="norm")["seed"]["coded"] == ["s0", "s1", "s2", "s3", "s4", "s5"]
    columns = {**SIMPLE, "seed": [seed - 3 for seed in SIMPLE["seed"]]}
    assert tables.facts(columns)["seed"]["ranges"] == [[-3, 2]]


def test_names_that_a_report_has_for_something_else_are_called_otherwise_there():
    columns = {**{("effect" if name == "norm" else name): cells for name, cells in SIMPLE.items()}}
    columns = {**columns, "your effect": SIMPLE["norm"], "seconds": SIMPLE["val_loss"]}
    options = reading.Options(
        Wanted("effect", "seconds"), taken=frozenset({"effect"}), made=frozenset({"seconds", "your seconds"})
    )
    found = reading.of(tables.long(columns), options).facts
    assert found["factors"][0]["name"] == "your effect"
    assert [each["name"] for each in found["outcomes"]] == ["your your seconds", "val_loss"]


def test_more_outcomes_than_a_page_holds_are_set_aside():
    columns = measured(SIMPLE, *(f"loss_{place}" for place in range(40)))
    found = tables.facts(columns, outcome="val_loss")
    assert len(found["outcomes"]) == 31
    assert [reason for _, reason, _ in found["set_aside"]] == ["too many"] * 10


def test_text_of_any_script_is_a_level_and_a_name():
    columns = {"Norm ä": ["ohne", "mit ②"] * 6, "seed": [n for n in range(6) for _ in range(2)]}
    found = tables.facts(measured(columns, "loss ∂"), baseline="ohne")
    assert found["factors"][0]["levels"] == ["mit ②", "ohne"]
    assert found["outcomes"][0]["column"] == "loss ∂"


def test_a_file_of_several_names_the_line_of_its_own(tmp_path):
    for norm in ("none", "batch"):
        (tmp_path / f"{norm}.csv").write_text("seed,val_loss\n0,1\n1,2\n2,x\n")
    long = files.read(str(tmp_path), "{norm}.csv")
    assert Columns(long).source.endswith("batch.csv and 1 more file")
    with pytest.raises(UserError, match=r"batch\.csv, line 4, column val_loss: found 'x' \(text\)"):
        reading.of(long, reading.Options(Wanted(outcome="val_loss")))


def test_a_reading_leaves_its_table_as_it_was():
    long = tables.long(CURVES)
    before = copy.deepcopy(long.table.to_pydict())
    reading.of(long, reading.Options(Wanted(outcome="val_loss")))
    assert long.table.to_pydict() == before


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=6, unique=True))
def test_labels_of_numbers_read_as_the_same_numbers_in_their_order(numbers):
    labels = [label(number) for number in numbers]
    assert [float(text) for text in labels] == [number + 0.0 for number in numbers]
    ordered = [float(text) for text in in_order({*labels})]
    assert ordered == sorted({number + 0.0 for number in numbers})


def test_labels_are_in_the_order_that_people_expect():
    labels = ["resnet50", "resnet18", "10", "9", "-1", "1e-3", "b", "B", "nan", "½2"]
    assert in_order(labels) == ["-1", "1e-3", "9", "10", "B", "b", "nan", "resnet18", "resnet50", "½2"]
    assert [label(value) for value in (0.5, 1e5, np.float64(1e-5), "  a  b ", True)] == [
        "0.5",
        "100000",
        "1e-05",
        "a b",
        "True",
    ]


def test_a_name_of_several_lines_gives_a_message_of_one():
    columns = {
        ("val\nloss" if name == "val_loss" else name): cells for name, cells in with_cell("val_loss", 1, "x").items()
    }
    assert "column val loss: found 'x' (text)" in refused(columns, outcome="val\nloss")
