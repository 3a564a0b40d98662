"""Effects in words and numbers, on both scales: ratios of losses, and differences of other outcomes.

Every function takes the outcome first, since it says which of the two an effect is, and in which unit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bnbench.outcomes import OUTCOMES, Outcome
from bnbench.vocabulary import ERROR, GAP, MAE, SWING
from bnbench.wording import formats

_COMPARED = {GAP: "gaps", SWING: "swings", ERROR: "errors", MAE: "errors"}
"""Outcomes that are compared by their difference, of which a lower one is better: what several of them are called."""


def change(outcome: Outcome, row: Mapping[Any, Any], *, level_text: str = "") -> str:
    """An effect as a change, with its interval.

    Of losses `3.1 × higher (2.2 to 4.5)`, or under a factor of two `23 % lower (5 % to 37 %)`, so that none of it is
    read as the other; of scores `1.3 percentage points higher (0.4 to 2.2 percentage points)`. `12 % higher (20 % lower
    to 57 % higher)` where the interval holds both. No interval where there is none.
    """
    effect, limits = row["effect"], (row["effect_low"], row["effect_high"])
    if math.isnan(limits[0]):
        return changed(outcome, effect)
    if limits[0] <= outcome.no_effect <= limits[1]:
        sides = [changed(outcome, limit) for limit in limits]
    elif outcome.is_ratio and size(outcome, effect) >= formats.TWICE:
        sides = [formats.number(size(outcome, limit)) for limit in _by_size(outcome, limits)]
    elif outcome.is_ratio:
        sides = [_per_cent_off(limit) for limit in _by_size(outcome, limits)]
    else:
        near, far = (amount(outcome, limit) for limit in _by_size(outcome, limits))
        sides = [near.removesuffix(_unit(outcome)), far]
    return f"{changed(outcome, effect)} ({level_text}{' to '.join(sides)})"


def changed(outcome: Outcome, effect: float) -> str:
    """`3.1 × higher`, `23 % lower`, `1.3 percentage points higher` or `equal`."""
    if effect == outcome.no_effect:
        return "equal"
    return f"{amount(outcome, effect)} {'lower' if effect < outcome.no_effect else 'higher'}"


def amount(outcome: Outcome, effect: float) -> str:
    """How large an effect is, whichever way: `23 %`, `3.1 ×` from a factor of two on, `1.3 percentage points`."""
    if not outcome.is_ratio:
        return f"{_two_digits(abs(effect) * _units(outcome))}{_unit(outcome)}"
    factor = size(outcome, effect)
    return f"{formats.number(factor)} ×" if factor >= formats.TWICE else _per_cent_off(effect)


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
    """What an interval leaves open: `the test loss with BN may be anything from 20 % lower to 57 % higher, compared …`.

    Where all of it lies on one side, though nothing is decided, it is told in numbers, which name no direction.

    Args:
        outcome: what is compared.
        named: what it is called.
        arms: what the treatment and the baseline are called.
        limits: of the effect.
    """
    low, high = limits
    treated, base = arms
    if low == high == outcome.no_effect:
        return f"the {named} with {treated} is the same as with {base} on every seed"
    if low <= outcome.no_effect <= high:
        sides = f"from {changed(outcome, low)} to {changed(outcome, high)}"
        return f"the {named} with {treated} may be anything {sides}, compared with {base}"
    return f"{of_two(outcome, named, arms)} may be anything from {plain(outcome, low)} to {plain(outcome, high)}"


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


def _per_cent_off(ratio: float) -> str:
    return f"{_digits(100 * abs(ratio - 1))} %"
