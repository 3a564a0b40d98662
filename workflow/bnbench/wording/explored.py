"""The table of every outcome in words: an effect, what it is over, and what must be said below the heading."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pandas as pd

from bnbench.judging import exploratory
from bnbench.outcomes import Outcome
from bnbench.plan.study import Study
from bnbench.vocabulary import EPOCHS_TO_TARGET, GAP, SECONDS, SWING
from bnbench.wording import captions, effects, formats, outcomes, resolution, titles, words
from bnbench.wording.titles import Row

MARK = "†"
"""Marks an exploratory effect whose adjusted p is below α."""


def heading(study: Study, name: str) -> str:
    """The heading of the column of an outcome."""
    return titles.outcome(study, name)


def effect(study: Study, row: Row) -> str:
    """The effect, and its mark: `3.1 †`, `at least 2.0`, `+1.3 points`; a dash where there is none."""
    if math.isnan(row["effect"]):
        return "–"
    form, unit = _form(study.outcomes[row["outcome"]], row)
    shown = form(row["effect"]) if study.outcomes[row["outcome"]].is_ratio else _signed(form(row["effect"]))
    if row["bound"] in ("at least", "at most"):
        shown = f"{row['bound']} {shown}"
    counted = " as counted" if row["bound"] == "restricted" else ""
    return f"{shown}{unit}{counted}{f' {MARK}' if row['marked'] else ''}"


def note(study: Study, row: Row) -> str:
    """The lines below the effect: its limits, and which pairs it is over where not all of them count."""
    return ", ".join(filter(None, [_limits(study, row), _over(study, row)]))


def beside_verdict(study: Study, row: Row) -> str:
    """The same on a page that has the verdicts; the interval of what decides a single comparison is there already."""
    if study.family > 1 or row["outcome"] != study.report.outcome or not _limits(study, row):
        return note(study, row)
    return ", ".join(filter(None, ["decides: see above", _over(study, row)]))


def introduction(study: Study) -> str:
    """What is compared in the table, and how."""
    said = captions.facts(study)
    treated, base = captions.treated(study), captions.base(study)
    ratios, differences = (
        f"ratios of geometric means, {treated} to {base}",
        f"differences of means, {treated} minus {base}",
    )
    means = f"Losses, {words.of(study).epochs} and seconds: {ratios}; the rest: {differences}"
    if study.outcome.title:
        scales = {outcome.is_ratio for outcome in study.outcomes.values() if outcome.title}
        only = ratios if True in scales else differences
        means = formats.beginning(only if len(scales) == 1 else f"{ratios}, or {differences}, as said below")
    interval = f"The brackets hold the {said['level']} interval of the cell alone"
    return f"{means}. {interval}. All but the {said['loss']} are exploratory."


def terms(study: Study, table: pd.DataFrame) -> dict[str, str]:
    """Term → what a reader of the table has to know of it, as far as it concerns this one."""
    pairs = "pairs" if study.paired else "runs"
    held, run = set(table["outcome"]), words.of(study).run
    small = "a small loss" if resolution.is_known(study) else resolution.briefly(study)
    found = {MARK: " ".join(_marks(study, table))}
    final = table[~table["outcome"].isin([EPOCHS_TO_TARGET, SECONDS])]
    if (final["finite_pairs"] < final["pairs"]).any():
        found["Pairs" if study.paired else "Runs"] = (
            f"Counted where {run}s diverged, or have {resolution.briefly(study)}. The effect is over the counted "
            f"{pairs}. The test ranks a diverged {run} as the worst, and takes of {small} only what is certain; "
            f"{MARK} appears only where both point the same way."
        )
    found |= {
        heading(study, name): outcomes.term(study, name)
        for name in titles.in_order(study, held - {EPOCHS_TO_TARGET, SECONDS})
    }
    if EPOCHS_TO_TARGET in held:
        found[heading(study, EPOCHS_TO_TARGET)] = " ".join(_epochs(study, table[table["outcome"] == EPOCHS_TO_TARGET]))
    if SECONDS in held:
        found[heading(study, SECONDS)] = (
            "Those of a job divided by its networks. They are compared job by job and not tested, since the networks "
            "of a job share its time. Welch's (1947) interval takes two jobs of each arm."
        )
    return {term: text for term, text in found.items() if text}


def _limits(study: Study, row: Row) -> str:
    """The limits that are known: `(2.2 to 4.5)`, `(from 2.2)`, `(to 4.5)`."""
    form, _ = _form(study.outcomes[row["outcome"]], row)
    low, high = ("" if math.isnan(limit) else form(limit) for limit in (row["low"], row["high"]))
    if low and high:
        return f"({low} to {high})"
    return f"(from {low})" if low else f"(to {high})" if high else ""


def _over(study: Study, row: Row) -> str:
    """What an effect is over: pairs, trials that reach the target, jobs; of accuracies, the arms' means."""
    pairs = int(row["pairs"])
    if not pairs:
        return ""
    if row["outcome"] == EPOCHS_TO_TARGET:
        said = [f"{_of_arms(row, 'reached')} of {pairs} reach it"] if _count(row, "reached") < 2 * pairs else []
        said += [f"{_of_arms(row, 'at_once')} of {pairs} at once"] if _count(row, "at_once") else []
        return ", ".join(said)
    if row["outcome"] == SECONDS:
        equal = row["jobs_baseline"] == row["jobs_treatment"]
        return f"{formats.count(int(row['jobs_baseline']), 'job')} each" if equal else f"{_of_arms(row, 'jobs')} jobs"
    noun = "pairs" if study.paired else "runs"
    counted = f"{row['finite_pairs']} of {pairs} {noun}" if row["finite_pairs"] < pairs else ""
    outcome = study.outcomes[row["outcome"]]
    if outcome.is_ratio or outcome.name in (GAP, SWING) or math.isnan(row["effect"]):
        return counted
    base, treated = (effects.value(outcome, row[f"{arm}_value"]) for arm in ("baseline", "treatment"))
    means = f"from {base.removesuffix(' %') if treated.endswith(' %') else base} to {treated}"
    return ", ".join(filter(None, [means, counted]))


