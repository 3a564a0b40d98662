"""How the columns of a table of your own were read, in words: a line for each role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from bnbench import texts
from bnbench.own_results.reasons import Reason
from bnbench.plan.own_facts import FRAME
from bnbench.plan.own_study import OwnStudy
from bnbench.wording import effects, formats, titles, words
from bnbench.wording.own_pairs import pairing

__all__ = ["pairing", "reading", "source"]

_NAMED = 8  # levels that a line names

_PREFIX = 12  # digits of a hash that tell files apart

REASONS: dict[Reason, str] = {
    "empty": "empty",
    "of the tracker": "what a tracker notes of each run",
    "the same everywhere": "the same in all rows",
    "a date": "dates",
    "an id": "a name for each run",
    "mostly numbers": "mostly numbers, but found {detail}",
    "many values": "too many values for a factor",
    "incomplete": "empty in some rows",
    "measured": "measured, and not the same design in all arms",
    "changes on the way": "changes within a run",
    "follows the arms": "changes with the arms",
    "follows another column": "changes with another column",
    "differs within the pairs": "differs between the runs of a pair",
    "changes with the seed": "changes with the seed",
    "a spread, a count or a rank": "a spread, a count or a rank",
    "no known side": "its name does not say whether a lower or a higher value is better",
    "too many": "one outcome too many",
    "not named": "not named as a context",
}
"""Why a column is set aside."""


def reading(study: OwnStudy) -> list[str]:
    """A line for each role that a column has, and for what is odd about the runs."""
    return [texts.shown(said, keep="") for said in (*_roles(study), *_oddities(study), *study.found["notes"])]


def named(study: OwnStudy) -> str:
    """Where the table comes from: `runs.csv`, `the files */metrics.csv in logs`, `a frame in Python`."""
    if study.results["sha256"] == FRAME:
        return "a frame in Python"
    name = PurePath(study.results["path"]).name or "this folder"
    pattern = study.results["pattern"]
    return texts.shown(f"the files {pattern} in {name}" if pattern else name, keep="")


def source(study: OwnStudy) -> str:
    """The table with its hash, its rows and its runs, in a sentence."""
    rows, runs = formats.count(study.found["rows"], "row"), formats.count(study.found["runs"], "run")
    hashed = digest(study)
    return f"Read from {named(study)}{f' ({hashed})' if hashed else ''}: {rows}, {runs}."


def digest(study: OwnStudy) -> str:
    """The beginning of the hash by which the table is known again: `SHA-256 1a2b3c…`; empty of a frame."""
    found = study.results["sha256"]
    if found == FRAME:
        return ""
    of_files = "" if study.results["pattern"] is None and PurePath(study.results["path"]).suffix else "of all files: "
    return f"{of_files}SHA-256 {found[:_PREFIX]}…"


def _roles(study: OwnStudy) -> Iterator[str]:
    found = study.found
    rows, runs = formats.count(found["rows"], "row"), formats.count(found["runs"], "run")
    yield f"Table: {named(study)}, {rows} from {runs}."
    compared, *held = found["factors"]
    others = [text for text in compared["levels"] if text != found["baseline"]]
    against = f"{formats.listed(others)} against {found['baseline']}, the baseline"
    yield f"Compared: '{compared['column']}', {against}."
    if held:
        each = "it" if len(held) == 1 else "each"
        yield f"Contexts: {_columns(held)}; the arms are compared at the same level of {each}."
    else:
        yield "Contexts: none; all runs of an arm are taken together."
    yield _outcome(study)
    yield _margin(study)
    if others := found["outcomes"][1:]:
        listed = formats.listed([f"'{each['column']}' ({each['better']} is better)" for each in others])
        yield f"Beside it: {listed}; {'it decides' if len(others) == 1 else 'they decide'} nothing."
    if found["seed"]["column"]:
        seeds = f", {formats.count(len(study.seeds), 'seed')}" if study.paired else ", which tells runs apart"
        yield f"Seeds: '{found['seed']['column']}'{seeds}."
    if found["epoch"]["column"]:
        yield _course(study)
    if found["set_aside"]:
        said = [
            f"'{column}' ({REASONS[reason].format(detail=detail)})" for column, reason, detail in found["set_aside"]
        ]
        more = [f"{found['set_aside_more']} more"] if found["set_aside_more"] else []
        yield f"Set aside: {formats.listed([*said, *more])}."


def _outcome(study: OwnStudy) -> str:
    """What decides, and what of it was guessed from its name."""
    decides, given = study.found["outcomes"][0], study.results
    better = f"{decides['better']} is better{'' if given['better'] else ', as its name says'}"
    ratios = "ratios" if study.outcome.is_ratio else "differences"
    why = "as losses are" if study.outcome.is_ratio else "as scores are"
    asked = given["scale"] or (decides["better"] == "lower" and not study.outcome.is_ratio)
    return f"Outcome: '{decides['column']}'; {better}; runs are compared by {ratios}{'' if asked else f', {why}'}."


def _margin(study: OwnStudy) -> str:
    """What is too small to matter, and where that comes from."""
    decides, size = study.found["outcomes"][0], study.report.margin
    said = effects.margin(study.outcome, size)
    if size != decides["margin"]:
        return f"Margin: {said}, as asked."
    if share := study.found["margin_share"]:
        least = " in the context where that is least" if study.most_contexts > 1 else ""
        said = f"{said}, which is about {formats.percent(share)} of what the baseline comes to{least}"
        return f"Margin: {said}; set yours with --margin."
    return f"Margin: {said}, unless you set yours with --margin."


def _course(study: OwnStudy) -> str:
    """What counts the course of a run, and which part of it decides."""
    epoch, named_as = study.found["epoch"], words.of(study)
    share = study.report.window
    judged = f"the mean over the last {formats.percent(share)} of its measurements" if share else "its last measurement"
    course = f"{epoch['first']:,} to {epoch['last']:,}"
    if not study.has_course:
        return f"{formats.beginning(named_as.epochs)}: '{epoch['column']}', {epoch['last']:,} in all rows."
    return f"{formats.beginning(named_as.epochs)}: '{epoch['column']}', {course}; of each run, {judged} decides."


def _columns(factors: Sequence[Mapping[str, Any]]) -> str:
    return formats.listed([_factor(each) for each in factors])


def _factor(factor: Mapping[str, Any]) -> str:
    levels = factor["levels"]
    more = f" and {len(levels) - _NAMED} more" if len(levels) > _NAMED else ""
    return f"'{factor['column']}' ({', '.join(levels[:_NAMED])}{more})"


def unequal(study: OwnStudy) -> str:
    """That arms are compared at different epochs, where one ended before another; else empty."""
    found, named_as = study.found["unequal"], words.of(study)
    if not found["contexts"]:
        return ""
    ends = formats.listed([f"{titles.arm(study, arm)} at {named_as.epoch} {end:,}" for arm, end in found["first"]])
    more = f", in the first of {formats.count(found['contexts'], 'such context')}" if found["contexts"] > 1 else ""
    return f"One arm ended before another ({ends}{more}): they are compared at different {named_as.epochs}."


def _oddities(study: OwnStudy) -> Iterator[str]:
    found, named_as = study.found, words.of(study)
    outcome = titles.outcome(study, study.report.outcome)
    if count := found["diverged"]:
        ended = "ended with a value that is not finite"
        yield f"Diverged: {formats.count(count, 'run')} {ended}, and count{'s' * (count == 1)} as the worst."
    for key, one, several in (
        ("without", f"has no value of the {outcome}", f"have no value of the {outcome}"),
        ("stopped", f"stopped before the last {named_as.epoch}", f"stopped before the last {named_as.epoch}"),
        ("gaps", f"lacks {named_as.epochs} that others have", f"lack {named_as.epochs} that others have"),
    ):
        if count := found[key]["count"]:
            first = "; ".join(found[key]["first"])
            more = "; and others" if count > len(found[key]["first"]) else ""
            ask = "; if it was not finite there, say --empty diverged" if key == "without" else ""
            said = f"{formats.count(count, 'run')} {one if count == 1 else several} ({first}{more}){ask}."
            yield f"{_ODD[key]}: {said}"
    if said := unequal(study):
        yield f"Unequal ends: {said}"
    if found["averaged"]:
        places = formats.count(found["averaged"], "place")
        yield f"Averaged: several values of one run at one {named_as.epoch}, in {places}."


_ODD = {"without": "Left out", "stopped": "Stopped early", "gaps": "Gaps"}
