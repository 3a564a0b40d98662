"""Numbers in words: ratios, shares, p-values, counts, durations."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

_PLURALS = {
    "loss": "losses",
    "accuracy": "accuracies",
    "error": "errors",
    "AUC": "AUCs",
    "gap": "gaps",
    "swing": "swings",
    "score": "scores",
    "return": "returns",
    "reward": "rewards",
    "perplexity": "perplexities",
    "rate": "rates",
}
"""Nouns at the heart of an outcome's name, and what several are called."""

_ERROR_RATES = (0.001, 0.01, 0.05, 0.1)
_SMALLEST_P = 1e-4
TWICE = 1.995
"""Below, a ratio is said in per cent; what rounds to 2.0 is a factor."""


def number(value: float) -> str:
    """A ratio without needless digits: 0.012, 1.04, 3.1, 120, 6,300, 1.2e+06; of 1.004, as many as tell it from 1."""
    if math.isinf(value):
        return "∞"
    if value < 0.1:
        return f"{value:.2g}"
    if value < TWICE:
        digits = 2
        while float(f"{value:.{digits}f}") == 1 != value:
            digits += 1
        return f"{value:.{digits}f}"
    if value < 9.95:
        return f"{value:.1f}"
    return f"{float(f'{value:.2g}'):,.0f}" if value < 1e6 else f"{value:.1e}"


def percent(share: float) -> str:
    """A share as per cent without needless digits."""
    return f"{100 * share:.3g} %"


def whole_percent(share: float) -> str:
    """A share as whole per cent; below 1 %, with two digits."""
    return percent(round(share, 2) if share >= 0.01 else float(f"{share:.2g}"))


def p_value(p: float) -> str:
    """`p = 0.0012`, or `p < 0.0001`."""
    return f"p {p_number(p)}" if p < _SMALLEST_P else f"p = {p_number(p)}"


def p_number(p: float) -> str:
    """`0.0012`, or `< 0.0001`; with as many digits as keep it on its side of the usual error rates."""
    if p < _SMALLEST_P:
        return f"< {_SMALLEST_P:.4f}"
    digits = 3 if 0.01 <= p < 0.1 else 2
    while any((p < rate) != (float(f"{p:.{digits}g}") < rate) for rate in _ERROR_RATES):
        digits += 1
    return f"{p:.{digits}g}"


def beginning(text: str) -> str:
    """The text with a capital letter."""
    return f"{text[:1].upper()}{text[1:]}"


def sentence(*parts: str) -> str:
    """What the parts say in a row, those that are empty left out, from a capital letter to a full stop."""
    return f"{beginning(' '.join(filter(None, parts)))}."


def length(text: str) -> int:
    """How many words a text has: signs by themselves, such as % and =, are not words."""
    return sum(any(map(str.isalnum, part)) for part in text.split())


def ordinal(value: float) -> str:
    """A rounded number in order: 1st, 12th, 83rd."""
    rounded = round(value)
    teens = rounded % 100 in (11, 12, 13)
    return f"{rounded}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(rounded % 10, 'th')}"


def plural(outcome: str) -> str:
    """The name of an outcome, of several: `test losses with precise statistics`, `AUCs`, `values of R²`."""
    named, *rest = re.split(r"(?= (?:of|in|with|at) )", outcome, maxsplit=1)
    start, _, noun = named.rpartition(" ")
    if noun not in _PLURALS:
        return f"values of {outcome}"
    return "".join([f"{start} {_PLURALS[noun]}".strip(), *rest])


def count(number_of: int, noun: str) -> str:
    """`1 seed`, `20 seeds`."""
    return f"{number_of:,} {noun}{'' if number_of == 1 else 's'}"


def share_of(some: int, total: int, noun: str) -> str:
    """`2 of 4 contexts`, `both contexts`, `all 4 contexts`, `the one context`."""
    if some < total:
        return f"{some:,} of {count(total, noun)}"
    return {1: f"the one {noun}", 2: f"both {noun}s"}.get(total, f"all {total:,} {noun}s")


def listed(parts: Sequence[str]) -> str:
    """`one, two and three`, with semicolons where a part has a comma of its own."""
    if len(parts) > 2 and any(", " in part for part in parts):
        return "; ".join([*parts[:-1], f"and {parts[-1]}"])
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def mixture(mixed: Iterable[tuple[str, Sequence[str]]]) -> str:
    """What trials that are compared mix: `torch 2.1 and 2.2; device A and B`; empty where they mix nothing."""
    return "; ".join(f"{name} {' and '.join(values)}" for name, values in mixed)


def duration(seconds: float) -> str:
    """`12 s`, `3 min 5 s`, `2 h 10 min`, `3.5 days`."""
    if seconds < 9.5:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    if minutes < 2 * 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{seconds / 86400:.1f} days"
