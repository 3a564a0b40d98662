"""Does the effect depend on the context? Each seed's own contrast of its contexts, then one test over the seeds.

Exact for a balanced grid, without an assumption on how contexts are correlated. Two contexts are never called different
because one has a verdict and the other has not (Gelman & Stern 2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from bnbench.judge import sign_flips, stats, verdict_rows
from bnbench.judge.stats import Array
from bnbench.judge.verdicts import Contrast
from bnbench.plan.study import Study
from bnbench.vocabulary import DOUBLING, MAIN_EFFECT

_NAMES = ["baseline", "treatment", "factor", "level", "against"]
_COLUMNS = [*_NAMES, "pairs", "effect", "low", "high", "p", "p_holm"]


def table(study: Study, contrasts: Sequence[Contrast]) -> pd.DataFrame:
    """The main effect of each comparison, and how its effect depends on every other factor that has several levels.

    `ratio` is of the losses for the main effect, else a ratio of such ratios: per doubling of the batch, or of a level
    to the first level. Over the seeds that are finite in all contexts, with Student's interval and the sign-flip p,
    adjusted by Holm over all rows.
    """
    rows = [
        row
        for arms in study.comparisons
        for row in _rows(study, [contrast for contrast in contrasts if contrast.arms == arms])
    ]
    found = pd.DataFrame(rows, columns=_COLUMNS[:-1])
    return found.assign(p_holm=stats.holm(found["p"]))


def _rows(study: Study, contrasts: Sequence[Contrast]) -> list[dict[str, Any]]:
    if len(contrasts) < 2:
        return []
    shared = [contrast.seeds[contrast.measured] for contrast in contrasts]
    seeds = reduce(np.intersect1d, shared)
    # [contexts, seeds]
    effects = np.stack(
        [contrast.differences[np.searchsorted(own, seeds)] for contrast, own in zip(contrasts, shared, strict=True)]
    )
    contexts = [contrast.labels for contrast in contrasts]
    rows = []
    for names, weights in _weights(study, contexts):
        values = weights @ effects
        effect = verdict_rows.shown(study.outcome, stats.t_interval(values, 1 - study.report.alpha))
        numbers = {"effect": effect.mean, "low": effect.low, "high": effect.high, "p": sign_flips.sign_flip(values)}
        arms = {name: contexts[0][name] for name in ("baseline", "treatment")}
        rows.append({**arms, **names, "pairs": len(seeds), **numbers})
    return rows


def _weights(study: Study, contexts: Sequence[Mapping[str, str]]) -> list[tuple[dict[str, str], Array]]:
    """What each row is called, and the weights of the contexts in it, [contexts]."""
    found = [({"factor": MAIN_EFFECT, "level": "", "against": ""}, np.full(len(contexts), 1 / len(contexts)))]
    for factor in study.varied():
        levels = np.array([context[factor] for context in contexts])
        if factor == "batch_size":
            slope = _slope(study, contexts)
            found += [({"factor": factor, "level": DOUBLING, "against": ""}, slope)] if slope.any() else []
            continue
        first, *others = study.levels[factor]
        for level in others:
            weights = (levels == level) / (levels == level).sum() - (levels == first) / (levels == first).sum()
            found.append(({"factor": factor, "level": level, "against": first}, weights))
    return found


def _slope(study: Study, contexts: Sequence[Mapping[str, str]]) -> Array:
    """Weights whose sum with the effects is their least-squares slope over log2 of the batch size.

    Within each combination of the other factors, so that these do not count, then the mean of the slopes; zero where
    all batches are of one size.
    """
    logs = np.log2([study.examples(context) for context in contexts])
    others = ["|".join(label for name, label in context.items() if name != "batch_size") for context in contexts]
    weights, slopes = np.zeros(len(contexts)), 0
    for cell in dict.fromkeys(others):
        members = np.flatnonzero(np.array(others) == cell)
        centred = logs[members] - logs[members].mean()
        if centred.any():
            weights[members] = centred / (centred**2).sum()
            slopes += 1
    return weights / max(slopes, 1)
