"""How long two arms trained, job by job: the seeds of a job are trained together and share one wall time.

The table of trials says of each its job's time divided by the job's seeds, so twenty
seeds of one job are one measurement, not twenty.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from bnbench.judging.pairing import Pairs
from bnbench.judging.stats import Array, Interval
from bnbench.store.trials import Trials


def jobs(arm: Trials) -> Array:
    """Seconds per network of each job, [jobs].

    A job is a run of seeds whose seconds have the same bits. The tables say it, and the config cannot: results are
    reused whose jobs had another size. A seed that is left out in between ends no job. Times of 0 are none.
    """
    seconds = arm.rows["seconds"].to_numpy(np.float64)
    of_jobs = seconds[np.flatnonzero(np.diff(seconds, prepend=np.nan) != 0)]
    return of_jobs[of_jobs > 0]


def compared(pairs: Pairs) -> tuple[Array, Array]:
    """Logarithms of the seconds per network of the baseline's jobs and of the treatment's, [jobs] each.

    They are not paired: jobs of two arms have nothing in common but the machine.
    """
    return np.log(jobs(pairs.baseline)), np.log(jobs(pairs.treated))


def log_ratio(baseline: Array, treated: Array, level: float) -> Interval:
    """Difference of the means, treatment − baseline, with Welch's (1947) interval.

    NaN limits where an arm has fewer than two jobs; NaN for none.
    """
    if not (len(baseline) and len(treated)):
        return Interval(math.nan, math.nan, math.nan)
    mean = float(treated.mean() - baseline.mean())
    if min(len(baseline), len(treated)) < 2:
        return Interval(mean, math.nan, math.nan)
    limits = stats.ttest_ind(treated, baseline, equal_var=False).confidence_interval(level)
    return Interval(mean, float(limits.low), float(limits.high))
