"""Fair learning rates: each arm at the rate that validation data of other seeds choose for it, judged on test data.

BN changes the effective rate, so one rate for all arms can mislead. Every arm of a context is trained at a list of
rates, or of combinations of parameters (its candidates), over the same seeds. The candidate at which a seed is judged
is chosen by the validation losses of other seeds, the half of all that follow it (see `choices`). So no loss of a seed
has a part in the choice for this seed, and two seeds never choose for each other: where the chosen candidates are
equally good, the seeds' differences have mean 0 and no correlation, whatever was chosen. They are then judged as those
of any study, by `verdicts.decide`: their p-values, intervals and equivalence need no other rule.

What is estimated is the effect of the arms at the candidates that were chosen, averaged over the seeds. It is the
effect at the best ones as far as validation finds these.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench.judging import confusion, verdict_rows, verdicts
from bnbench.judging.confusion import Taken
from bnbench.judging.finals import censored, final, resolution
from bnbench.judging.pairing import MIXES, mixed
from bnbench.judging.stats import Array, t_interval
from bnbench.judging.summaries import joined
from bnbench.judging.verdict_rows import shown
from bnbench.judging.verdicts import Contrast
from bnbench.plan.candidates import Candidate, text
from bnbench.plan.study import Study
from bnbench.store.trials import Trials
from bnbench.vocabulary import VALIDATION

_DIVERGED = 1e6  # in place of the log validation loss of a trial that diverged: its candidate is chosen last of all


class Finals(NamedTuple):
    """What is kept of the trials of one setting."""

    seeds: NDArray[np.int64]
    validation: Array
    """Mean log validation loss over the window, [seeds]; NaN where the trial diverged. So in the next two."""
    outcome: Array
    """What the trial cost, see `Outcome.cost`; then that of the last epoch alone."""
    outcome_last: Array
    censored: NDArray[np.integer[Any]]
    """How the outcome is known, [seeds], see `finals.censored`."""
    rows: pd.DataFrame
    """Where they were trained."""
    resolution: float
    """What outcomes below this were raised to; NaN of scores."""
    taken: Taken | None = None
    """What the trials took the classes for; None where none are counted."""

    def of(self, seeds: NDArray[np.int64]) -> Finals:
        """Of these seeds alone; each must be there."""
        at = np.searchsorted(self.seeds, seeds)
        values = (self.validation[at], self.outcome[at], self.outcome_last[at], self.censored[at])
        return Finals(seeds, *values, self.rows.iloc[at], self.resolution, self.taken and self.taken.of(seeds))


@dataclass(frozen=True)
class Arm:
    """One arm of a context at all of its candidates, over the seeds that all trials of the context have."""

    finals: Mapping[Candidate, Finals]

    @property
    def seeds(self) -> NDArray[np.int64]:
        """The seeds, [seeds], ascending."""
        return next(iter(self.finals.values())).seeds

    @cached_property
    def chosen(self) -> NDArray[np.int64]:
        """Place of the candidate at which each seed is judged, [seeds]. No test loss is looked at."""
        return choices(np.stack([each.validation for each in self.finals.values()], axis=1))

    @property
    def counts(self) -> dict[Candidate, int]:
        """The candidates at which seeds are judged, and how many seeds at each; the most frequent first."""
        names = [*self.finals]
        return {names[place]: count for place, count in Counter(self.chosen.tolist()).most_common()}

    @cached_property
    def judged(self) -> Finals:
        """The trial of each seed at its candidate."""
        every = [*self.finals.values()]
        validation, outcome, last, known = (
            np.stack([getattr(each, column) for each in every], axis=1)[np.arange(len(self.seeds)), self.chosen]
            for column in ("validation", "outcome", "outcome_last", "censored")
        )
        rows = [each.rows[self.chosen == place] for place, each in enumerate(every)]
        return Finals(self.seeds, validation, outcome, last, known, pd.concat(rows), every[0].resolution)

    @property
    def taken(self) -> Taken | None:
        """What the trial of each seed at its candidate took the classes for; None where none are counted."""
        every = [each.taken for each in self.finals.values()]
        known = [each for each in every if each is not None]
        if not known or len(known) < len(every):
            return None
        shares = np.stack([each.shares for each in known], axis=1)[np.arange(len(self.seeds)), self.chosen]
        return known[0]._replace(shares=shares)

    @property
    def at_end(self) -> Candidate:
        """Of the most frequent candidate, the values at an end of those tried; 0, as of a weight decay, is none."""
        ends: list[tuple[str, float | None]] = []
        for name, value in next(iter(self.counts), ()):
            tried = [float(other) for each in self.finals if (other := dict(each)[name]) is not None]
            if value and value in (min(tried), max(tried)):
                ends.append((name, value))
        return tuple(ends)


@dataclass(frozen=True)
class Pair:
    """Two arms of a context at all of their candidates."""

    labels: Mapping[str, str]
    baseline: Arm
    treated: Arm

    def contrast(self, factor: str) -> Contrast:
        """The arms, each seed at the candidates that are chosen for it."""
        baseline, treated = self.baseline.judged, self.treated.judged
        return Contrast(
            self.labels,
            baseline.seeds,
            baseline.outcome,
            treated.outcome,
            baseline.outcome_last,
            treated.outcome_last,
            np.stack([baseline.censored, treated.censored]),
            mixed(factor, baseline.rows, treated.rows),
            baseline.resolution,
        )


def finals(study: Study, arm: Trials) -> Finals:
    """What is kept of the trials of one setting."""
    window, outcome = study.report.window, study.report.outcome
    kept = ((VALIDATION, window), (outcome, window), (outcome, 0.0))
    validation, *ended = (np.asarray(final(arm, *asked), np.float64) for asked in kept)
    known = censored(arm, outcome, window).to_numpy(np.int64)
    where = arm.rows[[*MIXES, "weights_hash"]]
    cost, cost_last = map(study.outcome.cost, ended)
    return Finals(arm.seeds, validation, cost, cost_last, known, where, resolution(arm.setting, outcome))


def choices(validation: Array) -> NDArray[np.int64]:
    """Place of the candidate of each seed, [seeds]: the best one by the mean over the half of the seeds that follow.

    The last seeds are followed by the first ones, as on a circle, so (n − 1)/2 of n seeds, rounded down, choose for
    each one, and none of those for which it chooses itself. This keeps the differences of two seeds uncorrelated: of
    any two, one has no part in the other's choice. Where all other seeds choose, or those of other folds, seeds that
    are judged together have chosen for each other. A candidate that looks good by chance then does so for most of
    them, and the flips, which ignore it, err too often. Two arms without a difference, one of which has 10
    equal candidates, were called different over 20 seeds in 18 % with leave-one-out, in 10 % with five folds, in 6 %
    with two and in 4 % on the circle, at equal power (tests/benchmarks/results/calibration-tuning.md).

    Args:
        validation: log validation losses [seeds, candidates]; NaN where a trial diverged.
    """
    losses, seeds = np.nan_to_num(validation, nan=_DIVERGED), len(validation)
    following = 1 + np.arange(max(1, (seeds - 1) // 2))
    choosing = (np.arange(seeds)[:, None] + following) % max(1, seeds)
    chosen: NDArray[np.int64] = losses[choosing].mean(1).argmin(1)
    return chosen


def tables(study: Study, found: Mapping[str, Finals]) -> dict[str, pd.DataFrame]:
    """`tuned`: a row per comparison and context, as in `contexts`, at the candidates that are chosen.

    And `rates`, and `confusion` at these candidates.

    Args:
        study: the study; without a `tune` block there are no such tables.
        found: address of a setting → its trials.
    """
    pairs = [pair for context in study.tuned_contexts() for pair in _pairs(study, *context, found)]
    if not pairs:
        return {}
    contrasts = [pair.contrast(study.report.factor) for pair in pairs]
    tuned = verdict_rows.table(study, contrasts, verdicts.decide(study.report, contrasts))
    for name in ("baseline", "treatment"):
        arms = [pair.baseline if name == "baseline" else pair.treated for pair in pairs]
        tuned[f"chosen_{name}"] = [text(next(iter(arm.counts), ())) or None for arm in arms]
        tuned[f"agreeing_{name}"] = [max(arm.counts.values(), default=0) for arm in arms]
        tuned[f"at_end_{name}"] = [text(arm.at_end) or None for arm in arms]
    alpha = study.report.alpha
    classes = [confusion.compared(pair.labels, alpha, pair.baseline.taken, pair.treated.taken) for pair in pairs]
    rates = pd.DataFrame([row for pair in pairs for row in _rows(study, pair)])
    return {"tuned": tuned, "rates": rates, "confusion": joined(classes)}


def _pairs(
    study: Study,
    context: Mapping[str, str],
    settings: Mapping[str, Mapping[Candidate, str]],
    found: Mapping[str, Finals],
) -> list[Pair]:
    """The comparisons of one context; `settings` are the addresses by arm and candidate."""
    addresses = [address for candidates in settings.values() for address in candidates.values()]
    seeds = reduce(np.intersect1d, (found[address].seeds for address in addresses))
    if study.shares_weights(context):
        hashes = [found[address].of(seeds).rows["weights_hash"].to_numpy() for address in addresses]
        seeds = seeds[reduce(np.logical_and, (hashes[0] == other for other in hashes))]
    arms = {
        label: Arm({candidate: found[address].of(seeds) for candidate, address in candidates.items()})
        for label, candidates in settings.items()
    }
    return [
        Pair({**context, "baseline": baseline, "treatment": treatment}, arms[baseline], arms[treatment])
        for baseline, treatment in study.tuned_compared(arms)
    ]


def _rows(study: Study, pair: Pair) -> list[dict[str, Any]]:
    """Both arms at each candidate: losses, how many seeds are judged there, and the ratio with its own interval."""
    rows, level, outcome = [], 1 - study.report.alpha, study.outcome
    best = shown(outcome, t_interval(pair.contrast(study.report.factor).differences, level))
    arms = {"baseline": pair.baseline, "treatment": pair.treated}
    nothing = np.full(len(pair.baseline.seeds), np.nan)
    for candidate in dict.fromkeys([*pair.baseline.finals, *pair.treated.finals]):
        (parameter, value), beside = candidate[0] if candidate else ("", np.nan), candidate[1:]
        row = {**pair.labels, "parameter": parameter or None, "rate": value, "beside": text(beside) or None}
        outcomes = []
        for name, arm in arms.items():
            there = arm.finals.get(candidate)
            outcomes.append(there.outcome if there else nothing)
            row[f"{name}_validation"] = math.exp(_mean(there.validation if there else nothing))
            row[f"{name}_value"] = outcome.shown(_mean(outcomes[-1]))
            row[f"{name}_diverged"] = int(np.isnan(outcomes[-1]).sum()) if there else 0
            row[f"{name}_chosen"] = arm.counts.get(candidate, 0)
        differences = outcomes[1] - outcomes[0]
        effect = shown(outcome, t_interval(differences[np.isfinite(differences)], level))
        rows.append({**row, "effect": effect.mean, "low": effect.low, "high": effect.high, "best_effect": best.mean})
    return rows


def _mean(values: Array) -> float:
    """Mean over the seeds that stayed finite."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else np.nan
