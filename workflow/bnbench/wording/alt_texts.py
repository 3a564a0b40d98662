"""What the figures show, in words from their numbers, for who cannot see them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from bnbench.outcomes import OUTCOMES
from bnbench.plan.study import Study
from bnbench.vocabulary import ACCURACY
from bnbench.wording import classes, effects, formats, titles, words
from bnbench.wording.contents import SOURCES, drawn
from bnbench.wording.titles import Row

_SPELLED_OUT = 12  # contexts; who wants more takes the table


def text(study: Study, name: str, verdicts: Mapping[str, Any], table: pd.DataFrame) -> str:
    """The words for the figure `name`, which is drawn from `table`."""
    said = _sentences(study, name, verdicts, drawn(study, name, table))
    left = len(said) - _SPELLED_OUT
    more = [f"{formats.count(left, 'more row')} of this kind."] if left > 0 else []
    if said and name == "differences":
        more.append(f"The bands hold for all {words.of(study).epochs} and all comparisons together.")
    return " ".join([*said[:_SPELLED_OUT], *more, f"The numbers are in {SOURCES[name]}.csv."])


def _sentences(study: Study, name: str, verdicts: Mapping[str, Any], table: pd.DataFrame) -> Sequence[str]:
    stored = {"forest": "sentences", "heatmap": "sentences", "batch_sizes": "sentences"}
    stored |= {"interactions": "interactions", "differences": "trajectories", "profile": "aggregate"}
    if name in stored:
        return [sentence for sentence in verdicts[stored[name]] if sentence]
    if name == "ranks":
        return [verdicts["ranks"]] if verdicts["ranks"] else []
    said: dict[str, Callable[[Study, pd.DataFrame], list[str]]] = {
        "curves": _curves,
        "pairs": _pairs,
        "decomposition": _decomposition,
        "modes": _modes,
        "fit": _fit,
        "rates": _rates,
        "accuracy": _accuracy,
        "confusion": classes.sentences,
    }
    return said[name](study, table)


def _curves(study: Study, table: pd.DataFrame) -> list[str]:
    """From where to where the loss that decides fell."""
    own = table[table["outcome"] == study.report.outcome]
    after, value = words.of(study).after, partial(_value, study)
    said = []
    for setting, line in _by_setting(study, own):
        first, last = line.iloc[0], line.iloc[-1]
        if line["loss"].isna().all():
            said.append(f"{setting}: {_nothing(study)}.")
            continue
        fell = f"from {value(first['loss'])} {after(first['epoch'])} to {value(last['loss'])} {after(last['epoch'])}"
        said.append(f"{setting}: {titles.outcome(study, study.report.outcome)} {fell}.")
    return said


def _accuracy(study: Study, table: pd.DataFrame) -> list[str]:
    """From where to where the accuracy went."""
    said = []
    for setting, line in _by_setting(study, table.dropna(subset=["loss"])):
        after = words.of(study).after
        ends = (f"{effects.value(OUTCOMES[ACCURACY], row['loss'])} {after(row['epoch'])}" for row in _rows(line))
        first, *_, last = [*ends] * 2
        said.append(f"{setting}: test accuracy from {first} to {last}.")
    return said


def _pairs(study: Study, table: pd.DataFrame) -> list[str]:
    """On how many seeds each arm has the better value, and on how many neither has."""
    if not study.paired:
        return _runs(study, table)
    said = []
    for _, group in table.groupby([name for name in table if name in (*study.levels, "treatment")], sort=False):
        row = group.iloc[0]
        treated, base = (titles.with_arm(study, row[name]) for name in ("treatment", "baseline"))
        costs = group["treatment_value"] - group["baseline_value"]
        costs = costs if study.outcome.lower_is_better else -costs
        for_treated, for_base = int((costs < 0).sum()), int((costs > 0).sum())
        rest = len(group) - for_treated - for_base
        others = f"; on {rest} they are equal, or a {words.of(study).run} diverged" if rest else ""
        side = "lower" if study.outcome.lower_is_better else "higher"
        named, outcome = titles.contrast_name(study, row.to_dict()), titles.outcome(study, study.report.outcome)
        said.append(
            f"{named}: the {outcome} is {side} {treated} on {for_treated} and {base} on {for_base} of "
            f"{formats.count(len(group), 'seed')}{others}."
        )
    return said


def _runs(study: Study, table: pd.DataFrame) -> list[str]:
    """From where to where the runs of each arm lie, of groups that are not paired."""
    said = []
    for _, group in table.groupby([name for name in table if name in (*study.levels, "treatment")], sort=False):
        row, spans = group.iloc[0].to_dict(), []
        for name in ("treatment", "baseline"):
            values = group.loc[group[f"{name}_floored"].notna(), f"{name}_value"]
            diverged = int(values.isna().sum())
            ends = dict.fromkeys(_value(study, end) for end in (values.min(), values.max()))
            ended = f" ({diverged} of them diverged)" if diverged else ""
            span = f" from {' to '.join(ends)}" if diverged < len(values) else ""
            spans.append(f"{formats.count(len(values), 'run')} of {titles.arm(study, row[name])}{span}{ended}")
        outcome = titles.outcome(study, study.report.outcome)
        said.append(f"{titles.contrast_name(study, row)}: {outcome} of {formats.listed(spans)}.")
    return said


def _decomposition(study: Study, table: pd.DataFrame) -> list[str]:
    said = []
    for _, group in table.groupby([name for name in table if name in (*study.levels, "treatment")], sort=False):
        factors = [f"{row['component']} {_ratio(row['effect'])}" for row in group.to_dict("records")]
        factors = factors if group["effect"].notna().any() else [_nothing(study)]
        said.append(f"{titles.contrast_name(study, group.iloc[0].to_dict())}: {', '.join(factors)}.")
    return said


def _modes(study: Study, table: pd.DataFrame) -> list[str]:
    return [
        f"{setting}: "
        + (
            ", ".join(f"{titles.outcome(study, row['outcome'])} {_loss(row['loss'])}" for row in _rows(group))
            if group["loss"].notna().any()
            else _nothing(study)
        )
        + "."
        for setting, group in _by_setting(study, table)
    ]


def _fit(study: Study, table: pd.DataFrame) -> list[str]:
    return [
        f"{setting}: median absolute error up to {_loss(group['error'].max())}."
        for setting, group in _by_setting(study, table)
    ]


def _rates(study: Study, table: pd.DataFrame) -> list[str]:
    """The effect at each rate, and for how many seeds which are chosen."""
    said = []
    names = [name for name in table if name in (*study.levels, "treatment")]
    for _, group in table.groupby(names, sort=False):
        shown = _ratio if study.outcome.is_ratio else partial(effects.plain, study.outcome)
        ratios = [f"{shown(row['effect'])} at {_tried(row)}" for row in _rows(group) if not math.isnan(row["effect"])]
        chosen = [
            f"{titles.arm(study, row[arm])} at {_tried(row)} for {formats.count(row[f'{arm}_chosen'], 'seed')}"
            for arm in ("baseline", "treatment")
            for row in _rows(group)
            if row[f"{arm}_chosen"]
        ]
        name = titles.contrast_name(study, group.iloc[0].to_dict())
        nouns = "ratios" if study.outcome.is_ratio else effects.noun(study.outcome)
        said.append(f"{name}: {nouns} {', '.join(ratios) or 'none'}; chosen: {', '.join(chosen) or 'none'}.")
    return said


def _tried(row: Row) -> str:
    """Values that were tried."""
    beside = f", {row['beside']}" if isinstance(row["beside"], str) else ""
    return f"{row['rate']:g}{beside}"


def _by_setting(study: Study, table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each setting, with its name."""
    named = []
    for _, group in table.groupby(list(study.levels), sort=False):
        row = group.iloc[0].to_dict()
        arm = titles.arm(study, row[study.report.factor])
        named.append((", ".join(filter(None, [arm, titles.context_name(study, row)])), group))
    return named


def _rows(table: pd.DataFrame) -> list[Row]:
    return list(table.to_dict("records"))


def _nothing(study: Study) -> str:
    return f"no {words.of(study).run} stays finite to the end"


def _value(study: Study, value: float) -> str:
    """What was measured, of the outcome that decides."""
    return effects.value(study.outcome, value) if study.outcome.title and not math.isnan(value) else _loss(value)


def _loss(value: float) -> str:
    return "not finite" if math.isnan(value) else f"{value:.2e}"


def _ratio(value: float) -> str:
    return "unknown" if math.isnan(value) else formats.number(value)
