"""Random splits of one data set: which contexts have a corrected interval, and that it holds where the plain one fails.

The simulation draws data sets from a population, and compares a regression with the mean on many splits of each.
"""

import math

import constructed
import numpy as np
import pytest
import synthetic
from scipy import stats as scipy_stats

from bnbench.judging import stats

pytestmark = pytest.mark.filterwarnings("error")

LEVELS = ["all", "data", "weights", "order"]
DIABETES = {"task": ["diabetes"], "batch_size": [25]}


def contexts(tmp_path, study):
    return synthetic.compared(tmp_path, study, noise=0.2)[0]["contexts"]


@pytest.mark.parametrize(("fraction", "test_per_train"), [(0.2, 88 / 354), (0.8, 354 / 88)])
def test_it_is_the_plain_interval_of_the_context_widened_by_the_sizes_of_the_split(tmp_path, fraction, test_per_train):
    study = synthetic.plan(**{**DIABETES, "task": {"name": "diabetes", "test_fraction": fraction}})
    (row,) = contexts(tmp_path, study).to_dict("records")
    wider = math.sqrt(1 + row["pairs"] * test_per_train)
    effect, low, high = (math.log(row[name]) for name in ("effect", "own_low", "own_high"))
    assert math.log(row["corrected_low"]) == pytest.approx(effect - (effect - low) * wider)
    assert math.log(row["corrected_high"]) == pytest.approx(effect + (high - effect) * wider)


def test_it_is_there_where_each_seed_draws_another_split_of_the_same_rows(tmp_path):
    study = synthetic.plan(task=["diabetes", {"name": "sine", "noise": 0.1}], batch_size=[25], seed_varies=LEVELS)
    table = contexts(tmp_path, study)
    there = table["corrected_low"].notna()
    assert (there == table["corrected_high"].notna()).all()
    assert (there == (table["task"].eq("diabetes") & table["seed_varies"].isin(["all", "data"]))).all()


@pytest.mark.parametrize(
    ("report", "there"),
    [
        ({"outcome": "test_loss"}, True),
        ({"outcome": "test_loss_precise"}, True),
        ({"outcome": "train_loss"}, False),
        ({"outcome": "eval_loss"}, False),
        ({"outcome": "generalization_gap"}, False),
    ],
)
def test_it_is_there_for_outcomes_that_are_means_over_the_test_points(tmp_path, report, there):
    table = contexts(tmp_path, synthetic.plan(**DIABETES, report=report))
    assert table["corrected_low"].notna().tolist() == [there]


@pytest.mark.parametrize("case", ["accuracies", "accuracies of BN lower"])
def test_of_scores_it_lies_around_the_effect_and_around_the_plain_interval(tmp_path, case):
    rows = constructed.page(constructed.CASES[case], tmp_path).found["contexts"]
    apart = rows[rows["own_low"] < rows["own_high"]]
    ordered = apart[["corrected_low", "own_low", "effect", "own_high", "corrected_high"]].to_numpy()
    assert len(ordered) > 0
    assert (np.diff(ordered, axis=1) > 0).all()


def test_it_is_not_there_where_tasks_are_compared(tmp_path):
    tasks = ["diabetes", {"name": "diabetes", "test_fraction": 0.5}]
    study = synthetic.plan(task=tasks, batch_size=[25], report={"factor": "task", "baseline": "diabetes"})
    assert contexts(tmp_path, study)["corrected_low"].isna().all()


def test_no_verdict_depends_on_it(tmp_path):
    split, drawn = (synthetic.plan(task=task, batch_size=[25], seeds=20) for task in ("diabetes", "sine"))
    found = [
        synthetic.compared(tmp_path, study, noise=0.2, ratio=synthetic.arms(batch=1.2))[0]["contexts"]
        for study in (split, drawn)
    ]
    assert found[0]["corrected_low"].item() < 1 < found[0]["own_low"].item()
    assert [table["verdict"].item() for table in found] == ["hurts", "hurts"]


def test_points_held_out_to_choose_by_do_not_change_the_share_of_rows_that_are_tested():
    rates = {"optimizer": [{"name": "sgd", "lr": [0.01, 0.1]}]}
    plain, tuned = synthetic.plan(**DIABETES), synthetic.plan(**{**DIABETES, **rates}, tune={"validation": 0.2})
    ratios = {study.test_per_train(labels) for study in (plain, tuned) for labels, _ in study.contexts()}
    assert ratios == {88 / 354}


ROWS = 100
"""Of each simulated data set."""


def drawn(generator, shape):
    x = generator.normal(size=shape)
    return x, 0.3 * x + generator.normal(size=shape)


def log_ratios(x, y, tested):
    """Log ratio of the test losses, of a regression through 0 to no prediction, of splits [..., rows]."""
    slope = (x * y)[..., tested:].sum(-1) / (x * x)[..., tested:].sum(-1)
    error = y[..., :tested] - slope[..., None] * x[..., :tested]
    return np.log((error**2).mean(-1) / (y[..., :tested] ** 2).mean(-1))


@pytest.mark.parametrize(
    ("tested", "splits", "plain_at_most", "corrected_at_least"),
    [(20, 20, 0.7, 0.88), (20, 200, 0.35, 0.88), (50, 50, 0.4, 0.92), (80, 200, 0.4, 0.95)],
)
def test_for_the_population_the_plain_interval_fails_and_the_corrected_one_about_holds(
    tested, splits, plain_at_most, corrected_at_least
):
    generator = np.random.default_rng(tested + splits)
    truth = log_ratios(*drawn(generator, (40_000, ROWS)), tested).mean()
    held = np.zeros(2)
    data_sets = 400
    for _ in range(data_sets):
        x, y = drawn(generator, ROWS)
        order = generator.permuted(np.tile(np.arange(ROWS), (splits, 1)), axis=1)
        differences = log_ratios(x[order], y[order], tested)
        intervals = (
            stats.t_interval(differences, 0.95),
            stats.corrected_interval(differences, 0.95, tested / (ROWS - tested)),
        )
        held += [interval.low <= truth <= interval.high for interval in intervals]
    plain, corrected = held / data_sets
    assert plain < plain_at_most
    assert corrected > corrected_at_least


def test_for_these_rows_the_plain_interval_holds():
    generator = np.random.default_rng(0)
    x, y = drawn(generator, ROWS)

    def on_splits(count):
        order = generator.permuted(np.tile(np.arange(ROWS), (count, 1)), axis=1)
        return log_ratios(x[order], y[order], 20)

    truth = on_splits(200_000).mean()
    intervals = [stats.t_interval(on_splits(20), 0.95) for _ in range(1000)]
    held = sum(interval.low <= truth <= interval.high for interval in intervals)
    assert scipy_stats.binomtest(held, 1000, 0.95).pvalue > 1e-4
