"""A tracker's exports: a chart becomes rows of runs, and runs that did not finish are told."""

import math

import pytest
from result_layouts import write

from bnbench.errors import UserError
from bnbench.own_results.files import read

CHART = """"Step","bn-seed0 - val_loss","bn-seed0 - val_loss__MIN","bn-seed0 - val_loss__MAX","bn-seed0 - _step",\
"none-seed0 - val_loss","none-seed0 - val_loss__MIN","none-seed0 - val_loss__MAX","none-seed0 - _step"
"0","0.5","0.5","0.5","0","0.7","0.7","0.7","0"
"10","","","","","NaN","NaN","NaN","10"
"20","0.25","0.25","0.25","20","","","",""
"""


def chart(tmp_path, content):
    return read(str(write(tmp_path / "chart.csv", content)))


def test_a_chart_becomes_a_row_per_run_and_step(tmp_path):
    long = chart(tmp_path, CHART)
    values = long.table.to_pydict()
    assert [*values] == ["run", "group", "seed", "step", "val_loss"]
    assert values["run"] == ["bn-seed0", "bn-seed0", "none-seed0", "none-seed0"]
    assert (values["group"], values["seed"]) == (["bn", "bn", "none", "none"], [0.0] * 4)
    assert (values["step"], values["val_loss"][:3]) == ([0.0, 20.0, 0.0, 10.0], [0.5, 0.25, 0.7])
    assert math.isnan(values["val_loss"][3])
    assert [long.where(row).rpartition(", ")[2] for row in range(4)] == ["line 2", "line 4", "line 2", "line 3"]
    assert long.factors == ("group",)
    assert long.notes == (
        "A chart of a tracker: 2 runs, of which it has val_loss.",
        "Columns of minima and maxima are left out (4).",
        "The names of all runs end in a seed: the part before it becomes the column 'group'.",
    )


def test_minima_that_differ_from_the_value_are_told(tmp_path):
    long = chart(tmp_path, "epoch,a - acc,a - acc__MIN,b - acc\n0,0.5,0.25,1\n")
    assert long.notes[1].startswith("Columns of minima and maxima are left out (1); some differ from the value itself")
    assert long.table.column("epoch").to_pylist() == [0.0, 0.0]


def test_names_that_do_not_all_end_in_a_seed_stay_whole(tmp_path):
    long = chart(tmp_path, "Step,bn-seed0 - x - acc,baseline - acc\n0,0.5,1\n")
    assert long.table.to_pydict() == {
        "run": ["bn-seed0 - x", "baseline"],
        "step": [0.0, 0.0],
        "acc": [0.5, 1.0],
    }
    assert long.factors == ()


def test_several_metrics_stand_side_by_side(tmp_path):
    long = chart(tmp_path, "trainer/global_step,a - loss,a - acc,b - loss\n0,1,,3\n1,,0.5,\n")
    assert long.table.to_pydict() == {
        "run": ["a", "a", "b"],
        "step": [0.0, 1.0, 0.0],
        "loss": [1.0, None, 3.0],
        "acc": [None, 0.5, None],
    }


def test_a_table_of_runs_tells_which_did_not_finish(tmp_path):
    content = "Name,State,norm,val_loss\na,finished,bn,1\nb,crashed,bn,2\nc,running,none,\nd,,none,4\n"
    long = chart(tmp_path, content)
    assert long.table.num_rows == 4
    told = "1 crashed, 1 running and 1 without a state"
    assert long.notes == (f"3 runs did not finish ({told}): they are kept with their values.",)
    assert chart(tmp_path, "Name,State,norm\na,finished,bn\n").notes == ()


def test_runs_without_values_are_left_out(tmp_path):
    long = chart(tmp_path, "Step,a - loss,b - loss,b - step\n0,1,,0\n")
    assert long.table.to_pydict() == {"run": ["a"], "step": [0.0], "loss": [1.0]}


def test_a_chart_without_values_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"chart\.csv: found a chart without values, allowed: a value"):
        chart(tmp_path, "Step,a - loss,a - loss__MIN\n0,,1\n")


def test_a_table_whose_columns_have_dashes_is_no_chart(tmp_path):
    long = chart(tmp_path, "model,val - acc,test - acc\nbn,1,2\n")
    assert long.table.to_pydict() == {"model": ["bn"], "val - acc": [1.0], "test - acc": [2.0]}
