"""How much an effect differs from context to context, and what it may be in another context.

`values` are differences of costs, [contexts, seeds], of contexts that share their seeds. The truth of each context
varies about a common mean by tau; the rest is chance, which the seeds show.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from bnbench.judging.stats import Array
from bnbench.vocabulary import SEVERAL


class Heterogeneity(NamedTuple):
    """All NaN for fewer than three contexts, or fewer than two seeds."""

    tau: float
    """Standard deviation of the true effects of contexts."""
    i_squared: float
    """Share of the variance of the observed effects of contexts that is not chance (Higgins & Thompson 2002)."""
    low: float
    """Limits of the prediction interval for the true effect in a further context."""
    high: float


def between(values: Array, level: float) -> Heterogeneity:
    """Tau, I² and the prediction interval of Higgins, Thompson & Spiegelhalter (2009), for means of equal weight.

    Tau² is the variance component of the contexts in a two-way layout without replication, so that what a seed does to
    all contexts alike does not count as agreement between them; it is 0 where chance alone explains the spread. The
    interval is mean ± t √(tau² + se²) with k − 2 degrees of freedom for k contexts, and se that of the mean over seeds
    and over contexts.
    """
    contexts, seeds = values.shape
    if contexts < SEVERAL or seeds < 2:
        return Heterogeneity(math.nan, math.nan, math.nan, math.nan)
    means, of_seeds = values.mean(1), values.mean(0)
    mean = float(means.mean())
    rest = values - means[:, None] - of_seeds + mean
    chance = float((rest**2).sum()) / ((contexts - 1) * (seeds - 1)) / seeds
    spread = float(means.var(ddof=1))
    tau_squared = max(0.0, spread - chance)
    error_squared = float(of_seeds.var(ddof=1)) / seeds + tau_squared / contexts
    # Contexts whose means are equal up to rounding do not differ.
    alike = bool(np.ptp(means) <= 1e-12 * np.abs(values).max())
    return _found(mean, tau_squared, 0.0 if alike else tau_squared / spread, error_squared, contexts, level)


def of_means(means: Array, errors: Array, level: float) -> Heterogeneity:
    """The same of contexts that share no run, from their means and the standard errors of these, [contexts].

    Tau² is the variance of the means minus the mean of their squared errors (Hedges 1983).
    NaN also where a mean has no error.
    """
    contexts = len(means)
    if contexts < SEVERAL or np.isnan(errors).any():
        return Heterogeneity(math.nan, math.nan, math.nan, math.nan)
    mean, spread, chance = float(means.mean()), float(means.var(ddof=1)), float((errors**2).mean())
    tau_squared = max(0.0, spread - chance)
    alike = bool(np.ptp(means) <= 1e-12 * np.abs(means).max())
    error_squared = chance / contexts + tau_squared / contexts
    return _found(mean, tau_squared, 0.0 if alike else tau_squared / spread, error_squared, contexts, level)


def _found(
    mean: float, tau_squared: float, i_squared: float, error_squared: float, contexts: int, level: float
) -> Heterogeneity:
    quantile = float(special.stdtrit(contexts - 2, (1 + level) / 2))
    half = quantile * math.sqrt(tau_squared + error_squared)
    return Heterogeneity(math.sqrt(tau_squared), i_squared, mean - half, mean + half)
