"""What the report shows about each setting besides the verdicts: curves, final values, losses by mode and fits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench.judging import finals, stats
from bnbench.plan.study import Study
from bnbench.store import tables
from bnbench.store.trials import Trials
from bnbench.vocabulary import ACCURACY, BATCH, EXPLORED, LOSSES, PRECISE, VALIDATION

_EPOCHS = 200  # of a curve: more than a figure can show apart
_DRAWN = ("train_loss", ACCURACY)  # whatever decides, where they were measured
_EPOCHS_BESIDE = 60  # of the curve of an outcome that no figure on paper shows

MOST_FINALS = 20_000
"""Rows of the table of final values, at most: a larger study has none, since no page could hold them."""

_BAND = (5, 50, 95)  # percentiles over the seeds that a fit is drawn by
_VERSIONS = (
    *("python", "torch", "numpy", "bnbench", "commit", "image", "arithmetic", "numerics"),
    *("device_name", "threads"),
)


def of_context(study: Study, data: Path, arms: Mapping[str, Trials]) -> dict[str, pd.DataFrame]:
    """The tables of one context by name; `arms` are its settings, of which those that keep statistics have modes."""
    every = list(arms.values())
    parts = {
        "curves": [_curves(study, arm) for arm in every],
        "finals": [_finals(study, arm) for arm in every],
        "modes": [_modes(study, arm) for arm in every if arm.setting.keeps_statistics],
        "fit": [_fit(data, arm) for arm in every if study.trained_here],
        "reference": [_reference(study, arm) for arm in every],
        "provenance": [_provenance(arm) for arm in every],
    }
    return {name: joined(of_arms) for name, of_arms in parts.items() if of_arms}


def joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """One table of all parts; an empty part has columns but no types and would change those of the others."""
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def shown(epochs: NDArray[np.int64], most: int = _EPOCHS) -> NDArray[np.int64]:
    """Indices of up to `most` log-spaced epochs for a curve, including the first and the last."""
    spaced = np.searchsorted(epochs + 1, np.geomspace(1, epochs[-1] + 1, most).round())
    return np.unique(spaced.clip(0, len(epochs) - 1))


def explored(study: Study, arm: Trials) -> list[str]:
    """The trials of an arm, with more than the outcome that decides, in the order of a table of all of them.

    Not the losses with other statistics, where no arm of the study keeps any: they are the test loss once more.
    """
    copies = () if study.keeps_statistics or not study.trained_here else (PRECISE, BATCH)
    names = dict.fromkeys((*EXPLORED, VALIDATION, *arm.setting.own_metrics))
    return [name for name in names if name in arm.losses and name not in (*copies, study.report.outcome)]


def _curves(study: Study, arm: Trials) -> pd.DataFrame:
    """Mean over the seeds at log-spaced epochs, with Student's t interval, on the scale of the outcome.

    Of what figures draw on paper, up to 200; of every other that has a course, up to 60. Over the
    trials that stay finite to the end, so that no curve bends because a trial is gone.
    """
    drawn = [name for name in dict.fromkeys((*_DRAWN, study.report.outcome)) if name in arm.losses]
    beside = [name for name in explored(study, arm) if name not in drawn and not study.outcomes[name].of_trial]
    parts = [_curve(study, arm, name, _EPOCHS) for name in drawn]
    parts += [_curve(study, arm, name, _EPOCHS_BESIDE) for name in beside]
    return _labelled(arm, pd.concat(parts, ignore_index=True))


def _curve(study: Study, arm: Trials, outcome: str, most: int) -> pd.DataFrame:
    """The curve of one outcome, at up to `most` epochs."""
    unscaled = study.outcomes[outcome].unscaled
    finite = np.isfinite(arm.losses[outcome]).all(0)
    begun = arm.begun(outcome)
    chosen = begun + shown(arm.epochs[outcome][begun:], most)
    values = finals.scaled(arm, outcome, chosen)[:, finite]
    seeds, mean, low, high = stats.column_intervals(values, 1 - study.report.alpha)
    columns = {"loss": unscaled(mean), "low": unscaled(low), "high": unscaled(high)}
    numbers = {"epoch": arm.epochs[outcome][chosen], "seeds": seeds.astype(int), "diverged": int((~finite).sum())}
    return pd.DataFrame({"outcome": outcome, **numbers, **columns})


def _finals(study: Study, arm: Trials) -> pd.DataFrame:
    """What each trial came to by every outcome that does not decide; nothing of a study with too many of them."""
    names = explored(study, arm)
    empty = pd.DataFrame(columns=[*arm.setting.labels, "outcome", "seed", "final"])
    if not names or len(study.settings) * len(study.seeds) * len(names) > MOST_FINALS:
        return empty
    ended = [np.asarray(finals.final(arm, name, study.report.window), np.float64) for name in names]
    parts = [
        pd.DataFrame({"outcome": name, "seed": arm.seeds, "final": study.outcomes[name].unscaled(scaled)})
        for name, scaled in zip(names, ended, strict=True)
    ]
    return _labelled(arm, pd.concat(parts, ignore_index=True))


def _modes(study: Study, arm: Trials) -> pd.DataFrame:
    """Every loss over the window: geometric mean over the trials that stay finite, and its interval."""
    rows = []
    for outcome in (name for name in (*LOSSES, BATCH) if name in arm.losses):
        values = np.asarray(finals.final(arm, outcome, study.report.window).dropna(), np.float64)
        loss = stats.geometric_interval(values, 1 - study.report.alpha)
        rows.append({"outcome": outcome, "seeds": len(values), "loss": loss.mean, "low": loss.low, "high": loss.high})
    return _labelled(arm, pd.DataFrame(rows))


def _fit(data: Path, arm: Trials) -> pd.DataFrame:
    """Over one input: the target, and percentiles over the seeds of the fit and of its absolute error.

    Empty where the seeds do not share their inputs: then there is nothing to take percentiles over.
    """
    columns = ["x", "y", "seeds", *(f"{of}{end}" for of in ("fit", "error") for end in ("_low", "", "_high"))]
    wanted = ["seed", "x", "y", "y_fit"]
    table = tables.read_setting(data / "predictions.parquet", arm.setting.address, wanted).to_pandas()
    # Classes that are counted have no inputs.
    table = table[table["seed"].isin(arm.seeds) & table["x"].notna()].sort_values(["seed", "x"])
    points = table["seed"].value_counts().unique()
    empty = pd.DataFrame(columns=[*arm.setting.labels, *columns])
    if len(points) != 1:
        return empty
    # [seeds, points]
    x, targets, fits = (table[name].to_numpy(np.float64).reshape(-1, points[0]) for name in ("x", "y", "y_fit"))
    finite = np.isfinite(fits).all(1)
    if (x != x[0]).any() or not finite.any():
        return empty
    bands = [np.percentile(values, _BAND, axis=0) for values in (fits[finite], np.abs(fits - targets)[finite])]
    values: list[Any] = [x[0], targets[finite][0], np.full(points[0], finite.sum()), *bands[0], *bands[1]]
    return _labelled(arm, pd.DataFrame(dict(zip(columns, values, strict=True))))


def _reference(study: Study, arm: Trials) -> pd.DataFrame:
    """Where losses that were printed elsewhere rank among the seeds; no seeds if nothing is measured."""
    numbers = ["epoch", "outcome", "value", "seeds", "percentile", "lowest", "median", "highest"]
    rows = []
    for point in study.reference_points:
        if point["norm"] not in (arm.setting.labels["norm"], arm.setting.spec["norm"]["name"]):
            continue
        outcome = point["outcome"]
        losses = arm.losses[outcome][arm.epochs[outcome] == point["epoch"]].ravel()
        losses = losses[np.isfinite(losses)]
        spread = [losses.min(), np.median(losses), losses.max()] if len(losses) else [np.nan] * 3
        place = stats.percentile(losses, point["value"]) if len(losses) else np.nan
        values = [point["epoch"], outcome, point["value"], len(losses), place, *spread]
        numbered = dict(zip(numbers, values, strict=True))
        rows.append({**arm.setting.labels, **numbered, "printed_by": point["source"]})
    return pd.DataFrame(rows, columns=[*arm.setting.labels, *numbers, "printed_by"])


def _provenance(arm: Trials) -> pd.DataFrame:
    """Where the numbers of a setting come from: a row for each kind of software and machine that trained some."""
    rows = [
        {
            "setting": arm.setting.address,
            "trials": len(trials),
            "diverged": int(trials["diverged_at"].notna().sum()),
            "seconds": float(trials["seconds"].sum()),
            **dict(zip(_VERSIONS, versions, strict=True)),
        }
        for versions, trials in arm.rows.groupby([*_VERSIONS], dropna=False)
    ]
    nothing = {"setting": arm.setting.address, "trials": 0, "diverged": 0, "seconds": 0.0}
    return _labelled(arm, pd.DataFrame(rows or [nothing], columns=[*nothing, *_VERSIONS]))


def _labelled(arm: Trials, table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**arm.setting.labels)[[*arm.setting.labels, *table.columns]]
