"""Where a difference of test losses comes from, and how the modes of a network disagree, in words.

A part is named as a cause only where its adjusted p is below α and its own interval excludes that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from bnbench.judging import sign_flips
from bnbench.outcomes import OUTCOMES
from bnbench.plan.study import Study
from bnbench.vocabulary import COMPONENTS
from bnbench.wording import effects, formats, samples, titles
from bnbench.wording.titles import Row

WEIGHTS, STALE, TOTAL, _ = COMPONENTS

_LOSS = OUTCOMES["test_loss"]

_TRAINING, _EVALUATION = "train_loss", "eval_loss"

_CAUSES = {WEIGHTS: "the weights", STALE: "stale running averages"}


def sentences(study: Study, decomposition: pd.DataFrame) -> list[str]:
    """One sentence a comparison, in the order of the table: how large the difference is, and which part makes it."""
    return [_parts(study, rows) for rows in _by_contrast(study, decomposition)]


def modes(study: Study, table: pd.DataFrame) -> list[str]:
    """One sentence for each setting whose losses in training mode and in evaluation mode clearly differ."""
    held = [name for name in table if name in study.factors]
    if table.empty:
        return []
    found = []
    for _, group in table.groupby(held, sort=False):
        by_outcome = {row["outcome"]: row for row in group.to_dict("records")}
        found.append(_modes(study, by_outcome[_TRAINING], by_outcome[_EVALUATION]))
    return [said for said in found if said]


def summary(study: Study, decomposition: pd.DataFrame) -> str:
    """In how many comparisons which part is a cause; empty where nothing keeps running averages."""
    contrasts = [{row["component"]: row for row in rows} for rows in _by_contrast(study, decomposition)]
    if not contrasts:
        return ""
    clear = [parts for parts in contrasts if _decided(study, parts[TOTAL])]
    if not clear:
        rows = [row for parts in contrasts for row in parts.values()]
        return f"There is no decided difference of the test losses to explain{_too_few(study, rows)}."
    return " ".join([_of_weights(study, clear, len(contrasts)), _of_averages(study, contrasts)])


def _too_few(study: Study, rows: Sequence[Row]) -> str:
    """Why nothing is decided though an interval excludes equality: what the smallest possible p, adjusted, comes to."""
    seeds = max(int(row["pairs"]) for row in rows)
    if not seeds or all(row["low"] <= 1 <= row["high"] for row in rows if row["pairs"] > 1):
        return ""
    few = sign_flips.smallest_p(seeds) * int(rows[0]["family"]) >= study.report.alpha
    return f": {samples.smallest_p(seeds)}, before it is adjusted for {rows[0]['family']} tests" if few else ""


def _of_weights(study: Study, clear: Sequence[Mapping[str, Row]], total: int) -> str:
    """In how many of the comparisons whose test losses differ most of the difference is in the weights."""
    noun = "context" if len(study.comparisons) == 1 else "comparison"
    mostly = [parts for parts in clear if _mostly(study, parts)]
    where = f" in {formats.share_of(len(mostly), total, noun)}" if total > 1 else ""
    if not mostly:
        return "It is not shown that most of the difference is in the weights."
    said = f"Most of the difference is in the weights{where}"
    sides, arms = {parts[WEIGHTS]["effect"] > 1 for parts in mostly}, {parts[TOTAL]["treatment"] for parts in mostly}
    if len(sides) > 1 or len(arms) > 1:
        return f"{said}: training led to other networks, even when they are tested with exact statistics."
    trained = f"training {titles.with_arm(study, arms.pop())} led to {'worse' if sides.pop() else 'better'} networks"
    return f"{said}: {trained}, even when they are tested with exact statistics."


def _mostly(study: Study, parts: Mapping[str, Row]) -> bool:
    """Whether the weights are a cause, on the side of the whole difference, and the larger part of it."""
    weights, stale, total = (parts[name]["effect"] for name in (WEIGHTS, STALE, TOTAL))
    larger = effects.size(_LOSS, weights) > effects.size(_LOSS, stale)
    return _decided(study, parts[WEIGHTS]) and (weights > 1) == (total > 1) and larger


def _of_averages(study: Study, contrasts: Sequence[Mapping[str, Row]]) -> str:
    """What stale running averages add, where they do."""
    found = [parts[STALE]["effect"] for parts in contrasts if _decided(study, parts[STALE])]
    if not found:
        return "What stale running averages add is undecided."
    noun = "context" if len(study.comparisons) == 1 else "comparison"
    where = f" in {formats.share_of(len(found), len(contrasts), noun)}" if len(contrasts) > 1 else ""
    ends = " to ".join(dict.fromkeys(formats.number(end) for end in (min(found), max(found))))
    return f"Stale running averages contribute a factor of {ends}{where}."


def _by_contrast(study: Study, table: pd.DataFrame) -> list[list[Row]]:
    held = [name for name in table if name in (*study.factors, "baseline", "treatment")]
    return [list(group.to_dict("records")) for _, group in table.groupby(held, sort=False)] if len(table) else []


def _decided(study: Study, row: Row) -> bool:
    """Whether a part is more than chance."""
    return bool(row["p_adjusted"] < study.report.alpha and not row["low"] <= 1 <= row["high"])


def _parts(study: Study, rows: Sequence[Row]) -> str:
    """`With SGD at full batch, of 76 times as high, a factor of 24 is in the weights and one of 3.2 comes from …`."""
    parts = {row["component"]: row for row in rows}
    total = parts[TOTAL]
    treated, base = (titles.with_arm(study, total[name]) for name in ("treatment", "baseline"))
    opening = titles.opening(study, total)
    start = f"{opening}, " if opening else ""
    if total["pairs"] < 2:
        return formats.beginning(f"{start}too few pairs stay finite {treated} to say where a difference comes from.")
    known = [f"{_factor(parts[WEIGHTS])} is in the weights"] if _decided(study, parts[WEIGHTS]) else []
    if _decided(study, parts[STALE]):
        known.append(f"{_factor(parts[STALE])} comes from stale running averages")
    open_parts = [cause for name, cause in _CAUSES.items() if not _decided(study, parts[name])]
    if not _decided(study, total):
        size = f"whether the test losses {treated} and {base} differ at all is undecided"
    else:
        size = f"the test loss {treated} is {effects.beside(_LOSS, total['effect'], base)}"
    said = f"{size}: {' and '.join(known)}" if known else size
    rest = f" How much is due to {' or to '.join(open_parts)} is undecided." if open_parts else ""
    return formats.beginning(f"{start}{said}.{rest}")


def _factor(row: Row) -> str:
    """A part as a factor of the loss."""
    return f"a factor of {formats.number(row['effect'])}"


def _modes(study: Study, training: Row, evaluation: Row) -> str:
    """How the loss on the training points differs between the modes; empty where their intervals overlap."""
    if not (training["high"] < evaluation["low"] or evaluation["high"] < training["low"]):
        return ""
    label, opening = training[study.report.factor], titles.opening(study, training)
    first, second = (effects.value(_LOSS, row["loss"]) for row in (training, evaluation))
    changed = effects.changed(_LOSS, evaluation["loss"] / training["loss"])
    start = f"{opening}, on the training points," if opening else "On the training points,"
    arm = titles.with_arm(study, label)
    return f"{start} the loss {arm} is {first} in training mode and {second} in evaluation mode: there it is {changed}."
