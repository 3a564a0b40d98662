"""Words for verdicts. Every sentence is written from one row of numbers, and says no more than its verdict does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bnbench.study import Study

Row = Mapping[Any, Any]

_ARMS = {"none": "no BN", "batch": "BN"}
_OUTCOMES = {
    "train_loss": "train loss",
    "eval_loss": "train loss in evaluation mode",
    "test_loss": "test loss",
    "test_loss_precise": "test loss with precise statistics",
}
_HELD_FIXED = ("optimizer", "batch_size", "task", "norm", "device")  # in the order in which they are said
_SPELLED_OUT = 6  # contexts that one sentence can name


def arm(factor: str, label: str) -> str:
    """How a level of the compared factor is called: `BN` for `batch`, else its label."""
    if factor != "norm":
        return level(factor, label)
    first, _, rest = label.partition(" ")
    return f"{_ARMS.get(first, first)} {rest}".strip()


def level(factor: str, label: str) -> str:
    """How a level of a factor is called."""
    if factor == "batch_size":
        return "full batch" if label == "full" else f"batch {label}"
    return arm(factor, label) if factor == "norm" else label


def outcome(name: str) -> str:
    """How an outcome is called."""
    return _OUTCOMES[name]


def context_name(study: Study, labels: Row) -> str:
    """What is held fixed, in words: the factors that have several levels, or optimizer and batch size."""
    factors = [factor for factor in _HELD_FIXED if factor != study.report.factor]
    varied = [factor for factor in factors if len(study.levels[factor]) > 1]
    chosen = varied or [factor for factor in factors if factor in ("optimizer", "batch_size")]
    words = [level(factor, labels[factor]) for factor in chosen]
    return " at ".join(words) if chosen == ["optimizer", "batch_size"] else ", ".join(words)


def contrast_name(study: Study, row: Row) -> str:
    """The context, with the treatment where there are several."""
    name = context_name(study, row)
    return f"{arm(study.report.factor, row['treatment'])}, {name}" if len(study.arms) > 2 else name


def number(value: float) -> str:
    """A ratio without needless digits: 1.04, 3.1, 120, 6,300, 1.2e+06."""
    if value < 1.995:
        return f"{value:.2f}"
    if value < 9.95:
        return f"{value:.1f}"
    return f"{float(f'{value:.2g}'):,.0f}" if value < 1e6 else f"{value:.1e}"


def percent(share: float) -> str:
    """A share as per cent without needless digits."""
    return f"{100 * share:.3g} %"


def p_value(p: float) -> str:
    """`p = 0.012`, or `p < 0.0001`."""
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def ordinal(value: float) -> str:
    """A rounded number in order: 1st, 12th, 83rd."""
    rounded = round(value)
    teens = rounded % 100 in (11, 12, 13)
    return f"{rounded}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(rounded % 10, 'th')}"


def change(row: Row, *, level_text: str = "") -> str:
    """The ratio of the losses as a factor above 1, with its interval: `3.1 × higher (2.2 to 4.5)`."""
    values = [row["ratio"], row["ratio_low"], row["ratio_high"]]
    if row["ratio"] < 1:
        values = [1 / values[0], 1 / values[2], 1 / values[1]]
    direction = "lower" if row["ratio"] < 1 else "higher"
    return f"{number(values[0])} × {direction} ({level_text}{number(values[1])} to {number(values[2])})"


def answer(study: Study, rows: pd.DataFrame) -> str:
    """The study's answer: what each treatment did to the loss, context by context, or in counts where they are many."""
    said = []
    for treatment, group in rows[rows["verdict"] != "no data"].groupby("treatment", sort=False):
        judged = group.to_dict("records")
        groups = {verdict: [row for row in judged if row["verdict"] == verdict] for verdict in _SAID}
        describe = _spelled_out if len(judged) <= _SPELLED_OUT else _counted
        clauses = describe(study, {verdict: rows for verdict, rows in groups.items() if rows})
        said.append(f"Over {_seeds(judged)}, {arm(study.report.factor, str(treatment))} {'; '.join(clauses)}.")
    return " ".join(said) or "There are no pairs to compare yet."


