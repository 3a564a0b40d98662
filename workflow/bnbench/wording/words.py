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

    first: int = 0
    """The number of the first one as people count, where they are stored from 0."""

    def after(self, epoch: float) -> str:
        """When something was measured: `after 40 epochs`; of runs from elsewhere, `at step 39`."""
        return f"after {self._done(epoch)}" if self.first else f"at {self.epoch} {epoch:,.0f}"

    def during(self, first: float, last: float) -> str:
        """From one measurement to another: `after 40 to 680 epochs`, `from step 39 to 679`."""
        if first == last:
            return self.after(first)
        if self.first:
            return f"after {first + self.first:,.0f} to {self._done(last)}"
        return f"from {self.epoch} {first:,.0f} to {last:,.0f}"

    def since(self, epoch: float) -> str:
        """From one measurement to the end: `from 40 epochs on`, `from step 39 on`."""
        return f"from {self._done(epoch)} on" if self.first else f"from {self.epoch} {epoch:,.0f} on"

    def between(self, first: float, last: float) -> str:
        """Of what changes from one measurement to another: `between 40 and 680 epochs`, `from step 39 to step 679`."""
        if self.first:
            return f"between {first + self.first:,.0f} and {self._done(last)}"
        return f"from {self.epoch} {first:,.0f} to {self.epoch} {last:,.0f}"

    def _done(self, epoch: float) -> str:
        done = epoch + self.first
        return f"{done:,.0f} {self.epoch if done == 1 else self.epochs}"

    @property
    def runs(self) -> str:
        """Several of them."""
        return f"{self.run}s"

    @property
    def epochs(self) -> str:
        """Several of them."""
        return f"{self.epoch}s"


TRIALS = Words("trial", "epoch", ".0f", "seed", "more epochs", " yet", 1)


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
