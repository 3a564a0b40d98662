"""Words for verdicts. Every sentence is written from one row of numbers, and says no more than its verdict does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bnbench.optimizers import OPTIMIZERS
from bnbench.study import Study

Row = Mapping[Any, Any]

_ARMS = {"none": "no BN", "batch": "BN"}
_OPTIMIZERS = {**{name: entry.torch_class for name, entry in OPTIMIZERS.items()}, "momentum": "SGD with momentum"}
_OUTCOMES = {
    "train_loss": "train loss",
    "eval_loss": "train loss in evaluation mode",
    "test_loss": "test loss",
    "test_loss_precise": "test loss with precise statistics",
}
_HELD_FIXED = ("optimizer", "batch_size", "task", "norm", "device")  # in the order in which they are said
_SPELLED_OUT = 6  # contexts that one sentence can name
_TWICE = 1.995  # below, a ratio is said in per cent; what rounds to 2.0 is a factor


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
    if factor == "optimizer":
        name, _, rest = label.partition(" ")
        return f"{_OPTIMIZERS[name]} {rest}".strip()
    return arm(factor, label) if factor == "norm" else label


def outcome(name: str) -> str:
    """How an outcome is called."""
    return _OUTCOMES[name]


def context_name(study: Study, labels: Row) -> str:
    """What is held fixed, in words: the factors that have several levels, or optimizer and batch size."""
    factors = [factor for factor in _HELD_FIXED if factor != study.report.factor]
    varied = [factor for factor in factors if len(study.levels[factor]) > 1]
    chosen = varied or [factor for factor in factors if factor in ("optimizer", "batch_size")]
    words = [context_level(study, factor, labels[factor]) for factor in chosen]
    return " at ".join(words) if chosen == ["optimizer", "batch_size"] else ", ".join(words)


def context_level(study: Study, factor: str, label: str) -> str:
    """A level that is held fixed, without its parameters where its name tells it from the study's other levels."""
    name = label.partition(" ")[0]
    alone = sum(other.partition(" ")[0] == name for other in study.levels[factor]) == 1
    return level(factor, name if alone else label)


def contrast_name(study: Study, row: Row) -> str:
    """The context, with the treatment where there are several."""
    name = context_name(study, row)
    return f"{arm(study.report.factor, row['treatment'])}, {name}" if len(study.arms) > 2 else name


def number(value: float) -> str:
    """A ratio without needless digits: 1.04, 3.1, 120, 6,300, 1.2e+06."""
    if math.isinf(value):
        return "∞"
    if value < _TWICE:
        return f"{value:.2f}"
    if value < 9.95:
        return f"{value:.1f}"
    return f"{float(f'{value:.2g}'):,.0f}" if value < 1e6 else f"{value:.1e}"


def percent(share: float) -> str:
    """A share as per cent without needless digits."""
    return f"{100 * share:.3g} %"


def p_value(p: float) -> str:
    """`p = 0.0012`, or `p < 0.0001`; three digits near the usual error rates, so that none is rounded across one."""
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.{3 if 0.01 <= p < 0.1 else 2}g}"


def ordinal(value: float) -> str:
    """A rounded number in order: 1st, 12th, 83rd."""
    rounded = round(value)
    teens = rounded % 100 in (11, 12, 13)
    return f"{rounded}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(rounded % 10, 'th')}"


def change(row: Row, *, level_text: str = "") -> str:
    """The ratio of the losses as a change, with its interval.

    `3.1 × higher (2.2 to 4.5)`, or under a factor of two `23 % lower (5 % to 37 %)`, so that none of it is read as the
    other; `12 % higher (20 % lower to 57 % higher)` where the interval holds both. No interval where there is none.
    """
    ratio, limits = row["ratio"], (row["ratio_low"], row["ratio_high"])
    if math.isnan(limits[0]):
        return _change(ratio)
    if limits[0] <= 1 <= limits[1]:
        sides = [_change(limit) for limit in limits]
    else:
        twice = _factor(ratio) >= _TWICE
        sides = [number(_factor(limit)) if twice else _per_cent_off(limit) for limit in sorted(limits, key=_factor)]
    return f"{_change(ratio)} ({level_text}{' to '.join(sides)})"


