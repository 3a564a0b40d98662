"""The outcomes, explained: what each is, in one sentence, and which studies know it."""

from __future__ import annotations

from bnbench.outcomes import Outcome
from bnbench.plan.study import Study
from bnbench.vocabulary import ACCURACY, AUC, BATCH, BEST, ERROR, GAP, LOSSES, MAE, PRECISE, R2, SWING
from bnbench.wording import data

MEANINGS = {
    "train_loss": "the loss on the training points in training mode, before each step",
    "eval_loss": "the loss on the training points in evaluation mode",
    "test_loss": "the loss on the test points in evaluation mode",
    PRECISE: "the test loss with the statistics of the whole training set, so without stale averages",
    BATCH: "the test loss where each test batch, as large as those that train, is normalized by its own statistics, "
    "so that it differs from the test loss by the statistics alone; of arms that do not train by the batch, it is the "
    "test loss",
    BEST: "the test loss at the epoch with the lowest validation loss, so the window is not applied to it",
    GAP: "the log of the test loss minus that of the train loss in evaluation mode",
    SWING: "how much the log test loss changes from one measurement to the next, as a root mean square over the window",
    ACCURACY: "the share of the test points that is classified correctly",
    ERROR: "the share of the test points that is classified wrongly",
    AUC: "the area under the ROC curve at the test points: 1 is perfect, 0.5 is chance",
    R2: "the share of the targets' variance at the test points that is explained: 1 is perfect, 0 is their mean",
    MAE: "the mean absolute error at the test points",
}
"""What an outcome that can decide is."""

KNOWN = {
    **dict.fromkeys(LOSSES, "always"),
    BATCH: "always",
    BEST: "where training points are held out: `validation` or `tune`",
    GAP: "always",
    SWING: "with two measured epochs or more",
    ACCURACY: "tasks of classes",
    ERROR: "tasks of classes",
    AUC: "tasks of two classes",
    R2: "tasks of numbers",
    MAE: "tasks of numbers",
}
"""Which studies know it."""

_EXPLAINED = (BATCH, BEST, GAP, SWING, ACCURACY, ERROR, AUC, R2, MAE)
"""Outcomes that a reader of a table may not know; the glossary of the columns holds the losses."""


def term(study: Study, name: str) -> str:
    """What a reader of a table has to know of an outcome, and how it is compared; empty of the plain losses."""
    outcome = study.outcomes[name]
    if not study.trained_here:
        return f"A column of your table.{_how(outcome)}"
    if name in MEANINGS and name not in _EXPLAINED:
        return ""
    unit = f" in {data.units(study)}" if name == MAE else ""
    meaning = f"{MEANINGS.get(name, 'your own metric, on the test points')}{unit}"
    return f"{meaning[:1].upper()}{meaning[1:]}.{_compared(outcome)}"


def _compared(outcome: Outcome) -> str:
    """How two arms are compared by it."""
    if outcome.name in MEANINGS and outcome.is_ratio and not outcome.title:
        return ""
    return _how(outcome)


def _how(outcome: Outcome) -> str:
    points = ", in percentage points" if outcome.per_cent else ""
    better = "Lower" if outcome.lower_is_better else "Higher"
    return f" Compared by its {outcome.scale}{points}. {better} is better."
