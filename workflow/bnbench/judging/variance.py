"""How much of the spread over the seeds each source of randomness makes: data, initial weights, order of the examples.

A study whose factor `seed_varies` has several levels trains every setting with all sources varied, and with one alone
varied while the others are those of one seed (Bouthillier et al. 2021). All of it describes, and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

from bnbench.judging import finals
from bnbench.judging.stats import Array, Interval
from bnbench.plan.study import Study
from bnbench.store.trials import Trials
from bnbench.streams import ALL
from bnbench.vocabulary import SEED_VARIES

_COLUMNS = ("deviation", "variance_share", "variance_share_low", "variance_share_high")


def ended(study: Study, arms: Mapping[str, Trials]) -> pd.DataFrame:
    """What each trial of a context ended at, a row per trial: `setting`, `seed` and `value`, NaN where it diverged."""
    parts = []
    for arm in arms.values():
        values = finals.final(arm, study.report.outcome, study.report.window)
        parts.append(pd.DataFrame({"setting": arm.setting.address, "seed": arm.seeds, "value": values.to_numpy()}))
    return pd.concat(parts, ignore_index=True)


def table(study: Study, trials: pd.DataFrame) -> pd.DataFrame:
    """A row per setting: the standard deviation over the seeds, and the share of the variance when all sources vary.

    Over the seeds whose trials stay finite at every level of `seed_varies`, so that all rows of an arm in a context
    speak of the same seeds. `trials` are the rows of `ended`.
    """
    held = [name for name in study.factors if name != SEED_VARIES]
    ended_at = {address: rows.set_index("seed")["value"] for address, rows in trials.groupby("setting")}
    alike: dict[tuple[str, ...], dict[str, str]] = {}
    for setting in study.settings:
        labels = tuple(setting.labels[name] for name in held)
        alike.setdefault(labels, {})[setting.labels[SEED_VARIES]] = setting.address
    nothing = pd.Series(dtype=np.float64)
    rows: list[dict[str, Any]] = []
    for labels, addresses in alike.items():
        values = pd.DataFrame({level: ended_at.get(address, nothing) for level, address in addresses.items()}).dropna()
        named = {**dict(zip(held, labels, strict=True)), "outcome": study.report.outcome, "common_seeds": len(values)}
        rows += [{**named, SEED_VARIES: each, **_row(values, each, 1 - study.report.alpha)} for each in addresses]
    return pd.DataFrame(rows)


def share(total: Array, alone: Array, level: float) -> Interval:
    """The variance of `alone` divided by that of `total`, [seeds] each and paired, with its interval.

    The interval is the jackknife's over the seeds, of the logarithm of the ratio (Miller 1968): a seed's numbers go
    together, since both have that source in common, and the tails may be heavier than normal ones, which an F ratio
    does not allow. NaN for no variance in `total`; no limits for fewer than three seeds or no variance in `alone`.
    """
    n = len(total)
    if n < 2 or not np.ptp(total) > 0:
        return Interval(math.nan, math.nan, math.nan)
    estimate = float(alone.var(ddof=1) / total.var(ddof=1))
    if n < 3:
        return Interval(estimate, math.nan, math.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = np.log(_without_each(alone)) - np.log(_without_each(total))
    if not np.isfinite(without).all():
        return Interval(estimate, math.nan, math.nan)
    error = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
    half = float(scipy_stats.t.ppf((1 + level) / 2, n - 1)) * error
    with np.errstate(over="ignore"):
        return Interval(estimate, *(estimate * np.exp([-half, half])).tolist())


def _row(values: pd.DataFrame, level: str, confidence: float) -> dict[str, float]:
    """The numbers of one level; `values` are [seeds, levels]."""
    alone = values[level].to_numpy(np.float64)
    deviation = float(alone.std(ddof=1)) if len(alone) > 1 else math.nan
    found = Interval(math.nan, math.nan, math.nan)
    if ALL in values:
        found = share(values[ALL].to_numpy(np.float64), alone, confidence)
    if level == ALL:  # by definition
        found = Interval(found.mean, math.nan, math.nan)
    return dict(zip(_COLUMNS, (deviation, *found), strict=True))


def _without_each(values: Array) -> Array:
    """The variance of the others without each of [seeds] in turn, [seeds]; 0 if these are equal up to rounding."""
    n, squares = len(values), (values - values.mean()) ** 2
    without = (squares.sum() - squares * n / (n - 1)) / (n - 2)
    return np.where(without > 1e-12 * squares.sum(), without, 0.0)
