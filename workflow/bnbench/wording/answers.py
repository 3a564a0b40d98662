"""The study's answer: one sentence of all its verdicts, which says no more than they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import pandas as pd

from bnbench.catalogue.norms import NORMS
from bnbench.plan.study import Study
from bnbench.wording import effects, formats, resolution, samples, sentences, titles, words
from bnbench.wording.titles import Row

_SPELLED_OUT = 6  # contexts that one sentence can name

_VERDICTS = ("hurts", "helps", "equivalent", "undecided", "diverged", "no data")
"""In the order in which an answer says them; of two arms that both diverged throughout there is nothing to decide."""

_RANKED = {"worst-rank": "counting diverged {runs} as the worst", "rank": "ranks, with losses of 0"}
"""Test → how a verdict without an effect was reached."""


class _Arms(NamedTuple):
    """What the arms of a comparison are called."""

    treated: str
    base: str
    acting: str
    """The treatment as what changes a loss: `BN`, or `ghost BN instead of BN`."""


_Judged = Mapping[str, Sequence[Row]]
"""Verdict → the rows of one treatment that have it."""


def answer(study: Study, rows: pd.DataFrame) -> str:
    """What each treatment did to the loss, context by context, or as counts if there are many contexts."""
    said: list[str] = []
    without: list[str] = []
    for (baseline, treatment), group in rows.groupby(["baseline", "treatment"], sort=False):
        records = group.to_dict("records")
        arms = _arms(study, str(treatment), str(baseline))
        judged = {verdict: [row for row in records if _said_of(row) == verdict] for verdict in _VERDICTS}
        counted = [row for row in records if row["verdict"] != "no data"]
        seeds = samples.over(study, counted[0]) if len(counted) == 1 else samples.over_all(counted)
        if seeds:
            say = _spelled_out if len(records) <= _SPELLED_OUT else _counted
            said.append(f"Over {seeds}, {'; '.join(say(study, arms, judged))}.")
        else:
            without.append(formats.sentence(samples.absent(study, records[0])))
    nothing = f"There are no {'pairs' if study.paired else 'runs'} to compare{samples.yet(study)}."
    return " ".join([*said, *without]) if said else nothing


def _said_of(row: Row) -> str:
    """The verdict; but where every trial diverged, that is said in its place."""
    return "diverged" if row["pairs"] and samples.all_diverged(row) else str(row["verdict"])


def _spelled_out(study: Study, arms: _Arms, judged: _Judged) -> list[str]:
    """A clause for each verdict that occurs, and in it every context, with its numbers where they say something."""
    clauses = []
    sized = [row for verdict in ("hurts", "helps") for row in judged[verdict] if row["test"] == "mean"]
    for verdict in ("hurts", "helps"):
        changes, diverged, floored = [], [], []
        for row in judged[verdict]:
            context = titles.where(study, row)
            if row["test"] == "worst-rank":
                diverged.append(" ".join(filter(None, [context, f"({samples.divergence(study, row)})"])))
                continue
            if row["test"] == "rank":
                have = "has" if row["floored"] == 1 else "have"
                counted = f"({samples.counted(row, row['floored'])} {have} {resolution.briefly(study)})"
                floored.append(" ".join(filter(None, [context, counted])))
                continue
            # The first interval says what all of them are.
            interval = f"{sentences.interval(row)} " if row is sized[0] else ""
            size = effects.change(study.outcome, row, level_text=interval)
            within = f" (within the margin of {sentences.margin(study)})" if row["within_margin"] else ""
            changes.append(f"{size}{f' {context}' if context else ''}{within}")
        if changes:
            outcome = titles.outcome(study, judged[verdict][0]["outcome"])
            clauses.append(f"{arms.acting} made the {outcome} {formats.listed(changes)}")
        worse, runs = "worse" if verdict == "hurts" else "better", words.of(study).runs
        comma = "," if any(titles.where(study, row) for row in judged[verdict]) else ""
        if diverged:
            clauses.append(_in(f"{arms.acting} was {worse}, counting diverged {runs} as the worst{comma}", diverged))
        if floored:
            clauses.append(_in(f"{arms.acting} was {worse}, by ranks{comma}", floored))
    names = {verdict: [titles.where(study, row) for row in rows] for verdict, rows in judged.items()}
    undecided = names["undecided"]
    if names["equivalent"]:
        clauses.append(_in(_equivalent(study, arms), names["equivalent"]))
    if undecided and clauses:
        clauses.append(_in("nothing is decided", undecided))
    elif undecided:
        where = (
            undecided[0] if len(undecided) == 1 else f"in {_undecided(len(undecided), sum(map(len, judged.values())))}"
        )
        clauses.append(_in(f"nothing is decided between {arms.treated} and {arms.base}", [where]))
    if names["diverged"]:
        clauses.append(_in(_all_diverged(study, arms), names["diverged"]))
    if names["no data"]:
        clauses.append(_in(_nothing(study), names["no data"]))
    return clauses


def _counted(study: Study, arms: _Arms, judged: _Judged) -> list[str]:
    """A clause for each verdict that occurs, with the number of its contexts and the range of the estimated changes."""
    named_before = any(judged[verdict] for verdict in ("hurts", "helps", "equivalent"))
    said = {
        "hurts": f"{arms.acting} hurt",
        "helps": f"{arms.acting} helped",
        "equivalent": _equivalent(study, arms),
        "undecided": "nothing is decided"
        if named_before
        else f"nothing is decided between {arms.treated} and {arms.base}",
        "diverged": _all_diverged(study, arms),
        "no data": _nothing(study),
    }
    clauses: list[str] = []
    contexts = sum(map(len, judged.values()))
    for verdict, rows in judged.items():
        if rows:
            counted = str(len(rows)) if clauses else formats.share_of(len(rows), contexts, "context")
            if verdict == "undecided":
                counted = counted if clauses else _undecided(len(rows), contexts)
            notes = _range(study, rows) if verdict in ("hurts", "helps") else ""
            clauses.append(f"{said[verdict]} in {counted}{notes}")
    return clauses


def _equivalent(study: Study, arms: _Arms) -> str:
    """`BN and no BN had equivalent test losses within the margin of 1.05`."""
    losses = formats.plural(titles.outcome(study, study.outcome.name))
    return f"{arms.treated} and {arms.base} had equivalent {losses} within the margin of {sentences.margin(study)}"


def _undecided(some: int, contexts: int) -> str:
    """In how many contexts nothing is decided: `2 of 4 contexts`, `either of the 2 contexts`."""
    if some < contexts:
        return formats.share_of(some, contexts, "context")
    return f"{'either' if contexts == 2 else 'any'} of the {contexts} contexts"


def _range(study: Study, rows: Sequence[Row]) -> str:
    """The range of the estimated changes of contexts with one verdict, and how many have none."""
    outcome = study.outcome
    sized = sorted((row["effect"] for row in rows if row["test"] == "mean"), key=partial(effects.size, outcome))
    notes = []
    if sized:
        ends = dict.fromkeys(effects.amount(outcome, end) for end in (sized[0], sized[-1]))
        side = "higher" if sized[0] > outcome.no_effect else "lower"
        notes.append(f"{titles.outcome(study, outcome.name)} {' to '.join(ends)} {side}")
    for test, how in _RANKED.items():
        if count := sum(row["test"] == test for row in rows):
            notes.append(f"{count} by {how.format(runs=words.of(study).runs)}")
    return f" ({'; '.join(notes)})"


def _in(clause: str, contexts: Sequence[str]) -> str:
    """A clause with the contexts that it is about; the only one may have no name."""
    return " ".join(filter(None, [clause, formats.listed([*filter(None, contexts)])]))


def _all_diverged(study: Study, arms: _Arms) -> str:
    return f"every {words.of(study).run} of {arms.treated} and of {arms.base} diverged"


def _nothing(study: Study) -> str:
    return f"there are no {'pairs' if study.paired else 'runs of both'}{samples.yet(study)}"


def _arms(study: Study, treatment: str, baseline: str) -> _Arms:
    """What the arms are called. With no BN as the baseline, 'BN' alone is clear as what changes a loss."""
    treated, base = titles.arm(study, treatment), titles.arm(study, baseline)
    alone = base == NORMS["none"].title
    acting = treated if alone else f"{treated} instead of {titles.beside(study, treatment, baseline)}"
    return _Arms(treated, base, acting)
