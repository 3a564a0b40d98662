"""All texts about a comparison: the columns of words in its tables, and the sentences of `verdicts.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bnbench.judging import absolute as absolutes
from bnbench.judging import convergence as convergences
from bnbench.judging.claims import Judged
from bnbench.plan.own_study import OwnStudy
from bnbench.plan.study import Study
from bnbench.store.schemas import TABLES
from bnbench.wording import (
    absolute,
    answers,
    budget,
    claims,
    convergence,
    formats,
    methods,
    opposite,
    own_methods,
    preregistration,
    sentences,
    setup_line,
    setup_notes,
    titles,
    together,
    variance,
    why,
)

Tables = Mapping[str, pd.DataFrame]
"""Name → table."""


def claimed(study: Study, judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Each claim with its numbers and sentences."""
    return [claims.row(study, each) for each in judged]


def worded(study: Study, found: Tables, claimed: Sequence[Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """The tables with their columns of words, and the table of claims."""
    said = {
        "interactions": together.interaction,
        "aggregate": together.aggregate,
        "reference": sentences.reference,
    }
    columns = {
        name: found[name].assign(sentence=[say(study, row) for row in found[name].to_dict("records")])
        for name, say in said.items()
    }
    mixed = {
        name: found[name].assign(mixed=found[name]["mixed"].map(formats.mixture)) for name in ("contexts", "tuned")
    }
    rows = [{**claim, "measured": "; ".join(claim["measured"])} for claim in claimed]
    claims_table = pd.DataFrame(rows, columns=TABLES["claims"].names)
    return {**found, **columns, **mixed, "claims": claims_table}


def sayings(
    study: Study, found: Tables, claimed: Sequence[Mapping[str, Any]], planned: Mapping[str, Any]
) -> dict[str, Any]:
    """The sentences of `verdicts.json`.

    Args:
        study: the study.
        found: its tables, with their columns of words.
        claimed: its claims, as `claimed` gives them.
        planned: whether the comparison is known to have been fixed before training (`judging.preregistration.finding`).
    """
    rows = found["contexts"]
    against = opposite.note(study, rows, found["outcomes"])
    warned = budget.note(study, found["stretches"], found["drift"])
    answered = _answers(study, rows, found["tuned"], [against, warned])
    cost, fixed, paragraph = _made(study, found, planned)
    return {
        "context": setup_line.line(study),
        **answered,
        "opposite": against,
        "budget_note": warned,
        "rates_note": setup_notes.rates(study),
        "definitions": setup_notes.definitions(study),
        "setup": setup_notes.setup(study),
        "budget": budget.answer(study, found["stretches"], found["drift"], rows),
        "crossings": budget.crossings(study, found["stretches"]),
        "shrinking": budget.shrinking(study, found["stretches"], rows),
        "drifts": budget.drifts(study, found["drift"]),
        "why": why.summary(study, found["decomposition"]),
        "parts": why.sentences(study, found["decomposition"]),
        "modes": why.modes(study, found["modes"]),
        "adjusted": sentences.adjustment((rows if found["tuned"].empty else found["tuned"]).to_dict("records")),
        "needed": sentences.needed(study, rows.to_dict("records")),
        "sentences": [sentences.context(study, row) for row in rows.to_dict("records")],
        "tuned": [sentences.tuned(study, row) for row in found["tuned"].to_dict("records")],
        "reference": found["reference"]["sentence"].tolist(),
        "interactions": found["interactions"]["sentence"].tolist(),
        "aggregate": found["aggregate"]["sentence"].tolist(),
        "ranks": together.ranks(study, found["ranks"], found["all_pairs"]),
        **_absolute(study, found),
        "convergence": convergence.clause(study, found["convergence"]),
        "still_changing": convergence.note(
            study, convergences.at_chosen_rates(study, found["tuned"], found["convergence"])
        ),
        "variance": variance.sentences(study, found["variance"]),
        "trajectories": _trajectories(study, found),
        "claims": list(claimed),
        "control": sentences.control(study, found["control"].to_dict("records")[0]),
        "cost": cost,
        "preregistration": {**planned, "sentence": fixed, "note": preregistration.note(planned)},
        "methods": f"{paragraph} {answered['headline']}."
        if study.trained_here and found["provenance"]["trials"].sum()
        else paragraph,
    }


def _made(study: Study, found: Tables, planned: Mapping[str, Any]) -> tuple[str, str, str]:
    """What it cost, whether it was fixed before, and the methods; of runs from elsewhere, nothing of how they came."""
    if isinstance(study, OwnStudy):
        return "", own_methods.fixed(study), own_methods.paragraph(study, found)
    fixed = preregistration.sentences(planned)
    return sentences.cost(study, found["provenance"]), fixed, methods.paragraph(study, found, fixed)


def _answers(study: Study, rows: pd.DataFrame, tuned: pd.DataFrame, more: Sequence[str]) -> dict[str, Any]:
    """Headline and answer; where arms were tuned, those of the tuned arms, and the headline at equal rates."""
    if tuned.empty:
        head = answers.headline(study, rows)
        others = answers.others(study, rows)
        said = answers.answer(study, rows, head, [*others, *more])
        return {"headline": head, "others": others, "sentence": said, "equal_rates": ""}
    named = f"{titles.tuned(study)}s" if len(study.tuned_names) == 1 else "arms"
    head = answers.headline(study, tuned, f"with tuned {named}, ")
    alike = study.tuned_arms == study.arms  # else each arm has values of its own, and there are no equal ones
    equal = f"{answers.headline(study, rows, f'{titles.equal(study)}, ')}." if alike else ""
    others = answers.others(study, tuned)
    said = answers.answer(study, tuned, head, [*others, *more], f"With tuned {named}: ")
    return {"headline": head, "others": others, "sentence": said, "equal_rates": equal}


def _absolute(study: Study, found: Tables) -> dict[str, Any]:
    """What the losses are on an absolute scale: of the study, of each context, and of each at the best rates."""
    tuned = absolutes.at_chosen_rates(study, found["tuned"], found["absolute"])
    rows = {"absolute": found["absolute"], "tuned_absolute": tuned}
    said = {name: [absolute.context(study, row) for row in table.to_dict("records")] for name, table in rows.items()}
    return {"absolute_answer": absolute.answer(study, found["absolute"] if tuned.empty else tuned), **said}


def _trajectories(study: Study, found: Tables) -> list[str]:
    """A sentence on each contrast that has pairs, from its last epoch and its verdict; none of groups."""
    differences, contexts = found["differences"], found["contexts"].to_dict("records")
    if differences.empty:
        return []
    names = [name for name in differences.columns if name in (*study.factors, "baseline", "treatment")]
    last = differences.groupby(names, sort=False).tail(1).to_dict("records")
    return [sentences.decided(study, *rows) for rows in zip(last, contexts, strict=True) if rows[0]["pairs"] > 0]
