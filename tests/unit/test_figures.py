"""The figures: they show what the tables hold, for every shape that a study can have."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from synthetic import collected, plan

from bnbench import compare, contents, drawing, figures, tables

GRID = {"batch_size": ["full", 25], "optimizer": [{"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.01}]}
TWO = {"batch_size": ["full", 25]}
STUDIES = {
    "a grid": (GRID, {}),
    "one context": ({}, {}),
    "three arms": ({**TWO, "norm": ["none", "batch", {"name": "batch", "momentum": 0.5}]}, {}),
    "optimizers compared": ({**GRID, "report": {"factor": "optimizer", "baseline": "adam"}}, {}),
    "batch sizes compared": ({**TWO, "report": {"factor": "batch_size", "baseline": "full"}}, {}),
    "two tasks": ({"task": ["sine", "mixture"], "batch_size": [16, 25]}, {}),
    "many inputs": ({"task": "diabetes"}, {}),
    "one seed": ({"seeds": 1}, {}),
    "some diverged": (TWO, {"diverged": lambda labels, seed: 3 if labels["norm"] == "batch" and seed < 2 else None}),
    "an arm diverged": (TWO, {"diverged": lambda labels, seed: 3 if labels["norm"] == "batch" else None}),
    "all diverged": (TWO, {"diverged": lambda labels, seed: 0}),
    "an arm missing": (TWO, {"seeds": lambda labels: [] if labels["norm"] == "batch" else None}),
    "nothing trained": (TWO, {"seeds": lambda labels: []}),
    "the outcome is the train loss": ({"report": {"outcome": "train_loss"}}, {}),
}


def compared(tmp_path, changes, options):
    study = plan(**changes)
    compare.run(study, collected(study, tmp_path / "data", noise=0.2, **options), tmp_path)
    return study


def table(tmp_path, name):
    return tables.read_csv(tmp_path / "tables" / f"{name}.csv")


@pytest.fixture(autouse=True)
def style():
    drawing.set_style()
    yield
    plt.close("all")


@pytest.mark.parametrize("name", STUDIES)
def test_every_kind_of_study_has_all_its_figures(tmp_path, name):
    study = compared(tmp_path, *STUDIES[name])
    figures.run(study, tmp_path)
    drawn = {path.name for path in (tmp_path / "figures").iterdir()}
    assert drawn == {f"{figure}.{ending}" for figure in contents.figures(study) for ending in ("svg", "png")}
    assert ("fit" in contents.figures(study)) == (name != "many inputs")


def test_the_same_tables_give_the_same_bytes(tmp_path):
    study = compared(tmp_path, {}, {})
    digests = []
    for _ in range(2):
        figures.run(study, tmp_path)
        files = sorted((tmp_path / "figures").iterdir())
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert digests[0] == digests[1]


def test_the_forest_stands_at_the_ratios_of_the_table(tmp_path):
    study = compared(tmp_path, GRID, {"ratio": lambda labels, seed: 3.0 if labels["norm"] == "batch" else 1.0})
    contexts = table(tmp_path, "contexts")
    ax = figures.forest(study, contexts).axes[0]
    dots = [line.get_xdata() for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(np.ravel(dots), contexts["ratio"])
    low, high = ax.get_xlim()
    assert low < min(1 / study.report.margin, contexts["ratio_low"].min())
    assert high > contexts["ratio_high"].max()
    shown = {text.get_text() for text in ax.texts}
    assert set(contexts["verdict"]) <= shown


def test_every_seed_is_plotted(tmp_path):
    at = {("batch", 1): 5, ("batch", 4): 5}
    study = compared(tmp_path, {}, {"diverged": lambda labels, seed: at.get((labels["norm"], seed))})
    ax = figures.pairs(study, table(tmp_path, "pairs")).axes[0]
    losses = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() == "o"])
    assert np.isfinite(losses).sum() == 2 * len(study.seeds) - 2
    assert [text.get_text() for text in ax.texts] == ["2 diverged"]


def test_an_arm_has_one_colour_in_all_figures(tmp_path):
    study = compared(tmp_path, STUDIES["three arms"][0], {})
    colours = drawing.palette(study)
    assert len(set(colours.values())) == 3
    curve_colours = {line.get_color() for line in figures.curves(study, table(tmp_path, "curves")).axes[0].lines}
    assert curve_colours == set(colours.values())


def test_the_colour_of_a_verdict_is_that_of_the_better_arm():
    study = plan()
    colours = drawing.palette(study)
    row = {"baseline": "none", "treatment": "batch"}
    assert drawing.winner(study, {**row, "verdict": "hurts"}) == colours["none"]
    assert drawing.winner(study, {**row, "verdict": "helps"}) == colours["batch"]
    assert drawing.winner(study, {**row, "verdict": "undecided"}) == drawing.GREY


def test_contexts_keep_their_rows_when_they_are_named(tmp_path):
    study = compared(tmp_path, GRID, {})
    pairs = table(tmp_path, "pairs")
    names = pd.Series(drawing.context_names(study, pairs))
    assert names.nunique() == 4
    assert (names.groupby([pairs["batch_size"], pairs["optimizer"]]).nunique() == 1).all()
