"""Sentences for verdicts. Every one is written from one row of numbers, and says no more than its verdict does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from bnbench.catalogue.norms import NORMS
from bnbench.judge import sign_flips
from bnbench.plan.study import Study
from bnbench.vocabulary import POWER, RATES
from bnbench.wording import formats, titles
from bnbench.wording.titles import Row

_SPELLED_OUT = 6  # contexts that one sentence can name


def answer(study: Study, rows: pd.DataFrame) -> str:
    """What each treatment did to the loss, context by context, or as counts if there are many contexts."""
    said: list[str] = []
    without: list[str] = []
    for (baseline, treatment), group in rows.groupby(["baseline", "treatment"], sort=False):
        records = group.to_dict("records")
        treated, base = (titles.arm(study, str(arm)) for arm in (treatment, baseline))
        judged = {verdict: [row for row in records if row["verdict"] == verdict] for verdict in _VERDICTS}
        seeds = _seeds([row for row in records if row["verdict"] != "no data"])
        if seeds:
            say = _spelled_out if len(records) <= _SPELLED_OUT else _counted
            said.append(f"Over {seeds}, {'; '.join(say(study, treated, base, judged))}.")
        else:
            without.append(f"{treated} and {base}")
    if said and without:
        said += [f"There are no pairs of {pair} yet." for pair in without]
    return " ".join(said) or "There are no pairs to compare yet."


def tuned(study: Study, row: Row) -> str:
    """One context's verdict with each arm at its best rate; no rate is chosen without pairs."""
    if row["verdict"] == "no data":
        return context(study, row)
    rates = " and ".join(f"{arm} at {row[rate]:g}" for arm, rate in zip(_arms(study, row)[::-1], RATES, strict=True))
    tried = study.rates(row["optimizer"])
    edge = any(row[rate] in (min(tried), max(tried)) for rate in RATES)
    beyond = f"; the list ends at {min(tried):g} and {max(tried):g}, and a rate beyond may be better" if edge else ""
    return f"{context(study, row)} Chosen on validation data: {rates}{beyond}."


def context(study: Study, row: Row) -> str:
    """One context's verdict with its numbers."""
    treated, base = _arms(study, row)
    name, loss = titles.context_name(study, row), titles.outcome(row["outcome"])
    if row["verdict"] == "no data":
        return f"With {name} there are no pairs of {treated} and {base} yet."
    start = f"With {name}, over {_seeds([row])},"
    if row["test"] == "worst-rank":
        verdict = {"helps": f"{treated} helps", "hurts": f"{treated} hurts"}.get(row["verdict"], "nothing is decided")
        counted = f"counting a diverged trial as the worst {loss} ({_evidence(row)})"
        return f"{start} {verdict}, {counted}: {_divergence(study, row)}.{_conditional(study, row)}"
    if row["pairs"] < 2:
        return f"{start} nothing is decided: one pair shows no spread."
    if row["verdict"] == "equivalent":
        interval = f"the ratio of their {formats.plural(loss)}, {row['effect']:.3f}"
        limits = (
            f"{formats.percent(2 * row['confidence'] - 1)} interval {row['narrow_low']:.3f} to {row['narrow_high']:.3f}"
        )
        within = f"lies inside the margin of {_margin(study)} ({_adjusted(row, row['p_equivalence'], 'Holm')})"
        return f"{start} {treated} and {base} are equivalent: {interval} ({limits}), {within}.{_floored(row)}"
    if row["verdict"] == "undecided":
        possible = f"{_possible(study, row)} ({_interval(row)}; {_evidence(row)})"
        return f"{start} nothing is decided: {possible}.{_disagreement(study, row)}{_needed(study, row)}{_floored(row)}"
    sized = f"the {loss} with {treated} is {formats.change(row, level_text=f'{_interval(row)} ')} than with {base}"
    return f"{start} {treated} {row['verdict']}: {sized}{_small(study, row)} ({_evidence(row)}).{_floored(row)}"


def reference(study: Study, row: Row) -> str:
    """Where a loss that was printed elsewhere lies among the seeds."""
    several = len(study.settings) > len(study.levels["norm"])
    where = f" ({titles.context_name(study, row)})" if several else ""
    source = row["printed_by"][:1].upper() + row["printed_by"][1:]
    printed = (
        f"{source}'s {row['value']:.2e} at epoch {row['epoch']} with {study.level('norm', row['norm']).title}{where}"
    )
    seeds, losses = formats.count(row["seeds"], "seed"), formats.plural(titles.outcome(row["outcome"]))
    if not row["seeds"]:
        return f"{printed} has nothing beside it: no {titles.outcome(row['outcome'])} was measured there."
    place = f"is at the {formats.ordinal(row['percentile'])} percentile of {seeds}"
    if row["value"] < row["lowest"] or row["value"] > row["highest"]:
        place = f"lies {'below' if row['value'] < row['lowest'] else 'above'} all of {seeds}"
    return f"{printed} {place}, whose {losses} there run from {row['lowest']:.2e} to {row['highest']:.2e}."