def _marks(study: Study, table: pd.DataFrame) -> Iterator[str]:
    """What the mark says, and whether it can come at all."""
    few = "seeds" if study.paired else "runs"
    tests, fewest = exploratory.tested_rows(table), exploratory.fewest_marked(table, study.report.alpha)
    if not tests:
        return
    over = f"over all {tests} tests" if tests > 1 else "over the one test"
    yield (
        f"p < {study.report.alpha:g} after adjustment for false discoveries {over} of this table "
        "(Benjamini & Hochberg 1995)."
    )
    if not fewest:
        yield f"With so few {few} no p can be that small, so {MARK} can never appear."
    elif fewest > 1:
        yield (
            f"With so few {few} and so many tests, one effect alone cannot be marked: {MARK} appears only where at "
            f"least {fewest} of the p-values are about as small as they can be."
        )


def _epochs(study: Study, rows: pd.DataFrame) -> Iterator[str]:
    """What the target is, and how trials count that were not seen to reach it."""
    named = words.of(study)
    target = "twice the larger final loss of each pair (geometric mean over the seeds)"
    if not study.paired:
        target = "twice the upper quartile of the final values of both arms"
    if study.report.target is not None:
        of_loss = study.outcome.is_ratio
        target = f"{study.report.target:g}" if of_loss else effects.value(study.outcome, study.report.target)
    name = titles.outcome(study, study.report.outcome)
    yield f"The target {'loss' if study.outcome.is_ratio and not study.outcome.title else name} is {target}."
    unreached = any(_count(row, "reached") < 2 * row["pairs"] for row in rows.to_dict("records"))
    at_once = any(_count(row, "at_once") for row in rows.to_dict("records"))
    if unreached:
        yield (
            f"A {named.run} that does not reach it, or that diverges, counts with the last measured {named.epoch} "
            "(restricted mean time, Royston & Parmar 2013)."
        )
    if at_once:
        yield f"A {named.run} that has it at the first measurement (at once) counts with that {named.epoch}."
    if unreached or at_once:
        arms = f"{captions.base(study)} and {captions.treated(study)}"
        counted = f"{named.runs.capitalize()} are counted for {arms}, in this order."
        yield f"So the ratio may be a bound: at least, or at most. {counted}"
    if rows["bound"].eq("restricted").any():
        yield f"As counted: both arms have such {named.runs}, so the true ratio may be lower or higher."


def _form(outcome: Outcome, row: Row) -> tuple[Callable[[float], str], str]:
    """How the effect on an outcome and its limits are written, and the unit."""
    if outcome.is_ratio:
        return formats.number, ""
    unit = f" {outcome.unit}" if outcome.unit else ""
    times, digits, unit = (100, 1, " points") if outcome.per_cent else (1, 2, unit)
    size = abs(times * row["effect"])
    if 0 < size < 1:  # two digits that count, but no more than a difference that is one has
        digits = min(4, max(digits, 1 - math.floor(math.log10(size))))
    return lambda value: _minus(f"{times * value:.{digits}f}"), unit


def _minus(text: str) -> str:
    """With a minus that is one, and none before zero."""
    return text.replace("-", "−") if text.strip("-0.") else text.removeprefix("-")


def _signed(text: str) -> str:
    return text if text.startswith("−") or not text.strip("0.") else f"+{text}"


def _of_arms(row: Row, column: str) -> str:
    """A count of both arms, the baseline's first."""
    return f"{int(row[f'{column}_baseline'])} and {int(row[f'{column}_treatment'])}"


def _count(row: Row, column: str) -> int:
    return int(row[f"{column}_baseline"]) + int(row[f"{column}_treatment"])
