"""The tables of the page, whole: what stands over each column, and the lines below. One macro writes all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from bnbench.page import rows
from bnbench.page.rows import NOTHING, Cell
from bnbench.plan.study import Study
from bnbench.vocabulary import SEED_VARIES
from bnbench.wording import absolute as absolutes
from bnbench.wording import effects, formats, titles, words

_OF_PAIRS = ("dz", "p_holm")
"""Cells that groups have no numbers for, or that are what decides there."""

_OF_GROUPS = {"Seeds needed": "Runs needed"}
"""What stands over a column of groups."""

_SPELLED_OUT = 4  # rows of a claim that are shown without a click

SETUPS = {"paper": "What the source did", "here": "What is tested here"}
"""Columns of a claim that tell its setup, and what stands over them."""


@dataclass(frozen=True)
class Line:
    """A row of a table; its first cell names it."""

    cells: Sequence[Cell]
    kind: str = ""
    """Classes in the style sheet."""
    held: Mapping[str, str] = field(default_factory=dict)
    """Factor → level, by which the line can be filtered."""


@dataclass(frozen=True)
class Table:
    """What the macro writes."""

    label: str
    """What the table is called where it cannot be seen."""
    heads: Sequence[str]
    lines: Sequence[Line]
    kind: str = ""
    """Classes in the style sheet: `contexts` can be sorted and filtered, `wide` breaks its numbers on paper."""


def verdicts(study: Study, contexts: pd.DataFrame) -> Table:
    """What decides."""
    base, treated = _arms(study)
    columns = {
        "Verdict": "verdict",
        _effect(study): "effect",
        "p, adjusted": "p_adjusted",
        _sample(study): "pairs",
        base: "baseline",
        treated: "treatment",
    }
    return _of_contexts(study, "Verdicts", columns, contexts)


def absolute(study: Study, table: pd.DataFrame) -> Table | None:
    """The test losses on an absolute scale; nothing where nothing more is known of it."""
    found = rows.absolute(study, table)
    shown = [name for name in absolutes.COLUMNS if name != study.report.outcome]  # R² may be what decides
    names = [name for name in shown if any(row["cells"][name][0] != NOTHING for row in found)]
    if not names or (names == ["accuracy"] and study.outcome.per_cent):  # the table of verdicts has them
        return None
    heads = [f"{absolutes.COLUMNS[name]}, {arm}" for name in names for arm in _arms(study)]
    lines = [
        Line([Cell(row["name"]), *(cell for name in names for cell in row["cells"][name])], held=row["factors"])
        for row in found
    ]
    return Table("The test losses on an absolute scale", [_context(study), *heads], lines, "contexts")


def more(study: Study, contexts: pd.DataFrame) -> Table:
    """Other statistics of the same pairs."""
    columns = {
        "By itself": "own",
        "Robust": "robust",
        "p, Wilcoxon": "p_wilcoxon",
        last(study): "last",
        "p, alone": "p",
        "p, Holm": "p_holm",
        "p, equivalence": "p_equivalence",
        "dz": "dz",
        **({} if study.paired else {"g": "g"}),
        "Wins": "wins",
        "Spread": "spread",
        "p, spread": "p_spread",
        "r": "correlation",
        "Variance ratio": "variance_ratio",
        "Seeds needed": "needed",
        "For equivalence": "equivalent",
    }
    if not study.has_course:
        del columns[last(study)]
    if not study.paired:
        columns = {_OF_GROUPS.get(head, head): cell for head, cell in columns.items() if cell not in _OF_PAIRS}
    if contexts["corrected_low"].notna().any():
        columns = {"By itself": "own", "Corrected": "corrected"} | columns
    if contexts["floored"].gt(0).any():
        columns["Too small"] = "floored"
    return _of_contexts(study, "More about each context", columns, contexts, "contexts wide")


def last(study: Study) -> str:
    """What stands over the effect at the last measurement."""
    return f"Last {words.of(study).epoch} alone"


def divergence(study: Study, contexts: pd.DataFrame) -> Table | None:
    """How many trials diverged; nothing where none did."""
    if not contexts["test"].eq("worst-rank").any():
        return None
    test = {"p, McNemar": "mcnemar"} if study.paired else {"p, Fisher": "fisher"}
    columns = {f"Diverged: {' / '.join(_arms(study))}": "diverged", **test}
    return _of_contexts(study, "Divergence", columns, contexts)


def sources(study: Study, table: pd.DataFrame) -> Table | None:
    """What each source of randomness makes of the spread; nothing where none varies alone."""
    if table.empty:
        return None
    lines = [
        Line([Cell(row["name"]), Cell(row["arm"]), *row["cells"], row["seeds"]]) for row in rows.sources(study, table)
    ]
    levels = [level.title.capitalize() for level in study.levels[SEED_VARIES].values()]
    label = "Standard deviation of the outcome, and share of its variance, by what varies"
    return Table(label, ["Context", "Arm", *levels, "Seeds"], lines, "wide")


def outcomes(study: Study, table: pd.DataFrame) -> Table:
    """The effect on every outcome."""
    names, found = rows.outcomes(study, table)
    lines = [Line([Cell(row["name"]), *row["cells"]], held=row["factors"]) for row in found]
    return Table("Every outcome", [_context(study), *names], lines, "contexts wide")


def all_pairs(study: Study, table: pd.DataFrame) -> Table | None:
    """Every arm against every other; nothing where there are two."""
    if table.empty:
        return None
    columns = {
        _effect(study): "effect",
        "p, adjusted": "p_adjusted",
        "Rank difference": "rank_difference",
        "Told apart": "told_apart",
        _sample(study): "pairs",
    }
    lines = [Line([Cell(row["name"]), *(row[name] for name in columns.values())]) for row in rows.pairs(study, table)]
    return Table("Every arm against every other", ["Pair", *columns], lines)


def tuned(study: Study, best: pd.DataFrame, rates: pd.DataFrame) -> Table | None:
    """Each arm as it is tuned, and below it both at equal rates; nothing where none is tuned."""
    if best.empty:
        return None
    base, *others = (titles.arm(study, arm) for arm in study.tuned_arms)
    base, treated = "Baseline" if study.report.compare else base, others[0] if len(others) == 1 else "Arm"
    columns = {
        f"Chosen, {base}": "chosen_baseline",
        f"Chosen, {treated}": "chosen_treatment",
        "Verdict": "verdict",
        _effect(study): "effect",
        "p, adjusted": "p_adjusted",
        base: "baseline",
        treated: "treatment",
    }
    lines = [
        Line([Cell(row["name"]), *(row.get(name, Cell("")) for name in columns.values())], row["class"])
        for row in rows.tuned(study, best, rates)
    ]
    return Table("Tuned and equal values", [_context(study), *columns], lines)


def claims(judged: Sequence[Mapping[str, Any]]) -> Table | None:
    """The claims of a study, and what it says of them; nothing where there are none."""
    told = _setups_told(judged)
    lines = [_claim(claim, told) for claim in judged]
    heads = ["Claim", *(SETUPS[name] for name in told), "Verdict", "Measured"]
    return Table("Claims", heads, lines, "claims") if lines else None


def claims_of_studies(judged: Sequence[Mapping[str, Any]]) -> Table:
    """The claims of several studies, each with a link to its own."""
    lines, told = [], _setups_told(judged)
    for claim in judged:
        study = Cell(
            claim["study"], note=f"({formats.count(claim['pairs'], 'seed')})", link=f"../{claim['study']}/index.html"
        )
        lines.append(_claim(claim, told, study))
    measured = "Measured: treatment against baseline, with its interval"
    heads = ["Claim", *(SETUPS[name] for name in told), "Verdict", measured, "Study"]
    return Table("Claims", heads, lines, "claims")


def listing(study: Study, table: pd.DataFrame, label: str) -> Table:
    """A table as text, without the factors that have one level."""
    table = table.drop(columns=[name for name in study.levels if name in table and len(study.levels[name]) == 1])
    found = table.astype(object).where(table.notna(), "").to_numpy().tolist()
    lines = [Line([Cell(f"{value:.1f}" if isinstance(value, float) else str(value)) for value in row]) for row in found]
    return Table(label, [str(name).replace("_", " ") for name in table], lines, "wide")


def _setups_told(judged: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of `SETUPS` in which any claim has something."""
    return [name for name in SETUPS if any(claim[name] for claim in judged)]


