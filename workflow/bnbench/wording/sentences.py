"""Sentences for verdicts. Every one is written from one row of numbers, and says no more than its verdict does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from bnbench.judging import sign_flips
from bnbench.plan.study import Study
from bnbench.vocabulary import POWER
from bnbench.wording import effects, formats, own_captions, resolution, samples, titles, words
from bnbench.wording.titles import Row

LONGEST = 30
"""Words of a sentence on the first screen, at most; a longer one is split in two."""


def tuned(study: Study, row: Row) -> str:
    """One context's verdict with each arm at what other seeds choose for it; nothing is chosen without pairs."""
    if row["verdict"] == "no data":
        return context(study, row)
    chosen, ends = [], []
    for name, arm in zip(("baseline", "treatment"), _arms(study, row)[::-1], strict=True):
        seeds, agreeing = formats.count(int(row["pairs"]), "seed"), int(row[f"agreeing_{name}"])
        seeds = f"all {seeds}" if agreeing == row["pairs"] > 1 else f"{agreeing} of {seeds}"
        values, end = row[f"chosen_{name}"], row[f"at_end_{name}"]  # text, or null where there is nothing to say
        chosen += [f"{arm} at {values} for {seeds}"] if isinstance(values, str) else []
        ends += [f"{end} of {arm}"] if isinstance(end, str) else []
    lie = "lies" if len(ends) == 1 else "lie"
    beyond = f" At an end of the list {lie} {' and '.join(ends)}; a value beyond may be better." if ends else ""
    return f"{context(study, row)} Chosen by the other seeds' validation losses: {' and '.join(chosen)}.{beyond}"


def context(study: Study, row: Row) -> str:
    """One context's verdict with size, interval and p, in sentences of at most `LONGEST` words where names allow."""
    opening = titles.opening(study, row)
    if row["verdict"] == "no data":
        return formats.sentence(opening, samples.absent(study, row))
    over = samples.over(study, row)
    fewer = "" if over == formats.count(len(study.seeds), "seed") else f"over {over}"
    start = formats.beginning("".join(f"{part}, " for part in (opening, fewer) if part))
    if samples.all_diverged(row):
        run, (treated, base) = words.of(study).run, _with_arms(study, row)
        return formats.beginning(f"{start}every {run} diverged, {treated} and {base}: there is nothing to compare.")
    if row["test"] != "mean":
        return formats.beginning(f"{start}{_by_ranks(study, row)}")
    if row["pairs"] < 2:
        return formats.beginning(f"{start}nothing is decided: {samples.spreadless(row)}.")
    return formats.beginning(f"{start}{_by_mean(study, row, room=LONGEST - formats.length(start))}")


def adjustment(rows: Sequence[Row]) -> str:
    """For how many comparisons the p-values of their sentences are adjusted, and how; empty of a single one."""
    judged = [row for row in rows if row["pairs"] and not math.isnan(row["p_adjusted"])]
    family = max((int(row["family"]) for row in judged), default=0)
    if family < 2:
        return ""
    every = f"{'both' if family == 2 else f'all {family}'} comparisons"
    equivalent = any(row["verdict"] == "equivalent" for row in judged)
    holm = f", and that of equivalence adjusted for {family} comparisons by Holm" if equivalent else ""
    simultaneous = any(row["limits"] in ("flips", "Bonferroni") for row in judged)
    start = f"Simultaneous intervals hold for {every} at once. " if simultaneous else ""
    return f"{start}Each p is adjusted for {family} comparisons by {judged[0]['adjustment']}{holm}."


def needed(study: Study, rows: Sequence[Row]) -> str:
    """How many seeds the contexts in which nothing is decided would need; empty where none is, or none can be told."""
    open_rows = [row for row in rows if row["verdict"] == "undecided" and not math.isnan(row["seeds_needed"])]
    if not open_rows:
        return ""
    effect = f"{_article(effects.noun(study.outcome))} as small as {margin(study)}"
    counts = sorted(row["seeds_needed"] for row in open_rows)
    most = ["more than a million" if math.isinf(count) else f"{count:,.0f}" for count in (counts[0], counts[-1])]
    seeds = samples.needed(open_rows[0], " to ".join(dict.fromkeys(most)))
    if len(open_rows) == 1 and not math.isnan(open_rows[0]["seeds_needed_low"]):
        ends = [open_rows[0][f"seeds_needed_{end}"] for end in ("low", "high")]
        seeds += f" ({' to '.join('more than a million' if math.isinf(end) else f'{end:,.0f}' for end in ends)})"
    where = "Where nothing is decided, " if len(rows) > 1 else ""
    said = f"{where}to see {effect} with {formats.percent(POWER)} power would take {seeds}"
    return formats.sentence(said)


