"""Rows of tables as the page shows them: each cell a text, and the number that it is sorted by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bnbench.plan.study import Study
from bnbench.vocabulary import FACTORS, RATES
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
    """A row per comparison and context with each arm at its best rate, each followed by one for every equal rate."""
    held = [name for name in (*FACTORS, "baseline", "treatment") if name in best]
    rows = []
    for row in best.to_dict("records"):
        shown = _context(study, row)
        rows.append({**shown, **{name: _number(row[name], "{:g}".format) for name in RATES}})
        equal = rates[(rates[held] == pd.Series(row)[held]).all(axis=1)]
        for each in equal.to_dict("records"):
            rate = _number(each["rate"], "{:g}".format)
            losses = {arm: _number(each[f"{arm}_value"], "{:.2e}".format) for arm in ("baseline", "treatment")}
            ratio = _interval(each, ("effect", "low", "high"))
            named = {"name": "at equal rates", "class": "equal"}
            rows.append({**named, **dict.fromkeys(RATES, rate), "effect": ratio, **losses})
    return rows


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


def pairs(study: Study, table: pd.DataFrame) -> list[dict[str, Any]]:
    """A row per pair of arms: its name, and a cell for whatever is shown."""
    return [
        {
            "name": " to ".join(titles.arm(study, row[arm]) for arm in ("treatment", "baseline")),
            "effect": _interval(row, ("effect", "low", "high")),
            "p_adjusted": _p(row["p_adjusted"]),
            "rank_difference": _number(row["rank_difference"], lambda apart: f"{apart:+.2f}".replace("-", "−")),
            "told_apart": Cell("yes" if row["told_apart"] else "no"),
            "pairs": Cell(str(row["pairs"])),
        }
        for row in table.to_dict("records")
    ]


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