def _claim(claim: Mapping[str, Any], told: Sequence[str], *more: Cell) -> Line:
    counted = f"{claim['supporting']} of {claim['rows']} as predicted, {claim['contradicting']} decided otherwise"
    measured = Cell(counted if claim["rows"] > _SPELLED_OUT else "", kind="measured", parts=claim["measured"])
    setups = (Cell(claim[name]) for name in told)
    named = Cell(claim["words"], note=f"({claim['source']}; predicts: {claim['predicts']})")
    cells = [named, *setups, Cell(claim["said"], kind="verdict"), measured, *more]
    return Line(cells, claim["conclusion"].replace(" ", "-"))


def _arms(study: Study) -> tuple[str, str]:
    """What stands over the columns of the baseline and of the treatment."""
    base = "Baseline" if study.report.compare else titles.arm(study, study.report.baseline)
    return base, titles.arm(study, study.arms[1]) if len(study.arms) == 2 else "Arm"


def _sample(study: Study) -> str:
    """What stands over the numbers of pairs, or of runs."""
    return "Seeds" if study.paired else "Runs"


def _context(study: Study) -> str:
    """What stands over the names of the rows."""
    return "Context" if study.trained_here or study.varied() else "Comparison"


def _effect(study: Study) -> str:
    return f"{effects.noun(study.outcome).capitalize()} ({formats.percent(1 - study.report.alpha)} interval)"


def _of_contexts(
    study: Study, label: str, columns: Mapping[str, str], contexts: pd.DataFrame, kind: str = "contexts"
) -> Table:
    """A line for each row of `contexts`; `columns` are head → name of the cell."""
    lines = [
        Line([Cell(row["name"]), *(row[name] for name in columns.values())], row["class"], row["factors"])
        for row in rows.contexts(study, contexts)
    ]
    return Table(label, [_context(study), *columns], lines, kind)