def reference(study: Study, row: Row) -> str:
    """Where a loss that was printed elsewhere lies among the seeds."""
    several = len(study.settings) > len(study.levels["norm"])
    where = f" ({titles.context_name(study, row)})" if several else ""
    source = row["printed_by"][:1].upper() + row["printed_by"][1:]
    printed = (
        f"{source}'s {row['value']:.2e} at epoch {row['epoch']} with {study.level('norm', row['norm']).title}{where}"
    )
    seeds, losses = formats.count(row["seeds"], "seed"), formats.plural(titles.outcome(study, row["outcome"]))
    if not row["seeds"]:
        return f"{printed} has nothing beside it: no {titles.outcome(study, row['outcome'])} was measured there."
    place = f"is at the {formats.ordinal(row['percentile'])} percentile of {seeds}"
    if row["value"] < row["lowest"] or row["value"] > row["highest"]:
        place = f"lies {'below' if row['value'] < row['lowest'] else 'above'} all of {seeds}"
    return f"{printed} {place}, whose {losses} there run from {row['lowest']:.2e} to {row['highest']:.2e}."


def control(study: Study, row: Row) -> str:
    """What the A/A control showed of the code."""
    base, alpha = titles.arm(study, study.report.baseline), formats.percent(study.report.alpha)
    seeds, pair = ("seeds", "pair") if study.paired else ("runs", "run")
    if not row["splits"]:
        return f"There are too few {seeds} to compare {base} with itself."
    halves = f"{base} was compared with itself on two halves of its {seeds}, {formats.count(row['pairs'], pair)} each"
    start = f"A/A control of the code: {halves}"
    if study.paired and not sign_flips.can_decide(row["pairs"], study.report.alpha):
        return f"{start}; with so few pairs, no difference can ever be declared, so it shows nothing."
    limits = f"Wilson interval {formats.percent(row['low'])} to {formats.percent(row['high'])}"
    found = f"{formats.percent(row['share'])} of {row['splits']:,} random splits of these {seeds} ({limits})"
    expected = f"by construction, at most {alpha} are expected, whatever the data"
    return (
        f"{start}; in {found}, a difference was declared in any context. It checks the code, not the study: {expected}."
    )


def cost(study: Study, provenance: pd.DataFrame) -> str:
    """How long training took, in all and by arm."""
    if not provenance["trials"].sum():
        return "Nothing was trained yet."
    factor = study.report.factor
    spent = provenance.groupby(factor, sort=False)[["seconds", "trials"]].sum()
    arms = [
        f"{formats.duration(seconds)} for {formats.count(int(trials), 'trial')} {titles.with_arm(study, arm)}"
        for arm, (seconds, trials) in zip(map(str, spent.index), spent.to_numpy().tolist(), strict=True)
    ]
    return f"Training and evaluating took {formats.duration(provenance['seconds'].sum())}: {formats.listed(arms)}."


def decided(study: Study, row: Row, judged: Row) -> str:
    """From which epoch on the losses differ as the verdict says, if they do.

    `row` is that of the last epoch in the table of differences, `judged` that of the context.
    """
    (treated, base), (with_it, without) = _arms(study, row), _with_arms(study, row)
    opening, loss, several = (
        titles.opening(study, row),
        titles.outcome(study, study.report.outcome),
        len(study.comparisons) > 1,
    )
    named = words.of(study)
    between = f" between {treated} and {base}" if several else ""
    if not sign_flips.can_decide(row["pairs"], study.report.alpha):
        finite = formats.count(int(row["pairs"]), "finite pair")
        return formats.sentence(opening, f"no {named.epoch} is decided{between}: {finite} can never decide")
    if judged["verdict"] not in ("helps", "hurts"):
        reason = f"since the verdict is {judged['verdict']}"
        return formats.sentence(opening, f"no {named.epoch} is decided{between}, {reason}")
    last = own_captions.end_of_course(study, row["epoch"])
    if math.isnan(row["decided_from"]):
        includes = row["low"] <= study.outcome.no_effect <= row["high"]
        band = (
            f"still includes equal {effects.compared(study.outcome)}"
            if includes
            else "does not lie on the side of the verdict"
        )
        whose = f" of {titles.comparison(study, row)}" if several else ""
        return formats.sentence(opening and f"{opening},", f"the band{whose} {band} {last}")
    at_last = row["decided_from"] == row["epoch"]
    when = last if at_last else f"{named.since(row['decided_from'])},"
    among = f", among the {row['pairs']} pairs that stayed finite" if row["pairs"] < judged["pairs"] else ""
    side = "lower" if (judged["verdict"] == "helps") == study.outcome.lower_is_better else "higher"
    said = f"{when} the {loss} {with_it} is {side} than {without}{among}"
    return formats.sentence(opening and f"{opening},", said)