def answer(study: Study, rows: pd.DataFrame) -> str:
    """The study's answer: what each treatment did to the loss, context by context, or in counts where they are many."""
    said = []
    for treatment, group in rows.groupby("treatment", sort=False):
        records = group.to_dict("records")
        judged = {verdict: [row for row in records if row["verdict"] == verdict] for verdict in _VERDICTS}
        seeds = _seeds([row for row in records if row["verdict"] != "no data"])
        if seeds:
            say = _spelled_out if len(records) <= _SPELLED_OUT else _counted
            clauses = say(study, arm(study.report.factor, str(treatment)), judged)
            said.append(f"Over {seeds}, {'; '.join(clauses)}.")
    return " ".join(said) or "There are no pairs to compare yet."


def context(study: Study, row: Row) -> str:
    """One context's verdict with its numbers."""
    treated, base = _arms(study, row)
    name, loss = context_name(study, row), outcome(row["outcome"])
    if row["verdict"] == "no data":
        return f"With {name} there are no pairs of {treated} and {base} yet."
    start = f"With {name}, over {_seeds([row])},"
    if row["test"] == "worst-rank":
        verdict = {"helps": f"{treated} helps", "hurts": f"{treated} hurts"}.get(row["verdict"], "nothing is decided")
        counted = f"counting a diverged trial as the worst {loss} ({_evidence(study, row)})"
        return f"{start} {verdict}, {counted}: {_divergence(study, row)}.{_conditional(study, row)}"
    if row["pairs"] < 2:
        return f"{start} nothing is decided: one pair shows no spread."
    if row["verdict"] == "equivalent":
        interval = f"the {percent(2 * row['level'] - 1)} interval of the ratio of their {_plural(loss)}"
        limits = f"{row['narrow_low']:.3f} to {row['narrow_high']:.3f}, lies inside the margin of {_margin(study)}"
        return f"{start} {treated} and {base} are equivalent: {interval}, {limits}."
    if row["verdict"] == "undecided":
        possible = f"{_possible(study, row)} ({_interval(row)}; {_evidence(study, row)})"
        return f"{start} nothing is decided: {possible}.{_disagreement(study, row)}{_needed(row)}"
    sized = f"the {loss} with {treated} is {change(row, level_text=f'{_interval(row)} ')} than with {base}"
    return f"{start} {treated} {row['verdict']}: {sized}{_small(study, row)} ({_evidence(study, row)})."


def reference(study: Study, row: Row) -> str:
    """Where a loss that was printed elsewhere lies among the seeds."""
    several = len(study.settings) > len(study.levels["norm"])
    where = f" ({context_name(study, row)})" if several else ""
    source = row["source"][:1].upper() + row["source"][1:]
    printed = f"{source}'s {row['value']:.2e} at epoch {row['epoch']} with {arm('norm', row['norm'])}{where}"
    seeds, losses = _count(row["seeds"], "seed"), _plural(outcome(row["outcome"]))
    place = f"is at the {ordinal(row['percentile'])} percentile of {seeds}"
    if row["value"] < row["lowest"] or row["value"] > row["highest"]:
        place = f"lies {'below' if row['value'] < row['lowest'] else 'above'} all of {seeds}"
    return f"{printed} {place}, whose {losses} there run from {row['lowest']:.2e} to {row['highest']:.2e}."


_VERDICTS = ("hurts", "helps", "equivalent", "undecided", "no data")
"""In the order in which an answer says them."""

_Judged = Mapping[str, Sequence[Row]]
"""Verdict → the rows of one treatment that have it."""


