"""One setting's trials, out of the collected tables and into arrays: what every comparison and summary starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from bnbench.epochs import evaluated_epochs, window_length
from bnbench.errors import UserError
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study
from bnbench.store import derived, tables
from bnbench.vocabulary import AUC, LOSSES, MEASURED, VALIDATION

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Trials:
    """The trials of one setting that can be used: each seed once, in ascending order."""

    setting: Setting
    rows: pd.DataFrame
    """Rows of the table of trials, indexed by seed."""
    losses: dict[str, Array]
    """What was measured → [epochs at which it is measured, seeds]; not finite from a trial's divergence on."""
    epochs: dict[str, NDArray[np.int64]]
    """The same → the epochs at which it is measured."""
    left_out: dict[int, str]
    """Seed → why none of its trials is here: missing, duplicated or not asked for."""
    measured: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    """What was not measured at all of its epochs of all trials → where it was, [epochs, seeds]."""

    @property
    def seeds(self) -> NDArray[np.int64]:
        """The seeds, [seeds]."""
        return self.rows.index.to_numpy(np.int64)

    def begun(self, outcome: str) -> int:
        """How many of its first epochs some trial had no measurement of an outcome yet."""
        there = self.measured.get(outcome)
        return 0 if there is None or not there.size else int(there.argmax(0).max())

    def last(self, outcome: str) -> NDArray[np.int64]:
        """Where among its epochs each trial was measured last, [seeds]."""
        end = len(self.epochs[outcome]) - 1
        if (there := self.measured.get(outcome)) is None:
            return np.full(len(self.rows), end, np.int64)
        return np.asarray(end - there[::-1].argmax(0), np.int64)

    def of(self, seeds: NDArray[np.int64]) -> Trials:
        """The trials of these seeds alone; each must be there."""
        chosen = np.searchsorted(self.seeds, seeds)
        losses = {outcome: values[:, chosen] for outcome, values in self.losses.items()}
        measured = {outcome: there[:, chosen] for outcome, there in self.measured.items()}
        return replace(self, rows=self.rows.iloc[chosen], losses=losses, measured=measured)


def read(study: Study, data: Path, setting: Setting) -> Trials:
    """The trials of `setting` in the study's folder of collected tables.

    Raises:
        UserError: a table is absent or corrupt, a trial lacks some of its epochs, or a loss is negative.
    """
    trials = tables.read_setting(data / "trials.parquet", setting.address).to_pandas()
    if "arithmetic" not in trials:  # collected by an earlier version
        trials["arithmetic"] = None
    asked = set(study.seeds)
    duplicated = set(trials.loc[trials.seed.duplicated(), "seed"])
    left_out = {
        **dict.fromkeys(sorted(asked - set(trials.seed)), "missing"),
        **dict.fromkeys(sorted(duplicated), "duplicated"),
        **dict.fromkeys(sorted(set(trials.seed) - asked), "not asked for"),
    }
    trials = trials[~trials.seed.isin(left_out)].set_index("seed").sort_index()
    every = np.arange(int(setting.spec["epochs"]))
    evaluated = np.array(evaluated_epochs(len(every), int(setting.spec["evaluate_every"])))
    path = data / "curves.parquet"
    optional = [*MEASURED[len(LOSSES) :], *setting.own_metrics]
    curves = tables.read_setting(path, setting.address, ["seed", "epoch", *LOSSES, *optional])
    rows = _rows(curves, trials.index.to_numpy(np.int64), len(every), f"{path}: {setting.address}")
    losses = {"train_loss": curves["train_loss"].to_numpy()[rows]}
    losses |= {name: curves[name].to_numpy()[rows[evaluated]] for name in (*LOSSES[1:], *optional)}
    finished = trials["diverged_at"].isna().to_numpy()
    needed = (*derived.parts(study.report.outcome), *([VALIDATION] if study.config["tune"] else []))
    for name in optional:  # a trial of an earlier version lacks what was added since
        if not _is_known(losses[name], finished, name in needed):
            del losses[name]
    for name in (name for name in losses if setting.outcomes[name].is_ratio):
        refuse_negative(losses[name], f"{path}: {setting.address}: {name}")
    if not _is_whole(study, setting, losses, finished):
        del losses[study.report.outcome]
    losses |= derived.of(setting, losses, study.report.window)
    if study.report.outcome not in losses and len(trials):
        raise UserError(
            f"{path}: {setting.address}: {study.report.outcome} is not known for all trials, "
            f"{_why_unknown(setting, study)}; allowed: an outcome that all trials have; or delete "
            f"results/*/{setting.address} and train again"
        )
    measured = {name: every if name == "train_loss" else evaluated for name in losses}
    return Trials(setting, trials, losses, measured, left_out)


def _is_whole(study: Study, setting: Setting, losses: Mapping[str, Array], finished: NDArray[np.bool_]) -> bool:
    """Whether a metric of the user's own that decides is a number over the window of every trial that finished."""
    if study.report.outcome not in setting.own_metrics or study.report.outcome not in losses:
        return True
    values = losses[study.report.outcome][:, finished]
    return bool(np.isfinite(values[-window_length(len(values), study.report.window) :]).all())


def _why_unknown(setting: Setting, study: Study) -> str:
    if study.report.outcome in setting.own_metrics:
        return "since this metric of your own is NaN over the window of a trial"
    if study.report.outcome == AUC:
        return "since the test points of a seed are of one class, or an earlier version trained them"
    return "which an earlier version trained"


def refuse_negative(values: Array, where: str) -> None:
    """Refuse losses that have no ratio.

    Raises:
        UserError: a value is negative.
    """
    negative = values[values < 0]
    if len(negative):
        raise UserError(f"{where} is {negative[0]:g} in one of its rows, allowed: 0 or more, as losses have a ratio")


def _is_known(values: Array, finished: NDArray[np.bool_], needed: bool) -> bool:
    """Whether something was measured of all trials that finished, or of any where none did, unless it is needed."""
    known = np.asarray(np.isfinite(values).any(0))
    return bool(known[finished].all() if finished.any() else known.any() or needed)


def _rows(curves: pa.Table, seeds: NDArray[np.int64], epochs: int, where: str) -> NDArray[np.int64]:
    """The row of each epoch and seed, [epochs, seeds], whatever their order in the table; `seeds` are ascending.

    Raises:
        UserError: an epoch of a seed has no row, or several.
    """
    seed, epoch = (curves[name].to_numpy() for name in ("seed", "epoch"))
    rows = np.flatnonzero(np.isin(seed, seeds))
    seed, epoch, cells = seed[rows], epoch[rows], epochs * len(seeds)
    inside = np.where((epoch >= 0) & (epoch < epochs), epoch, epochs).astype(np.int64)
    places = inside * len(seeds) + np.searchsorted(seeds, seed)
    if len(rows) != cells or (np.bincount(places, minlength=cells) != 1).any():
        raise UserError(
            f"{where} has {len(rows)} rows, allowed: each of {epochs} epochs once for each of {len(seeds)} trials; "
            "delete the file and run the workflow again"
        )
    found = np.empty(cells, np.int64)
    found[places] = rows
    return found.reshape(epochs, len(seeds))
