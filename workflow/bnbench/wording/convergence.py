"""Whether the losses still change at the end of the training, in words."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bnbench.outcomes import Outcome
from bnbench.plan.study import Study
from bnbench.wording import effects, formats, sentences, titles, words
from bnbench.wording.titles import Row

_PAST = {"falls": "fell", "rises": "rose", "unclear": "did not clearly change"}
_PRESENT = {"falls": "still falls", "rises": "still rises"}


def clause(study: Study, rows: pd.DataFrame) -> str:
    """What the outcome that decides did in each arm over the stretch; with several contexts, in how many of them."""
    known = rows[rows["trend"].isin([*_PAST])].to_dict("records")
    if not known:
        loss = titles.outcome(study, study.report.outcome)
        return f"Too little was measured to say whether the {loss} still changes at the end."
    all_rows = rows.to_dict("records")  # those without data count as contexts
    said = [f"{verb} {formats.listed(arms)}" for verb, arms in _by_trend(study, all_rows, _PAST) if arms]
    measured = formats.count(known[0]["measurements"], "measurement")
    return (
        f"{_stretch(study, known)} ({measured}), the {titles.outcome(study, known[0]['outcome'])} {'; it '.join(said)}."
    )


def note(study: Study, rows: pd.DataFrame) -> str:
    """That more epochs may give another answer, where the outcome clearly changes in some arm; else empty."""
    found, loss = rows.to_dict("records"), titles.outcome(study, study.report.outcome)
    epochs, longer = words.of(study).epochs, words.of(study).longer
    said = [f"{verb} {where}" for trend, verb in _PRESENT.items() if (where := _everywhere(study, found, trend))]
    if not said:
        return ""
    still = f"At the last {epochs}, the {loss} {' and '.join(said)}"
    whole = f"{still}, so {longer} may give another answer."
    apart = f"{still}. {formats.beginning(longer)} may give another answer."
    return whole if formats.length(whole) <= sentences.LONGEST else apart


def _everywhere(study: Study, rows: Sequence[Row], trend: str) -> str:
    """Where a trend is: in which arms, and in how many of their contexts; empty where it is nowhere."""
    factor = study.report.factor
    found = {label: [row["trend"] == trend for row in rows if row[factor] == label] for label in study.arms}
    several = any(len(own) > 1 for own in found.values())
    if all(own and all(own) for own in found.values()):
        return "in all arms and contexts" if several else "in all arms"
    wheres = {
        label: f" in {formats.share_of(sum(own), len(own), 'context')}" for label, own in found.items() if any(own)
    }
    return formats.listed([f"{titles.with_arm(study, label)}{where * several}" for label, where in wheres.items()])


def method(study: Study) -> str:
    """How the change is measured: a note below the sentences about it."""
    loss, named = titles.outcome(study, study.report.outcome), words.of(study)
    fitted = f"logarithm of the {loss}" if study.outcome.is_ratio else loss
    each, settings = named.each, formats.count(len(study.settings), "setting")
    line = f"A straight line through the {fitted} of each {each} over these {named.epochs} gives the {each}'s change"
    interval = f"The mean change over the {each}s has Student's interval, which Bonferroni's method makes hold for all"
    clear = "A change is clear where the interval excludes that there is none; an unclear one may be real all the same"
    said = f"{line} from the first {named.epoch} to the last. {interval} {settings} together. {clear}."
    return f"{said} This says nothing about what comes after the last {named.epoch}."


def _by_trend(study: Study, rows: Sequence[Row], verbs: dict[str, str]) -> list[tuple[str, list[str]]]:
    """A verb for each trend, and the arms that have it, with where and by how much."""
    first = True
    found = []
    for trend, verb in verbs.items():
        arms = []
        for label in study.arms:
            of_arm = [row for row in rows if row[study.report.factor] == label]
            if own := [row for row in of_arm if row["trend"] == trend]:
                arms.append(f"{titles.with_arm(study, label)}{_where(study, own, len(of_arm), first=first)}")
                first = False
        found.append((verb, arms))
    return found


def _where(study: Study, rows: Sequence[Row], contexts: int, *, first: bool) -> str:
    """In how many contexts an arm has a trend, and by how much it changes there; of one context, with its interval."""
    if contexts > 1:
        sized = _possible(study.outcome, rows) if rows[0]["trend"] == "unclear" else _range(study.outcome, rows)
        return f" in {formats.share_of(len(rows), contexts, 'context')} ({sized})"
    (row,) = rows
    # The first interval says what all of them are.
    level = f"simultaneous {formats.percent(1 - study.report.alpha)} interval " if first else ""
    return f" ({_with_interval(study.outcome, row, level)})"


def _range(outcome: Outcome, rows: Sequence[Row]) -> str:
    """The range of the changes of several contexts, all in one direction: `5 % to 12 % lower`."""
    return effects.span(outcome, [row["change"] for row in rows])


def _possible(outcome: Outcome, rows: Sequence[Row]) -> str:
    """What the intervals of several contexts leave open."""
    low, high = min(row["change_low"] for row in rows), max(row["change_high"] for row in rows)
    if low == high:
        return "no change at all"
    return f"anything from {effects.changed(outcome, low)} to {effects.changed(outcome, high)} is possible"


def _with_interval(outcome: Outcome, row: Row, level: str) -> str:
    """A change with its limits, without their direction where both have that of the change."""
    change, low, high = row["change"], row["change_low"], row["change_high"]
    if low == high:
        return f"{effects.changed(outcome, change)} on every seed"
    return f"{effects.changed(outcome, change)}, {level}{effects.limits(outcome, change, low, high)}"


def _stretch(study: Study, rows: Sequence[Row]) -> str:
    return formats.beginning(words.of(study).between(rows[0]["first_epoch"], rows[0]["last_epoch"]))
