"""How the arms of a study are compared: by pairs of runs of one seed, or as independent groups of runs.

Both designs fill the same tables. Groups leave empty what only pairs have, such as the difference over the epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bnbench.judging import (
    aa_control,
    absolute,
    aggregate,
    drift,
    exploratory,
    group_aggregate,
    group_control,
    group_interactions,
    group_outcomes,
    group_ranks,
    group_rows,
    groups,
    interactions,
    pairing,
    ranks,
    stats,
    trajectories,
    verdict_rows,
    verdicts,
)
from bnbench.judging.groups import Arms, Groups
from bnbench.judging.pairing import Pairs
from bnbench.judging.stats import Array
from bnbench.judging.trajectories import Trajectory
from bnbench.judging.verdicts import Contrast
from bnbench.plan.study import Study
from bnbench.store.trials import Trials

Tables = list[tuple[str, pd.DataFrame]]


@dataclass(frozen=True)
class Compared:
    """A treatment and the baseline in one context, as they are compared."""

    contrast: Any
    """`Contrast` of pairs, `Groups` of groups: what the design judges."""
    both: tuple[Array, Array]
    """The costs of the pairs, or of the seeds that two groups happen to share, [pairs] of both arms."""
    runs: tuple[int, int]
    """Runs of the baseline and of the treatment that are compared."""
    tables: Tables
    """Rows of this comparison, by the name of their table."""
    dropped: list[dict[str, Any]]
    """Rows of the trials that are left out."""
    course: Trajectory | None
    """The difference over the epochs; None where there are no pairs."""

    @property
    def known(self) -> dict[str, float]:
        """How the costs of pairs correlate, and what pairing makes of the variance of their difference."""
        return {"correlation": stats.correlation(*self.both), "variance_ratio": stats.variance_ratio(*self.both)}


@dataclass(frozen=True)
class Design:
    """The functions by which the contrasts of a design are judged; see the modules that they come from."""

    compare: Callable[[Study, Mapping[str, str], tuple[str, str], Mapping[str, Trials]], Compared]
    decide: Callable[..., Any]
    rows: Callable[..., pd.DataFrame]
    interactions: Callable[..., pd.DataFrame]
    aggregate: Callable[..., dict[str, pd.DataFrame]]
    ranks: Callable[..., dict[str, pd.DataFrame]]
    control: Callable[..., pd.DataFrame]


def of(study: Study) -> Design:
    """The design of a study."""
    return PAIRS if study.paired else GROUPS


def _pairs(study: Study, context: Mapping[str, str], names: tuple[str, str], arms: Mapping[str, Trials]) -> Compared:
    pairs, dropped = pairing.pair(study, context, *(arms[name] for name in names))
    contrast = verdicts.contrast(study.report, pairs)
    both = contrast.baseline[contrast.measured], contrast.treated[contrast.measured]
    runs = (len(contrast.seeds), len(contrast.seeds))
    return Compared(
        contrast, both, runs, _of_pairs(study, pairs, contrast), dropped, trajectories.trajectory(study, pairs)
    )


def _of_pairs(study: Study, pairs: Pairs, contrast: Contrast) -> Tables:
    """The tables of one treatment in one context."""
    found = [("pairs", verdict_rows.pairs(study, contrast)), ("outcomes", exploratory.outcomes(study, pairs))]
    found.append(("drift", drift.of_pairs(study, pairs)))
    if study.trained_here:
        found.append(("absolute", absolute.of_pairs(study, pairs)))
    return [*found, ("decomposition", exploratory.decomposition(study, pairs))] if pairs.keep_statistics else found


def _groups(study: Study, context: Mapping[str, str], names: tuple[str, str], arms: Mapping[str, Trials]) -> Compared:
    both = Arms(context, names, arms[names[0]], arms[names[1]])
    contrast: Groups = groups.groups(study.report, both)
    tables = [("pairs", group_rows.runs(study, contrast)), ("outcomes", group_outcomes.outcomes(study, both))]
    return Compared(contrast, contrast.common(), contrast.runs, tables, [], None)


PAIRS = Design(
    _pairs,
    verdicts.decide,
    verdict_rows.table,
    interactions.table,
    aggregate.tables,
    ranks.tables,
    aa_control.table,
)
"""Runs of one seed belong together: sign flips of their differences, joint over all contexts."""

GROUPS = Design(
    _groups,
    groups.decide,
    group_rows.table,
    group_interactions.table,
    group_aggregate.tables,
    group_ranks.tables,
    group_control.table,
)
"""Runs are independent: Welch's t by permutations between the groups, with Holm and Bonferroni."""
