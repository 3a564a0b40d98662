"""Whether the comparison is known to have been fixed before training, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bnbench.wording import captions, formats, titles

FIXED = "The outcome, its window, the comparisons, the margin, α and the number of seeds were fixed before training."
UNKNOWN = "It is not known whether this was fixed before training."

_NAMES = {
    "factor": "the compared factor",
    "baseline": "the baseline",
    "compare": "the further pairs",
    "outcome": "the outcome",
    "window": "the window",
    "margin": "the margin",
    "alpha": "α",
    "settings": "the number of settings",
    "claims": "the claims",
}
"""What a part of the plan is called; other options go by their names in the config."""

_WITHOUT_VALUES = ("compare", "claims")
"""Parts that are too long to be told."""


def sentences(found: Mapping[str, Any]) -> str:
    """What `judging.preregistration.finding` found: as fixed, what changed after how many seeds, or not known."""
    total, unknown = found["settings"], found["unknown"]
    if not total:
        return "Nothing has been trained yet."
    said = [f"{_capital(text)}." for text in _changes(found["changes"], total)]
    if unknown == total:
        said.append(UNKNOWN)
    elif unknown:
        said.append(f"In {_of(unknown, total)}, it is not known whether this was fixed before training.")
    if found["fixed"] == total:
        said.append(FIXED)
    if found["others"]:
        plans = "another plan was" if found["others"] == 1 else f"{found['others']} other plans were"
        said.append(f"Before training, {plans} recorded too.")
    return " ".join(said)


def note(found: Mapping[str, Any]) -> str:
    """What changed after training began; empty where nothing is known to have."""
    return sentences(found) if found["changes"] else ""


def _changes(changes: Sequence[Mapping[str, Any]], total: int) -> list[str]:
    """A clause for each change; those of the seeds in one."""
    said: list[str] = []
    seeds: list[str] = []
    for change in changes:
        where = f" (in {_of(change['settings'], total)})" if change["settings"] < total else ""
        if change["part"] == "study":
            trials = f"the trials of {_of(change['settings'], total)}" if where else "all trials"
            said.append(f"{trials} were trained for the study “{change['was']}”")
        elif change["part"] == "seeds":
            seeds.append(_of_seeds(change) + where)
        else:
            said.append(_of_part(change) + where)
    return [*said, "; ".join(seeds)] if seeds else said


def _of_part(change: Mapping[str, Any]) -> str:
    part = change["part"]
    name = _NAMES.get(part, f"the option {part}")
    seeds = f"after {_after(change)} {'seed was' if change['after'][1] == 1 else 'seeds were'} trained"
    was, now = (_value(part, change[key]) for key in ("was", "now"))
    if part in _WITHOUT_VALUES or was == now:
        changed = "were" if part in _WITHOUT_VALUES else "was"
        return f"{'the settings were' if part == 'settings' else f'{name} {changed}'} changed {seeds}"
    if change["began"]:
        return f"{name} was {was} when training began, and was changed to {now} {seeds}"
    return f"{name} was changed from {was} to {now} {seeds}"


def _of_seeds(change: Mapping[str, Any]) -> str:
    was, now = change["was"], change["now"]
    counts = was["first"] == now["first"]
    planned, then = ((_count if counts else _range)(seeds) for seeds in (was, now))
    seen = f"{_numbers(change['after'])} {_were(change['after'][1])} seen"
    later = f"{now['count'] if counts else then} after {seen}"
    be = _were(was["count"]) if counts else "were"
    return f"{planned} {be} planned when training began; {later}" if change["began"] else later


def _after(change: Mapping[str, Any]) -> str:
    """How many seeds: `10`, `8 to 10`, or `all 20`."""
    numbers = _numbers(change["after"])
    return f"all {numbers}" if change["all"] and change["after"][1] > 1 else numbers


def _numbers(least_and_most: Sequence[int]) -> str:
    return " to ".join(f"{count:,}" for count in dict.fromkeys(least_and_most))


def _value(part: str, value: Any) -> str:
    """A part of the plan, in words."""
    if part == "outcome":
        return titles.measured(str(value))
    if part == "window":
        return captions.share_of_epochs(value)
    if part == "settings":
        return str(value["count"])
    if part == "factor":
        return captions.noun(value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _count(seeds: Mapping[str, int]) -> str:
    return formats.count(seeds["count"], "seed")


def _range(seeds: Mapping[str, int]) -> str:
    return f"seeds {seeds['first']} to {seeds['first'] + seeds['count'] - 1}"


def _capital(text: str) -> str:
    """The text with a capital letter, unless it begins with a Greek one, whose capital looks like a Latin one."""
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _of(some: int, total: int) -> str:
    return f"{some} of {formats.count(total, 'setting')}"