def _spelled_out(study: Study, treated: str, judged: _Judged) -> list[str]:
    """A clause for each verdict that occurs, and in it every context, with its numbers where they say something."""
    clauses = []
    acting, base = _acting(study, treated)
    sized = [row for verdict in ("hurts", "helps") for row in judged[verdict] if row["test"] == "mean"]
    for verdict in ("hurts", "helps"):
        changes, diverged = [], []
        for row in judged[verdict]:
            if row["test"] == "worst-rank":
                diverged.append(f"with {context_name(study, row)} ({_divergence(study, row)})")
                continue
            # The first interval says what all of them are.
            size = change(row, level_text=f"{_interval(row)} " if row is sized[0] else "")
            changes.append(f"{size} with {context_name(study, row)}{_small(study, row)}")
        if changes:
            clauses.append(f"{acting} made the {outcome(judged[verdict][0]['outcome'])} {_listed(changes)}")
        if diverged:
            worse = "worse" if verdict == "hurts" else "better"
            clauses.append(f"{acting} was {worse}, counting diverged trials as the worst, {_listed(diverged)}")
    names = {verdict: [f"with {context_name(study, row)}" for row in rows] for verdict, rows in judged.items()}
    undecided = names["undecided"]
    if names["equivalent"]:
        equivalent = f"were equivalent within the margin of {_margin(study)}"
        clauses.append(f"{treated} and {base} {equivalent} {_listed(names['equivalent'])}")
    if undecided and clauses:
        clauses.append(f"nothing is decided {_listed(undecided)}")
    elif undecided:
        where = undecided[0] if len(undecided) == 1 else f"in any of {len(undecided)} contexts"
        clauses.append(f"nothing is decided between {treated} and {base} {where}")
    if names["no data"]:
        clauses.append(f"there are no pairs yet {_listed(names['no data'])}")
    return clauses


def _counted(study: Study, treated: str, judged: _Judged) -> list[str]:
    """A clause for each verdict that occurs, with the number of its contexts and the range of the estimated changes."""
    acting, base = _acting(study, treated)
    said = {
        "hurts": f"{acting} hurt",
        "helps": f"{acting} helped",
        "equivalent": f"{treated} and {base} were equivalent within the margin of {_margin(study)}",
        "undecided": "nothing is decided",
        "no data": "there are no pairs yet",
    }
    clauses: list[str] = []
    for verdict, rows in judged.items():
        if rows:
            total = "" if clauses else f" of {sum(map(len, judged.values()))} contexts"
            notes = _range(rows) if verdict in ("hurts", "helps") else ""
            clauses.append(f"{said[verdict]} in {len(rows)}{total}{notes}")
    return clauses


def _range(rows: Sequence[Row]) -> str:
    """The range of the estimated changes of contexts with one verdict, and how many have none."""
    ratios = sorted((row["ratio"] for row in rows if row["test"] == "mean"), key=_factor)
    notes = []
    if ratios:
        span = " to ".join(dict.fromkeys((_amount(ratios[0]), _amount(ratios[-1]))))
        notes.append(f"{outcome(rows[0]['outcome'])} {span} {'higher' if ratios[0] > 1 else 'lower'}")
    if len(ratios) < len(rows):
        notes.append(f"{len(rows) - len(ratios)} by counting diverged trials as the worst")
    return f" ({'; '.join(notes)})"


def _acting(study: Study, treated: str) -> tuple[str, str]:
    """The treatment as what changes a loss, and the baseline: whoever hears of BN knows that it is instead of no BN."""
    base = arm(study.report.factor, study.report.baseline)
    return (treated if base == _ARMS["none"] else f"{treated} instead of {base}"), base


def _arms(study: Study, row: Row) -> tuple[str, str]:
    """What the treatment and the baseline of a row are called."""
    return arm(study.report.factor, row["treatment"]), arm(study.report.factor, row["baseline"])


def _seeds(rows: Sequence[Row]) -> str:
    """How many pairs the rows have; empty where there is no row."""
    counts = sorted({int(row["pairs"]) for row in rows})
    return f"{counts[0]} to {counts[-1]} seeds" if len(counts) > 1 else "".join(_count(n, "seed") for n in counts)


