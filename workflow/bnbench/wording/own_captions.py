"""What captions say of results of your own: nothing is known about such runs except what is in their table."""

from __future__ import annotations

from bnbench.plan.own_study import OwnStudy
from bnbench.plan.study import Study
from bnbench.wording import formats, titles, words


def summary(study: OwnStudy) -> str:
    """The table in one line: `48 runs (2 levels of norm, 2 levels of lr, 12 seeds)`."""
    shown = [factor for factor in study.factors if len(study.levels[factor]) > 1]
    parts = [f"{formats.count(len(study.levels[factor]), 'level')} of {_noun(factor)}" for factor in shown]
    parts += [formats.count(len(study.seeds), "seed")] if study.paired else []
    return f"{formats.count(study.found['runs'], 'run')} ({', '.join(parts)})"


def seeds(study: OwnStudy) -> str:
    """What the comparisons are over: `11 seeds`, `9 to 12 seeds`; where these pair nothing, the runs of each arm."""
    if not study.paired:
        return "the runs of each arm"
    fewest, most = study.found["most"]["fewest_pairs"], study.found["most"]["pairs"]
    return formats.count(most, "seed") if fewest == most else f"{fewest} to {most} seeds"


def window(study: OwnStudy) -> str:
    """Over which part of a run its outcome is judged; empty where it has one value."""
    if not study.has_course:
        return ""
    share = study.report.window
    return f"over the last {formats.percent(share)} of a run's measurements" if share else "at a run's last measurement"


def facts(study: OwnStudy) -> dict[str, str]:
    """What `captions.facts` says of such a study alone."""
    return {
        "seeds": seeds(study),
        "every_run": "the runs",
        "window_of_losses": window(study),
        "estimated": _estimated(study),
        "alike": "",
        "points": _points(study),
        "dotted": f"the {titles.outcome(study, 'train_loss')}" if draws_train_loss(study) else "",
        "small_dots": "from the first level of a column to another",
        "noise": "",
        "training_mode": "",
        **_stopped(study),
    }


def end_of_course(study: Study, epoch: int) -> str:
    """Where a course of differences ends: where runs stopped before others, by its epoch."""
    if not (isinstance(study, OwnStudy) and study.found["stopped"]["count"]):
        return "at the last measurement"
    named = words.of(study)
    return f"at {named.epoch} {epoch:{named.form}}"


def _stopped(study: OwnStudy) -> dict[str, str]:
    """What figures over the epochs make of runs that were not measured as long as others."""
    stopped = study.found["stopped"]["count"] > 0
    return {
        "carried": "Where a run has no measurement, its last one is carried on." if stopped else "",
        "followed": f"Up to the last {words.of(study).epoch} at which none of them has stopped." if stopped else "",
    }


def draws_train_loss(study: Study) -> bool:
    """Whether a train loss is in the figure of curves, beside the loss that decides."""
    others = {name: outcome for name, outcome in study.outcomes.items() if name != study.report.outcome}
    return study.outcome.is_ratio and "train_loss" in others and others["train_loss"].is_ratio


def levels(study: OwnStudy) -> str:
    """What is compared, by the labels of the tables, and what the contexts differ in."""
    arms, labels = formats.listed([titles.arm(study, arm) for arm in study.arms]), formats.listed(study.arms)
    named = f", in the table {labels}" if labels.casefold() != arms.casefold() else ""
    differ = formats.listed([f"{_noun(factor)} ({_levels(study, factor)})" for factor in study.varied()])
    said = [f"The arms are {arms}{named}.", f"The contexts differ in {differ}." if differ else ""]
    return " ".join(filter(None, said))


def _noun(factor: str) -> str:
    """A column as people say it."""
    return factor.replace("_", " ")


def _levels(study: OwnStudy, factor: str) -> str:
    return ", ".join(study.levels[factor])


def _estimated(study: OwnStudy) -> str:
    """What a run comes to."""
    outcome = titles.outcome(study, study.report.outcome)
    if not study.has_course:
        return f"{outcome} of each run"
    if not study.report.window:
        return f"{outcome} {window(study)}"
    return f"{'geometric mean' if study.outcome.is_ratio else 'mean'} of the {outcome} {window(study)}"


def _points(study: OwnStudy) -> str:
    """What the points of the figure of pairs are."""
    loss, judged = titles.outcome(study, study.report.outcome), window(study)
    what = f"its {loss}{f', {judged}' if judged else ''}"
    if not study.paired:
        return f"Each point is one run: {what}."
    return f"Each point is one run: {what}; a line joins the runs of one of {seeds(study)}."
