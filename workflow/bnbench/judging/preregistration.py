"""Whether what decides the verdicts is what was planned when training began, and what changed after how many seeds.

Of each setting, the records say which plans were in force when how many of its seeds were trained. A plan was fixed
before training where a record has it with no seed trained. A setting without such a record shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bnbench.plan.preregistration import OF_THE_WHOLE, STUDY, digest, plan_of
from bnbench.plan.study import Study
from bnbench.store.preregistration import OfSetting, Record

Plan = Mapping[str, Any]


class Change(NamedTuple):
    """A part of the plan that changed, in one setting."""

    part: str
    """A key of the plan."""
    was: Any
    now: Any
    began: bool
    """Whether `was` is what was planned when training began, and no later change."""
    after: int
    """Seeds that were trained by then."""
    all: bool
    """Whether these are all that were planned when training began."""


def finding(study: Study, found: Mapping[str, OfSetting]) -> dict[str, Any]:
    """What the records say, JSON-able.

    `settings` counts those that have trials; of them, `fixed` are as planned when training began, of `unknown` there is
    no such record, and the others changed. `others` is how many other plans were in force before training in a setting,
    at most. `changes` has a row per part and step: `part`, `was`, `now`, whether `was` is what was planned when
    training `began`, the least and the most seeds that were trained by then (`after`), whether these were all that had
    been planned (`all`), and in how many `settings`.

    Args:
        study: the study as it is reported.
        found: by address, the records of its settings (`store.preregistration.collected`).
    """
    if not study.trained_here:  # when the runs of others were planned, nobody recorded it
        count = len(study.settings)
        return {"settings": count, "fixed": 0, "unknown": count, "others": 0, "changes": []}
    plan = plan_of(study)
    uncollected: OfSetting = {"trained": len(study.seeds), "records": []}  # by an earlier version
    records = [found.get(setting.address, uncollected) for setting in study.settings]
    trained = [each for each in records if each["trained"]]
    histories = [_history(plan, each) for each in trained]
    changes = _together([change for history in histories for change in history or ()])
    order = [*plan]
    return {
        "settings": len(trained),
        "fixed": histories.count([]),
        "unknown": histories.count(None),
        "others": max((len(_first(each["records"])) - 1 for each in trained if _first(each["records"])), default=0),
        "changes": sorted(changes, key=lambda row: (order.index(row["part"]), not row["began"], row["after"])),
    }


def _history(plan: Plan, found: OfSetting) -> list[Change] | None:
    """What changed in one setting, part by part and step by step; None where no record tells."""
    if not (first := _first(found["records"])):
        return None
    began = min(first, key=lambda plan_then: _distance(plan, plan_then))
    if not _differing(plan, began):
        return []
    ours = began[STUDY] == plan[STUDY]
    later = _later(plan, found)
    changes = [] if ours else [_change(STUDY, began, plan[STUDY], later[0])]
    for part in plan:
        if part == STUDY or part not in began or (part in OF_THE_WHOLE and not ours):
            continue
        changes += _steps(part, began, later)
    return changes


def _steps(part: str, began: Plan, later: Sequence[Record]) -> Iterator[Change]:
    """How one part of the plan changed, step by step."""
    was, untouched = began[part], True
    for record in later:
        now = record["plan"].get(part, was)
        if now != was:
            yield _change(part, began, now, record)._replace(was=was, began=untouched)
            was, untouched = now, False


def _change(part: str, began: Plan, now: Any, record: Record) -> Change:
    """A change of what was planned when training began, as `record` is the first to have it."""
    after = record["trained"]
    return Change(part, began[part], now, began=True, after=after, all=after >= began["seeds"]["count"])


def _first(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The plans that were in force before any seed was trained."""
    return [record["plan"] for record in records if not record["trained"]]


def _later(plan: Plan, found: OfSetting) -> list[Record]:
    """The study's plans after training began, up to the one that is reported, in the order of the seeds trained."""
    records = [each for each in found["records"] if each["trained"] and each["plan"][STUDY] == plan[STUDY]]
    records.sort(key=lambda each: (each["trained"], not _differing(plan, each["plan"]), digest(each["plan"])))
    same = [place for place, each in enumerate(records) if not _differing(plan, each["plan"])]
    if same:
        return records[: same[0] + 1]
    return [*records, {"plan": dict(plan), "trained": found["trained"]}]  # nothing was trained under it


def _distance(plan: Plan, other: Plan) -> tuple[bool, bool, int, str]:
    """How far another plan is from this one: whether at all, of another study, in how many parts."""
    differing = _differing(plan, other)
    return bool(differing), other[STUDY] != plan[STUDY], len(differing), digest(other)


def _differing(plan: Plan, other: Plan) -> list[str]:
    """The parts in which two plans differ, whatever their studies are called; a part that one lacks is none."""
    return [part for part in plan if part != STUDY and part in other and other[part] != plan[part]]


def _together(changes: Sequence[Change]) -> Iterator[dict[str, Any]]:
    """The changes of all settings, a row per part and step."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(digest([change.part, change.was, change.now, change.began]), []).append(change)
    for group in groups.values():
        after = [change.after for change in group]
        first = group[0]
        yield {
            "part": first.part,
            "was": first.was,
            "now": first.now,
            "began": first.began,
            "after": [min(after), max(after)],
            "all": all(change.all for change in group),
            "settings": len(group),
        }
