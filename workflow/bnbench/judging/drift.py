"""Does the effect itself still change at the end of the training? If so, a longer run may answer otherwise.

Over the last measurements, a straight line is fitted to each pair's own difference: of log losses, or of scores, by the
epoch. What the line changes by over these epochs is one number a pair, and Student's interval of its mean holds
for all comparisons of the study together (Bonferroni). Two losses that fall in step do not move their effect; one that
falls faster does. It describes the stretch; it extrapolates nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bnbench.judging import convergence, stats
from bnbench.judging.pairing import Pairs
from bnbench.judging.stats import Interval
from bnbench.plan.study import Study


def of_pairs(study: Study, pairs: Pairs) -> pd.DataFrame:
    """The row of one contrast, over its pairs that stay finite; no limits for fewer than two of them.

    `change` is how the effect changes: by which factor, of a ratio.
    """
    outcome, arms = study.outcome, (pairs.baseline, pairs.treated)
    epochs = pairs.baseline.epochs[outcome.name]
    chosen = convergence.last(len(epochs), study.report.window)
    baseline, treated = (convergence.measured(arm, outcome.name)[chosen] for arm in arms)
    changes = convergence.fitted_changes(epochs[chosen], treated - baseline)
    changes = changes[np.isfinite(changes)] if convergence.enough(len(epochs), study.report.window) else changes[:0]
    interval = stats.t_interval(changes, 1 - study.report.alpha / max(1, study.family))
    change = Interval(*(outcome.unscaled(end) for end in interval))
    row: dict[str, Any] = {
        **pairs.labels,
        "outcome": outcome.name,
        "pairs": len(changes),
        "first_epoch": int(epochs[chosen][0]),
        "last_epoch": int(epochs[-1]),
        "measurements": len(baseline),
        "change": change.mean,
        "change_low": change.low,
        "change_high": change.high,
        "trend": convergence.trend(interval),
    }
    return pd.DataFrame([row])
