"""Effects in words and numbers, on both scales: ratios of losses, and differences of other outcomes.

Every function takes the outcome first, since it says which of the two an effect is, and in which unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from bnbench.outcomes import OUTCOMES, Outcome
from bnbench.vocabulary import ERROR, GAP, MAE, SWING
from bnbench.wording import formats

_COMPARED = {GAP: "gaps", SWING: "swings", ERROR: "errors", MAE: "errors"}
"""Outcomes that are compared by their difference, of which a lower one is better: what several of them are called."""


def change(outcome: Outcome, row: Mapping[Any, Any], *, level_text: str = "") -> str:
    """An effect as a change, with its interval.

    Of losses `3.1 times as high (2.2 to 4.5)` or `2.8-fold lower (2.1 to 3.9)`, or under a factor of two `23 % lower
    (5 % to 37 %)`, so that none of it is read as the other; of scores `1.3 percentage points higher (0.4 to 2.2
    percentage points)`. `12 % higher (20 % lower to 57 % higher)` where the interval holds both. No interval where
    there is none.
    """
    said = changed(outcome, row["effect"])
    if math.isnan(row["effect_low"]):
        return said
    return f"{said} ({level_text}{limits(outcome, row['effect'], row['effect_low'], row['effect_high'])})"


def limits(outcome: Outcome, effect: float, low: float, high: float) -> str:
    """The limits of an effect, in the form in which the effect itself is said: `2.2 to 4.5`, `5 % to 37 %`."""
    ordered = _by_size(outcome, (low, high))
    if low <= outcome.no_effect <= high:
        sides = [changed(outcome, limit) for limit in (low, high)]
    elif outcome.is_ratio and size(outcome, effect) >= formats.TWICE:
        sides = [formats.number(size(outcome, limit)) for limit in ordered]
    elif outcome.is_ratio:
        sides = [_per_cent_off(limit) for limit in ordered]
    else:
        near, far = (amount(outcome, limit) for limit in ordered)
        sides = [near.removesuffix(_unit(outcome)), far]
    return " to ".join(sides)


def changed(outcome: Outcome, effect: float) -> str:
    """`3.1 times as high`, `2.8-fold lower`, `23 % lower`, `1.3 percentage points higher` or `equal`."""
    if effect == outcome.no_effect:
        return "equal"
    if _by_factor(outcome, effect):
        factor = formats.number(size(outcome, effect))
        return f"{factor}-fold lower" if effect < outcome.no_effect else f"{factor} times as high"
    return f"{amount(outcome, effect)} {'lower' if effect < outcome.no_effect else 'higher'}"


def beside(outcome: Outcome, effect: float, base: str) -> str:
    """An effect beside the arm that it is compared with.

    `3.1 times as high as without BN`, `23 % lower than with LN`, `just as high as without BN`.
    """
    if effect == outcome.no_effect:
        return f"just as high as {base}"
    return f"{changed(outcome, effect)} {joining(outcome, effect)} {base}"


def joining(outcome: Outcome, effect: float) -> str:
    """The word between a change and what it is compared with: `as`, or `than`."""
    return "as" if _by_factor(outcome, effect) and effect > outcome.no_effect else "than"


def span(outcome: Outcome, effects: Iterable[float]) -> str:
    """From the smallest to the largest of several effects on one side.

    `10 to 520 times as high`, `1.4- to 8.6-fold lower`; where all are below two, `5 % to 12 % lower`.
    """
    first, *_, last = sorted(effects, key=lambda effect: size(outcome, effect)) * 2
    near, far = changed(outcome, first), changed(outcome, last)
    if near == far:
        return far
    if _by_factor(outcome, last):
        factor = _shortest(size(outcome, first))
        return f"{factor}- to {far}" if last < outcome.no_effect else f"{factor} to {far}"
    return f"{amount(outcome, first).removesuffix(_unit(outcome))} to {far}"


def amount(outcome: Outcome, effect: float) -> str:
    """How large an effect is, whichever way: `23 %`, `a factor of 3.1` from two on, `1.3 percentage points`."""
    if not outcome.is_ratio:
        return f"{_two_digits(abs(effect) * _units(outcome))}{_unit(outcome)}"
    return (
        f"a factor of {formats.number(size(outcome, effect))}" if _by_factor(outcome, effect) else _per_cent_off(effect)
    )


def size(outcome: Outcome, effect: float) -> float:
    """What effects of one outcome are ordered by: a ratio as a factor above 1, a difference without its sign."""
    if not outcome.is_ratio:
        return abs(effect)
    return max(effect, 1 / effect) if effect > 0 else math.inf


def plain(outcome: Outcome, effect: float) -> str:
    """An effect as a table has it: `3.1`, `0.98`; of scores, in their unit, `+1.3` or `−0.2`."""
    if outcome.is_ratio:
        return formats.number(effect)
    if effect == 0:
        return "0"
    return f"{'−' if effect < 0 else '+'}{_two_digits(abs(effect) * _units(outcome))}"


def interval(outcome: Outcome, effect: float, low: float, high: float) -> str:
    """An effect with its limits, as a table has it: `3.1 (2.2 to 4.5)`; no limits where there are none."""
    limits = "" if math.isnan(low) else f" ({plain(outcome, low)} to {plain(outcome, high)})"
    return f"{plain(outcome, effect)}{limits}"


def value(outcome: Outcome, measured: float) -> str:
    """What an arm came to, as a table has it: `2.13e-04` of a loss, `97.8 %` of an accuracy."""
    if outcome.title:
        return _as_people_write(100 * measured, " %") if outcome.per_cent else _as_people_write(measured)
    if outcome.is_ratio:
        return f"{measured:.2e}"
    return f"{100 * measured:.1f} %" if outcome.per_cent else f"{measured:.3g}"


def round_value(outcome: Outcome, measured: float) -> str:
    """A round number of what is measured, as an axis has it: `95 %`."""
    return f"{100 * measured:.4g} %" if outcome.per_cent else f"{measured:.3g}"


def possible(outcome: Outcome, named: str, arms: tuple[str, str], limits: tuple[float, float]) -> str:
    """What an interval leaves open: `the test loss with BN may be from 20 % lower to 57 % higher than without BN`.

    Where all of it lies on one side, though nothing is decided, numbers say so, which name no direction.

    Args:
        outcome: what is compared.
        named: what it is called.
        arms: the treatment and the baseline, as they follow a noun: `with BN`, `without BN`.
        limits: of the effect.
    """
    low, high = limits
    treated, base = arms
    if low == high == outcome.no_effect:
        return f"the {named} {treated} is the same as {base} on every seed"
    if low <= outcome.no_effect <= high:
        least = "just as high" if low == outcome.no_effect else changed(outcome, low)
        return f"the {named} {treated} may be from {least} to {beside(outcome, high, base)}"
    shown = f"{plain(outcome, low)} to {plain(outcome, high)}"
    if outcome.is_ratio:
        return f"the {named} {treated} may be {shown} times that {base}"
    return f"the {noun(outcome)} of the {formats.plural(named)}, {treated} minus {base}, may be {shown}"


def of_two(outcome: Outcome, named: str, arms: tuple[str, str]) -> str:
    """What an effect is of: `the ratio of the test losses, BN to no BN,`, or a difference of scores."""
    treated, base = arms
    if outcome.is_ratio:
        return f"the ratio of the {formats.plural(named)}, {treated} to {base},"
    return f"the {noun(outcome)} of the {named}, {treated} minus {base},"


def near(outcome: Outcome, effect: float) -> str:
    """An effect close to none: a ratio with three decimals, a difference as in a table."""
    return f"{effect:.3f}" if outcome.is_ratio else plain(outcome, effect)


def margin(outcome: Outcome, size_of: float) -> str:
    """The margin of a study: `1.05`, `1 percentage point`."""
    units = _units(outcome) * size_of
    unit = " percentage point" if outcome.per_cent and units == 1 else _unit(outcome)
    return f"{units:g}{unit}"


def within(outcome: Outcome, size_of: float) -> str:
    """The range of effects that are too small to matter: `1/1.05 to 1.05`, `−0.5 to 0.5 percentage points`."""
    most = margin(outcome, size_of)
    if outcome.is_ratio:
        return f"1/{most} to {most}"
    return f"−{_units(outcome) * size_of:g} to {most}"


def noun(outcome: Outcome) -> str:
    """What an effect is: a ratio, or a difference with its unit."""
    if outcome.is_ratio:
        return "ratio"
    return f"difference in{_unit(outcome)}" if _unit(outcome) else "difference"


def compared(outcome: Outcome) -> str:
    """What is compared, of several arms: `losses`, `scores`, `errors`; `values` of what is neither.

    Of a column of the user's, its own name: `val losses`.
    """
    if outcome.title:
        return formats.plural(outcome.title)
    if not outcome.is_ratio:
        return _COMPARED.get(outcome.name, "values" if outcome.lower_is_better else "scores")
    return "losses" if outcome.name in OUTCOMES else "values"


def named(outcome: Outcome) -> str:
    """An effect on the axis of a figure: `ratio of the losses`, `difference of the scores in points`."""
    kind, _, unit = noun(outcome).partition(" in ")
    return f"{kind} of the {compared(outcome)}{f' in {unit}' if unit else ''}"


def _by_size(outcome: Outcome, limits: tuple[float, float]) -> list[float]:
    return sorted(limits, key=lambda limit: size(outcome, limit))


def _by_factor(outcome: Outcome, effect: float) -> bool:
    """Whether an effect is said as a factor, and not in per cent or in a unit."""
    return outcome.is_ratio and size(outcome, effect) >= formats.TWICE


def _units(outcome: Outcome) -> float:
    """How many units make 1."""
    return 100.0 if outcome.per_cent else 1.0


def _unit(outcome: Outcome) -> str:
    """The unit of a difference, after a space; empty of a plain number."""
    if outcome.per_cent:
        return " percentage points"
    return f" {outcome.unit}" if outcome.unit else ""


def _as_people_write(measured: float, unit: str = "") -> str:
    """A number of which nothing is known: three digits, whole from a thousand on, with a minus that is one."""
    size = abs(measured)
    text = f"{measured:,.0f}" if 1e3 <= size < 1e9 else f"{measured:.1f}" if unit else f"{measured:.3g}"
    return f"{text.replace('-', '−', 1) if measured < 0 else text}{unit}"


def _digits(positive: float) -> str:
    """Two significant digits, without needless zeros."""
    return "∞" if math.isinf(positive) else f"{float(f'{positive:.2g}'):,g}"


def _two_digits(positive: float) -> str:
    """Two significant digits, the second one also where it is 0: 12, 1.0, 0.31, 0.010."""
    if math.isinf(positive):
        return "∞"
    decimals = max(0, 1 - math.floor(math.log10(positive))) if positive else 0
    return f"{positive:,.{decimals}f}"


def _shortest(factor: float) -> str:
    """A factor with two digits, unless they make it 1: 1.4, 1.04, 120."""
    two = f"{factor:.2g}"
    return formats.number(factor) if factor >= formats.TWICE or float(two) == 1 else two


def _per_cent_off(ratio: float) -> str:
    return f"{_digits(100 * abs(ratio - 1))} %"
