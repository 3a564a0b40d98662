"""Training where arms are tuned: what is held out is the same for all, and test points have no part in the choice."""

import numpy as np
import pandas as pd
import pytest
import synthetic
from synthetic import CHOSEN

from bnbench import collect, compare, train
from bnbench.catalogue import tasks
from bnbench.plan import config, cost
from bnbench.plan.chunks import all_chunks
from bnbench.store import chunk_files, report_tables, tables

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan(optimizer=[{"name": "adam", "lr": [0.001, 0.01, 0.1]}], batch_size=["full", 25], tune={})

TINY = {
    "study": "tiny",
    "task": {"name": "sine", "points": 20, "test_points": 15},
    "hidden": [4],
    "epochs": 6,
    "evaluate_every": 2,
    "seeds": 3,
    "batch_size": [5],
    "optimizer": [{"name": "adam", "lr": [0.001, 0.1]}],
    "tune": {"validation": 0.25},
}


def trained(folder):
    """A tiny study, trained and compared; its curves, predictions and rates."""
    study = config.load(TINY, "tiny")
    for chunk in all_chunks(study, cost.seeds_per_job):
        train.run(chunk, folder / "results", 1)
    collect.run(study, folder / "results", folder / "data")
    compare.run(study, folder / "data", folder, synthetic.SPLITS)
    curves, predictions = (
        tables.read_parquet(folder / "data" / f"{name}.parquet") for name in ("curves", "predictions")
    )
    return curves.to_pandas(), predictions.to_pandas(), report_tables.read(folder, "tuned")


def test_other_test_points_leave_every_bit_of_training_and_validation_and_the_rates(tmp_path, monkeypatch):
    curves, predictions, tuned = trained(tmp_path / "one")
    drawn = tasks.Sine.data

    def shuffled(self, seed):
        data = drawn(self, seed)
        return data._replace(test_y=np.random.default_rng(seed).permutation(data.test_y))

    monkeypatch.setattr(tasks.Sine, "data", shuffled)
    other_curves, other_predictions, other_tuned = trained(tmp_path / "other")
    kept = ["setting", "seed", "epoch", "train_loss", "eval_loss", "validation_loss"]
    pd.testing.assert_frame_equal(curves[kept], other_curves[kept], check_exact=True)
    assert curves["validation_loss"].notna().sum() == 3 * 3 * 4
    assert (curves["test_loss"] != other_curves["test_loss"])[curves["test_loss"].notna()].all()
    pd.testing.assert_frame_equal(predictions.drop(columns="y"), other_predictions.drop(columns="y"), check_exact=True)
    assert tuned[[*CHOSEN]].equals(other_tuned[[*CHOSEN]])
    assert tuned["effect"].tolist() != other_tuned["effect"].tolist()


def test_points_for_validation_are_the_same_in_all_arms_and_at_all_rates_and_others_for_another_seed():
    def held(setting, seed):
        return tuple(tasks.of(setting.spec).data(seed).validation_x[:, 0])

    assert len({held(setting, 4) for setting in STUDY.settings}) == 1
    assert len({held(STUDY.settings[0], seed) for seed in range(9)}) == 9


def test_a_test_loss_that_is_not_finite_leaves_the_validation_losses(tmp_path, monkeypatch):
    study = config.load({**TINY, "seeds": 2}, "tiny")
    drawn = tasks.Sine.data

    def infinite(self, seed):
        data = drawn(self, seed)
        return data._replace(test_y=data.test_y + (np.inf if seed == 1 else 0.0))

    monkeypatch.setattr(tasks.Sine, "data", infinite)
    chunk = all_chunks(study, cost.seeds_per_job)[0]
    train.run(chunk, tmp_path, 1)
    rows = tables.read_parquet(chunk_files.paths(chunk, tmp_path)["losses"]).to_pandas()
    own = rows[rows["seed"] == 1]
    assert own["test_loss"].isna().all()
    assert own["validation_loss"].notna().sum() == 3
