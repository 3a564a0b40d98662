"""Where the numbers of an axis are, and how they are written.

Every axis has at least two numbers, whatever it spans. Pure: limits in, places out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import Locator

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_STEPS = (5.0, 2.0, 1.0)
_NEAR = 0.09  # of the axis, within which two numbers would run into each other


def linear_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten from `low` to `high`: at least two, and `most` where that can be."""
    exponent = math.floor(math.log10(high - low))
    found: list[float] = []
    for step in (times * 10.0**power for power in (exponent, exponent - 1) for times in _STEPS):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 > most and len(found) >= 2:
            break
        found = [float(f"{index * step:.12g}") for index in range(first, last + 1)]
    return found[:: -(-len(found) // most)]


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Places on a logarithmic axis: powers of ten, 1, 2 and 5 or 1 and 3 times each, or equal steps over little."""
    ends = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    powers = range(ends[0], ends[1] + 1)
    between, threes = (_times(low, high, times, powers) for times in ((1, 2, 5), (1, 3)))
    if len(powers) == 2 and len(between) > most >= len(threes):
        return threes
    if len(powers) >= 3 or (len(powers) == 2 and len(between) > most):
        stride = next(stride for stride in range(1, len(powers) + 1) if _multiples(powers, stride) <= most)
        stride = stride if _multiples(powers, stride) >= 2 else max(1, stride - 1)
        return [float(f"1e{power}") for power in powers if power % stride == 0]
    if len(between) >= 3:
        thinned = between[between.index(_roundest(between)) % 2 :: 2]
        return between if len(between) <= most else thinned if len(thinned) > 1 else between[::2]
    return linear_ticks(low, high, most)


def _times(low: float, high: float, times: Sequence[int], powers: range) -> list[float]:
    """These multiples of powers of ten, from `low` to `high`."""
    places = [float(f"{factor}e{power}") for power in range(powers.start - 1, powers.stop) for factor in times]
    return [place for place in places if low * (1 - 1e-9) <= place <= high * (1 + 1e-9)]


def _multiples(powers: range, stride: int) -> int:
    return sum(power % stride == 0 for power in powers)


def _roundest(ticks: Sequence[float]) -> float:
    """The power of ten among them that is nearest to 1, or the first of them."""
    powers = [tick for tick in ticks if f"{tick:e}".startswith("1.000000e")]
    return min(powers, key=lambda tick: abs(math.log10(tick)), default=ticks[0])


def with_line(ticks: Sequence[float], line: float, low: float, high: float, *, log: bool) -> list[float]:
    """The ticks with one at the line of no effect, in place of those too near to it."""
    place = math.log if log else float
    if line in ticks or not low <= line <= high:
        return [*ticks]
    apart = _NEAR * (place(high) - place(low))
    return sorted([line, *(tick for tick in ticks if abs(place(tick) - place(line)) > apart)])


def label(value: float) -> str:
    """A number of an axis: `0.05`, `1`, `2,000`, `10⁻⁵`, `2×10⁻⁵`."""
    size = abs(value)
    if size == 0:
        return "0"
    sign = "−" if value < 0 else ""
    if 1e-3 <= size < 1e5:
        return f"{sign}{size:,.10g}"
    mantissa, _, exponent = f"{size:.9e}".partition("e")
    power = f"10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return f"{sign}{power}" if float(mantissa) == 1 else f"{sign}{float(mantissa):.10g}×{power}"


class Ticks(Locator):
    """The places above on an axis of Matplotlib."""

    def __init__(self, *, log: bool, most: int, line: float | None = None) -> None:
        """Ticks of a logarithmic or a linear axis, about `most`, one of them at `line` where that is in view."""
        self.log, self.most, self.line = log, most, line

    def __call__(self) -> Any:
        """The places within the limits of the axis."""
        return self.tick_values(*sorted(self.axis.get_view_interval())) if self.axis else []

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """The places between two limits."""
        if not (math.isfinite(vmin) and math.isfinite(vmax) and vmin < vmax) or (self.log and vmin <= 0):
            return []
        ticks = (log_ticks if self.log else linear_ticks)(vmin, vmax, self.most)
        return ticks if self.line is None else with_line(ticks, self.line, vmin, vmax, log=self.log)
