"""Whether the answer depends on how long is trained: where the effect changes sides, shrinks, or still drifts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from bnbench.judging import stretches
from bnbench.plan.study import Study
from bnbench.wording import effects, formats, titles, words
from bnbench.wording.titles import Row

_NAMED = 3
"""Changes of side that a sentence names; of more, the first stretch and the last."""

RULE = "A side counts as an answer where it holds over a tenth of the course or more"
"""`stretches.MATTERS` in words."""


class _Course(NamedTuple):
    """The stretches of one comparison, in their order."""

    runs: list[list[Row]]
    """Those that matter, those of one side together."""
    early: list[Row]
    """Shorter ones before them, on another side than the first of them."""
    brief: list[Row]
    """Shorter ones between or after them, on another side than one beside them."""

    @property
    def crosses(self) -> bool:
        """Whether there are two sides, each for long enough to matter."""
        return len(self.runs) > 1

    @property
    def turns(self) -> tuple[str, ...]:
        """The sides, one after the other."""
        return tuple(run[0]["side"] for run in self.runs)


def crossings(study: Study, table: pd.DataFrame) -> list[str]:
    """Where the band lies on either side of no effect: long enough to matter, or shorter, which is said to be so.

    Sides that do not last to the end come with their largest effect, which no verdict gives.
    """
    found = []
    for course in _courses(study, table):
        found += [_crossing(study, course.runs, peaks=True)] if course.crosses else []
        found += [_short(study, course.early, "counted as early training")] if course.early else []
        found += [_short(study, course.brief, "counted as too short")] if course.brief else []
    return found


def shrinking(study: Study, table: pd.DataFrame, contexts: pd.DataFrame) -> list[str]:
    """A sentence for each decided comparison whose effect was clearly larger before than at the end, on the same side.

    The band at its peak and the interval of the verdict do not overlap. `contexts` is the table of verdicts.
    """
    return [_shrinks(study, peak, row) for peak, row in _shrunk(study, table, contexts)]


def drifts(study: Study, drift: pd.DataFrame) -> list[str]:
    """A sentence for each comparison of which the effect itself clearly changes at the end."""
    return [_drift(study, row) for row in drift.to_dict("records") if row["trend"] in ("falls", "rises")]


def answer(study: Study, table: pd.DataFrame, drift: pd.DataFrame, contexts: pd.DataFrame) -> str:
    """The answer to whether another budget would give another answer, as far as these epochs show; else empty."""
    rows = drift.to_dict("records")
    if not rows:
        return ""
    noun, named, courses = _noun(study), words.of(study), _courses(study, table)
    crossing = [course for course in courses if course.crosses]
    short = sum(bool(course.early or course.brief) for course in courses)
    drifting = sum(row["trend"] in ("falls", "rises") for row in rows)
    if crossing:
        where = f", in {formats.share_of(len(crossing), len(rows), noun)}" if len(rows) > 1 else ""
        said = [f"Yes{where}: {_turning(study, crossing)}.", _still(drifting, len(rows), noun)]
    elif drifting:
        said = [f"It may. {_still(drifting, len(rows), noun)}"]
    elif all(row["trend"] == "no data" for row in rows):
        return f"It cannot be told: too little was measured at the last {named.epochs}."
    else:
        beyond = ", early training and short stretches aside" if short else ""
        said = [f"Nothing shows that it does{beyond}: no effect changes sides for long, or clearly drifts at the end."]
    shrunk = len(_shrunk(study, table, contexts))
    if shrunk:
        where = f" in {formats.share_of(shrunk, len(rows), noun)}" if len(rows) > 1 else ""
        said.append(f"The verdict holds, but the effect shrinks on the way{where}.")
    if crossing or short:
        said.append(f"{RULE}{'; shorter stretches are named too' if short else ''}.")
    return " ".join(filter(None, said))


def note(study: Study, table: pd.DataFrame, drift: pd.DataFrame) -> str:
    """What of it changes how the answer is read: a short warning beside it; empty where there is none."""
    crossed = [course for course in _courses(study, table) if course.crosses]
    rows, noun = drift.to_dict("records"), _noun(study)
    if crossed:
        if len(rows) == 1:
            return f"The answer depends on the budget. {_crossing(study, crossed[0].runs, peaks=False)}"
        where = formats.share_of(len(crossed), len(rows), noun)
        return f"The answer depends on the budget in {where}: {_turning(study, crossed)}."
    drifting = [row for row in rows if row["trend"] in ("falls", "rises")]
    if not drifting:
        return ""
    if len(rows) == 1:
        return f"{_moves(study, drifting[0])} at the end, so {words.of(study).longer} may answer otherwise."
    return f"{_still(len(drifting), len(rows), noun)}"


def method(study: Study) -> str:
    """How stretches and drifts are found, a note below the sentences about them."""
    named = words.of(study)
    fitted = "log ratio" if study.outcome.is_ratio else "difference"
    line = f"a straight line through each seed's {fitted} over the last measurements"
    return (
        "A side is named only where the band of the figure excludes equality; the band holds for all "
        f"{named.epochs} that are shown and all comparisons together. Whether an effect drifts is read from {line}, "
        "with Student's interval, which Bonferroni's method makes hold for all comparisons."
    )


def _noun(study: Study) -> str:
    return "context" if len(study.comparisons) == 1 else "comparison"


def _courses(study: Study, table: pd.DataFrame) -> list[_Course]:
    """The stretches of each comparison."""
    held = _held(study, table)
    if table.empty:
        return []
    return [_course(group.to_dict("records")) for _, group in table.groupby(held, sort=False)]


def _held(study: Study, table: pd.DataFrame) -> list[str]:
    return [name for name in table if name in (*study.factors, "baseline", "treatment")]


def _course(rows: Sequence[Row]) -> _Course:
    runs = stretches.runs(rows)
    long = {row["first_epoch"]: run[0]["side"] for run in runs for row in run}
    early: list[Row] = []
    brief: list[Row] = []
    for row in rows if runs else ():
        if row["first_epoch"] in long:
            continue
        before = [side for first, side in long.items() if first < row["first_epoch"]]
        after = [side for first, side in long.items() if first > row["first_epoch"]]
        if row["side"] in before[-1:] + after[:1] and len({*before[-1:], *after[:1]}) == 1:
            continue
        (brief if before else early).append(row)
    return _Course(runs, early, brief)


def _turning(study: Study, courses: Sequence[_Course]) -> str:
    """What changes: `BN helps early and hurts later` where all of them say exactly that."""
    turns, arms = {course.turns for course in courses}, {course.runs[0][0]["treatment"] for course in courses}
    if len(turns) == 1 and len(arms) == 1 and len(min(turns)) == 2:
        (treatment,), ((first, _),) = arms, turns
        better = (first == stretches.BELOW) == study.outcome.lower_is_better
        early, later = ("helps", "hurts") if better else ("hurts", "helps")
        return f"{titles.arm(study, treatment)} {early} early and {later} later"
    return "which arm is better changes on the way"


def _crossing(study: Study, runs: Sequence[Sequence[Row]], *, peaks: bool) -> str:
    """`With SGD, the test loss with BN is lower than without BN after 40 to 680 epochs and higher after 780 to …`."""
    treated, base = (titles.with_arm(study, runs[0][0][name]) for name in ("treatment", "baseline"))
    shown = runs if len(runs) <= _NAMED else [runs[0], runs[-1]]
    found = [(_side(run), _when(study, run, peak=peaks and run is not runs[-1])) for run in shown]
    (side, when), rest = found[0], [f"{other} {then}" for other, then in found[1:]]
    opening, outcome = titles.opening(study, runs[0][0]), titles.outcome(study, study.report.outcome)
    start = f"{opening}, the" if opening else "The"
    joined = formats.listed([f"{side} than {base} {when}", *rest])
    turns = f", changing sides {len(runs) - 1} times" if len(runs) > _NAMED else ""
    return f"{start} {outcome} {treated} is {joined}{turns}."


def _short(study: Study, rows: Sequence[Row], counted: str) -> str:
    """`With Adam, after 20 epochs alone, the test loss with BN is lower than without BN: counted as early training …`.

    The rows are of the side of the first of them, or else each is named.
    """
    treated, base = (titles.with_arm(study, rows[0][name]) for name in ("treatment", "baseline"))
    sides = [[row for row in rows if row["side"] == side] for side in dict.fromkeys(row["side"] for row in rows)]
    (first, *others), outcome = sides, titles.outcome(study, study.report.outcome)
    said = [
        f"{_side(first)} than {base} {_when(study, first)}",
        *(f"{_side(run)} {_when(study, run)}" for run in others),
    ]
    opening = titles.opening(study, rows[0])
    start = f"{opening}, the" if opening else "The"
    return f"{start} {outcome} {treated} is {formats.listed(said)} alone: {counted}, not as another answer."


def _side(rows: Sequence[Row]) -> str:
    return "higher" if rows[0]["side"] == stretches.ABOVE else "lower"


def _when(study: Study, rows: Sequence[Row], *, peak: bool = False) -> str:
    """When the stretches of a run are, with no other between them; with their largest effect if asked."""
    when = words.of(study).during(rows[0]["first_epoch"], rows[-1]["last_epoch"])
    when = when if len(rows) == 1 else f"at times {when}"
    return f"{when} ({_largest(study, rows)})" if peak else when


def _largest(study: Study, rows: Sequence[Row]) -> str:
    """`at most 6.1-fold lower, after 120 epochs`: the band excludes no effect all along a stretch, so there as well."""
    top = max(rows, key=lambda row: effects.size(study.outcome, row["effect"]))
    return f"at most {effects.changed(study.outcome, top['effect'])}, {words.of(study).after(top['peak_epoch'])}"


def _shrunk(study: Study, table: pd.DataFrame, contexts: pd.DataFrame) -> list[tuple[Row, Row]]:
    """The largest stretch of each comparison whose effect shrank, and the row of its verdict."""
    held, none = _held(study, table), study.outcome.no_effect
    found: list[tuple[Row, Row]] = []
    if table.empty:
        return []
    judged = {tuple(row[name] for name in held): row for row in contexts.to_dict("records")}
    for key, group in table.groupby(held, sort=False):
        row = judged.get(key if isinstance(key, tuple) else (key,))
        if row is None or row["verdict"] not in ("helps", "hurts") or row["test"] != "mean":
            continue
        side = stretches.ABOVE if row["effect"] > none else stretches.BELOW
        own = [each for each in group.to_dict("records") if each["side"] == side]
        if not own or _course(group.to_dict("records")).crosses:
            continue
        peak = max(own, key=lambda each: effects.size(study.outcome, each["effect"]))
        apart = peak["low"] > row["effect_high"] if side == stretches.ABOVE else peak["high"] < row["effect_low"]
        found += [(peak, row)] if apart else []
    return found


def _shrinks(study: Study, peak: Row, row: Row) -> str:
    """`With Adam, the ratio of the test losses, BN to no BN, falls from 10 after 100 epochs to 1.43 at the end`."""
    opening = titles.opening(study, row)
    treated, base = (titles.arm(study, row[name]) for name in ("treatment", "baseline"))
    effect = effects.of_two(study.outcome, titles.outcome(study, study.report.outcome), (treated, base))
    verb = "falls" if peak["effect"] > row["effect"] else "rises"
    ends = f"from {effects.plain(study.outcome, peak['effect'])} {words.of(study).after(peak['peak_epoch'])}"
    said = f"{effect} {verb} {ends} to {effects.plain(study.outcome, row['effect'])} at the end."
    return f"{opening}, {said}" if opening else formats.beginning(said)


def _drift(study: Study, row: Row) -> str:
    """`With …, between 400 and 500 epochs, the ratio of the test losses, BN to no BN, became 6 % higher (…)`."""
    opening, named = titles.opening(study, row), words.of(study)
    treated, base = (titles.arm(study, row[name]) for name in ("treatment", "baseline"))
    effect = effects.of_two(study.outcome, titles.outcome(study, study.report.outcome), (treated, base))
    when = named.between(row["first_epoch"], row["last_epoch"])
    changed = effects.changed(study.outcome, row["change"])
    level = f"{'simultaneous ' if study.family > 1 else ''}{formats.percent(1 - study.report.alpha)} interval"
    limits = effects.limits(study.outcome, row["change"], row["change_low"], row["change_high"])
    start = f"{opening}, {when}" if opening else formats.beginning(when)
    return f"{start}, {effect} became {changed} ({level} {limits}). {_moves(study, row)}."


def _moves(study: Study, row: Row) -> str:
    """For which arm the effect moves: `The effect still moves against BN`."""
    worse = (row["trend"] == "rises") == study.outcome.lower_is_better
    return f"The effect still moves {'against' if worse else 'in favour of'} {titles.arm(study, row['treatment'])}"


def _still(some: int, total: int, noun: str) -> str:
    """That effects still change at the end."""
    if not some:
        return ""
    where = f" in {formats.share_of(some, total, noun)}" if total > 1 else ""
    return f"The effect still drifts at the end{where}, so a longer run may answer otherwise."
