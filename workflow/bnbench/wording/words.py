"""What is counted, in the words of a study: trials and their epochs, or the runs of a table and the steps it counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bnbench.plan.own_study import OwnStudy
from bnbench.plan.study import Study

_SPOKEN = {"iter": "iteration", "env step": "environment step"}
"""Names of columns that people say otherwise."""


@dataclass(frozen=True)
class Words:
    """Nouns for what a study consists of."""

    run: str
    """What one seed of a setting gives."""
    epoch: str
    """What the course of a run is counted in."""
    form: str
    """How the number of one is written."""
    each: str
    """What a line is fitted through, one by one."""
    longer: str
    """What may give another answer where an outcome still changes."""
    yet: str
    """Said after what there is none of: that more is to come, where it is."""

    @property
    def runs(self) -> str:
        """Several of them."""
        return f"{self.run}s"

    @property
    def epochs(self) -> str:
        """Several of them."""
        return f"{self.epoch}s"


TRIALS = Words("trial", "epoch", ".0f", "seed", "more epochs", " yet")


def of(study: Study) -> Words:
    """The nouns of a study."""
    if not isinstance(study, OwnStudy):
        return TRIALS
    return Words("run", _epoch(study.found["epoch"]["column"] or "epoch"), ",.0f", "run", "longer runs", "")


def _epoch(column: str) -> str:
    """One of what a column counts: `global step` of `global_step`, `timestep` of `time/timesteps`."""
    name = " ".join(re.split(r"[./]", column)[-1].replace("_", " ").split()).lower()
    single = name[:-1] if name.endswith("s") and not name.endswith("ss") else name
    return _SPOKEN.get(single, single) or "step"
