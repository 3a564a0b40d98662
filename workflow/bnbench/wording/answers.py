"""The study's answer: one sentence of all its verdicts, which says no more than they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from bnbench.catalogue.norms import NORMS
from bnbench.plan.study import Study
from bnbench.wording import effects, formats, sentences, titles
from bnbench.wording.titles import Row

_SPELLED_OUT = 6  # contexts that one sentence can name

_VERDICTS = ("hurts", "helps", "equivalent", "undecided", "diverged", "no data")
"""In the order in which an answer says them; of two arms that both diverged throughout there is nothing to decide."""

_Judged = Mapping[str, Sequence[Row]]
"""Verdict → the rows of one treatment that have it."""


def answer(study: Study, rows: pd.DataFrame) -> str:
    """What each treatment did to the loss, context by context, or as counts if there are many contexts."""
    said: list[str] = []
    without: list[str] = []
    for (baseline, treatment), group in rows.groupby(["baseline", "treatment"], sort=False):
        records = group.to_dict("records")
        treated, base = (titles.arm(study, str(arm)) for arm in (treatment, baseline))
        judged = {verdict: [row for row in records if _said_of(row) == verdict] for verdict in _VERDICTS}
        seeds = sentences.seeds([row for row in records if row["verdict"] != "no data"])
        if seeds:
            say = _spelled_out if len(records) <= _SPELLED_OUT else _counted
            said.append(f"Over {seeds}, {'; '.join(say(study, treated, base, judged))}.")
        else:
            without.append(f"{treated} and {base}")
    if said and without:
        said += [f"There are no pairs of {pair} yet." for pair in without]
    return " ".join(said) or "There are no pairs to compare yet."


def _said_of(row: Row) -> str:
    """The verdict; but where every trial diverged, that is said in its place."""
    return "diverged" if row["pairs"] and sentences.all_diverged(row) else str(row["verdict"])


def _spelled_out(study: Study, treated: str, base: str, judged: _Judged) -> list[str]:
    """A clause for each verdict that occurs, and in it every context, with its numbers where they say something."""
    clauses = []
    acting = _acting(treated, base)
    sized = [row for verdict in ("hurts", "helps") for row in judged[verdict] if row["test"] == "mean"]
    for verdict in ("hurts", "helps"):
        changes, diverged, floored = [], [], []
        for row in judged[verdict]:
            context = f"with {titles.context_name(study, row)}"
            if row["test"] == "worst-rank":
                diverged.append(f"{context} ({sentences.divergence(study, row)})")
                continue
            if row["test"] == "rank":
                pairs = formats.share_of(row["floored"], row["pairs"], "pair")
                have = "has" if row["floored"] == 1 else "have"
                floored.append(f"{context} ({pairs} {have} a loss too small to measure)")
                continue
            # The first interval says what all of them are.
            interval = f"{sentences.interval(row)} " if row is sized[0] else ""
            size = effects.change(study.outcome, row, level_text=interval)
            within = f" (within the margin of {sentences.margin(study)})" if row["within_margin"] else ""
            changes.append(f"{size} {context}{within}")
        if changes:
            clauses.append(
                f"{acting} made the {titles.outcome(judged[verdict][0]['outcome'])} {formats.listed(changes)}"
            )
        worse = "worse" if verdict == "hurts" else "better"
        if diverged:
            clauses.append(f"{acting} was {worse}, counting diverged trials as the worst, {formats.listed(diverged)}")
        if floored:
            clauses.append(f"{acting} was {worse}, by ranks, {formats.listed(floored)}")
    names = {verdict: [f"with {titles.context_name(study, row)}" for row in rows] for verdict, rows in judged.items()}
    undecided = names["undecided"]
    if names["equivalent"]:
        clauses.append(f"{_equivalent(study, treated, base)} {formats.listed(names['equivalent'])}")
    if undecided and clauses:
        clauses.append(f"nothing is decided {formats.listed(undecided)}")
    elif undecided:
        where = (
            undecided[0] if len(undecided) == 1 else f"in {_undecided(len(undecided), sum(map(len, judged.values())))}"
        )
        clauses.append(f"nothing is decided between {treated} and {base} {where}")
    if names["diverged"]:
        clauses.append(f"every trial of {treated} and of {base} diverged {formats.listed(names['diverged'])}")
    if names["no data"]:
        clauses.append(f"there are no pairs yet {formats.listed(names['no data'])}")
    return clauses


def _counted(study: Study, treated: str, base: str, judged: _Judged) -> list[str]:
    """A clause for each verdict that occurs, with the number of its contexts and the range of the estimated changes."""
    acting = _acting(treated, base)
    named_before = any(judged[verdict] for verdict in ("hurts", "helps", "equivalent"))
    said = {
        "hurts": f"{acting} hurt",
        "helps": f"{acting} helped",
        "equivalent": _equivalent(study, treated, base),
        "undecided": "nothing is decided" if named_before else f"nothing is decided between {treated} and {base}",
        "diverged": f"every trial of {treated} and of {base} diverged",
        "no data": "there are no pairs yet",
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


def _equivalent(study: Study, treated: str, base: str) -> str:
    """`BN and no BN had equivalent test losses within the margin of 1.05`."""
    losses = formats.plural(titles.outcome(study.outcome.name))
    return f"{treated} and {base} had equivalent {losses} within the margin of {sentences.margin(study)}"


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
        notes.append(f"{titles.outcome(outcome.name)} {' to '.join(ends)} {side}")
    for test, how in (("worst-rank", "counting diverged trials as the worst"), ("rank", "ranks, with losses of 0")):
        if count := sum(row["test"] == test for row in rows):
            notes.append(f"{count} by {how}")
    return f" ({'; '.join(notes)})"


def _acting(treated: str, base: str) -> str:
    """The treatment as what changes a loss. With no BN as the baseline, 'BN' alone is clear."""
    return treated if base == NORMS["none"].title else f"{treated} instead of {base}"
