"""The table of every outcome in words: an effect, what it is over, and what must be said below the heading."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pandas as pd

from bnbench.judge import exploratory
from bnbench.judge.exploratory import EPOCHS_TO_TARGET, SECONDS
from bnbench.outcomes import OUTCOMES
from bnbench.plan.study import Study
from bnbench.vocabulary import ACCURACY, GAP
from bnbench.wording import captions, formats, titles
from bnbench.wording.titles import Row

MARK = "†"
"""Marks an exploratory effect whose adjusted p is below α."""


def heading(name: str) -> str:
    """What stands over the column of an outcome."""
    return "generalization gap" if name == GAP else titles.outcome(name)


def effect(row: Row) -> str:
    """The effect with what is known of its interval, and its mark: `3.1 (2.2 to 4.5) †`, `at least 2.0 (from 1.5)`."""
    value, low, high = row["effect"], row["low"], row["high"]
    form, unit = _form(row["outcome"])
    if math.isnan(value):
        return "–"
    shown = form(value) if OUTCOMES[row["outcome"]].is_ratio else _signed(form(value))
    if row["bound"] in ("at least", "at most"):
        shown = f"{row['bound']} {shown}"
    limits = [("from", low), ("to", high)]
    known = [f"{word} {form(limit)}" for word, limit in limits if not math.isnan(limit)]
    interval = f" ({' '.join(known).removeprefix('from ') if len(known) == 2 else known[0]})" if known else ""
    return f"{shown}{unit}{interval}{f' {MARK}' if row['marked'] else ''}"


def note(row: Row) -> str:
    """What an effect is over where that is not all pairs alike: pairs, trials that reach the target, jobs."""
    pairs = int(row["pairs"])
    if not pairs:
        return ""
    if row["outcome"] == EPOCHS_TO_TARGET:
        said = [f"{_of_arms(row, 'reached')} of {pairs} reach it"] if _count(row, "reached") < 2 * pairs else []
        said += [f"{_of_arms(row, 'at_once')} of {pairs} at once"] if _count(row, "at_once") else []
        return ", ".join(said)
    if row["outcome"] == SECONDS:
        jobs = {int(row[f"jobs_{arm}"]) for arm in ("baseline", "treatment")}
        return f"{formats.count(*jobs, 'job')} each" if len(jobs) == 1 else f"{_of_arms(row, 'jobs')} jobs"
    return f"{row['finite_pairs']} of {pairs} pairs" if row["finite_pairs"] < pairs else ""


def below_heading(study: Study, table: pd.DataFrame) -> str:
    """What a reader of the table has to know, as far as it concerns this one."""
    said, base, treated = captions.facts(study), captions.base(study), captions.treated(study)
    held = set(table["outcome"])
    parts = [f"Ratios of geometric means, {treated} to {base}, with the {said['level']} interval of each cell alone."]
    if GAP in held:
        parts.append(
            "The generalization gap is the log of the test loss minus that of the train loss in evaluation mode; it is "
            "compared by its difference."
        )
    if ACCURACY in held:
        parts.append("Accuracy is compared by its difference, in percentage points; there, higher is better.")
    parts.append(f"All but the {said['loss']} are exploratory.")
    parts += _marks(study, table)
    final = table[~table["outcome"].isin([EPOCHS_TO_TARGET, SECONDS])]
    if (final["finite_pairs"] < final["pairs"]).any():
        parts.append(
            "Where a cell counts pairs, trials of the others diverged. The effect is over the counted pairs, the test "
            f"ranks a diverged trial as the worst, and {MARK} stands only where both point the same way."
        )
    parts += _epochs(study, table[table["outcome"] == EPOCHS_TO_TARGET], f"{base} and {treated}")
    parts.append(
        "Seconds are those of a job divided by its networks. They are compared job by job and not tested, since the "
        "networks of a job share its time; an interval takes two jobs of each arm."
    )
    return " ".join(parts)


def _marks(study: Study, table: pd.DataFrame) -> Iterator[str]:
    """What the mark says, and whether it can come at all."""
    tests, fewest = exploratory.tested_rows(table), exploratory.fewest_marked(table, study.report.alpha)
    if not tests:
        return
    over = f"over all {tests} tests" if tests > 1 else "(a single test)"
    yield (
        f"{MARK} marks p < {study.report.alpha:g} after adjustment for false discoveries {over} of this table "
        "(Benjamini & Hochberg 1995)."
    )
    if not fewest:
        yield f"With so few seeds no p can be that small, so {MARK} can never come."
    elif fewest > 1:
        yield (
            f"With so few seeds for so many tests, one effect alone cannot be marked: {MARK} comes only where at least "
            f"{fewest} of the p-values are about as small as they can be."
        )


def _epochs(study: Study, rows: pd.DataFrame, arms: str) -> Iterator[str]:
    """What the target is, and how trials count that were not seen to reach it."""
    if rows.empty:
        return
    larger = "twice the larger final loss of each pair (geometric mean over the seeds)"
    yield f"The target loss is {f'{study.report.target:g}' if study.report.target else larger}."
    unreached = any(_count(row, "reached") < 2 * row["pairs"] for row in rows.to_dict("records"))
    at_once = any(_count(row, "at_once") for row in rows.to_dict("records"))
    if unreached:
        yield "A trial that does not reach it, or that diverges, counts with the last measured epoch."
    if at_once:
        yield "A trial that has it at the first measurement (at once) counts with that epoch."
    if unreached or at_once:
        yield f"So the ratio may be a bound: at least, or at most. Such trials are counted for {arms}, in this order."
    if rows["bound"].eq("restricted").any():
        yield "Where they would move the ratio both ways, it is that of the epochs as counted."


def _form(name: str) -> tuple[Callable[[float], str], str]:
    """How the effect on an outcome and its limits are written, and the unit."""
    if OUTCOMES[name].is_ratio:
        return formats.number, ""
    if name == ACCURACY:
        return lambda share: _minus(f"{100 * share:.1f}"), " points"
    return lambda value: _minus(f"{value:.2f}"), ""


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
