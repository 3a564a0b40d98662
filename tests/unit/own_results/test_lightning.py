"""Lightning's runs: rows with blanks become one a row per epoch, with the hyperparameters that differ."""

import math

import pytest
from result_layouts import write

from bnbench.errors import UserError
from bnbench.own_results.files import read

METRICS = """epoch,lr-SGD,step,train_loss_epoch,train_loss_step,val_loss
,0.001,1,,,
0,,1,,0.42,
,0.001,3,,,
0,,3,,0.34,
0,,3,,,0.5
0,,3,0.51,,
,0.0001,5,,,
1,,5,,0.4,
,0.0001,7,,,
1,,7,,0.36,
1,,7,,,nan
1,,7,0.49,,
"""
"""What Lightning's CSVLogger and its monitor of learning rates wrote, cut to two epochs of two steps."""


def runs(folder, *hparams, metrics=METRICS):
    for place, each in enumerate(hparams):
        write(folder / f"version_{place}" / "metrics.csv", metrics)
        if each is not None:
            write(folder / f"version_{place}" / "hparams.yaml", each)
    return str(folder)


def test_an_epoch_is_a_row_with_the_last_value_of_what_it_has_several_of(tmp_path):
    long = read(runs(tmp_path, "norm: bn\nseed: 0\n", "norm: null\nseed: 0\n"))
    values = long.table.to_pydict()
    assert long.table.num_rows == 4
    assert values["run"] == ["version_0", "version_0", "version_1", "version_1"]
    assert values["norm"] == ["bn", "bn", "None", "None"]
    assert values["seed"] == [0.0] * 4
    assert (values["epoch"], values["step"]) == ([0.0, 1.0] * 2, [3.0, 7.0] * 2)
    assert values["train_loss_step"] == [0.34, 0.36] * 2
    assert values["train_loss_epoch"] == [0.51, 0.49] * 2
    assert values["lr-SGD"] == [0.001, 0.0001] * 2
    assert values["val_loss"][0] == 0.5
    assert math.isnan(values["val_loss"][1])
    assert long.factors == ("norm",)
    assert [long.where(row).rpartition("version_")[2] for row in range(3)] == [
        "0/metrics.csv, line 2",
        "0/metrics.csv, line 8",
        "1/metrics.csv, line 2",
    ]
    assert long.notes == (
        "2 runs of Lightning, each named by its folder in the column 'run'.",
        "The rows of an epoch are one; of lr-SGD and train_loss_step, the last value in it.",
        "Hyperparameters that differ between runs, and seeds, are columns: norm and seed.",
    )


def test_what_is_logged_by_step_alone_stays_by_step(tmp_path):
    metrics = "epoch,step,loss,grad\n0,1,0.5,\n0,1,,3\n0,2,0.4,\n0,2,,2\n"
    values = read(runs(tmp_path, "lr: 1", "lr: 2", metrics=metrics)).table.to_pydict()
    assert (values["step"], values["loss"], values["grad"]) == ([1.0, 2.0] * 2, [0.5, 0.4] * 2, [3.0, 2.0] * 2)


def test_a_check_before_training_leaves_a_row_per_epoch(tmp_path):
    metrics = "epoch,step,train_step,val_loss\n0,0,,9\n0,1,5,\n0,2,4,\n0,2,,1\n1,4,3,\n1,4,,0.5\n2,6,,0.25\n"
    values = read(runs(tmp_path, "lr: 1", "lr: 2", metrics=metrics)).table.to_pydict()
    assert values["val_loss"] == [1.0, 0.5, 0.25] * 2


def test_hyperparameters_that_differ_are_columns_whatever_form_they_have(tmp_path):
    first = "opt: {lr: 1e-3, name: sgd}\nsizes: [4, 4]\nsame: 1\ndata: {seed: 5}\nbias: true\n"
    second = "opt: {lr: 0.01, name: sgd}\nsizes: [8]\nsame: 1\ndata: {seed: 5}\nbias: false\nextra: x\n"
    long = read(runs(tmp_path, first, second))
    values = long.table.to_pydict()
    assert values["opt.lr"] == [0.001, 0.001, 0.01, 0.01]
    assert values["sizes"] == ["[4, 4]"] * 2 + ["[8]"] * 2
    assert values["data.seed"] == [5.0] * 4
    assert values["bias"] == ["True"] * 2 + ["False"] * 2
    assert values["extra"] == [None, None, "x", "x"]
    assert long.factors == ("opt.lr", "sizes", "bias", "extra")
    assert "same" not in values


def test_runs_without_hyperparameters_are_told(tmp_path):
    long = read(runs(tmp_path, None, None))
    assert long.factors == ()
    assert "No hyperparameters differ between runs; a pattern takes factors from the names of folders." in long.notes


def test_a_folder_that_is_a_run_itself_is_called_by_its_name(tmp_path):
    write(tmp_path / "bn" / "metrics.csv", METRICS)
    assert {*read(str(tmp_path / "bn")).table.column("run").to_pylist()} == {"bn"}


def test_a_metric_called_like_a_hyperparameter_is_refused(tmp_path):
    path = runs(tmp_path, "val_loss: 1", "val_loss: 2")
    with pytest.raises(UserError, match=r"version_0/metrics\.csv: found the column 'val_loss', allowed: metrics with"):
        read(path)


def test_a_broken_metrics_file_is_named_with_its_line(tmp_path):
    path = runs(tmp_path, None, metrics="epoch,step\n0,1\n1\n")
    with pytest.raises(UserError, match=r"version_0/metrics\.csv, line 3: found 1 cell, allowed: 2"):
        read(path)


def test_a_pattern_takes_factors_from_folders_and_merges_rows_too(tmp_path):
    for norm in ("bn", "none"):
        write(tmp_path / norm / "seed1" / "metrics.csv", METRICS)
    long = read(str(tmp_path), "{norm}/seed{seed}/metrics.csv")
    assert long.table.num_rows == 4
    assert long.table.column("norm").to_pylist() == ["bn", "bn", "none", "none"]


def test_event_files_beside_metrics_are_told_and_not_read(tmp_path):
    path = runs(tmp_path, None)
    write(tmp_path / "version_0" / "events.out.tfevents.1.x", "no event")
    assert read(path).notes[0] == "TensorBoard's event files beside metrics.csv are not read."
