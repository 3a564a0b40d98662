"""The tables of the page, whole: the headings of the columns, and the lines below. One macro writes all of them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from bnbench.page import rows
from bnbench.page.rows import NOTHING, Cell
from bnbench.page.table import Line, Table, folded
from bnbench.plan.study import Study
from bnbench.vocabulary import SEED_VARIES
from bnbench.wording import absolute as absolutes
from bnbench.wording import captions, effects, formats, meanings, titles, words

_OF_PAIRS = ("dz", "p_holm")
"""Cells that groups have no numbers for, or that are what decides there."""

_OF_GROUPS = {"Seeds needed": "Runs needed"}
"""The heading of a column of groups."""

_LISTED = 100  # lines of a listing that the page holds, at most


def verdicts(study: Study, contexts: pd.DataFrame, said: Mapping[str, str]) -> Table:
    """What decides; `said` is what captions say of the study."""
    base, treated = _arms(study)
    columns = {
        "Verdict": "verdict",
        _effect(study): "effect",
        "p, adjusted": "p_adjusted",
        _sample(study): "pairs",
        base: "baseline",
        treated: "treatment",
    }
    means = meanings.verdicts(study, said, (base, treated), _effect(study))
    return _of_contexts(study, "Verdicts", columns, contexts, means)


def absolute(study: Study, table: pd.DataFrame) -> Table | None:
    """The test losses on an absolute scale; nothing where nothing more is known."""
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
    return folded(study, Table("The test losses on an absolute scale", [_context(study), *heads], lines, "contexts"))


def more(study: Study, contexts: pd.DataFrame, said: Mapping[str, str], too_small: str) -> Table:
    """Other statistics of the same pairs; `said` is what captions say of the study, `too_small` of losses near 0."""
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
    arms = (captions.base(study), captions.treated(study))
    means = meanings.statistics(study, said, arms, last(study), too_small)
    return _of_contexts(study, "More about each context", columns, contexts, means, "contexts wide")


def last(study: Study) -> str:
    """The heading of the effect at the last measurement."""
    return f"Last {words.of(study).epoch} alone"


def divergence(study: Study, contexts: pd.DataFrame) -> Table | None:
    """How many trials diverged; nothing where none did."""
    if not contexts["test"].eq("worst-rank").any():
        return None
    test = {"p, McNemar": "mcnemar"} if study.paired else {"p, Fisher": "fisher"}
    columns = {f"Diverged: {' / '.join(_arms(study))}": "diverged", **test}
    return _of_contexts(study, "Divergence", columns, contexts, meanings.DIVERGENCE)


def sources(study: Study, table: pd.DataFrame) -> Table | None:
    """What each source of randomness makes of the spread; nothing where none varies alone."""
    if table.empty:
        return None
    lines = [
        Line([Cell(row["name"]), Cell(row["arm"]), *row["cells"], row["seeds"]]) for row in rows.sources(study, table)
    ]
    levels = [level.title.capitalize() for level in study.levels[SEED_VARIES].values()]
    label = "Standard deviation of the outcome, and share of its variance, by what varies"
    return folded(study, Table(label, ["Context", "Arm", *levels, "Seeds"], lines, "wide"))


def outcomes(study: Study, table: pd.DataFrame, terms: Mapping[str, str]) -> Table:
    """The effect on every outcome; `terms` say what a reader has to know of its columns and marks."""
    names, found = rows.outcomes(study, table)
    lines = [Line([Cell(row["name"]), *row["cells"]], held=row["factors"]) for row in found]
    return folded(study, Table("Every outcome", [_context(study), *names], lines, "contexts wide", terms))


def all_pairs(study: Study, table: pd.DataFrame, said: Mapping[str, str]) -> Table | None:
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
    means = meanings.pairs_of_arms(said, _effect(study))
    return folded(study, Table("Every arm against every other", ["Pair", *columns], lines, meanings=means))


def tuned(study: Study, best: pd.DataFrame, rates: pd.DataFrame, said: Mapping[str, str]) -> Table | None:
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
    means = {
        head: text
        for head, text in meanings.verdicts(study, said, (base, treated), _effect(study)).items()
        if head in columns
    }
    return folded(study, Table("Tuned and equal values", [_context(study), *columns], lines, meanings=means))


def listing(study: Study, table: pd.DataFrame, label: str, file: str) -> Table:
    """A table as text, without the factors that have one level; of a long one the first lines, and where all are."""
    table = table.drop(columns=[name for name in study.levels if name in table and len(study.levels[name]) == 1])
    found = table.head(_LISTED).astype(object).where(table.notna(), "").to_numpy().tolist()
    lines = [Line([Cell(f"{value:.1f}" if isinstance(value, float) else str(value)) for value in row]) for row in found]
    beside = f"The first {_LISTED} of {len(table):,} rows." if len(table) > _LISTED else ""
    heads = [str(name).replace("_", " ") for name in table]
    return folded(study, Table(label, heads, lines, "wide", beside=beside, file=file))


def _arms(study: Study) -> tuple[str, str]:
    """The headings of the columns of the baseline and of the treatment."""
    base = "Baseline" if study.report.compare else titles.arm(study, study.report.baseline)
    return base, titles.arm(study, study.arms[1]) if len(study.arms) == 2 else "Arm"


def _sample(study: Study) -> str:
    """The heading of the numbers of pairs, or of runs."""
    return "Seeds" if study.paired else "Runs"


def _context(study: Study) -> str:
    """The heading of the names of the rows."""
    return "Context" if study.trained_here or study.varied() else "Comparison"


def _effect(study: Study) -> str:
    return f"{effects.noun(study.outcome).capitalize()} ({formats.percent(1 - study.report.alpha)} interval)"


def _of_contexts(
    study: Study,
    label: str,
    columns: Mapping[str, str],
    contexts: pd.DataFrame,
    means: Mapping[str, str],
    kind: str = "contexts",
) -> Table:
    """A line for each row of `contexts`; `columns` are head → name of the cell, `means` what heads mean."""
    lines = [
        Line([Cell(row["name"]), *(row[name] for name in columns.values())], row["class"], row["factors"])
        for row in rows.contexts(study, contexts)
    ]
    shown = {head: means[head] for head in columns if head in means}
    return folded(study, Table(label, [_context(study), *columns], lines, kind, shown))