def context(study: Study, row: Row) -> str:
    """One context's verdict with its numbers."""
    treated, base = (arm(study.report.factor, row[key]) for key in ("treatment", "baseline"))
    name, loss = context_name(study, row), outcome(row["outcome"])
    if row["verdict"] == "no data":
        return f"With {name} there are no pairs of {treated} and {base} yet."
    start = f"With {name}, over {_seeds([row])},"
    evidence = f"{p_value(row['p_holm'])} by Holm"
    if row["test"] == "worst-rank":
        verdict = {"helps": f"{treated} helps", "hurts": f"{treated} hurts"}.get(row["verdict"], "nothing is decided")
        finite = f"; among the pairs that stayed finite it is {change(row)}" if row["finite_pairs"] > 1 else ""
        ranked = f"{verdict}, a diverged trial counting as the worst {loss} ({evidence})"
        return f"{start} {ranked}: {_divergence(study, row)}{finite}."
    if row["pairs"] < 2:
        return f"{start} nothing is decided: a single pair shows no spread."
    if row["verdict"] == "equivalent":
        ratio = f"the ratio of their {_plural(loss)}, {row['narrow_low']:.3f} to {row['narrow_high']:.3f}"
        return f"{start} {treated} and {base} are equivalent: {ratio}, is inside the margin."
    interval = f"{percent(row['level'])} interval"
    if row["verdict"] == "undecided":
        limits = f"between {_side(row['ratio_low'])} and {_side(row['ratio_high'])} ({interval}; {evidence})"
        return f"{start} nothing is decided: against {base}, {treated} makes the {loss} {limits}{_needed(row)}."
    small = ", less than the margin" if row["within_margin"] else ""
    sized = change(row, level_text=f"{interval} ")
    return f"{start} {treated} {row['verdict']}: the {loss} is {sized} than with {base}{small}; {evidence}."


def reference(study: Study, row: Row) -> str:
    """Where a loss that was printed elsewhere lies among the seeds."""
    several = len(study.settings) > len(study.levels["norm"])
    where = f" ({context_name(study, row)})" if several else ""
    source = row["source"][:1].upper() + row["source"][1:]
    return (
        f"{source}'s {row['value']:.2e} at epoch {row['epoch']} with {arm('norm', row['norm'])}{where} is at the "
        f"{ordinal(row['percentile'])} percentile of {row['seeds']} seeds, whose {_plural(outcome(row['outcome']))} "
        f"run from {row['lowest']:.2e} to {row['highest']:.2e}."
    )


_SAID = {
    "hurts": "made the {loss} higher",
    "helps": "made the {loss} lower",
    "equivalent": "was equivalent to {base} within the margin",
    "undecided": "is undecided against {base}",
}
"""Verdict → how it is said of a group of contexts."""


def _spelled_out(study: Study, groups: Mapping[str, Sequence[Row]]) -> list[str]:
    """A clause for each verdict that occurs, and in it every context with its numbers."""
    clauses = []
    sized = [row for verdict in ("hurts", "helps") for row in groups.get(verdict, []) if row["test"] == "mean"]
    for verdict, rows in groups.items():
        loss, base = outcome(rows[0]["outcome"]), arm(study.report.factor, rows[0]["baseline"])
        names = {id(row): f"with {context_name(study, row)}" for row in rows}
        if verdict not in ("hurts", "helps"):
            clauses.append(f"{_SAID[verdict].format(base=base)} {' and '.join(names.values())}")
            continue
        changes = []
        for row in (row for row in rows if row["test"] == "mean"):
            # The first interval says what all of them are.
            level_text = f"{percent(row['level'])} interval " if row is sized[0] else ""
            changes.append(f"{change(row, level_text=level_text)} {names[id(row)]}")
        if changes:
            clauses.append(f"made the {loss} {', '.join(changes)}")
        diverged = [f"{names[id(row)]} ({_divergence(study, row)})" for row in rows if row["test"] == "worst-rank"]
        if diverged:
            clauses.append(f"was {'worse' if verdict == 'hurts' else 'better'} {' and '.join(diverged)}")
    return clauses


def _counted(study: Study, groups: Mapping[str, Sequence[Row]]) -> list[str]:
    """A clause for each verdict that occurs, with the number of its contexts and the range of their ratios."""
    total = sum(len(rows) for rows in groups.values())
    clauses = []
    for verdict, rows in groups.items():
        words = {"loss": outcome(rows[0]["outcome"]), "base": arm(study.report.factor, rows[0]["baseline"])}
        factors = sorted(max(row["ratio"], 1 / row["ratio"]) for row in rows if row["test"] == "mean")
        sized = verdict in ("hurts", "helps") and factors
        span = f" ({number(factors[0])} × to {number(factors[-1])} ×)" if sized else ""
        clauses.append(f"{_SAID[verdict].format(**words)} in {len(rows)} of {total} contexts{span}")
    return clauses


def _seeds(rows: Sequence[Row]) -> str:
    counts = sorted({int(row["pairs"]) for row in rows})
    span = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{span} seed" if span == "1" else f"{span} seeds"


def _plural(loss: str) -> str:
    return loss.replace("loss", "losses", 1)


def _side(ratio: float) -> str:
    return f"{number(1 / ratio)} × lower" if ratio < 1 else f"{number(ratio)} × higher"


def _divergence(study: Study, row: Row) -> str:
    treated, base = (arm(study.report.factor, row[key]) for key in ("treatment", "baseline"))
    return (
        f"{row['diverged_treatment']} of {row['pairs']} trials diverged with {treated}, "
        f"{row['diverged_baseline']} with {base}"
    )


def _needed(row: Row) -> str:
    seeds = row["seeds_needed"]
    if math.isnan(seeds):
        return ""
    count = "more than a million" if math.isinf(seeds) else f"{seeds:,.0f}"
    return f". Were the true difference the observed one, {count} seeds would show it with 80 % power"
