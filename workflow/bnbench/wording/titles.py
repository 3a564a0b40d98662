"""What things are called: levels, arms, contexts, comparisons and outcomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bnbench.catalogue.norms import NORMS
from bnbench.plan.levels import level
from bnbench.plan.study import Study
from bnbench.vocabulary import EPOCHS_TO_TARGET
from bnbench.wording import effects, formats, words

Row = Mapping[Any, Any]
"""A row of a table: column → value."""

OUTCOMES = {
    "train_loss": "train loss",
    "eval_loss": "train loss in evaluation mode",
    "test_loss": "test loss",
    "test_loss_precise": "test loss with precise statistics",
    "test_loss_batch": "test loss with the test batch's statistics",
    "best_test_loss": "test loss at the best epoch",
    "generalization_gap": "generalization gap",
    "swing": "swing of the test loss",
    "validation_loss": "validation loss",
    "test_accuracy": "test accuracy",
    "test_error": "test error",
    "auc": "AUC",
    "r2": "R²",
    "mae": "mean absolute error",
    "epochs_to_target": "epochs to the target value",
    "seconds": "seconds of training",
}
"""Outcomes in the order of a table of all of them, and what each is called."""

WITHOUT = "without BN"
"""How the arm that has no norm reads after a noun, and at the beginning of a sentence on a context without one."""

_SAID_FIRST = ("optimizer", "batch_size")
"""Factors with which the name of a context begins."""


def arm(study: Study, label: str) -> str:
    """How a level of the compared factor is called: `BN` for `batch`."""
    return study.level(study.report.factor, label).title


def with_arm(study: Study, label: str) -> str:
    """What a loss is measured with: `with BN`, and `without BN` of the arm that has no norm."""
    return with_levels([arm(study, label)])


def with_levels(named: Sequence[str]) -> str:
    """What something has, of levels by their names: `with BN and LN`, `without BN, with BN and with LN`."""
    bare = NORMS["none"].title
    if bare not in named:
        return f"with {formats.listed(named)}"
    return formats.listed([WITHOUT if title == bare else f"with {title}" for title in named])


def whole(study: Study, label: str) -> str:
    """The same with all its parameters, also those that all levels of its name share."""
    return level(study.report.factor, study.level(study.report.factor, label).entry).title


def outcome(study: Study, name: str) -> str:
    """How an outcome is called; a metric of the user's, as its function is, or as its column."""
    if name in study.outcomes and study.outcomes[name].title:
        return study.outcomes[name].title
    if name == EPOCHS_TO_TARGET:
        return f"{words.of(study).epochs} to the target value"
    return measured(name)


def measured(name: str) -> str:
    """How an outcome is called that is measured here."""
    return OUTCOMES.get(name, name.replace("_", " "))


def axis(study: Study) -> str:
    """The label of an axis of what was measured: `loss`, or a score with its unit."""
    judged = study.outcome
    if not judged.title and effects.compared(judged) == "losses":
        return "loss"
    return f"{outcome(study, judged.name)}{f' in {judged.unit}' if judged.unit else ''}"


def in_order(study: Study, outcomes: Collection[str]) -> list[str]:
    """Outcomes in the order of a table of all of them, the user's own metrics last; those of a table as it has them."""
    if study.outcome.title:
        return [name for name in study.outcomes if name in outcomes]
    return [*(name for name in OUTCOMES if name in outcomes), *sorted(set(outcomes) - {*OUTCOMES})]


def context_name(study: Study, labels: Row, without: str = "") -> str:
    """What is held fixed, in words: the factors that have several levels, or optimizer and batch size.

    Empty where there is one context, of which nothing is known. Where something else than a context is named, it may be
    `without` a factor.
    """
    return _joined(study, labels, _naming(study, without))


def _naming(study: Study, without: str = "") -> list[str]:
    """The factors by which contexts are named."""
    varied = [factor for factor in study.varied() if factor != without]
    first = [factor for factor in _SAID_FIRST if factor != study.report.factor and factor in study.factors]
    chosen = [factor for factor in first if factor in varied] + [factor for factor in varied if factor not in first]
    return chosen or first


def _joined(study: Study, labels: Row, factors: Sequence[str]) -> str:
    """The levels of these factors: `Adam at full batch`, `Adam, relu`."""
    said = [context_level(study, factor, labels[factor]) for factor in factors]
    return (" at " if [*factors] == [*_SAID_FIRST] else ", ").join(said)


def context_level(study: Study, factor: str, label: str) -> str:
    """A level that is held fixed, without its parameters where its name tells it from the study's other levels."""
    one = study.level(factor, label)
    alone = sum(other.name == one.name for other in study.levels[factor].values()) == 1
    return one.short_title if alone else one.title


def tuned(study: Study) -> str:
    """What is tuned: `learning rate`."""
    called = ("learning rate" if name == "lr" else name.replace("_", " ") for name in study.tuned_names)
    return formats.listed([*called])


def equal(study: Study) -> str:
    """How lines are called of which both arms have the same values of what is tuned."""
    return "at equal rates" if study.tuned_names == ("lr",) else "at equal values"


def contrast_name(study: Study, row: Row) -> str:
    """The context, with what is compared where there are several comparisons, or where no context has a name."""
    name = context_name(study, row)
    if len(study.comparisons) > 1:
        return ", ".join(filter(None, [comparison(study, row), name]))
    return name or heading(study)


def where(study: Study, labels: Row) -> str:
    """`with lr=0.1`, `without BN`, `with Adam at full batch, without BN`; nothing where the context has no name."""
    factors = _naming(study)
    without = [factor for factor in factors if context_level(study, factor, labels[factor]) == NORMS["none"].title]
    name = _joined(study, labels, [factor for factor in factors if factor not in without])
    return ", ".join(filter(None, [name and f"with {name}", WITHOUT if without else ""]))


def opening(study: Study, labels: Row) -> str:
    """How a sentence on a context begins: `With lr=0.1`, `Without BN`; nothing where the context has no name."""
    return formats.beginning(where(study, labels))


def heading(study: Study) -> str:
    """What is compared: `BN against no BN`, `dropout=0.5 against 0`."""
    base, *treatments = study.arms
    first = treatments[0] if treatments else base
    named = [arm(study, first), *(beside(study, first, each) for each in treatments[1:])] if treatments else []
    return f"{', '.join(named)} against {beside(study, first, base)}"


def beside(study: Study, one: str, other: str) -> str:
    """How an arm is called after another one: `0` after `dropout=0.5`."""
    prefix = f"{study.report.factor}="
    shared = all(arm(study, label).startswith(prefix) for label in (one, other))
    return arm(study, other).removeprefix(prefix) if shared else arm(study, other)


def comparison(study: Study, row: Row) -> str:
    """The treatment, and what it is compared with where that is not the study's baseline."""
    treated, base = (arm(study, row[name]) for name in ("treatment", "baseline"))
    return treated if row["baseline"] == study.report.baseline else f"{treated} against {base}"