def control(study: Study, row: Row) -> str:
    """What the A/A control showed."""
    base, alpha = titles.arm(study, study.report.baseline), formats.percent(study.report.alpha)
    if not row["splits"]:
        return f"There are too few seeds to compare {base} with itself."
    halves = f"{base} was compared with itself on two halves of its seeds, {formats.count(row['pairs'], 'pair')} each"
    found = f"{formats.percent(row['share'])} of {row['splits']:,} random splits"
    limits = f"{formats.percent(row['low'])} to {formats.percent(row['high'])}"
    share = f"in {found} ({limits}) a difference was declared in any context, where there is none"
    possible = sign_flips.can_decide(row["pairs"], study.report.alpha)
    never = f"; at most {alpha} is promised" if possible else "; with so few pairs, no difference can ever be declared"
    return f"A/A control: {halves}; {share}{never}."


def cost(study: Study, provenance: pd.DataFrame) -> str:
    """How long training took, in all and by arm."""
    if not provenance["trials"].sum():
        return "Nothing was trained yet."
    factor = study.report.factor
    spent = provenance.groupby(factor, sort=False)[["seconds", "trials"]].sum()
    arms = [
        f"{formats.duration(seconds)} for {formats.count(int(trials), 'trial')} with {titles.arm(study, arm)}"
        for arm, (seconds, trials) in zip(map(str, spent.index), spent.to_numpy().tolist(), strict=True)
    ]
    return f"Training and evaluating took {formats.duration(provenance['seconds'].sum())}: {formats.listed(arms)}."


def decided(study: Study, row: Row) -> str:
    """From which epoch on the sign of a difference is decided, if it is."""
    treated, base = _arms(study, row)
    name, loss = titles.contrast_name(study, row), titles.outcome(study.report.outcome)
    if not sign_flips.can_decide(row["pairs"], study.report.alpha):
        return f"With {name} no epoch is decided: {formats.count(int(row['pairs']), 'pair')} can never decide."
    if math.isnan(row["decided_from"]):
        return f"With {name}, the band still includes equal losses at the last epoch."
    side = "higher" if row["effect"] > 1 else "lower"
    return (
        f"With {name}, from epoch {row['decided_from']:.0f} on, the {loss} with {treated} is {side} than with {base}."
    )


_VERDICTS = ("hurts", "helps", "equivalent", "undecided", "no data")
"""In the order in which an answer says them."""

_Judged = Mapping[str, Sequence[Row]]
"""Verdict → the rows of one treatment that have it."""


def _spelled_out(study: Study, treated: str, base: str, judged: _Judged) -> list[str]:
    """A clause for each verdict that occurs, and in it every context, with its numbers where they say something."""
    clauses = []
    acting = _acting(treated, base)
    sized = [row for verdict in ("hurts", "helps") for row in judged[verdict] if row["test"] == "mean"]
    for verdict in ("hurts", "helps"):
        changes, diverged = [], []
        for row in judged[verdict]:
            if row["test"] == "worst-rank":
                diverged.append(f"with {titles.context_name(study, row)} ({_divergence(study, row)})")
                continue
            # The first interval says what all of them are.
            interval = f"{formats.percent(row['confidence'])} interval " if row is sized[0] else ""
            size = formats.change(row, level_text=interval)
            within = f" (within the margin of {_margin(study)})" if row["within_margin"] else ""
            changes.append(f"{size} with {titles.context_name(study, row)}{within}")
        if changes:
            clauses.append(
                f"{acting} made the {titles.outcome(judged[verdict][0]['outcome'])} {formats.listed(changes)}"
            )
        if diverged:
            worse = "worse" if verdict == "hurts" else "better"
            clauses.append(f"{acting} was {worse}, counting diverged trials as the worst, {formats.listed(diverged)}")
    names = {verdict: [f"with {titles.context_name(study, row)}" for row in rows] for verdict, rows in judged.items()}
    undecided = names["undecided"]
    if names["equivalent"]:
        equivalent = f"were equivalent within the margin of {_margin(study)}"
        clauses.append(f"{treated} and {base} {equivalent} {formats.listed(names['equivalent'])}")
    if undecided and clauses:
        clauses.append(f"nothing is decided {formats.listed(undecided)}")
    elif undecided:
        where = undecided[0] if len(undecided) == 1 else f"in any of {len(undecided)} contexts"
        clauses.append(f"nothing is decided between {treated} and {base} {where}")
    if names["no data"]:
        clauses.append(f"there are no pairs yet {formats.listed(names['no data'])}")
    return clauses


