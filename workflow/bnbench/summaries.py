"""What is shown of each setting beside the verdicts: curves, losses by mode, fits, reference points and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bnbench import sentences, stats, tables
from bnbench.readings import Readings
from bnbench.study import Study
from bnbench.tables import FACTORS, OUTCOMES

TABLES = ("curves", "modes", "fit", "reference", "provenance")

_EPOCHS = 200  # of a curve: more than a figure can show apart
_BAND = (5, 50, 95)  # percentiles over the seeds that a fit is drawn by
_VERSIONS = ("python", "torch", "numpy", "bnbench", "commit", "numerics", "device_name", "threads")


def of_context(study: Study, data: Path, arms: Mapping[str, Readings]) -> dict[str, pd.DataFrame]:
    """The tables of `TABLES` for one context; `arms` are its settings, the baseline among them."""
    baseline = arms[study.report.baseline]
    rows: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    for arm in arms.values():
        rows["curves"].append(_curves(study, arm))
        rows["modes"].append(_modes(study, arm, baseline))
        rows["fit"].append(_fit(data, arm))
        rows["reference"].append(_reference(study, arm))
        rows["provenance"].append(_provenance(arm))
    return {name: joined(parts) for name, parts in rows.items()}


def joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """One table of all parts; an empty part has columns but no types and would change those of the others."""
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _curves(study: Study, arm: Readings) -> pd.DataFrame:
    """Geometric mean over the seeds at up to 200 log-spaced epochs, with Student's t interval of the mean log loss."""
    level = 1 - study.report.alpha
    parts = []
    for outcome in dict.fromkeys(("train_loss", study.report.outcome)):
        epochs = arm.epochs[outcome]
        spaced = np.searchsorted(epochs + 1, np.geomspace(1, epochs[-1] + 1, _EPOCHS).round())
        chosen = np.unique(spaced.clip(0, len(epochs) - 1))
        log_losses = stats.log_losses(arm.losses[outcome][chosen])
        seeds, mean, low, high = stats.column_intervals(log_losses, level)
        with np.errstate(over="ignore"):
            columns = {"seeds": seeds, "loss": np.exp(mean), "low": np.exp(low), "high": np.exp(high)}
        parts.append(pd.DataFrame({"outcome": outcome, "epoch": epochs[chosen], **columns}))
    return _labelled(arm, pd.concat(parts, ignore_index=True))


def _modes(study: Study, arm: Readings, baseline: Readings) -> pd.DataFrame:
    """Every outcome over the window: geometric mean and interval, and the paired ratio to the baseline."""
    options = study.report
    level = 1 - options.alpha
    rows = []
    for outcome in OUTCOMES:
        own = arm.final(outcome, options.window)
        values = np.asarray(own.dropna(), np.float64)
        differences = np.asarray((own - baseline.final(outcome, options.window)).dropna(), np.float64)
        loss, ratio = (stats.geometric_interval(logs, level) for logs in (values, differences))
        names = ("loss", "low", "high", "ratio", "ratio_low", "ratio_high")
        rows.append({"outcome": outcome, "seeds": len(values), **dict(zip(names, [*loss, *ratio], strict=True))})
    return _labelled(arm, pd.DataFrame(rows))


def _fit(data: Path, arm: Readings) -> pd.DataFrame:
    """Over one input: the target, and percentiles over the seeds of the fit and of its absolute error.

    Empty where the seeds do not share their inputs: then there is nothing to take percentiles over.
    """
    columns = ["x", "y", "seeds", *(f"{of}{end}" for of in ("fit", "error") for end in ("_low", "", "_high"))]
    mine = [("setting", "=", arm.setting.address)]
    table = tables.read_parquet(data / "predictions.parquet", filters=mine).to_pandas()
    table = table[table.seed.isin(arm.seeds)].sort_values(["seed", "x"])
    by_seed = [group for _, group in table.groupby("seed")]
    if not by_seed or any(not np.array_equal(group.x, by_seed[0].x) for group in by_seed):
        return pd.DataFrame(columns=[*FACTORS, *columns])
    fits = np.stack([group.y_fit for group in by_seed], axis=1)
    targets = np.stack([group.y for group in by_seed], axis=1)
    finite = np.isfinite(fits).all(0)
    fits, targets = fits[:, finite], targets[:, finite]
    if not finite.any():
        return pd.DataFrame(columns=[*FACTORS, *columns])
    bands = [np.percentile(values, _BAND, axis=1) for values in (fits, np.abs(fits - targets))]
    values: list[Any] = [by_seed[0].x, targets[:, 0], np.full(len(fits), finite.sum()), *bands[0], *bands[1]]
    return _labelled(arm, pd.DataFrame(dict(zip(columns, values, strict=True))))


def _reference(study: Study, arm: Readings) -> pd.DataFrame:
    """Where losses that were printed elsewhere lie among the seeds of this setting."""
    numbers = ["epoch", "outcome", "value", "seeds", "percentile", "lowest", "median", "highest"]
    rows = []
    for point in study.reference_points:
        outcome = point["outcome"]
        at = np.flatnonzero(arm.epochs[outcome] == point["epoch"])
        losses = arm.losses[outcome][at].ravel()
        losses = losses[np.isfinite(losses)]
        if point["norm"] not in (arm.setting.labels["norm"], arm.setting.spec["norm"]["name"]) or not len(losses):
            continue
        place = stats.percentile(losses, point["value"])
        spread = [losses.min(), np.median(losses), losses.max()]
        values = [point["epoch"], outcome, point["value"], len(losses), place, *spread]
        row = {**arm.setting.labels, **dict(zip(numbers, values, strict=True)), "source": point["source"]}
        rows.append({**row, "sentence": sentences.reference(study, row)})
    return pd.DataFrame(rows, columns=[*FACTORS, *numbers, "source", "sentence"])


def _provenance(arm: Readings) -> pd.DataFrame:
    """What the numbers of a setting come from."""
    trials = arm.trials
    row = {
        "setting": arm.setting.address,
        "trials": len(trials),
        "diverged": int(trials["diverged_at"].notna().sum()),
        "seconds": float(trials["seconds"].sum()),
        **{name: "; ".join(sorted({str(value) for value in trials[name]})) for name in _VERSIONS},
    }
    return _labelled(arm, pd.DataFrame([row]))


def _labelled(arm: Readings, table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**arm.setting.labels)[[*FACTORS, *table.columns]]
