"""Sentences on all contexts together: main effects and interactions, aggregates, and the ranks of the arms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import pandas as pd

from bnbench.judging import sign_flips
from bnbench.plan.study import Study
from bnbench.vocabulary import DOUBLING, MAIN_EFFECT
from bnbench.wording import captions, effects, formats, samples, titles, words
from bnbench.wording.titles import Row


def interaction(study: Study, row: Row) -> str:
    """A main effect, or how the effect depends on a factor, with its numbers; empty without two seeds."""
    if not row["pairs"] or math.isnan(row["low"]):
        return ""
    has_direction = decided(study, row)
    if row["factor"] == MAIN_EFFECT:
        said = _main_effect(study, row, decided=has_direction)
        said += f"{_disagreement(study, row)}{_left_out(study, row)}"
        return f"{said}{_by_verdict(study, row)}{_prediction(study, row)}"
    return f"{_dependence(study, row, decided=has_direction)}{_disagreement(study, row)}{_left_out(study, row)}"


def aggregate(study: Study, row: Row) -> str:
    """All contexts of a comparison in a few numbers, which decide nothing; empty without two seeds."""
    if row["pairs"] < 2:
        return ""
    treated, base = _arms(study, row)
    share, low, high = (f"{100 * row[f'improvement{end}']:.0f} %" for end in ("", "_low", "_high"))
    limits = "" if math.isnan(row["improvement_low"]) else f" ({low} to {high})"
    rest = f"{100 - round(100 * row['improvement'])} %"
    pairs = "the pairs" if study.paired else "the pairs of their runs"
    better = f"{treated} is better in {share} of {pairs}{limits} and {base} in {rest}"
    size = f"over these {row['contexts']:.0f} contexts and {_seeds(study, row)}"
    return f"As a description {size}, {_middle(study, row)}{better}.{_spread(study, row)}{_opposed(study, row)}"


def ranks(study: Study, table: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """The mean ranks of the arms, and which of them cannot be distinguished; empty where there are none.

    Args:
        study: the study.
        table: the ranks.
        pairs: every arm against every other.
    """
    rows = table.to_dict("records")
    if not rows or math.isnan(rows[0]["mean_rank"]):
        return ""
    outcome = titles.outcome(study, study.report.outcome)
    seeds = formats.count(rows[0]["seeds"], "seed")
    if not study.paired:
        seeds = samples.of_each(study, min(row["seeds"] for row in rows))
    size = f"{formats.count(rows[0]['contexts'], 'context')} and {seeds}"
    places = formats.listed([f"{row['mean_rank']:.2f} for {titles.arm(study, row['arm'])}" for row in rows])
    said = f"Over {size}, the mean ranks by {outcome} (1 is best) are {places}. {_together(study, rows)}"
    return f"{said}{_contradictions(study, pairs)}"


def _main_effect(study: Study, row: Row, *, decided: bool) -> str:
    treated, base = (titles.with_arm(study, row[name]) for name in ("treatment", "baseline"))
    outcome = titles.outcome(study, study.report.outcome)
    start = f"Over {_all(row)} contexts together,"
    if not decided:
        possible = effects.possible(study.outcome, outcome, (treated, base), (row["low"], row["high"]))
        limits = f"({_interval(study, row)}; {_evidence(study, row)})"
        return f"{start} nothing is decided: {possible} {limits}."
    sized = effects.beside(study.outcome, row["effect"], base)
    limits = effects.limits(study.outcome, row["effect"], row["low"], row["high"])
    interval = f"{_interval(study, row)} {limits}; {_evidence(study, row)}"
    return f"{start} the {outcome} {treated} is {sized} ({interval})."


def _dependence(study: Study, row: Row, *, decided: bool) -> str:
    """How the effect depends on one factor, or that this is not decided."""
    form, effect = partial(effects.plain, study.outcome), _effect(study, row)
    by_batch, is_ratio = row["level"] == DOUBLING, study.outcome.is_ratio
    limits = f"{form(row['low'])} to {form(row['high'])}"
    size = form(row["effect"]) if decided else f"anything from {limits}"
    end = f"{_interval(study, row)}{f' {limits}' if decided else ''}; {_evidence(study, row)}"
    if by_batch:
        subject = f"with every doubling of the batch, {effect}"
        verbs = ("is multiplied by", "may be multiplied by") if is_ratio else ("changes by", "may change by")
        said = f"{subject} {verbs[not decided]} {size}"
    else:
        levels = [titles.context_level(study, row["factor"], row[name]) for name in ("level", "against")]
        level, against = (titles.with_levels([each]) for each in levels)
        verb = "times" if is_ratio else "plus"
        said = f"{level}, {effect} {'is' if decided else 'may be'} that {against} {verb} {size}"
    if decided:
        return f"{said[:1].upper()}{said[1:]} ({end})."
    return f"It is not decided whether the effect depends on the {captions.noun(row['factor'])}: {said} ({end})."


def _by_verdict(study: Study, row: Row) -> str:
    """How many contexts have which verdict of their own."""
    treated, base = _arms(study, row)
    clauses = {
        "contexts_helped": f"{treated} helps in",
        "contexts_hurt": f"{treated} hurts in",
        "contexts_equivalent": f"{treated} and {base} are equivalent in",
        "contexts_undecided": "nothing is decided in",
    }
    counted = [f"{clause} {row[name]:.0f}" for name, clause in clauses.items() if row[name]]
    start = "The contexts disagree: by" if _contrary(row) else "By"
    return f" {start} their own verdicts, {formats.listed(counted)}."


def _prediction(study: Study, row: Row) -> str:
    """What a further context may show, where there are contexts enough to say so."""
    low, high = row["prediction_low"], row["prediction_high"]
    if math.isnan(low):
        return ""
    treated, base = (titles.with_arm(study, row[name]) for name in ("treatment", "baseline"))
    loss, level = titles.outcome(study, study.report.outcome), formats.percent(1 - study.report.alpha)
    said = effects.possible(study.outcome, loss, (treated, base), (low, high))
    sample = f"{level} prediction interval, as if the contexts were a random sample of their kind"
    return f" In a further context of this kind, {said} ({sample})."


def _middle(study: Study, row: Row) -> str:
    """The interquartile mean, where there is one."""
    if math.isnan(row["iqm"]):
        return ""
    form, level = partial(effects.plain, study.outcome), formats.percent(1 - study.report.alpha)
    low, high = ("" if math.isinf(limit) else form(limit) for limit in (row["low"], row["high"]))
    sides = f"{low} to {high}" if low and high else f"up to {high}" if high else f"from {low} up"
    limits = f"{level} bootstrap interval {sides if low or high else 'without limits'}"
    return f"the interquartile mean of {_effect(study, row)} is {form(row['iqm'])} ({limits}), and "


def _spread(study: Study, row: Row) -> str:
    """How much the contexts differ, and how much of that is chance."""
    form = partial(effects.plain, study.outcome)
    if math.isnan(row["effect_lowest"]):
        return ""
    ends = f"{form(row['effect_lowest'])} to {form(row['effect_highest'])}"
    sides = f" In single contexts, {_effect(study, row)} runs from {ends}"
    if math.isnan(row["tau"]):
        return f"{sides}."
    share = f"{100 * row['i_squared']:.0f} %"
    if row["tau"] == 0:
        return f"{sides}, no further apart than chance puts them (I² = {share})."
    tau = math.exp(row["tau"]) if study.outcome.is_ratio else row["tau"]
    typical = f"a factor of {formats.number(tau)}" if study.outcome.is_ratio else effects.amount(study.outcome, tau)
    more = f"{share} of their spread is more than chance (I²)"
    return f"{sides}; chance aside, they typically lie {typical} from their mean, and {more}."


def _opposed(study: Study, row: Row) -> str:
    if not _contrary(row):
        return ""
    treated, _ = _arms(study, row)
    sides = f"{treated} helps in {row['contexts_helped']:.0f} and hurts in {row['contexts_hurt']:.0f}"
    return f" The contexts disagree: by their own verdicts, {sides}, so no single number describes them all."


def _together(study: Study, rows: Sequence[Row]) -> str:
    """Which arms cannot be distinguished."""
    letters = dict.fromkeys(letter for row in rows for letter in row["groups"].split())
    groups = [[titles.arm(study, row["arm"]) for row in rows if letter in row["groups"].split()] for letter in letters]
    several = [formats.listed(group) for group in groups if len(group) > 1]
    if not several:
        return "All arms differ."
    if len(groups) == 1:
        return "No two of them can be distinguished."
    return formats.beginning(f"{'; '.join(several)} cannot be distinguished.")


def _all(row: Row) -> str:
    return "both" if row["contexts"] == 2 else f"all {row['contexts']:.0f}"


def _contradictions(study: Study, pairs: pd.DataFrame) -> str:
    """The pairs that their means would tell apart, but of which the ranks point the other way."""
    worse = 1 if study.outcome.lower_is_better else -1
    no_effect = study.outcome.no_effect
    opposed = pairs["rank_difference"] * (pairs["effect"] - no_effect) * worse < 0
    found = pairs[opposed & ~pairs["told_apart"] & (pairs["p_adjusted"] < study.report.alpha)].to_dict("records")
    if not found:
        return ""
    named = formats.listed([f"{treated} against {base}" for treated, base in (_arms(study, row) for row in found)])
    return f" Of {named}, nothing is decided, because ranks and means point to different arms."


def _contrary(row: Row) -> bool:
    return bool(row["contexts_helped"] and row["contexts_hurt"])


def decided(study: Study, row: Row) -> bool:
    """Whether the row has a direction: its test and its interval both say so."""
    return bool(row["p_adjusted"] < study.report.alpha) and _outside(study, row)


def _outside(study: Study, row: Row) -> bool:
    return not row["low"] <= study.outcome.no_effect <= row["high"]


def _disagreement(study: Study, row: Row) -> str:
    """Why nothing is decided, where the interval or the test alone would have decided."""
    outside, rejected = _outside(study, row), row["p_adjusted"] < study.report.alpha
    if outside and not rejected:
        possible = sign_flips.can_decide(int(row["pairs"]), study.report.alpha)
        smallest = f": {samples.smallest_p(int(row['pairs']))}"
        never = "" if possible or not study.paired else smallest
        return f" The interval rules out that there is no effect, but the test does not{never}."
    return " The test rules out that there is no effect, but the interval does not." if rejected and not outside else ""


def _left_out(study: Study, row: Row) -> str:
    """That an effect is conditional on seeds that stayed finite, where some did not."""
    if not row["diverged"]:
        return ""
    trials = formats.count(int(row["diverged"]), words.of(study).run)
    out = "whose seeds are left out" if study.paired else "which are left out"
    return f" {trials} diverged, {out}: this is of the others alone."


def _evidence(study: Study, row: Row) -> str:
    """The seeds, and the p-value with its adjustment; one test alone needs none."""
    adjusted = f", adjusted for {row['family']} effects by {row['adjustment']}" if row["family"] > 1 else ""
    return f"{_measured(study, row)}; {formats.p_value(row['p_adjusted'])}{adjusted}"


def _seeds(study: Study, row: Row) -> str:
    """How many seeds count, and which where not all do."""
    if not study.paired:
        return samples.of_each(study, int(row["pairs"]))
    seeds = formats.count(int(row["pairs"]), "seed")
    return seeds if row["pairs"] == len(study.seeds) else f"the {seeds} that all of them have"


def _measured(study: Study, row: Row) -> str:
    """What an effect is over: `12 seeds`, and which where not all are; or the fewest runs of an arm in a context."""
    if not study.paired:
        return samples.of_each(study, int(row["pairs"]))
    which = "" if row["pairs"] == len(study.seeds) else " that were measured in every context"
    return f"{formats.count(int(row['pairs']), 'seed')}{which}"


def _interval(study: Study, row: Row) -> str:
    together = "simultaneous " if row["family"] > 1 else ""
    return f"{together}{formats.percent(1 - study.report.alpha)} interval"


def _arms(study: Study, row: Row) -> tuple[str, str]:
    return titles.arm(study, row["treatment"]), titles.arm(study, row["baseline"])


def _effect(study: Study, row: Row) -> str:
    """What an effect is of: a ratio of losses, or a difference of scores."""
    return effects.of_two(study.outcome, titles.outcome(study, study.report.outcome), _arms(study, row))