def _counted(study: Study, treated: str, base: str, judged: _Judged) -> list[str]:
    """A clause for each verdict that occurs, with the number of its contexts and the range of the estimated changes."""
    acting = _acting(treated, base)
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
    ratios = sorted((row["effect"] for row in rows if row["test"] == "mean"), key=formats.factor_of)
    notes = []
    if ratios:
        span = " to ".join(dict.fromkeys((formats.amount(ratios[0]), formats.amount(ratios[-1]))))
        notes.append(f"{titles.outcome(rows[0]['outcome'])} {span} {'higher' if ratios[0] > 1 else 'lower'}")
    if len(ratios) < len(rows):
        notes.append(f"{len(rows) - len(ratios)} by counting diverged trials as the worst")
    return f" ({'; '.join(notes)})"


def _acting(treated: str, base: str) -> str:
    """The treatment as what changes a loss. With no BN as the baseline, 'BN' alone is clear."""
    return treated if base == NORMS["none"].title else f"{treated} instead of {base}"


def _arms(study: Study, row: Row) -> tuple[str, str]:
    """What the treatment and the baseline of a row are called."""
    return titles.arm(study, row["treatment"]), titles.arm(study, row["baseline"])


def _seeds(rows: Sequence[Row]) -> str:
    """How many pairs the rows have; empty where there is no row."""
    counts = sorted({int(row["pairs"]) for row in rows})
    return (
        f"{counts[0]} to {counts[-1]} seeds" if len(counts) > 1 else "".join(formats.count(n, "seed") for n in counts)
    )


def _interval(row: Row) -> str:
    """What an interval is called: simultaneous where it holds for several contexts together."""
    return f"{'simultaneous ' if row['family'] > 1 else ''}{formats.percent(row['confidence'])} interval"


def _evidence(row: Row) -> str:
    """The p-value that the verdict rests on."""
    return _adjusted(row, row["p_adjusted"], row["adjustment"])


def _adjusted(row: Row, p: float, method: str) -> str:
    """A p-value, and how it is adjusted; one test alone needs no adjustment."""
    return formats.p_value(p) + (f", adjusted for {row['family']} comparisons by {method}" if row["family"] > 1 else "")


def _floored(row: Row) -> str:
    """A warning where losses were too small to tell apart."""
    if not row["floored"]:
        return ""
    losses, were = ("loss", "was") if row["floored"] == 1 else ("losses", "were")
    raised = f"{were} raised to its smallest normal number"
    return f" {row['floored']:,} {losses} {were} too small for float32 and {raised}."


def _margin(study: Study) -> str:
    return f"{study.report.margin:g}"


def _small(study: Study, row: Row) -> str:
    return f", which is within the margin of {_margin(study)}" if row["within_margin"] else ""


def _possible(study: Study, row: Row) -> str:
    """What the interval leaves open."""
    treated, base = _arms(study, row)
    sides = f"from {formats.changed(row['effect_low'])} to {formats.changed(row['effect_high'])}"
    return f"the {titles.outcome(row['outcome'])} with {treated} may be anything {sides}, compared with {base}"


def _disagreement(study: Study, row: Row) -> str:
    """Why nothing is decided, where the interval or the test alone would have decided."""
    outside = not row["effect_low"] <= 1 <= row["effect_high"]
    rejected = row["p_adjusted"] < study.report.alpha
    if outside and not rejected:
        possible = sign_flips.can_decide(row["pairs"], study.report.alpha)
        never = "" if possible else ", and with so few seeds it never could"
        return f" The interval rules out equal losses, but the test does not{never}."
    return " The test rules out equal losses, but the interval does not." if rejected and not outside else ""


def _needed(study: Study, row: Row) -> str:
    seeds = row["seeds_needed"]
    if math.isnan(seeds):
        return ""
    count = "more than a million" if math.isinf(seeds) else f"{seeds:,.0f}"
    seen = f"a ratio as small as {_margin(study)} with {formats.percent(POWER)} power"
    return f" At this spread, {count} seeds would show {seen}."


def _divergence(study: Study, row: Row) -> str:
    treated, base = _arms(study, row)
    pairs = row["pairs"]
    return (
        f"{row['diverged_treatment']} of {formats.count(pairs, 'trial')} diverged with {treated} "
        f"and {row['diverged_baseline']} of {pairs} with {base}"
    )


def _conditional(study: Study, row: Row) -> str:
    """What the pairs that stayed finite show, which is a part of the answer only."""
    if row["finite_pairs"] < 2:
        return ""
    treated, base = _arms(study, row)
    pairs = f" Among the {row['finite_pairs']} pairs that stayed finite,"
    if row["verdict"] != "undecided" and not row["effect_low"] <= 1 <= row["effect_high"]:
        sized = formats.change(row, level_text=f"{_interval(row)} ")
        return f"{pairs} the {titles.outcome(row['outcome'])} with {treated} is {sized} than with {base}."
    contrary = row["verdict"] == "undecided" and row["p_adjusted"] < study.report.alpha
    opposed = " The diverged trials and these pairs speak for different arms." if contrary else ""
    return f"{pairs} {_possible(study, row)} ({_interval(row)}).{opposed}"
