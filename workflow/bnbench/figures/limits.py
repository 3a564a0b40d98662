"""How far an axis reaches: as far as its values, but not out to a few that explode. Numbers in, limits out."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Limits = tuple[float, float]
"""From where to where an axis goes."""

DECADES = 4.0
"""A logarithmic axis that would span more than these is not drawn out to outliers."""

OWN = 2.0
"""Decades by which panels that share a scale may reach beyond what is usual of them."""

_FENCE = 1.5  # interquartile ranges beyond the quartiles, from where on a value is an outlier (Tukey 1977)
_LEAST = 0.6  # decades of an interquartile range, at least
_SPREAD = 5.0  # interquartile ranges, the same on a linear axis
_WIDER = 4.0  # times the usual span of a panel, on a linear axis
_ROOM = 0.05  # of an axis, beyond its values at either end


def robust(values: NDArray[np.float64], *, log: bool) -> Limits | None:
    """From the least to the greatest of the values that are no outliers; None where there is none to show."""
    shown = values[np.isfinite(values) & (values > 0)] if log else values[np.isfinite(values)]
    if not shown.size:
        return None
    scaled = np.log10(shown) if log else shown
    low, high = float(scaled.min()), float(scaled.max())
    first, third = np.percentile(scaled, [25, 75])
    reach = _FENCE * max(third - first, _LEAST) if log else _SPREAD * (third - first)
    if (high - low > DECADES) if log else (reach > 0):
        within = (scaled >= first - reach) & (scaled <= third + reach)
        low, high = float(scaled[within].min()), float(scaled[within].max())
    return (10.0**low, 10.0**high) if log else (low, high)


def for_panels(
    panels: Sequence[NDArray[np.float64]], *, log: bool, line: float | None = None
) -> tuple[list[Limits], bool]:
    """The limits of each panel, with room, and whether they all share them.

    Args:
        panels: the values that each shows.
        log: whether the axis is logarithmic.
        line: what every axis must show: no effect.
    """
    found = [robust(values, log=log) for values in panels]
    wide = [_including(limits, line) for limits in found if limits]
    if not wide:
        nothing = (0.5, 2.0) if log else (-1.0, 1.0)
        return [nothing if line is None else _with_room(_including(nothing, line), log=log)] * len(panels), True
    whole = (min(low for low, _ in wide), max(high for _, high in wide))
    usual = float(np.median([_span(limits, log=log) for limits in wide]))
    shared = _span(whole, log=log) <= (usual + OWN if log else _WIDER * usual)
    each = [whole if shared or limits is None else _including(limits, line) for limits in found]
    return [_with_room(limits, log=log) for limits in each], shared


def _including(limits: Limits, line: float | None) -> Limits:
    return limits if line is None else (min(limits[0], line), max(limits[1], line))


def _span(limits: Limits, *, log: bool) -> float:
    return math.log10(limits[1]) - math.log10(limits[0]) if log else limits[1] - limits[0]


def _with_room(limits: Limits, *, log: bool) -> Limits:
    """Limits that cut no dot at their edge, also where all values are equal except for rounding."""
    low, high = limits
    if not log:
        room = _ROOM * (high - low) if high - low > 1e-9 * max(abs(low), abs(high)) else 0.1 * abs(high) or 1.0
        return low - room, high + room
    room = max(10.0 ** (_ROOM * _span(limits, log=True)), 1.02) if high > low * (1 + 1e-9) else 2.0
    return max(low / room, sys.float_info.min), min(high * room, sys.float_info.max)
