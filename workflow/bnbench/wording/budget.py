"""Whether the answer depends on how long is trained: where the effect changes sides, and whether it still drifts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bnbench.judging import stretches
from bnbench.plan.study import Study
from bnbench.wording import effects, formats, titles, words
from bnbench.wording.titles import Row

_NAMED = 3
"""Changes of side that a sentence names; of more, the first stretch and the last."""


def crossings(study: Study, table: pd.DataFrame) -> list[str]:
    """A sentence for each comparison of which the band lies on either side of no effect for long enough to matter.

    Sides that do not last to the end come with their largest effect, which no verdict gives.
    """
    return [_crossing(study, runs, peaks=True) for runs in _by_contrast(study, table) if _crosses(runs)]


def drifts(study: Study, drift: pd.DataFrame) -> list[str]:
    """A sentence for each comparison of which the effect itself clearly changes at the end."""
    return [_drift(study, row) for row in drift.to_dict("records") if row["trend"] in ("falls", "rises")]


def answer(study: Study, table: pd.DataFrame, drift: pd.DataFrame) -> str:
    """The answer to whether another budget would give another answer, as far as these epochs show; else empty."""
    rows = drift.to_dict("records")
    if not rows:
        return ""
    noun, named = "context" if len(study.comparisons) == 1 else "comparison", words.of(study)
    crossing = sum(_crosses(each) for each in _by_contrast(study, table))
    drifting = sum(row["trend"] in ("falls", "rises") for row in rows)
    if crossing:
        where = f", in {formats.share_of(crossing, len(rows), noun)}" if len(rows) > 1 else ""
        said = f"Yes{where}: the effect changes sides on the way."
        more = _still(drifting, len(rows), noun)
        return f"{said} {more}".strip()
    if drifting:
        return f"It may. {_still(drifting, len(rows), noun)}"
    if all(row["trend"] == "no data" for row in rows):
        return f"It cannot be told: too little was measured at the last {named.epochs}."
    return (
        f"Nothing shows that it does: no effect changes sides over these {named.epochs}, or clearly drifts at the end."
    )


def note(study: Study, table: pd.DataFrame, drift: pd.DataFrame) -> str:
    """What of it changes how the answer is read: a short warning beside it; empty where there is none."""
    crossed = [runs for runs in _by_contrast(study, table) if _crosses(runs)]
    rows, noun = drift.to_dict("records"), "context" if len(study.comparisons) == 1 else "comparison"
    if crossed:
        if len(rows) == 1:
            return f"The answer depends on the budget. {_crossing(study, crossed[0], peaks=False)}"
        return (
            f"The answer depends on the budget in {formats.share_of(len(crossed), len(rows), noun)}: "
            "the effect changes sides on the way."
        )
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


def _by_contrast(study: Study, table: pd.DataFrame) -> list[list[list[Row]]]:
    """The stretches of each comparison in their order, those of one side together."""
    held = [name for name in table if name in (*study.factors, "baseline", "treatment")]
    if table.empty:
        return []
    return [stretches.runs(group.to_dict("records")) for _, group in table.groupby(held, sort=False)]


def _crosses(runs: Sequence[Sequence[Row]]) -> bool:
    return len(runs) > 1


def _crossing(study: Study, runs: Sequence[Sequence[Row]], *, peaks: bool) -> str:
    """`With SGD, the test loss with BN is lower than without BN from epoch 39 to 679 and higher from epoch 779 …`."""
    treated, base = (titles.with_arm(study, runs[0][0][name]) for name in ("treatment", "baseline"))
    shown = runs if len(runs) <= _NAMED else [runs[0], runs[-1]]
    found = [_run(study, run, peak=peaks and run is not runs[-1]) for run in shown]
    (side, when), rest = found[0], [f"{other} {then}" for other, then in found[1:]]
    opening, outcome = titles.opening(study, runs[0][0]), titles.outcome(study, study.report.outcome)
    start = f"{opening}, the" if opening else "The"
    joined = formats.listed([f"{side} than {base} {when}", *rest])
    turns = f", changing sides {len(runs) - 1} times" if len(runs) > _NAMED else ""
    return f"{start} {outcome} {treated} is {joined}{turns}."


def _run(study: Study, rows: Sequence[Row], *, peak: bool) -> tuple[str, str]:
    """The side of stretches with no other between them, and when they are; with their largest effect if asked."""
    named = words.of(study)
    first, last = rows[0]["first_epoch"], rows[-1]["last_epoch"]
    side = "higher" if rows[0]["side"] == stretches.ABOVE else "lower"
    when = f"{'' if len(rows) == 1 else 'at times '}from {named.epoch} {first:,} to {last:,}"
    return side, f"{when} ({_largest(study, rows)})" if peak else when


def _largest(study: Study, rows: Sequence[Row]) -> str:
    """`at most 6.1-fold lower, at epoch 119`: the band excludes no effect all along a stretch, so there as well."""
    top = max(rows, key=lambda row: effects.size(study.outcome, row["effect"]))
    return f"at most {effects.changed(study.outcome, top['effect'])}, at {words.of(study).epoch} {top['peak_epoch']:,}"


def _drift(study: Study, row: Row) -> str:
    """`With …, from epoch 399 to 499, the ratio of the test losses, BN to no BN, became 6 % higher (…)`."""
    opening, named = titles.opening(study, row), words.of(study)
    treated, base = (titles.arm(study, row[name]) for name in ("treatment", "baseline"))
    effect = effects.of_two(study.outcome, titles.outcome(study, study.report.outcome), (treated, base))
    when = f"from {named.epoch} {row['first_epoch']:,} to {row['last_epoch']:,}"
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
