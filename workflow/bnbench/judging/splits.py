"""Random splits of one data set are not new data sets: the interval that allows for the rows that they share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from bnbench.judging import stats
from bnbench.judging.stats import Array
from bnbench.plan.study import Study
from bnbench.vocabulary import ON_TEST_POINTS

Found = tuple[Mapping[str, str], Array]
"""Labels of a contrast, and its paired differences of costs over the measured pairs, [pairs]."""


def corrected(study: Study, contrasts: Sequence[Found]) -> dict[str, list[float]]:
    """`corrected_low` and `corrected_high` of the effects, a number for each contrast.

    NaN where the seeds are not splits of the same rows, and for outcomes that are not measured on the test points
    alone: the correction is derived for the mean over a test part.
    """
    limits = [_limits(study, labels, differences) for labels, differences in contrasts]
    low, high = np.sort(study.outcome.shown(np.array(limits, np.float64).reshape(-1, 2)), axis=1).T
    return {"corrected_low": low.tolist(), "corrected_high": high.tolist()}


def _limits(study: Study, labels: Mapping[str, str], differences: Array) -> tuple[float, float]:
    test_per_train = study.test_per_train(labels)
    if test_per_train is None or study.report.outcome not in ON_TEST_POINTS:
        return math.nan, math.nan
    found = stats.corrected_interval(differences, 1 - study.report.alpha, test_per_train)
    return found.low, found.high
