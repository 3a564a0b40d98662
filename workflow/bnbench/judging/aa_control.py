"""The A/A control: the baseline against itself, through the code that judges the study.

Whatever is decided there is false. The baseline's seeds are split at random into halves, whose trials are then paired
at random, all contexts alike; this is done many times.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench.judging import stats, verdicts
from bnbench.judging.stats import Array
from bnbench.judging.verdicts import Contrast
from bnbench.plan.study import Study

SPLITS = 1_000
"""At most; fewer in a large study."""

DRAWS = 499
"""Sign flips of a split: few, since p = (b + 1)/(m + 1) keeps its promise for any number."""

FEWEST = 200
"""Splits for a study of any size."""

_ENOUGH = 10_000_000  # trials, in all splits together

_LEAST = 4  # seeds: two pairs


def table(study: Study, contrasts: Sequence[Contrast], most: int = SPLITS) -> pd.DataFrame:
    """One row: the share of splits in which any context is said to help or to hurt, with Wilson's interval.

    The splits are of the same trials, so the interval tells how exactly they measure this study's own share.
    `contexts_share` is the share of single contexts. NaN where the baseline has fewer than four seeds.

    Args:
        study: the study.
        contrasts: of all its contexts.
        most: splits at most.
    """
    baselines = _baselines(study, contrasts)
    seeds = baselines.shape[2]
    generator = np.random.default_rng(0)
    splits = min(most, max(FEWEST, _ENOUGH // (baselines.size // 2))) if seeds >= _LEAST else 0
    alarms = [_alarms(study, baselines[..., generator.permutation(seeds)]) for _ in range(splits)]
    return told(study, np.array(alarms, dtype=np.bool_).reshape(splits, len(baselines)), seeds // 2)


def told(study: Study, false: NDArray[np.bool_], pairs: int) -> pd.DataFrame:
    """The row on false verdicts, [splits, contexts], each over `pairs` pairs."""
    splits, contexts = false.shape
    found = stats.share(false.any(1).sum(), splits, 1 - study.report.alpha)
    row: dict[str, Any] = {
        "splits": splits,
        "pairs": pairs,
        "contexts": contexts,
        "share": found.mean,
        "low": found.low,
        "high": found.high,
        "contexts_share": float(false.mean()) if false.size else np.nan,
    }
    return pd.DataFrame([row])


def _baselines(study: Study, contrasts: Sequence[Contrast]) -> Array:
    """The baseline's costs, and how each is known, [contexts, 2, seeds].

    Of the contexts that have pairs, over the seeds that they share.
    """
    # Of several treatments the one with the most pairs represents the context: all share the baseline.
    chosen: dict[tuple[str, ...], Contrast] = {}
    for contrast in contrasts:
        if contrast.labels["baseline"] != study.report.baseline:
            continue
        context = tuple(label for name, label in contrast.labels.items() if name != "treatment")
        if len(contrast.seeds) > (len(chosen[context].seeds) if context in chosen else 0):
            chosen[context] = contrast
    if not chosen:
        return np.empty((0, 2, 0))
    seeds = reduce(np.intersect1d, (contrast.seeds for contrast in chosen.values()))
    of_contexts = [(contrast, np.searchsorted(contrast.seeds, seeds)) for contrast in chosen.values()]
    return np.stack([(contrast.baseline[at], contrast.known[0, at]) for contrast, at in of_contexts])


def _alarms(study: Study, shuffled: Array) -> list[bool]:
    """One split of shuffled seeds: whether each context is said to help or to hurt."""
    half = shuffled.shape[2] // 2
    seeds = np.arange(half)
    split = []
    for costs, known in shuffled:
        arms = costs[:half], costs[half : 2 * half]
        censored = known[: 2 * half].reshape(2, half).astype(np.int64)
        split.append(Contrast({}, seeds, *arms, *arms, censored, ()))
    return [decision.verdict in ("helps", "hurts") for decision in verdicts.decide(study.report, split, DRAWS)]