def _arms(study: Study, row: Row) -> tuple[str, str]:
    """What the treatment and the baseline of a row are called."""
    return titles.arm(study, row["treatment"]), titles.arm(study, row["baseline"])


def _with_arms(study: Study, row: Row) -> tuple[str, str]:
    """The same as they follow a noun: `with BN`, `without BN`."""
    return titles.with_arm(study, row["treatment"]), titles.with_arm(study, row["baseline"])


def interval(row: Row) -> str:
    """What an interval is called: simultaneous where it holds for several contexts together."""
    level = f"{formats.percent(row['confidence'])} interval"
    return f"simultaneous {level}" if row["limits"] in ("flips", "Bonferroni") else f"{level}{_alone(row)}"


def _alone(row: Row) -> str:
    """That an interval is not one of all contexts together, where there are several."""
    return " of this context alone" if row["family"] > 1 else ""


def _evidence(row: Row) -> str:
    """The p-value that the verdict rests on."""
    return _adjusted(row, row["p_adjusted"])


def _adjusted(row: Row, p: float) -> str:
    """A p-value, and that it is adjusted; one test alone needs no adjustment."""
    return f"{'adjusted ' if row['family'] > 1 else ''}{formats.p_value(p)}"


def _by_mean(study: Study, row: Row, room: int) -> str:
    """The verdict where every pair has a difference, in one sentence where it has no more words than `room`."""
    if row["verdict"] == "equivalent":
        return _equivalent(study, row)
    if row["verdict"] == "undecided" and row["effect_low"] == row["effect_high"]:
        return f"nothing is decided: all pairs have the same {effects.noun(study.outcome)}, and show no spread."
    if row["verdict"] == "undecided":
        possible, p = _possible(study, row), _evidence(row)
        disagreement = _disagreement(study, row)
        whole = f"nothing is decided: {possible} ({interval(row)}; {p})."
        if formats.length(whole) <= room:
            return f"{whole}{disagreement}"
        return f"nothing is decided ({p}). {formats.beginning(possible)} ({interval(row)}).{disagreement}"
    verdict, sized, limits = (
        f"{titles.arm(study, row['treatment'])} {row['verdict']}",
        _sized(study, row),
        _limits(study, row),
    )
    whole = f"{verdict}: the {sized} ({limits}; {_evidence(row)})."
    small = f" That is within the margin of {margin(study)}." if row["within_margin"] else ""
    if formats.length(whole) <= room:
        return f"{whole}{small}"
    return f"{verdict} ({_evidence(row)}). The {sized} ({limits}).{small}"


def _sized(study: Study, row: Row, treated: str = "") -> str:
    """How an outcome compares: `test loss is 4.3 times as high as without BN`."""
    said = effects.beside(study.outcome, row["effect"], titles.with_arm(study, row["baseline"]))
    return " ".join(filter(None, [titles.outcome(study, row["outcome"]), treated, "is", said]))


def _limits(study: Study, row: Row) -> str:
    """What the interval is called, and its limits."""
    return f"{interval(row)} {effects.limits(study.outcome, row['effect'], row['effect_low'], row['effect_high'])}"


def _by_ranks(study: Study, row: Row) -> str:
    """The verdict where some pairs have no difference, since trials diverged or losses are too small to measure."""
    treated = titles.arm(study, row["treatment"])
    verdict = {"helps": f"{treated} helps", "hurts": f"{treated} hurts"}.get(row["verdict"], "nothing is decided")
    if row["test"] == "rank":
        small = formats.sentence(_floored(study, row))
        return f"{verdict}, by ranks ({_evidence(row)}). {small}{_raised(study, row)}{_rest(study, row)}"
    worst = f"a diverged {words.of(study).run} as the worst {titles.outcome(study, row['outcome'])}"
    small = f" {formats.sentence(_floored(study, row))}" if row["floored"] else ""
    diverged = samples.divergence(study, row)
    return f"{verdict}, counting {worst} ({_evidence(row)}). {diverged}.{small}{_rest(study, row)}"


