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
    "resolution": "the smallest value above 0 that is told from 0; null where effects are differences",
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
    "epoch": "what the column of {epochs} holds; of an excluded run, where it diverged",
}
"""Column → what it holds where runs were trained elsewhere."""


def described(study: Study, name: str) -> str:
    """What a column holds."""
    if study.trained_here:
        return schemas.description(COLUMNS.get(name) or of_factor(name))
    named = words.of(study)
    if name in study.factors:
        return "label of the level: a column of your own"
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
    text = text.replace("the losses over the epochs", f"the outcome over the {named.epochs}")
    text = text.replace("at the end of the training", "at the end of the runs")
    return text.replace("trials", named.runs).replace("epochs", named.epochs)
