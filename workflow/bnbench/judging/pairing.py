"""Pairs: the two trials of one context that have the same seed, joined by seed and never by position.

A seed that is missing, duplicated or not asked for in one arm is left out by name, and so is one whose two trials
started from other weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench.judging import finals
from bnbench.judging.stats import Array
from bnbench.plan.study import Study
from bnbench.store.trials import Trials

EXCLUSION = ["seed", "reason", "epoch"]
"""Columns of the table of trials that are left out, or that diverged, after the labels."""


@dataclass(frozen=True)
class Pairs:
    """A treatment and the baseline in one context, restricted to the seeds that both have."""

    context: Mapping[str, str]
    """Factor → label of what is held fixed."""
    arms: tuple[str, str]
    """Labels of the baseline and of the treatment."""
    baseline: Trials
    treated: Trials

    @property
    def seeds(self) -> NDArray[np.int64]:
        """The seeds, [pairs], ascending."""
        return self.baseline.seeds

    @property
    def labels(self) -> dict[str, str]:
        """What names a contrast in every table: the context, the baseline and the treatment."""
        return {**self.context, "baseline": self.arms[0], "treatment": self.arms[1]}

    @property
    def keep_statistics(self) -> bool:
        """Whether one of the arms has running statistics."""
        return self.baseline.setting.keeps_statistics or self.treated.setting.keeps_statistics

    def final(self, outcome: str, share: float) -> tuple[Array, Array]:
        """Mean log loss of the baseline and of the treatment over the window, [pairs]; NaN where a trial diverged."""
        ended = (finals.final(arm, outcome, share) for arm in (self.baseline, self.treated))
        baseline, treated = (np.asarray(final, np.float64) for final in ended)
        return baseline, treated


def pair(
    study: Study, context: Mapping[str, str], baseline: Trials, treatment: Trials
) -> tuple[Pairs, list[dict[str, Any]]]:
    """The pairs of two arms, and the rows of the trials that are left out of them for unequal weights."""
    common = np.intersect1d(baseline.seeds, treatment.seeds)
    unequal = _other_weights(study, context, baseline, treatment, common)
    labels = treatment.setting.labels
    dropped = [{**labels, "seed": seed, "reason": "other weights"} for seed in unequal]
    seeds = np.setdiff1d(common, unequal)
    arms = (baseline.setting.labels[study.report.factor], labels[study.report.factor])
    return Pairs(context, arms, baseline.of(seeds), treatment.of(seeds)), dropped


def left_out(arm: Trials, outcome: str) -> list[dict[str, Any]]:
    """Rows of the trials of one arm that are not compared, or that diverged: in training, or in what decides."""
    labels = arm.setting.labels
    rows = [{**labels, "seed": seed, "reason": reason} for seed, reason in arm.left_out.items()]
    finite = np.isfinite(arm.losses[outcome][-1])
    for seed, at, ended in zip(arm.seeds, arm.rows["diverged_at"], finite, strict=True):
        if pd.notna(at):
            rows.append({**labels, "seed": seed, "reason": "diverged", "epoch": int(at)})
        elif not ended:
            rows.append({**labels, "seed": seed, "reason": "diverged"})
    return rows


Mixed = tuple[tuple[str, tuple[str, ...]], ...]
"""The property that compared trials mix, and its values."""


MIXES = {"torch": "torch", "device_name": "device", "arithmetic": "arithmetic"}
"""Column of the trials → what it is called where they mix its values."""


def mixed(factor: str, *arms: pd.DataFrame) -> Mixed:
    """Which versions of torch, devices and kinds of arithmetic the trials of a context mix; empty where they do not.

    Where devices are compared, the arms differ by design in all but the version: then it is those within an arm.
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    for column, name in MIXES.items():
        values = [set(arm[column].dropna()) for arm in arms]
        together = values if factor == "device" and name != "torch" else [set.union(*values)]
        found += [(name, tuple(sorted(names))) for names in together if len(names) > 1]
    return tuple(found)


def _other_weights(
    study: Study, context: Mapping[str, str], baseline: Trials, treatment: Trials, seeds: NDArray[np.int64]
) -> list[int]:
    """Seeds whose two trials started from different weights, though the arms share them by construction."""
    if not study.shares_weights(context):
        return []
    hashes = [arm.rows["weights_hash"].reindex(seeds).to_numpy() for arm in (baseline, treatment)]
    return [int(seed) for seed in seeds[hashes[0] != hashes[1]]]
