"""Sentences on settings that give the same numbers, of which one is trained and judged for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bnbench.plan.levels import Level
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study
from bnbench.vocabulary import FACTORS
from bnbench.wording import formats, titles

Labels = Mapping[str, str]
"""Factor → label of its level."""


def lines(study: Study) -> list[str]:
    """A line for each level that another one stands for, with where it does; nothing where none does.

    Such as: ghost BN at batch 5 and batch 10 is BN itself, so it is trained and judged once.
    """
    found: dict[tuple[str, str, str], list[Labels]] = {}
    for setting in study.grid if study.folds else ():
        if other := study.folds.get(setting.address):
            found.setdefault(_differing(setting, other), []).append(setting.labels)
    return [_line(study, *level, where) for level, where in found.items()]


def _differing(setting: Setting, other: Setting) -> tuple[str, str, str]:
    """The factor in which two settings differ, and their levels of it; the batch size, if they differ in more."""
    factors = [factor for factor in FACTORS if setting.labels[factor] != other.labels[factor]]
    factor = "batch_size" if "batch_size" in factors else factors[0]
    return factor, setting.labels[factor], other.labels[factor]


def _line(study: Study, factor: str, label: str, stand_in: str, where: Sequence[Labels]) -> str:
    place = _places(study, factor, where, _elsewhere(study, factor, label))
    one = f"{study.level(factor, label).title}{f' {place}' if place else ''}"
    return f"{one} is {_what(study.level(factor, stand_in))}, so it is trained and judged once"


def _what(level: Level) -> str:
    """What a level is that another one stands for."""
    if level.label == "full":
        return "the full batch"
    return f"{level.title} itself" if level.name == "batch" else f"the same as {level.title}"


def _elsewhere(study: Study, factor: str, label: str) -> list[Labels]:
    """Labels of the settings of a level that are trained."""
    return [setting.labels for setting in study.settings if setting.labels[factor] == label]


def _places(study: Study, level_of: str, where: Sequence[Labels], elsewhere: Sequence[Labels]) -> str:
    """In words, what sets some settings apart from others; empty where there are no others."""
    factors = [factor for factor in FACTORS if factor not in (level_of, "batch_size")]
    kept = [*factors, "batch_size"] if level_of != "batch_size" else factors
    for factor in [*factors, "batch_size"]:
        fewer = [name for name in kept if name != factor]
        if not {*_projected(where, fewer)} & {*_projected(elsewhere, fewer)}:
            kept = fewer
    groups: dict[tuple[str, ...], list[str]] = {}
    for labels in dict.fromkeys(_projected(where, kept)) if kept else ():
        *others, last = labels
        groups.setdefault(tuple(others), []).append(titles.context_level(study, kept[-1], last))
    return formats.listed([_place(study, kept, others, lasts) for others, lasts in groups.items()])


def _place(study: Study, factors: Sequence[str], labels: Sequence[str], lasts: Sequence[str]) -> str:
    held = [titles.context_level(study, *each) for each in zip(factors[:-1], labels, strict=True)]
    at = "at" if factors[-1] == "batch_size" else "with"
    return f"{at} {formats.listed([*lasts])}{f' with {formats.listed(held)}' if held else ''}"


def _projected(settings: Iterable[Labels], factors: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(labels[factor] for factor in factors) for labels in settings]
