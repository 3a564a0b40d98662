"""Rows of tables as the page shows them: each cell a text, and the number that it is sorted by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from bnbench.plan.study import Study
from bnbench.streams import ALL
from bnbench.vocabulary import SEED_VARIES
from bnbench.wording import absolute as absolutes
from bnbench.wording import effects, explored, formats, resolution, samples, titles
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


def contexts(study: Study, table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of `contexts`: name, verdict, factors to filter by, and a cell for whatever is shown."""
    return [_context(study, row) for row in table.to_dict("records")]


def tuned(study: Study, best: pd.DataFrame, rates: pd.DataFrame) -> list[dict[str, Any]]:
    """A row per comparison and context with each arm as it is tuned, followed by one for whatever was tried."""
    held = [name for name in (*study.factors, "baseline", "treatment") if name in best]
    name = titles.equal(study) if study.tuned_arms == study.arms else "at one value"
    rows = []
    for row in best.to_dict("records"):
        chosen = {f"chosen_{arm}": _chosen(row, arm) for arm in ("baseline", "treatment")}
        rows.append({**_context(study, row), **chosen})
        equal = rates[(rates[held] == pd.Series(row)[held]).all(axis=1)]
        rows += [{"name": name, "class": "equal", **_tried(study, each)} for each in equal.to_dict("records")]
    return rows


def _chosen(row: Row, arm: str) -> Cell:
    """The values at which most seeds of an arm are judged, and how many seeds if not all."""
    chosen, agreeing, pairs = row[f"chosen_{arm}"], row[f"agreeing_{arm}"], row["pairs"]
    if not isinstance(chosen, str):
        return NOTHING
    return Cell(chosen, note=f"({agreeing} of {pairs})" if agreeing < pairs else "")


def _tried(study: Study, row: Row) -> dict[str, Cell]:
    """Values that were tried, at which both arms, or the one that has them, are shown."""
    value = f"{row['parameter']}={row['rate']:g}" if isinstance(row["parameter"], str) else ""
    said = Cell(f"{value}, {row['beside']}" if isinstance(row["beside"], str) else value)
    cells = {"effect": _interval(row, ("effect", "low", "high"), partial(effects.plain, study.outcome))}
    value_of = partial(effects.value, study.outcome)
    for arm in ("baseline", "treatment"):
        there = not math.isnan(row[f"{arm}_value"]) or bool(row[f"{arm}_diverged"])
        cells |= {f"chosen_{arm}": said if there else NOTHING, arm: number(row[f"{arm}_value"], value_of)}
    return cells


def outcomes(study: Study, table: pd.DataFrame) -> tuple[list[str], list[dict[str, Any]]]:
    """Names of the outcomes, and a row per contrast with the effect on each of them."""
    names = titles.in_order(study, set(table["outcome"]))
    held = [name for name in (*study.factors, "baseline", "treatment") if name in table]
    rows = []
    for _, group in table.groupby(held, sort=False):
        first, *_ = group.to_dict("records")
        cells = {row["outcome"]: explored_effect(study, row) for row in group.to_dict("records")}
        rows.append({**_named(study, first), "cells": [cells.get(name, NOTHING) for name in names]})
    return [explored.heading(study, name) for name in names], rows


