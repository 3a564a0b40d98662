"""What the columns of a report's tables hold, for a reader who may have trained elsewhere."""

from __future__ import annotations

import re

from bnbench.columns import COLUMNS, of_factor
from bnbench.plan.study import Study
from bnbench.store import schemas
from bnbench.wording import words

_OF_RUNS = {
    "seed": "what tells the runs of an arm apart, and by which they are paired",
    "effect": "treatment against baseline, of a seed or as a mean: a ratio (1: no effect), or a difference (0: no "
    "effect). In interactions, what a ratio is multiplied by or a difference changed by",
    "loss": "mean of the outcome over the runs that stay finite, geometric where effects are ratios",
    "resolution": "the smallest value that can be distinguished from 0; null where effects are differences",
    "floored": "pairs, or unpaired runs, with a value of 0: not in the effect",
    "baseline_floored": "whether the baseline's value is 0",
    "treatment_floored": "whether the treatment's value is 0",
    "raised_effect": "the effect with values of 0 raised to the resolution; null where there are none",
    "test": "mean (of the differences), or ranks: worst-rank where runs diverged, rank where values are 0",
    "bound": "what the effect says of the true one where not all was measured (a value of 0; a target that was not "
    "reached, or at once): at least, at most, or restricted if it may be either; null where all was",
    "iqm": "interquartile mean of the effects over contexts and seeds, geometric where the effect is a ratio; null "
    "where values are 0, or both runs of a pair diverged",
    "change": "change of the outcome from first_epoch to last_epoch, by a straight line through each run's "
    "measurements, as a mean over the runs: a ratio (1: no change), or a difference (0: no change)",
    "mixed": "nothing: how the runs were made is not known",
    "examples": "nothing: how the runs were made is not known",
    "corrected_low": "nothing: which data the runs share is not known",
    "corrected_high": "nothing: which data the runs share is not known",
    "jobs_baseline": "nothing: how the runs were made is not known",
    "jobs_treatment": "nothing: how the runs were made is not known",
    "level": "level of that column",
    "reason": "why a run is left out: missing, so that its partner is left out; or diverged",
    "setup": "same, or other",
    "final": "what the run came to at its end, by the outcome of the row; null where it diverged",
    "epoch": "what the column of {epochs} holds; of an excluded run, where it diverged",
}
"""Column → what it holds where runs were trained elsewhere."""

_OF_GROUPS = {
    "pairs": "runs of the arm that has fewer",
    "finite_pairs": "runs that did not diverge, of the arm that has fewer",
    "runs_baseline": "runs of the baseline",
    "runs_treatment": "runs of the treatment",
    "baseline_value": "the baseline's outcome: of a run, or its mean, geometric where the effect is a ratio",
    "treatment_value": "the treatment's outcome: of a run, or its mean",
    "p": "p-value of the permutation test (interactions: Welch), not adjusted",
    "p_max_t": "nothing: this adjustment is for pairs",
    "adjustment": "how p_adjusted is adjusted: by Holm",
    "limits": "what gives the limits that hold together: Bonferroni, or Student where there is one context alone; null "
    "where there are none",
    "own_low": "lower limit of the effect for the context by itself (Welch)",
    "p_wilcoxon": "p-value of Wilcoxon's rank-sum test",
    "hedges_dz": "nothing: this size of an effect is of pairs",
    "hedges_g": "difference of the means over the pooled deviation, Hedges-corrected",
    "win_rate": "share of the pairs of a run of each arm with a better treatment; ties count half",
    "win_low": "lower limit of win_rate (Newcombe)",
    "p_spread": "p-value of the test of equal deviations (Brown and Forsythe)",
    "correlation": "correlation of the arms over the seeds that both happen to have, of logarithms where effects are "
    "ratios",
    "variance_ratio": "variance of the difference in pairs of these seeds, divided by that of an unpaired one",
    "raised_low": "lower limit of raised_effect for the context by itself (Welch)",
    "raised_high": "upper limit of raised_effect for the context by itself (Welch)",
    "p_mcnemar": "nothing: this test is of pairs",
    "p_fisher": "p-value of Fisher's exact test on the divergences; null where no run diverged",
    "diverged_baseline": "runs of the baseline that diverged",
    "diverged_treatment": "runs of the treatment that diverged",
    "seeds_needed": "runs of each arm that would show an effect as small as the margin with 80 % power, at the "
    "observed spread; null where the context is decided",
    "seeds_equivalent": "runs of each arm that would show equal arms to be equivalent with 80 % power, at the observed "
    "spread; null where the context is decided",
    "seed": "what tells the runs of an arm apart",
    "reason": "why a run is left out: diverged",
}
"""The same of groups of runs."""

_AT_THE_END = ("epoch", "baseline_last", "treatment_last", "effect_last", "effect_last_low", "effect_last_high")
"""Columns that tell the end of a run from its course."""


def described(study: Study, name: str) -> str:
    """What a column holds."""
    if study.trained_here:
        return schemas.description(COLUMNS.get(name) or of_factor(name))
    named = words.of(study)
    if name in study.factors:
        return "label of the level: a column of your own"
    if not study.has_course and name in _AT_THE_END:
        return "the same at the end of a run, which has one value"
    if not study.paired and name in _OF_GROUPS:
        return _OF_GROUPS[name]
    if name in _OF_RUNS:
        return _OF_RUNS[name].format(epochs=named.epochs)
    text = schemas.description(COLUMNS[name])
    text = re.sub(r"\btrial(s?)\b", rf"{named.run}\1", text)
    return re.sub(r"\bepoch(s?)\b", rf"{named.epoch}\1", text)


def table(study: Study, text: str) -> str:
    """What a table holds, from its description."""
    if study.trained_here:
        return text
    named = words.of(study)
    text = text.replace("at the end of the training", "at the end of the runs")
    text = text.replace("trials", named.runs).replace("epochs", named.epochs)
    text = re.sub(r"\bepoch\b", named.epoch, text)
    if study.paired:
        return text
    return text.replace("are left out of the pairs or that diverged", "diverged").replace("seed by seed", "run by run")
