"""Rows of tables as the page shows them: each cell a text, and the number that it is sorted by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bnbench.plan.study import Study
from bnbench.vocabulary import FACTORS
from bnbench.wording import formats, titles
from bnbench.wording.titles import Row


@dataclass(frozen=True)
class Cell:
    """What a cell says."""

    text: str
    value: str = ""
    """What it is sorted by; empty where there is nothing to sort."""
    kind: str = ""
    """Classes in the style sheet."""
    note: str = ""
    """Said after it, and smaller."""
    parts: Sequence[str] = ()
    """A list below the text; with one, the text is what a reader clicks on to see them."""
    link: str = ""


NOTHING = Cell("–")

EXPLORED = "†"
"""Marks an exploratory ratio whose adjusted p is below α."""


def contexts(study: Study, table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of `contexts`: name, verdict, factors to filter by, and a cell for whatever is shown."""
    return [_context(study, row) for row in table.to_dict("records")]


def tuned(study: Study, best: pd.DataFrame, rates: pd.DataFrame) -> list[dict[str, Any]]:
    """A row per comparison and context with each arm as it is tuned, followed by one for whatever was tried."""
    held = [name for name in (*FACTORS, "baseline", "treatment") if name in best]
    name = titles.equal(study) if study.tuned_arms == study.arms else "at one value"
    rows = []
    for row in best.to_dict("records"):
        chosen = {f"chosen_{arm}": _chosen(row, arm) for arm in ("baseline", "treatment")}
        rows.append({**_context(study, row), **chosen})
        equal = rates[(rates[held] == pd.Series(row)[held]).all(axis=1)]
        rows += [{"name": name, "class": "equal", **_tried(each)} for each in equal.to_dict("records")]
    return rows


def _chosen(row: Row, arm: str) -> Cell:
    """The values at which most seeds of an arm are judged, and how many seeds if not all."""
    chosen, agreeing, pairs = row[f"chosen_{arm}"], row[f"agreeing_{arm}"], row["pairs"]
    if not isinstance(chosen, str):
        return NOTHING
    return Cell(chosen, note=f"({agreeing} of {pairs})" if agreeing < pairs else "")


def _tried(row: Row) -> dict[str, Cell]:
    """Values that were tried, at which both arms, or the one that has them, are shown."""
    value = f"{row['parameter']}={row['rate']:g}" if isinstance(row["parameter"], str) else ""
    said = Cell(f"{value}, {row['beside']}" if isinstance(row["beside"], str) else value)
    cells = {"effect": _interval(row, ("effect", "low", "high"))}
    for arm in ("baseline", "treatment"):
        there = not math.isnan(row[f"{arm}_value"]) or bool(row[f"{arm}_diverged"])
        cells |= {f"chosen_{arm}": said if there else NOTHING, arm: _number(row[f"{arm}_value"], "{:.2e}".format)}
    return cells


def outcomes(study: Study, table: pd.DataFrame) -> tuple[list[str], list[dict[str, Any]]]:
    """Names of the outcomes, and a row per contrast with the ratio of each of them."""
    names = [name for name in titles.OUTCOMES if name in set(table["outcome"])]
    held = [name for name in (*FACTORS, "baseline", "treatment") if name in table]
    rows = []
    for _, group in table.groupby(held, sort=False):
        first, *_ = group.to_dict("records")
        cells = {row["outcome"]: _explored(study, row) for row in group.to_dict("records")}
        rows.append({**_named(study, first), "cells": [cells.get(name, NOTHING) for name in names]})
    return [titles.outcome(name) for name in names], rows


def _named(study: Study, row: Row) -> dict[str, Any]:
    """The name of a row, and its level of every factor that has several."""
    several = {name: row[name] for name in FACTORS if name in row and len(study.levels[name]) > 1}
    if len(study.comparisons) > 1:
        several["comparison"] = titles.comparison(study, row)
    return {"name": titles.contrast_name(study, row), "factors": several}


def _context(study: Study, row: Row) -> dict[str, Any]:
    small = ", but within the margin" if row["within_margin"] and row["verdict"] in ("helps", "hurts") else ""
    pairs = f"{row['finite_pairs']} of {row['pairs']}" if row["test"] != "mean" else str(row["pairs"])
    needed = _number(row["seeds_needed"], lambda n: "> 1,000,000" if math.isinf(n) else f"{n:,.0f}")
    return {
        **_named(study, row),
        "verdict": Cell(f"{row['verdict']}{small}", f"{row['verdict']}{small}", kind="verdict"),
        "class": str(row["verdict"]).replace(" ", "-"),
        "pairs": Cell(pairs, str(row["finite_pairs"])),
        "baseline": _number(row["baseline_value"], "{:.2e}".format),
        "treatment": _number(row["treatment_value"], "{:.2e}".format),
        "effect": _interval(row, ("effect", "effect_low", "effect_high")),
        "own": _interval(row, ("effect", "own_low", "own_high")),
        "robust": _interval(row, ("hl_effect", "hl_low", "hl_high")),
        "last": _interval(row, ("effect_last", "effect_last_low", "effect_last_high")),
        **{name: _p(row[name]) for name in ("p", "p_holm", "p_adjusted", "p_wilcoxon", "p_spread", "p_equivalence")},
        "dz": _number(row["hedges_dz"], "{:.2f}".format),
        "wins": _interval(row, ("win_rate", "win_low", "win_high"), lambda share: f"{100 * share:.0f} %"),
        "spread": _number(row["spread_ratio"], formats.number),
        "correlation": _number(row["correlation"], "{:.2f}".format),
        "variance_ratio": _number(row["variance_ratio"], "{:.2f}".format),
        "diverged": Cell(f"{row['diverged_baseline']} / {row['diverged_treatment']}", str(row["diverged_treatment"])),
        "mcnemar": _p(row["p_mcnemar"]),
        "needed": needed,
        "floored": Cell(str(row["floored"]), str(row["floored"])),
    }


def _explored(study: Study, row: Row) -> Cell:
    cell = _interval(row, ("effect", "low", "high"))
    return replace(cell, text=f"{cell.text} {EXPLORED}") if row["p_bh"] < study.report.alpha else cell


def _number(value: float, form: Callable[[float], str]) -> Cell:
    """A number in the given form; a dash where there is none."""
    return NOTHING if math.isnan(value) else Cell(form(value), repr(float(value)))


def _p(value: float) -> Cell:
    return _number(value, formats.p_number)


def _interval(row: Row, names: tuple[str, str, str], form: Callable[[float], str] = formats.number) -> Cell:
    value, low, high = (row[name] for name in names)
    text = "" if math.isnan(low) else f" ({form(low)} to {form(high)})"
    return _number(value, lambda shown: f"{form(shown)}{text}")


def levels(study: Study) -> Mapping[str, tuple[str, ...]]:
    """What rows of contexts can be filtered by: factors of several levels, and one of several comparisons."""
    held = {factor: tuple(study.levels[factor]) for factor in study.varied()}
    compared = [dict(zip(("baseline", "treatment"), arms, strict=True)) for arms in study.comparisons]
    named = tuple(titles.comparison(study, row) for row in compared)
    return {**held, "comparison": named} if len(named) > 1 else held
