"""Tables of people's own, through Snakemake to the page: labels of every kind, several targets, ids, dates, gaps."""

import html
import re

import numpy as np
import pandas as pd
import pytest

from bnbench.catalogue.datafiles import read_table
from bnbench.streams import stream

ROWS, SEEDS = 60, 2
SMALL = {"batch_size": ["full"], "seeds": SEEDS, "seeds_per_job": {"cpu": SEEDS}, "epochs": 60, "evaluate_every": 20}


@pytest.fixture
def houses(checkout):
    """A checkout with a table whose label stands there as 0 and 1, as text and as booleans."""
    draws = np.random.default_rng(0)
    area = draws.uniform(50, 150, ROWS)
    bought = (area + draws.normal(0, 5, ROWS) > 100).astype(int)
    frame = pd.DataFrame(
        {
            "id": [f"h{row}" for row in range(ROWS)],
            "sold": [f"2020-{1 + row // 28:02}-{1 + row % 28:02}" for row in range(ROWS)],
            "area": area,
            "city": draws.choice(["Lyon", "Oslo, N"], ROWS),
            "number": bought,
            "word": np.where(bought, "yes", "no"),
            "truth": bought.astype(bool),
            "price": 2000 * area + draws.normal(0, 1000, ROWS),
            "rent": 10 * area,
            "tax": area / 7 + draws.normal(0, 1, ROWS),
        }
    )
    frame.to_csv(checkout.folder / "houses.csv", index=False)
    checkout.frame = frame
    return checkout


def page_of(checkout):
    return html.unescape((checkout.report / "index.html").read_text())


def in_order(losses):
    """What was measured at each epoch of each trial."""
    trial = ["norm", "seed", "epoch"]
    return losses.sort_values(trial)[[*trial, "train_loss", "test_loss", "test_accuracy", "auc"]].reset_index(drop=True)


def split(seed, rows=ROWS):
    """The rows that train and those that test, of a seed."""
    order = stream(seed, "data").permutation(rows)
    test = round(rows * 0.2)
    return order[: rows - test], order[rows - test :]


def test_a_label_is_classes_however_it_is_written_and_the_page_has_its_accuracy_in_per_cent(houses):
    labels = ("number", "word", "truth")
    tasks = [
        {"name": "table", "path": "houses.csv", "target": label, "drop": ["id", "sold", "price", "rent", "tax"]}
        | {"test_fraction": 0.2}
        for label in labels
    ]
    for task, label in zip(tasks, labels, strict=True):
        task["drop"] = [*task["drop"], *(other for other in labels if other != label)]
    houses.study(task=tasks, report={"outcome": "test_accuracy", "window": 0}, **SMALL)
    run = houses.run()
    for label, names in zip(labels, (("0", "1"), ("no", "yes"), ("False", "True")), strict=True):
        assert f"The target {label} is taken as 2 classes" in run.stderr
        counts = houses.frame[label].value_counts().sort_index().tolist()
        shares = " and ".join(f"{name} ({count / ROWS:.0%})" for name, count in zip(names, counts, strict=True))
        assert shares.replace("%", " %") in page_of(houses)
    losses = pd.read_parquet(houses.results / "losses")
    by_task = [rows.drop(columns=["task", "setting"], errors="ignore") for _, rows in losses.groupby("task")]
    assert len(by_task) == len(labels)
    for other in by_task[1:]:  # the same classes of the same rows, to the last bit
        pd.testing.assert_frame_equal(in_order(other), in_order(by_task[0]))
    last = losses[losses["epoch"] == SMALL["epochs"] - 1]
    right = 12 * last["test_accuracy"]  # of 12 tested rows
    np.testing.assert_allclose(right, right.round(), rtol=1e-6)
    first = last[last["task"] == last["task"].iloc[0]].groupby("norm")["test_accuracy"].mean()
    assert first["none"] > 0.7
    page = page_of(houses)
    for accuracy in first:
        assert re.search(rf"\b{100 * accuracy:.3g} %", page)


def test_several_targets_are_predicted_together_and_ids_and_dates_are_told_of(houses):
    task = {"name": "table", "path": "houses.csv", "target": ["price", "rent", "tax"], "unit": "€"}
    houses.study(task={**task, "drop": ["number", "word", "truth"]}, **SMALL)
    run = houses.run()
    for column, inputs in (("id", 60), ("sold", 60)):
        assert re.search(
            rf"warning: houses\.csv: column {column} .* {inputs} inputs; .* drop: \[.*id, sold\]", run.stderr
        )
    assert "60 rows; each seed tests 12 of them" in page_of(houses)
    assert "123 inputs, 122 of them for the categories id (60), sold (60) and city (2)" in page_of(houses)
    trials = pd.read_parquet(houses.results / "trials")
    whole = houses.frame[["price", "rent", "tax"]].to_numpy()
    for _, trial in trials.iterrows():
        train, test = (whole[rows] for rows in split(trial["seed"]))
        variance = (test.var(axis=0) / train.std(axis=0) ** 2).mean()
        assert trial["target_variance"] == pytest.approx(variance)
        assert 1 - trial["test_loss"] / variance == pytest.approx(trial["r2"], rel=1e-4)


def test_missing_rows_are_told_of_and_a_category_of_the_test_part_alone_trains(houses):
    frame = houses.frame[["area", "city", "rent"]].copy()
    frame.loc[[2, 4, 6], "area"] = np.nan
    frame.loc[6, "city"] = None
    kept = frame.dropna().index
    in_both = {int(kept[row]) for row in split(0, 57)[1]} & {int(kept[row]) for row in split(1, 57)[1]}
    frame.loc[min(in_both), "city"] = "Rome"
    frame.to_csv(houses.folder / "gaps.csv", index=False)
    task = {"name": "table", "path": "gaps.csv", "target": "rent", "missing": "drop", "unit": "€"}
    houses.study(task=task, **SMALL)
    houses.run()
    page = page_of(houses)
    assert "gaps.csv: 57 of 60 rows are used, since 3 lack area and 1 lacks city; each seed tests 11 of them" in page
    rent = frame.dropna()["rent"]
    assert f"mean {rent.mean():.4g} €, standard deviation {rent.std(ddof=0):.4g} €" in page
    assert re.search(r"root mean square errors [\d.,]+ and [\d.,]+ €", page)
    trials = pd.read_parquet(houses.results / "trials")
    assert np.isfinite(trials["test_loss"]).all()
    x = read_table(str(houses.folder / "gaps.csv"), "rent", "drop").x
    assert (x[split(0, 57)[0], 3] == 0).all()
    assert x[:, 3].sum() == 1