def _equivalent(study: Study, row: Row) -> str:
    treated, base = _arms(study, row)
    losses, outcome = formats.plural(titles.outcome(study, row["outcome"])), study.outcome
    effect, low, high = (effects.near(outcome, row[name]) for name in ("effect", "narrow_low", "narrow_high"))
    level = f"{formats.percent(2 * row['confidence'] - 1)} interval{_alone(row)}"
    limits = f"{level}{':' if _alone(row) else ''} {low} to {high}"
    within = f"within the margin of {margin(study)} ({_adjusted(row, row['p_equivalence'])})"
    ratio = f"The {effects.noun(outcome)} of their {losses} is {effect} ({limits})."
    return f"{treated} and {base} are equivalent {within}. {ratio}"


def _floored(study: Study, row: Row) -> str:
    """Why some pairs have no effect of their own."""
    pairs = f"{samples.counted(row, row['floored'])} {'has' if row['floored'] == 1 else 'have'}"
    return f"{pairs} {resolution.too_small(study, row)}, and so no {effects.noun(study.outcome)}"


def _raised(study: Study, row: Row) -> str:
    """The effect with losses below the resolution counted as it: a bound, if it bounds what the verdict says."""
    treated, base = _with_arms(study, row)
    if not resolution.is_known(study):
        return ""
    outcome, effect = study.outcome, row["raised_effect"]
    counting = f" Counting such losses as {row['resolution']:.1e}"
    toward = {"hurts": effect > outcome.no_effect, "helps": effect < outcome.no_effect}.get(row["verdict"], False)
    outward = {"at least": effect > outcome.no_effect, "at most": effect < outcome.no_effect}.get(row["bound"], False)
    if toward and outward:
        sized = f"at least {effects.beside(outcome, effect, base)}"
        return f"{counting}, the {titles.outcome(study, row['outcome'])} {treated} is {sized}."
    said = f"{counting}, the {effects.noun(outcome)} is {effects.plain(outcome, effect)}"
    if not row["raised_low"] < row["raised_high"]:
        return f"{said}."
    low, high = (effects.plain(outcome, row[f"raised_{end}"]) for end in ("low", "high"))
    return f"{said} ({formats.percent(row['confidence'])} interval{_alone(row)}: {low} to {high})."


def margin(study: Study) -> str:
    """The margin of the study, in the unit of its outcome."""
    return effects.margin(study.outcome, study.report.margin)


def _possible(study: Study, row: Row) -> str:
    """What the interval leaves open."""
    limits = (row["effect_low"], row["effect_high"])
    return effects.possible(study.outcome, titles.outcome(study, row["outcome"]), _with_arms(study, row), limits)


def _disagreement(study: Study, row: Row) -> str:
    """Why nothing is decided, where the interval or the test alone would have decided."""
    outside = not row["effect_low"] <= study.outcome.no_effect <= row["effect_high"]
    rejected = row["p_adjusted"] < study.report.alpha
    if outside and not rejected:
        possible = samples.are_groups(row) or sign_flips.can_decide(row["pairs"], study.report.alpha)
        if not possible:
            return f" The interval rules out equality, but the test does not: {samples.smallest_p(int(row['pairs']))}."
        adjusted = f", adjusted for {row['family']} comparisons," if row["family"] > 1 else ""
        return f" The interval rules out equality, but the test{adjusted} does not."
    return " The test rules out equality, but the interval does not." if rejected and not outside else ""


def _article(noun: str) -> str:
    return f"a {noun.partition(' in ')[0]}"


def _rest(study: Study, row: Row) -> str:
    """What the pairs show that were measured, which is a part of the answer only."""
    measured = samples.measured(row)
    if not measured:
        return ""
    pairs = f" Among {measured},"
    if row["verdict"] != "undecided" and not row["effect_low"] <= study.outcome.no_effect <= row["effect_high"]:
        return f"{pairs} the {_sized(study, row, titles.with_arm(study, row['treatment']))} ({_limits(study, row)})."
    contrary = row["verdict"] == "undecided" and row["p_adjusted"] < study.report.alpha
    opposed = f" The {' and '.join(samples.others(study, row))} speak for different arms." if contrary else ""
    return f"{pairs} {_possible(study, row)} ({interval(row)}).{opposed}"
