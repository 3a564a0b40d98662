"""One setting's trials, out of the collected tables and into arrays: what every comparison and summary starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench import stats, tables
from bnbench.errors import UserError
from bnbench.stats import Array
from bnbench.study import Setting, Study, evaluated_epochs
from bnbench.tables import OUTCOMES


@dataclass(frozen=True)
class Readings:
    """The trials of one setting that can be used: each seed once, in ascending order."""

    setting: Setting
    trials: pd.DataFrame
    """Rows of the table of trials, indexed by seed."""
    losses: dict[str, Array]
    """Outcome → [epochs at which it is measured, seeds]; NaN from a trial's divergence on."""
    epochs: dict[str, NDArray[np.int64]]
    """Outcome → the epochs at which it is measured."""
    left_out: dict[int, str]
    """Seed → why none of its trials is here: missing, duplicated or not asked for."""

    @property
    def seeds(self) -> NDArray[np.int64]:
        """The seeds, [seeds]."""
        return self.trials.index.to_numpy(np.int64)

    def final(self, outcome: str, share: float) -> pd.Series[float]:
        """Mean log loss over the last `share` of the measured epochs (0: the last alone), by seed; NaN if diverged."""
        return pd.Series(stats.log_losses(self._window(outcome, share)).mean(0), self.trials.index)

    def floored(self, outcome: str, share: float) -> pd.Series[int]:
        """How many losses of that window were raised to `stats.FLOOR` before the logarithm, by seed."""
        return pd.Series((self._window(outcome, share) < stats.FLOOR).sum(0), self.trials.index)

    def _window(self, outcome: str, share: float) -> Array:
        losses = self.losses[outcome]
        return losses[len(losses) - stats.window_length(len(losses), share) :]


def read(study: Study, data: Path, setting: Setting) -> Readings:
    """The trials of `setting` in the study's folder of collected tables.

    Raises:
        UserError: a table is absent or corrupt, or a trial lacks some of its epochs.
    """
    mine = [("setting", "=", setting.address)]
    trials = tables.read_parquet(data / "trials.parquet", filters=mine).to_pandas()
    asked = set(study.seeds)
    duplicated = set(trials.loc[trials.seed.duplicated(), "seed"])
    left_out = {
        **dict.fromkeys(sorted(asked - set(trials.seed)), "missing"),
        **dict.fromkeys(sorted(duplicated), "duplicated"),
        **dict.fromkeys(sorted(set(trials.seed) - asked), "not asked for"),
    }
    trials = trials[~trials.seed.isin(left_out)].set_index("seed").sort_index()
    columns = ["seed", "epoch", *OUTCOMES]
    curves = tables.read_parquet(data / "curves.parquet", filters=mine, columns=columns).to_pandas()
    curves = curves[curves.seed.isin(trials.index)].sort_values(["seed", "epoch"])
    epochs = int(setting.spec["epochs"])
    if not np.array_equal(curves.epoch, np.tile(np.arange(epochs), len(trials))):
        raise UserError(
            f"{data}/curves.parquet: {setting.address} has {len(curves)} rows, allowed: each of {epochs} epochs once "
            f"for each of {len(trials)} trials; delete the file and run the workflow again"
        )
    every = np.arange(epochs)
    evaluated = np.array(evaluated_epochs(epochs, int(setting.spec["evaluate_every"])))
    measured = {outcome: every if outcome == "train_loss" else evaluated for outcome in OUTCOMES}
    losses = {
        outcome: curves[outcome].to_numpy(np.float64).reshape(len(trials), epochs).T[measured[outcome]]
        for outcome in OUTCOMES
    }
    return Readings(setting, trials, losses, measured, left_out)
