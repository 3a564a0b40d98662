"""Permutations: the randomization tests between two independent groups of runs.

Under the hypothesis of no difference every run is as likely to have been one of the other arm. All ways to choose the
runs of the smaller group are gone through where they are few; else random ones are. A test depends on the values of
both groups together, not on their order or on which group is called the baseline, so the same runs have the same p.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bnbench.judging import sign_flips
from bnbench.judging.stats import Array

Groups = tuple[Array, Array]
"""Values of two groups of runs, [runs] each; NaN is not allowed."""

EXACT = 20_000
"""Up to this number of ways to choose a group, all are used."""

FEWEST = 2
"""The fewest runs of a group: a single one has no spread."""

_BLOCK = 1_000  # random choices that are drawn at a time
_EQUAL = 1e-12  # statistics lie between 0 and 1; what is closer differs by rounding only


def too_few(first: int, second: int) -> bool:
    """Whether groups of these sizes cannot be compared, since one of them has no spread."""
    return min(first, second) < FEWEST


def smallest_p(first: int, second: int, draws: int = sign_flips.DRAWS) -> float:
    """The smallest two-sided p that groups of these sizes can have; 1 for too few.

    That of the choice that was made; groups of equal size have the opposite one beside it.
    """
    if too_few(first, second):
        return 1.0
    choices = math.comb(first + second, first)
    return (2 if first == second else 1) / choices if choices <= EXACT else 1 / (draws + 1)


def can_decide(first: int, second: int, alpha: float) -> bool:
    """Whether the smallest p of groups of these sizes is below `alpha`."""
    return smallest_p(first, second, sign_flips.draws(alpha)) < alpha


def studentized(groups: Sequence[Groups], draws: int = sign_flips.DRAWS) -> Array:
    """Two-sided p of the difference of means over its own standard error, Welch's t, of each two groups: [tests].

    Exact where the groups differ in nothing, and in large groups also where their spreads differ (Janssen 1997; Chung &
    Romano 2013). By all choices up to 20,000, else (b + 1)/(m + 1) over m = `draws` random ones (Phipson & Smyth 2010).
    NaN where a group has fewer than two runs. Tests of the same size share their choices.
    """
    found = np.full(len(groups), np.nan)
    sizes = [tuple(sorted((len(first), len(second)))) for first, second in groups]
    for few, many in sorted(set(sizes)):
        if too_few(few, many):
            continue
        places = [place for place, size in enumerate(sizes) if size == (few, many)]
        pooled = np.stack([np.concatenate(sorted(groups[place], key=len)) for place in places], axis=1)
        scaled = _scaled(pooled)
        mine = np.zeros((1, few + many))
        mine[0, :few] = 1.0
        observed = _of_choices(mine, scaled)
        everything = np.sort(scaled, axis=0)
        counts = np.zeros(len(places))
        for choices in _choices(few, few + many, draws):
            counts += (_of_choices(choices, everything) >= observed - _EQUAL).sum(0)
        total = math.comb(few + many, few)
        found[places] = counts / total if total <= EXACT else (counts + 1) / (draws + 1)
    return found


def _scaled(values: Array) -> Array:
    """Columns about 0 whose largest value is 1; zero if all values are equal up to rounding."""
    low, high = values.min(0), values.max(0)
    varies = high / 2 - low / 2 > 1e-14 * np.maximum(np.abs(low), np.abs(high))
    size = np.maximum(np.abs(low), np.abs(high))
    shares = np.divide(values, size, out=np.zeros_like(values), where=varies & (size > 0))
    shares -= shares.mean(0)
    largest = np.abs(shares).max(0)
    scaled: Array = np.divide(shares, largest, out=np.zeros_like(shares), where=varies & (largest > 0))
    return scaled


def _of_choices(choices: Array, values: Array) -> Array:
    """The statistic of choices of one group, [choices, runs] of 0 and 1, over values [runs, tests]."""
    few, total = int(choices[0].sum()), len(values)
    chosen = np.stack([choices @ values, choices @ values**2])
    rest = np.stack([values.sum(0), (values**2).sum(0)])[:, None] - chosen
    return _statistic(chosen, rest, few, total - few)


def _statistic(chosen: Array, rest: Array, few: int, many: int) -> Array:
    """What rises with |t| from 0 to 1: t² over itself and 1; 0 where all values are equal.

    Args:
        chosen: sums and sums of squares of one group, [2, choices, tests].
        rest: of the other one.
        few: runs of the first.
        many: runs of the other.
    """
    squared = (chosen[0] / few - rest[0] / many) ** 2
    variances = [
        np.maximum(squares - sums**2 / runs, 0.0) / (runs - 1) / runs
        for (sums, squares), runs in ((chosen, few), (rest, many))
    ]
    both = squared + variances[0] + variances[1]
    return np.asarray(np.divide(squared, both, out=np.zeros_like(both), where=both > 0), np.float64)


def _choices(few: int, total: int, draws: int) -> Iterator[Array]:
    """Which runs are chosen, a block at a time: 0 or 1, [choices, runs]; random ones from a stream of their own."""
    if math.comb(total, few) <= EXACT:
        yield _all_choices(few, total).astype(np.float64)
        return
    generator = np.random.default_rng(0)
    for start in range(0, draws, _BLOCK):
        order = generator.random((min(_BLOCK, draws - start), total))
        yield _flags(np.argpartition(order, few - 1, axis=1)[:, :few], total).astype(np.float64)


@lru_cache(maxsize=8)
def _all_choices(few: int, total: int) -> NDArray[np.bool_]:
    return _flags(np.array([*combinations(range(total), few)], np.intp), total)


def _flags(chosen: NDArray[np.intp], total: int) -> NDArray[np.bool_]:
    flags = np.zeros((len(chosen), total), np.bool_)
    np.put_along_axis(flags, chosen, values=True, axis=1)
    return flags
