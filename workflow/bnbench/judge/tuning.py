"""Fair learning rates: each arm at the rate that validation data choose for it, judged once on test data.

BN changes the effective rate, so one rate for all arms can mislead. Every arm of a context is trained at the same list
of rates, over the same seeds. The rate of an arm is the one with the lowest mean log validation loss over the window;
only then is the test loss looked at. What chance does to the choice is part of the test: where two arms do not differ
at any rate, swapping them on any seeds, with all that was measured at all rates, is as likely as not, so the rates are
chosen anew in every sign flip. Intervals are those of the chosen rates, as if they had been given. They do not allow
for the choice, so no arms are called equivalent here. Several comparisons of a context swap different arms, which is no
swap of all arms at once, so with more than one of them p is adjusted by Holm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from bnbench.judge import sign_flips, verdict_rows, verdicts
from bnbench.judge.finals import censored, final
from bnbench.judge.pairing import mixed
from bnbench.judge.stats import Array, geometric_interval
from bnbench.judge.verdicts import Contrast
from bnbench.plan.study import Study
from bnbench.store.trials import Trials
from bnbench.vocabulary import RATES, VALIDATION

_DIVERGED = 1e6  # in place of the log validation loss of a trial that diverged: its rate is chosen last of all


class Finals(NamedTuple):
    """What is kept of the trials of one setting."""

    seeds: NDArray[np.int64]
    validation: Array
    """Mean log validation loss over the window, [seeds]; NaN where the trial diverged. So in the next two."""
    outcome: Array
    outcome_last: Array
    censored: NDArray[np.integer[Any]]
    """How the outcome is known, [seeds], see `finals.censored`."""
    rows: pd.DataFrame
    """Where they were trained."""

    def of(self, seeds: NDArray[np.int64]) -> Finals:
        """Of these seeds alone; each must be there."""
        at = np.searchsorted(self.seeds, seeds)
        values = (self.validation[at], self.outcome[at], self.outcome_last[at], self.censored[at])
        return Finals(seeds, *values, self.rows.iloc[at])


@dataclass(frozen=True)
class Pair:
    """Two arms of a context at all rates, over the seeds that all of them have."""

    labels: Mapping[str, str]
    rates: Sequence[float]
    baseline: Sequence[Finals]
    """By rate; so of the treatment."""
    treated: Sequence[Finals]

    @property
    def seeds(self) -> int:
        """How many there are; without any, no rate is chosen."""
        return len(self.baseline[0].seeds)

    @property
    def chosen(self) -> tuple[int, int]:
        """Places of the chosen rates: of the baseline, of the treatment. No test loss is looked at."""
        baseline, treated = (choose(_stacked(arm, "validation")) for arm in (self.baseline, self.treated))
        return baseline, treated

    def contrast(self, factor: str) -> Contrast:
        """The arms at their chosen rates."""
        place, other = self.chosen
        baseline, treated = self.baseline[place], self.treated[other]
        return Contrast(
            self.labels,
            baseline.seeds,
            baseline.outcome,
            treated.outcome,
            baseline.outcome_last,
            treated.outcome_last,
            np.stack([baseline.censored, treated.censored]),
            mixed(factor, baseline.rows, treated.rows),
        )


def finals(study: Study, arm: Trials) -> Finals:
    """What is kept of the trials of one setting."""
    window, outcome = study.report.window, study.report.outcome
    kept = ((VALIDATION, window), (outcome, window), (outcome, 0.0))
    validation, ended, last = (np.asarray(final(arm, *asked), np.float64) for asked in kept)
    known = censored(arm, outcome, window).to_numpy(np.int64)
    where = arm.rows[["torch", "device_name", "weights_hash"]]
    return Finals(arm.seeds, validation, ended, last, known, where)


def choose(validation: Array) -> int:
    """Place of the rate with the lowest mean over the seeds, of log validation losses [seeds, rates]."""
    return int(np.nan_to_num(validation, nan=_DIVERGED).sum(0).argmin())


def tables(study: Study, found: Mapping[str, Finals]) -> dict[str, pd.DataFrame]:
    """`tuned`: a row per comparison and context, as in `contexts`, at the chosen rates; and `rates`: a row per rate.

    Args:
        study: the study; without a `tune` block there are no such tables.
        found: address of a setting → its trials.
    """
    pairs = [pair for context in study.tuned_contexts() for pair in _pairs(study, *context, found)]
    if not pairs:
        return {}
    contrasts = [pair.contrast(study.report.factor) for pair in pairs]

    def test(places: Sequence[int]) -> sign_flips.PValues:
        return reselected([pairs[place] for place in places])

    decisions = verdicts.decide(study.report, contrasts, test=test, joint=len(study.comparisons) == 1)
    tuned = verdict_rows.table(study, contrasts, decisions)
    for name, arm in zip(RATES, (0, 1), strict=True):
        tuned[name] = [pair.rates[pair.chosen[arm]] if pair.seeds else np.nan for pair in pairs]
    return {"tuned": tuned, "rates": pd.DataFrame([row for pair in pairs for row in _rows(study, pair)])}


def reselected(pairs: Sequence[Pair], draws: int = sign_flips.DRAWS) -> sign_flips.PValues:
    """P of each pair alone and adjusted for all, by sign flips that choose the rates anew; all have the same seeds."""
    seeds = pairs[0].seeds if pairs else 0
    if not seeds:
        return sign_flips.PValues(np.full(len(pairs), np.nan), np.full(len(pairs), np.nan))
    tests = [_Flipped(pair) for pair in pairs]
    return sign_flips.step_down(lambda negative: np.stack([test(negative) for test in tests], axis=1), seeds, draws)


class _Flipped:
    """The statistic of one pair under flips: of its differences at the rates that each flip chooses."""

    def __init__(self, pair: Pair) -> None:
        arms = (pair.baseline, pair.treated)
        validation = [np.nan_to_num(_stacked(arm, "validation"), nan=_DIVERGED) for arm in arms]
        baseline, treated = _comparable([_stacked(arm, "outcome") for arm in arms])
        self._sums = [values.sum(0) for values in validation]
        self._gap = validation[1] - validation[0]
        # [seeds, rates of the first arm × rates of the second]: differences as they are, and with the arms swapped
        as_is = (treated[:, None, :] - baseline[:, :, None]).reshape(len(baseline), -1)
        swapped = (baseline[:, None, :] - treated[:, :, None]).reshape(len(baseline), -1)
        self._total, self._change = as_is.sum(0), swapped - as_is
        self._squares, self._change_of_squares = (as_is**2).sum(0), swapped**2 - as_is**2

    def __call__(self, negative: NDArray[np.uint8]) -> Array:
        """|Σ d| / √Σ d² of each flip, [flips]; `negative` says which seeds are swapped, [flips, seeds]."""
        swapped = negative.astype(np.float64)
        moved = swapped @ self._gap
        first, second = (self._sums[0] + moved).argmin(1), (self._sums[1] - moved).argmin(1)
        at = (np.arange(len(swapped)), first * self._gap.shape[1] + second)
        totals = np.abs(self._total + swapped @ self._change)[at]
        squares = (self._squares + swapped @ self._change_of_squares)[at].clip(min=0)
        statistic: Array = np.divide(totals, np.sqrt(squares), out=np.zeros_like(totals), where=squares > 0)
        return statistic


def _comparable(outcomes: Sequence[Array]) -> Sequence[Array]:
    """Log losses of two arms, [seeds, rates] each; their ranks where a trial diverged, which is the worst."""
    together = np.stack(outcomes)
    if np.isfinite(together).all():
        return outcomes
    ranks: Array = scipy_stats.rankdata(np.nan_to_num(together, nan=np.inf)).reshape(together.shape)
    return [*ranks]


def _stacked(arm: Sequence[Finals], name: str) -> Array:
    """One of the numbers of an arm at all rates, [seeds, rates]."""
    return np.stack([getattr(finals, name) for finals in arm], axis=1)


def _pairs(
    study: Study, context: Mapping[str, str], settings: Mapping[str, Mapping[float, str]], found: Mapping[str, Finals]
) -> list[Pair]:
    """The comparisons of one context; `settings` are the addresses by arm and rate."""
    seeds = reduce(np.intersect1d, (found[address].seeds for rates in settings.values() for address in rates.values()))
    if study.shares_weights(context):
        hashes = [
            found[address].of(seeds).rows["weights_hash"] for rates in settings.values() for address in rates.values()
        ]
        seeds = seeds[reduce(np.logical_and, (hashes[0].to_numpy() == other.to_numpy() for other in hashes))]
    arms = {label: [found[address].of(seeds) for address in rates.values()] for label, rates in settings.items()}
    rates = [*next(iter(settings.values()))]
    return [
        Pair({**context, "baseline": baseline, "treatment": treatment}, rates, arms[baseline], arms[treatment])
        for baseline, treatment in study.comparisons
    ]


def _rows(study: Study, pair: Pair) -> list[dict[str, Any]]:
    """Both arms at each rate: losses, whether the rate is chosen, and the ratio with its interval of its own."""
    rows, level = [], 1 - study.report.alpha
    best = geometric_interval(pair.contrast(study.report.factor).differences, level)
    for place, rate in enumerate(pair.rates):
        arms = (pair.baseline[place], pair.treated[place])
        row: dict[str, Any] = {**pair.labels, "rate": rate}
        for name, arm, chosen in zip(("baseline", "treatment"), arms, pair.chosen, strict=True):
            row[f"{name}_validation"] = _mean(arm.validation)
            row[f"{name}_value"] = _mean(arm.outcome)
            row[f"{name}_diverged"] = int(np.isnan(arm.outcome).sum())
            row[f"{name}_chosen"] = place == chosen and pair.seeds > 0
        differences = arms[1].outcome - arms[0].outcome
        ratio = geometric_interval(differences[np.isfinite(differences)], level)
        rows.append({**row, "effect": ratio.mean, "low": ratio.low, "high": ratio.high, "best_effect": best.mean})
    return rows


def _mean(log_losses: Array) -> float:
    """Geometric mean over the seeds that stayed finite."""
    finite = log_losses[np.isfinite(log_losses)]
    return float(np.exp(finite.mean())) if len(finite) else np.nan