def absolute(study: Study, table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of `absolute`: for each number that the arms have, a pair of cells, the baseline's first."""
    rows = []
    for row in table.to_dict("records"):
        numbers = {name: (row[f"baseline_{name}"], row[f"treatment_{name}"]) for name in ("left", "error", "accuracy")}
        numbers["r2"] = (1 - numbers["left"][0], 1 - numbers["left"][1])
        said = absolutes.cells(row).items()
        cells = {name: [_said(*each) for each in zip(both, numbers[name], strict=True)] for name, both in said}
        rows.append({**_named(study, row), "cells": cells})
    return rows


def _said(text: str, value: float) -> Cell:
    return Cell(text, repr(float(value))) if text else NOTHING


def sources(study: Study, table: pd.DataFrame) -> list[dict[str, Any]]:
    """A row per arm and context: its name, its arm, a cell for each level of `seed_varies`, and the seeds."""
    rows = []
    for _, group in table.groupby([name for name in study.factors if name != SEED_VARIES], sort=False):
        found = {row[SEED_VARIES]: row for row in group.to_dict("records")}
        first = next(iter(found.values()))
        name, arm = (
            titles.context_name(study, first, without=SEED_VARIES),
            titles.arm(study, first[study.report.factor]),
        )
        cells = [_source(found[level]) for level in study.levels[SEED_VARIES]]
        rows.append({"name": name, "arm": arm, "cells": cells, "seeds": Cell(str(first["common_seeds"]))})
    return rows


def _source(row: Row) -> Cell:
    """A standard deviation, and after it the share of the variance where one source alone varies."""
    cell = number(row["deviation"], "{:.2g}".format)
    if row[SEED_VARIES] == ALL or math.isnan(row["variance_share"]):
        return cell
    names = ("variance_share", "variance_share_low", "variance_share_high")
    return replace(cell, note=_interval(row, names, formats.whole_percent).text)


def pairs(study: Study, table: pd.DataFrame) -> list[dict[str, Any]]:
    """A row per pair of arms: its name, and a cell for whatever is shown."""
    return [
        {
            "name": " to ".join(titles.arm(study, row[arm]) for arm in ("treatment", "baseline")),
            "effect": _interval(row, ("effect", "low", "high"), partial(effects.plain, study.outcome)),
            "p_adjusted": p(row["p_adjusted"]),
            "rank_difference": number(row["rank_difference"], lambda apart: f"{apart:+.2f}".replace("-", "−")),
            "told_apart": Cell("yes" if row["told_apart"] else "no"),
            "pairs": Cell(str(row["pairs"])),
        }
        for row in table.to_dict("records")
    ]


def held(study: Study, row: Row) -> dict[str, str]:
    """What a row can be filtered by: its level of every factor that has several, and its comparison."""
    several = {name: row[name] for name in study.factors if name in row and len(study.levels[name]) > 1}
    if len(study.comparisons) > 1:
        several["comparison"] = titles.comparison(study, row)
    return several


def _named(study: Study, row: Row) -> dict[str, Any]:
    """The name of a row, and what it can be filtered by."""
    return {"name": titles.contrast_name(study, row), "factors": held(study, row)}


def _context(study: Study, row: Row) -> dict[str, Any]:
    small = ", but within the margin" if row["within_margin"] and row["verdict"] in ("helps", "hurts") else ""
    pairs = f"{row['finite_pairs']} of {row['pairs']}" if row["test"] != "mean" else str(row["pairs"])
    if samples.are_groups(row):
        pairs = " / ".join(str(count) for count in dict.fromkeys(samples.runs(row)))
    plain, value = partial(effects.plain, study.outcome), partial(effects.value, study.outcome)
    return {
        **_named(study, row),
        "verdict": Cell(f"{row['verdict']}{small}", f"{row['verdict']}{small}", kind="verdict"),
        "class": str(row["verdict"]).replace(" ", "-"),
        "pairs": Cell(pairs, str(row["finite_pairs"])),
        "baseline": number(row["baseline_value"], value),
        "treatment": number(row["treatment_value"], value),
        "effect": _effect(study, row),
        "own": _interval(row, ("effect", "own_low", "own_high"), plain),
        "corrected": _interval(row, ("effect", "corrected_low", "corrected_high"), plain),
        "robust": _interval(row, ("hl_effect", "hl_low", "hl_high"), plain),
        "last": _interval(row, ("effect_last", "effect_last_low", "effect_last_high"), plain),
        **{name: p(row[name]) for name in ("p", "p_holm", "p_adjusted", "p_wilcoxon", "p_spread", "p_equivalence")},
        "dz": number(row["hedges_dz"], "{:.2f}".format),
        "g": number(row.get("hedges_g", math.nan), "{:.2f}".format),
        "wins": _interval(row, ("win_rate", "win_low", "win_high"), lambda share: f"{100 * share:.0f} %"),
        "spread": number(row["spread_ratio"], formats.number),
        "correlation": number(row["correlation"], "{:.2f}".format),
        "variance_ratio": number(row["variance_ratio"], "{:.2f}".format),
        "diverged": Cell(f"{row['diverged_baseline']} / {row['diverged_treatment']}", str(row["diverged_treatment"])),
        "mcnemar": p(row["p_mcnemar"]),
        "fisher": p(row.get("p_fisher", math.nan)),
        "needed": _seeds(row, "seeds_needed"),
        "equivalent": _seeds(row, "seeds_equivalent"),
        "floored": Cell(str(row["floored"]), str(row["floored"])),
    }


def _effect(study: Study, row: Row) -> Cell:
    """The effect with its limits; where losses are too small to measure, a bound, with these as the resolution."""
    if row["test"] != "rank":
        return _interval(row, ("effect", "effect_low", "effect_high"), partial(effects.plain, study.outcome))
    if not resolution.is_known(study):
        return Cell("–", note=f"({samples.counted(row, row['floored'])} with a 0)")
    raised = effects.plain(study.outcome, row["raised_effect"])
    bound = f"{row['bound']} " if row["bound"] != "restricted" else ""
    return Cell(f"{bound}{raised}", repr(float(row["raised_effect"])), note=f"(losses of 0 as {row['resolution']:.1e})")


def _seeds(row: Row, name: str) -> Cell:
    """A number of seeds with its range."""

    def said(seeds: float) -> str:
        return "> 1,000,000" if math.isinf(seeds) else f"{seeds:,.0f}"

    return _interval(row, (name, f"{name}_low", f"{name}_high"), said)


def explored_effect(study: Study, row: Row) -> Cell:
    """The effect on an outcome of a row of `outcomes`, and below it what it is over."""
    value = "" if math.isnan(row["effect"]) else repr(float(row["effect"]))
    return Cell(explored.effect(study, row), value, note=explored.beside_verdict(study, row))


def number(value: float, form: Callable[[float], str]) -> Cell:
    """A number in the given form; a dash where there is none."""
    return NOTHING if math.isnan(value) else Cell(form(value), repr(float(value)))


def p(value: float) -> Cell:
    """A p-value."""
    return number(value, formats.p_number)


def _interval(row: Row, names: tuple[str, str, str], form: Callable[[float], str] = formats.number) -> Cell:
    value, low, high = (row[name] for name in names)
    text = "" if math.isnan(low) else f" ({form(low)} to {form(high)})"
    return number(value, lambda shown: f"{form(shown)}{text}")


def levels(study: Study) -> Mapping[str, tuple[str, ...]]:
    """What rows of contexts can be filtered by: factors of several levels, and one of several comparisons."""
    held = {factor: tuple(study.levels[factor]) for factor in study.varied()}
    compared = [dict(zip(("baseline", "treatment"), arms, strict=True)) for arms in study.comparisons]
    named = tuple(titles.comparison(study, row) for row in compared)
    return {**held, "comparison": named} if len(named) > 1 else held