def _interval(row: Row) -> str:
    return f"{percent(row['level'])} interval"


def _evidence(study: Study, row: Row) -> str:
    """The p-value that the verdict rests on; one test alone needs no adjustment."""
    tests = len(study.contexts()) * (len(study.arms) - 1)
    return f"{'Holm-adjusted ' if tests > 1 else ''}{p_value(row['p_holm'])}"


def _margin(study: Study) -> str:
    return f"{study.report.margin:g}"


def _small(study: Study, row: Row) -> str:
    return f", smaller than the margin of {_margin(study)}" if row["within_margin"] else ""


def _possible(study: Study, row: Row) -> str:
    """What the interval leaves open."""
    treated, base = _arms(study, row)
    sides = f"from {_change(row['ratio_low'])} to {_change(row['ratio_high'])}"
    return f"the {outcome(row['outcome'])} with {treated} may be anything {sides}, compared with {base}"


def _disagreement(study: Study, row: Row) -> str:
    """Why nothing is decided, where the interval or the test alone would have decided."""
    outside = not row["ratio_low"] <= 1 <= row["ratio_high"]
    rejected = row["p_holm"] < study.report.alpha
    if outside and not rejected:
        never = ", and over so few seeds it never could" if 2 / 2 ** row["pairs"] >= study.report.alpha else ""
        return f" The interval alone would rule out equal losses, the test does not{never}."
    return " The test alone would rule out equal losses, the interval does not." if rejected and not outside else ""


def _needed(row: Row) -> str:
    seeds = row["seeds_needed"]
    if math.isnan(seeds):
        return ""
    count = "more than a million" if math.isinf(seeds) else f"{seeds:,.0f}"
    return f" Were the true difference the observed one, {count} seeds would show it with 80 % power."


def _divergence(study: Study, row: Row) -> str:
    treated, base = _arms(study, row)
    pairs = row["pairs"]
    return (
        f"{row['diverged_treatment']} of {_count(pairs, 'trial')} diverged with {treated} "
        f"and {row['diverged_baseline']} of {pairs} with {base}"
    )


def _conditional(study: Study, row: Row) -> str:
    """What the pairs that stayed finite show, which is a part of the answer only."""
    if row["finite_pairs"] < 2:
        return ""
    treated, base = _arms(study, row)
    pairs = f" Among the {row['finite_pairs']} pairs that stayed finite,"
    if row["verdict"] != "undecided" and not row["ratio_low"] <= 1 <= row["ratio_high"]:
        sized = change(row, level_text=f"{_interval(row)} ")
        return f"{pairs} the {outcome(row['outcome'])} with {treated} is {sized} than with {base}."
    contrary = row["verdict"] == "undecided" and row["p_holm"] < study.report.alpha
    opposed = " The diverged trials and these pairs speak for different arms." if contrary else ""
    return f"{pairs} {_possible(study, row)} ({_interval(row)}).{opposed}"


def _change(ratio: float) -> str:
    """`3.1 × higher`, `23 % lower` or `equal`."""
    return "equal" if ratio == 1 else f"{_amount(ratio)} {'lower' if ratio < 1 else 'higher'}"


def _amount(ratio: float) -> str:
    """How far a ratio is from 1: `23 %`, or `3.1 ×` from a factor of two on."""
    return f"{number(_factor(ratio))} ×" if _factor(ratio) >= _TWICE else _per_cent_off(ratio)


def _factor(ratio: float) -> float:
    """A ratio as a factor above 1, whichever way it points."""
    return max(ratio, 1 / ratio) if ratio > 0 else math.inf


def _per_cent_off(ratio: float) -> str:
    off = 100 * abs(ratio - 1)
    return "∞ %" if math.isinf(off) else f"{float(f'{off:.2g}'):,g} %"


def _plural(loss: str) -> str:
    return loss.replace("loss", "losses", 1)


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(parts: Sequence[str]) -> str:
    """`one, two and three`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
