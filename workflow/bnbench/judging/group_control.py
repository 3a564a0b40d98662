"""The A/A control of independent groups: the baseline's runs against one another, through the code that judges them.

Whatever is decided there is false. In each context the baseline's runs are split at random into halves, many times.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bnbench.judging import aa_control, groups
from bnbench.judging.groups import Groups
from bnbench.plan.study import Study

_LEAST = 4  # runs: two in either half
_ENOUGH = 1_000_000  # runs, in all splits together


def table(study: Study, contrasts: Sequence[Groups], most: int = aa_control.SPLITS) -> pd.DataFrame:
    """One row, in the columns of `aa_control.table`; `pairs` are the runs of a half where they are fewest.

    Args:
        study: the study.
        contrasts: of all its contexts.
        most: splits at most.
    """
    baselines = _baselines(study, contrasts)
    generator = np.random.default_rng(0)
    enough = _ENOUGH // max(sum(len(each.baseline) for each in baselines), 1)
    splits = min(most, max(aa_control.FEWEST, enough)) if baselines else 0
    alarms = [_alarms(study, [_split(each, generator) for each in baselines]) for _ in range(splits)]
    fewest = min((len(each.baseline) // 2 for each in baselines), default=0)
    return aa_control.told(study, np.array(alarms, np.bool_).reshape(splits, len(baselines)), fewest)


def _baselines(study: Study, contrasts: Sequence[Groups]) -> list[Groups]:
    """A contrast of each context whose baseline is the study's and has runs enough."""
    chosen: dict[tuple[str, ...], Groups] = {}
    for contrast in contrasts:
        context = tuple(label for name, label in contrast.labels.items() if name != "treatment")
        if contrast.labels["baseline"] == study.report.baseline and len(contrast.baseline) >= _LEAST:
            chosen.setdefault(context, contrast)
    return list(chosen.values())


def _split(contrast: Groups, generator: np.random.Generator) -> Groups:
    """The baseline's runs, a random half against the others."""
    first, second = np.array_split(generator.permutation(len(contrast.baseline)), 2)
    costs, known = contrast.baseline, contrast.known[0]
    return Groups({}, costs[first], costs[second], costs[first], costs[second], censored=(known[first], known[second]))


def _alarms(study: Study, split: Sequence[Groups]) -> list[bool]:
    """Whether each context is said to help or to hurt."""
    decisions = groups.decide(study.report, split, aa_control.DRAWS)
    return [decision.verdict in ("helps", "hurts") for decision in decisions]
