"""Chunks: the jobs that a study's trials are trained in.

The caller passes in the size of automatic jobs, because it depends on the cost model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bnbench.plan.settings import Setting
from bnbench.plan.study import Study

Size = Callable[[Mapping[str, Any]], int]
"""From the spec of a setting to the number of seeds that one job of it trains."""


@dataclass(frozen=True)
class Chunk:
    """A run of consecutive seeds of one setting, trained together in one job."""

    setting: Setting
    first: int
    count: int

    @property
    def last(self) -> int:
        """The last seed."""
        return self.first + self.count - 1

    @property
    def seeds(self) -> range:
        """All seeds."""
        return range(self.first, self.first + self.count)

    @property
    def stem(self) -> str:
        """Name of the chunk's files, without ending."""
        return f"seeds-{self.first}-{self.last}"


def all_chunks(study: Study, automatic: Size) -> list[Chunk]:
    """All jobs of a study, setting by setting; `automatic` sizes those for which the study names no number.

    Chunks start at multiples of their size: more seeds train only new chunks. None of results that are trained already.
    """
    if not study.trained_here:
        return []
    return [chunk for setting in study.settings for chunk in _of_setting(study, setting, automatic)]


def count(study: Study, automatic: Size) -> int:
    """How many jobs a study has, without making them."""
    return sum(len(_starts(study, setting, automatic)) for setting in study.settings)


def _of_setting(study: Study, setting: Setting, automatic: Size) -> Iterator[Chunk]:
    starts = _starts(study, setting, automatic)
    for start in starts:
        first = max(start, study.seeds.start)
        yield Chunk(setting, first, min(start + starts.step, study.seeds.stop) - first)


def _starts(study: Study, setting: Setting, automatic: Size) -> range:
    """Where the jobs of a setting start, which is before the first seed for some; their size is the step."""
    asked = study.config["seeds_per_job"]
    size = asked if asked == "auto" else asked[setting.spec["device"]]
    size = automatic(setting.spec) if size == "auto" else size
    return range(study.seeds.start // size * size, study.seeds.stop, size)
