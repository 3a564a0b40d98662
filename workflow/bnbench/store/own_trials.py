"""Results of your own, as the collected tables of a study have them, and their reading into arrays.

A run that has no value at some epochs of the others carries its last one on, so that curves have no holes; what it
ended at is over its own measurements alone (`Trials.measured`).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bnbench.columns import COLUMNS, of_factor
from bnbench.errors import UserError
from bnbench.own_results.reading import Read
from bnbench.plan.own_study import OwnSetting, OwnStudy
from bnbench.store import tables
from bnbench.store.trials import Trials, refuse_negative

Array = NDArray[np.float64]

_UNKNOWN = (
    *("seconds", "threads", "device_name", "python", "torch", "numpy", "bnbench", "commit", "image", "arithmetic"),
    *("numerics", "weights_hash", "target_variance", "target_scale"),
)
"""Columns of a trial that are unknown."""


def write(study: OwnStudy, read: Read, data: Path) -> int:
    """Write `trials`, `curves` and `predictions` of the runs into `data`; return how many runs there are."""
    labels = [of_factor(name) for name in study.factors]
    outcomes = [pa.field(name, pa.float64()) for name in study.settings[0].own_metrics]
    keys = [*labels, COLUMNS["setting"], COLUMNS["seed"]]
    of_curves = pa.schema([*keys, COLUMNS["epoch"], *outcomes])
    of_trials = pa.schema([*keys, COLUMNS["diverged_at"], *(COLUMNS[name] for name in _UNKNOWN), *outcomes])
    points = [COLUMNS[name] for name in ("x", "y", "y_fit", "points")]
    bounds = np.searchsorted(read.settings, np.arange(len(study.settings) + 1))
    runs = 0
    decides = study.report.outcome
    with (
        tables.parquet_writer(data / "curves.parquet", of_curves) as to_curves,
        tables.parquet_writer(data / "trials.parquet", of_trials) as to_trials,
        tables.parquet_writer(data / "predictions.parquet", pa.schema([*keys, *points])),
    ):
        for place, setting in enumerate(study.settings):
            own = read.curves.slice(bounds[place], bounds[place + 1] - bounds[place])
            to_curves(own.append_column("setting", pa.repeat(setting.address, len(own))))
            ended = _ended(own, decides)
            for field in (COLUMNS["setting"], *(COLUMNS[name] for name in _UNKNOWN)):
                value = pa.scalar(setting.address if field.name == "setting" else None, field.type)
                ended = ended.append_column(field.name, pa.repeat(value, len(ended)))
            to_trials(ended)
            runs += len(ended)
    return runs


def _ended(curves: pa.Table, decides: str) -> pa.Table:
    """The last row of each run, with the first epoch from which on the outcome that decides is not finite."""
    seed, epoch = (curves[name].to_numpy() for name in ("seed", "epoch"))
    ends = np.flatnonzero(np.concatenate([np.diff(seed) != 0, [True]]))
    # A null is no NaN here: it was not measured.
    odd = np.isnan(pc.fill_null(curves[decides], 0.0).to_numpy())
    there = pc.is_valid(curves[decides]).to_numpy()
    diverged = []
    for first, end in zip([0, *(ends[:-1] + 1)], ends, strict=True):
        own = slice(first, end + 1)
        values, epochs = odd[own][there[own]], epoch[own][there[own]]
        finite = np.flatnonzero(~values)
        since = finite[-1] + 1 if len(finite) else 0
        diverged.append(int(epochs[since]) if since < len(epochs) else None)
    last = curves.take(pa.array(ends)).drop_columns(["epoch"])
    return last.append_column("diverged_at", pa.array(diverged, pa.int64()))


def read(study: OwnStudy, data: Path, setting: OwnSetting) -> Trials:
    """The runs of `setting` in the study's folder of collected tables.

    Raises:
        UserError: a table is absent or corrupt, or a value of an outcome that is compared by ratios is negative.
    """
    path = data / "curves.parquet"
    curves = tables.read_setting(path, setting.address)
    trials = tables.read_setting(data / "trials.parquet", setting.address).to_pandas().set_index("seed").sort_index()
    decides = study.report.outcome
    has_value = np.unique(curves.filter(pc.is_valid(curves[decides]))["seed"].to_numpy())
    trials = trials.loc[has_value]
    losses: dict[str, Array] = {}
    epochs: dict[str, NDArray[np.int64]] = {}
    measured: dict[str, NDArray[np.bool_]] = {}
    grids = _grids(path, _state(path), tuple(setting.own_metrics))
    for name in setting.own_metrics:
        values, there = _placed(curves, name, grids[name], has_value)
        if not there.any(0).all():  # of some run nothing is known
            continue
        if setting.outcomes[name].is_ratio:
            refuse_negative(values, f"{path}: {setting.address}: {name}")
        losses[name], epochs[name] = values, grids[name]
        if not there.all():
            measured[name] = there
    return Trials(setting, trials, losses, epochs, _left_out(study, data, setting, has_value), measured)


def _left_out(study: OwnStudy, data: Path, setting: OwnSetting, there: NDArray[np.int64]) -> dict[int, str]:
    """Seeds that another arm of the context has; nothing where runs are not paired."""
    if not study.paired:
        return {}
    factor = study.report.factor
    held = {name: text for name, text in setting.labels.items() if name != factor}
    alike = [each for each in study.settings if all(each.labels[name] == text for name, text in held.items())]
    path = data / "trials.parquet"
    of_setting = _seeds(path, _state(path))
    seeds = {seed for each in alike for seed in of_setting.get(each.address, ())}
    return dict.fromkeys(sorted(seeds - {*there.tolist()}), "missing")


def _placed(
    curves: pa.Table, name: str, grid: NDArray[np.int64], seeds: NDArray[np.int64]
) -> tuple[Array, NDArray[np.bool_]]:
    """The values at each epoch of the grid, the last one carried on, and where one was measured, [epochs, seeds]."""
    known = pc.is_valid(curves[name]).to_numpy() & np.isin(curves["seed"].to_numpy(), seeds)
    rows = np.searchsorted(grid, curves["epoch"].to_numpy()[known])
    columns = np.searchsorted(seeds, curves["seed"].to_numpy()[known])
    values, there = np.full((len(grid), len(seeds)), np.nan), np.zeros((len(grid), len(seeds)), np.bool_)
    values[rows, columns] = curves[name].to_numpy()[known]
    there[rows, columns] = True
    if there.all() or not there.any(0).all():
        return values, there
    places = np.arange(len(grid))[:, None]
    last = np.maximum.accumulate(np.where(there, places, -1), axis=0)
    last = np.where(last < 0, there.argmax(0), last)  # before the first one, that
    return np.take_along_axis(values, last, axis=0), there


def _state(path: Path) -> tuple[int, ...]:
    try:
        state = path.stat()
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the workflow to make it") from error
    return state.st_ino, state.st_mtime_ns, state.st_size


@lru_cache(maxsize=2)
def _seeds(path: Path, state: tuple[int, ...]) -> dict[str, list[int]]:  # noqa: ARG001 - as below
    """Address of a setting → the seeds of its runs."""
    with tables.reading(path, "a readable table"):
        table = pq.read_table(path, columns=["setting", "seed"])
    found: dict[str, list[int]] = {}
    for address, seed in zip(table["setting"].to_pylist(), table["seed"].to_pylist(), strict=True):
        found.setdefault(address, []).append(seed)
    return found


@lru_cache(maxsize=2)
def _grids(path: Path, state: tuple[int, ...], names: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:  # noqa: ARG001 - a file that was replaced is another file
    """Outcome → all epochs at which any run has it, in order: those of all arms, which are compared epoch by epoch."""
    with tables.reading(path, "a readable table"):
        table = pq.read_table(path, columns=["epoch", *names])
    epoch = table["epoch"].to_numpy()
    return {name: np.unique(epoch[pc.is_valid(table[name]).to_numpy()]) for name in names}
