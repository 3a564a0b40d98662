"""How runs of your own were paired, or that they were not, and what pairing makes of the intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bnbench.own_results import seeds
from bnbench.plan.own_study import OwnStudy
from bnbench.wording import formats, titles

Rows = Sequence[Mapping[Any, Any]]


def pairing(study: OwnStudy, rows: Rows) -> str:
    """How many pairs or runs there are, how pairs correlate, and what pairing buys.

    Args:
        study: the study.
        rows: those of `compare.sides`, or of the contexts.
    """
    return _pairs(study, rows) if study.paired else _groups(study, rows)


def made(study: OwnStudy) -> str:
    """How pairs were made, and what must be true for it; or that there are none."""
    if not study.paired:
        return (
            "No run belongs to a run of another arm, so the arms of a context are compared as two groups of runs. "
            "This is right where the arms shared no seeds by design."
        )
    column = study.found["seed"]["column"]
    return (
        f"Runs of one context that have the same '{column}' in two arms are a pair. This is right where the seeds were "
        "shared by design, so that a seed fixes the same for all arms; where it was not, --unpaired compares the arms "
        "as two groups. A run without its partner is left out and listed under Exclusions."
    )


def _pairs(study: OwnStudy, rows: Rows) -> str:
    column, pairs = study.found["seed"]["column"], sorted({int(row["pairs"]) for row in rows})
    counted = formats.count(pairs[0], "pair") if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]} pairs"
    said = f"Pairs: runs of the same '{column}', {counted}{' in each comparison' if len(rows) > 1 else ''}"
    correlations = sorted(row["correlation"] for row in rows if not math.isnan(row["correlation"]))
    if not correlations:
        return f"{said}; how they correlate is not known."
    ends = dict.fromkeys(f"{value:.2f}".replace("-", "−") for value in (correlations[0], correlations[-1]))
    return f"{said}; their correlation is {' to '.join(ends)}{_bought(rows)}."


def _bought(rows: Rows) -> str:
    """What pairing makes of the standard errors; nothing where that is not known."""
    changed = _changed(rows, "reduces", "increases")
    return f", and pairing {changed}" if changed else ""


def _changed(rows: Rows, smaller: str, larger: str) -> str:
    """Which standard errors pairing makes smaller or larger, and by how much, with these verbs."""
    ratios = [row["variance_ratio"] for row in rows if not math.isnan(row["variance_ratio"])]
    clauses = []
    for verb, some in (
        (smaller, [each for each in ratios if each < 1]),
        (larger, [each for each in ratios if each > 1]),
    ):
        if some:
            where = "" if len(some) == len(rows) else f" in {len(some)} of {formats.count(len(rows), 'comparison')}"
            several = "s" if len(some) == len(rows) > 1 else ""
            clauses.append(f"{verb} the standard error{several}{where} by about {_by(some)}")
    return " and ".join(clauses)


def _by(ratios: Sequence[float]) -> str:
    """By how much standard errors of these variances differ from those of unpaired runs: `30 %`, `12 % to 40 %`."""
    changes = sorted(abs(1 - math.sqrt(ratio)) for ratio in ratios)
    return " to ".join(dict.fromkeys(formats.whole_percent(change) for change in (changes[0], changes[-1])))


def _groups(study: OwnStudy, rows: Rows) -> str:
    counts = sorted({int(row[f"runs_{arm}"]) for row in rows for arm in ("baseline", "treatment")})
    if len(rows) == 1 and len(counts) > 1:
        (row,) = rows
        counted = " and ".join(
            f"{formats.count(int(row[f'runs_{arm}']), 'run')} of {titles.arm(study, row[arm])}"
            for arm in ("treatment", "baseline")
        )
    else:
        number = formats.count(counts[0], "run") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} runs"
        counted = f"{number} of each arm{' in each context' if len(rows) > 1 else ''}"
    said = f"Pairs: none; the arms are compared as two groups, {counted}"
    # A column that numbers the runs is no seed: runs of one number have nothing in common.
    column = study.found["seed"]["column"]
    changed = _changed(rows, "reduced", "increased") if column and seeds.is_seed(column) else ""
    return f"{said}.{f' Pairs of the seeds that both arms have would have {changed}.' if changed else ''}"
