"""The test losses on an absolute scale: a ratio of 500 means one thing beside an R² of 0.99996, another beside 0.5.

A squared test error over the variance of the test targets is the share of that variance that stays unexplained, 1 − R²:
1 for a model that always predicts their mean. Its root, times what one unit of a standardized target is, is the error
in the target's own units. Both are geometric means over the window and the finite pairs, as the losses of the verdict
are, so where the test loss decides, the ratio of the shares is the effect. An accuracy is an arithmetic mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bnbench.judging import finals
from bnbench.judging.pairing import Pairs
from bnbench.judging.stats import Array
from bnbench.plan.study import Study
from bnbench.store.schemas import TABLES
from bnbench.store.trials import Trials
from bnbench.vocabulary import ACCURACY, PRECISE, TARGET_SCALE, TARGET_VARIANCE

ARMS = ("baseline", "treatment")
OF_ARM = ("left", "error", "accuracy")
"""Columns of each arm, after its name and an underscore."""


def of_pairs(study: Study, pairs: Pairs) -> pd.DataFrame:
    """One row: both arms over their finite pairs.

    A number is NaN where a trial of these does not know it, or has a loss below the resolution.
    """
    decides = study.report.outcome
    outcome = decides if decides in ("test_loss", PRECISE) else "test_loss"
    arms = dict(zip(ARMS, (pairs.baseline, pairs.treated), strict=True))
    ended = dict(zip(ARMS, pairs.final(outcome, study.report.window), strict=True))
    finite = np.isfinite(ended["treatment"] - ended["baseline"])
    scales = np.concatenate([_column(arm, TARGET_SCALE) for arm in arms.values()])
    row: dict[str, Any] = {
        **pairs.labels,
        "outcome": outcome,
        "pairs": len(finite),
        "finite_pairs": int(finite.sum()),
        "standardized": bool(np.isfinite(scales).any()),
    }
    for name, arm in arms.items():
        ending, own = ended[name][finite], arm.of(arm.seeds[finite])
        small = finals.censored(own, outcome, study.report.window) > 0
        numbers = _numbers(own, np.where(small, np.nan, ending), study.report.window)
        row |= {f"{name}_{of}": number for of, number in numbers.items()}
    return pd.DataFrame([row])


def at_chosen_rates(study: Study, tuned: pd.DataFrame, absolute: pd.DataFrame) -> pd.DataFrame:
    """A row per row of `tuned`: each arm as the table of `of_pairs` has it at the values that most of its seeds get."""
    factor = study.report.factor
    columns = [name for name in TABLES["absolute"].names if name != factor]
    held = [name for name in (*study.factors, *ARMS) if name in columns]
    found: dict[tuple[str, ...], dict[Any, Any]] = {}
    for row in absolute.to_dict("records"):
        for arm in ARMS:
            own: dict[Any, Any] = {**row, **{of: row[f"{arm}_{of}"] for of in OF_ARM}}
            found.setdefault(tuple(str(row[arm if name == factor else name]) for name in study.factors), own)
    rows = []
    for row in tuned.to_dict("records"):
        labels = {name: row[name] for name in held}
        if not row["pairs"]:  # nothing is chosen
            rows.append({**labels, "standardized": False, "pairs": 0, "finite_pairs": 0})
            continue
        arms = {arm: found[tuple(study.at_chosen(row, arm)[name] for name in study.factors)] for arm in ARMS}
        numbers = {f"{arm}_{of}": numbers_of[of] for arm, numbers_of in arms.items() for of in OF_ARM}
        rows.append({**arms["treatment"], **numbers, **labels})
    return pd.DataFrame(rows, columns=columns)


def _numbers(arm: Trials, log_losses: Array, share: float) -> dict[str, float]:
    """The columns of one arm, of these trials and their mean log test losses, [trials]."""
    if not len(log_losses):
        return dict.fromkeys(OF_ARM, np.nan)
    variance, scale = _column(arm, TARGET_VARIANCE), np.nan_to_num(_column(arm, TARGET_SCALE), nan=1.0)
    log_variance = np.log(np.where(variance > 0, variance, np.nan))
    log_squares = np.where(np.isfinite(variance), log_losses + 2 * np.log(scale), np.nan)
    with np.errstate(over="ignore"):
        left, error = np.exp([(log_losses - log_variance).mean(), log_squares.mean() / 2]).tolist()
    accuracy = float(finals.window(arm.losses[ACCURACY], share).mean()) if ACCURACY in arm.losses else np.nan
    return {"left": left, "error": error, "accuracy": accuracy}


def _column(arm: Trials, name: str) -> Array:
    """A number of each trial; NaN where it is null."""
    return arm.rows[name].to_numpy(np.float64)
