"""A study of your own results: the facts about a table of runs, as the grid that the judge and the page read.

Pure: the facts about the table are in the resolved config, under `results.found`, as `own_facts` keeps them.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bnbench.catalogue.norms import NORMS
from bnbench.outcomes import OUTCOMES, Outcome
from bnbench.plan import own_facts
from bnbench.plan.levels import Level
from bnbench.plan.settings import Setting, canonical_json
from bnbench.plan.study import ReportOptions, Study
from bnbench.vocabulary import EPOCHS_TO_TARGET

_OF_NORMS = ("norm", "normalization", "normalisation", "norm_layer")
"""Columns whose levels are called as the norms of the catalogue, where they have such names."""

SMALLEST = float(np.finfo(np.float32).tiny)
"""A loss below this cannot be distinguished from 0, if none above 0 was measured."""


def of(config: Mapping[str, Any]) -> Study:
    """The study of a resolved config."""
    return OwnStudy(config) if config.get("results") else Study(config)


@dataclass(frozen=True)
class OwnSetting(Setting):
    """A combination of levels that has runs."""

    measured: Mapping[str, Outcome] = field(default_factory=dict)
    smallest: Mapping[str, float] = field(default_factory=dict)
    """Outcome → its smallest value above 0 in the whole table."""
    runs: int = 0

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Name → outcome, of all that its runs can be judged by."""
        return dict(self.measured)

    @property
    def own_metrics(self) -> list[str]:
        """Names of the outcomes, each of which has a column."""
        return [name for name in self.measured if name != EPOCHS_TO_TARGET]

    @property
    def keeps_statistics(self) -> bool:
        """Whether it has running statistics that the report could look into: never."""
        return False

    def resolution(self, loss: str) -> float:
        """The smallest loss that can be distinguished from 0: the smallest above it in any run."""
        return self.smallest.get(loss, SMALLEST)


@dataclass(frozen=True)
class OwnStudy(Study):
    """Results of your own: the runs of a table, whatever trained them."""

    @property
    def results(self) -> Mapping[str, Any]:
        """The key `results` of the config, with what was `found`."""
        entry: Mapping[str, Any] = self.config["results"]
        return entry

    @property
    def found(self) -> Mapping[str, Any]:
        """The facts about the table, see `own_facts.packed`."""
        facts: Mapping[str, Any] = self.results["found"]
        return facts

    @property
    def most(self) -> Mapping[str, int]:
        """The most `pairs` that a comparison has, and the runs of the `baseline` and `treatment` of the largest one."""
        found: Mapping[str, int] = self.found["most"]
        return found

    @property
    def factors(self) -> tuple[str, ...]:
        """The compared column, and those that are held fixed."""
        return tuple(each["name"] for each in self.found["factors"])

    @property
    def trained_here(self) -> bool:
        """Whether the runs are trained here: never."""
        return False

    @property
    def paired(self) -> bool:
        """Whether runs of the same seed are compared with each other."""
        return not self.results["unpaired"]

    @property
    def seeds(self) -> range:
        """As many numbers as there are seeds."""
        return range(self.found["seed"]["count"])

    @property
    def has_course(self) -> bool:
        """Whether runs were measured at several epochs."""
        return bool(self.found["epoch"]["first"] < self.found["epoch"]["last"])

    @cached_property
    def report(self) -> ReportOptions:
        """How to compare."""
        options = dict(self.config["report"])
        compare = tuple((str(one), str(other)) for one, other in options["compare"])
        return ReportOptions(**{**options, "compare": compare, "judged": self.outcomes[options["outcome"]]})

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """Name → outcome, of all that the runs can be judged by."""
        own = {
            each["name"]: Outcome(
                each["name"],
                each["scale"],
                each["better"] == "lower",
                each["margin"],
                per_cent=each["per_cent"],
                title=each["column"].replace("_", " ").strip(),
            )
            for each in self.found["outcomes"]
        }
        return {**own, EPOCHS_TO_TARGET: OUTCOMES[EPOCHS_TO_TARGET]}

    @property
    def has_target(self) -> bool:
        """Whether arms are compared by how soon they reach a target."""
        return self.has_course and super().has_target

    @property
    def reference_points(self) -> tuple[Mapping[str, Any], ...]:
        """Losses printed elsewhere: none."""
        return ()

    @cached_property
    def planned_levels(self) -> dict[str, dict[str, Level]]:
        """Factor → label → level, in the order of the table's."""
        return {each["name"]: {text: _level(each, text) for text in each["levels"]} for each in self.found["factors"]}

    @property
    def levels(self) -> dict[str, dict[str, Level]]:
        """The same: each level has runs."""
        return self.planned_levels

    @cached_property
    def tuned(self) -> dict[str, list[str]]:
        """Nothing is tuned here."""
        return {}

    @cached_property
    def grid(self) -> tuple[Setting, ...]:
        """The combinations of levels that have runs."""
        digest = self.results["sha256"]
        rows = ((own_facts.labels(self.found, places), runs) for *places, runs in self.found["settings"])
        return tuple(
            OwnSetting(
                {"results": digest, "labels": labels},
                labels,
                _address(digest, labels),
                self.outcomes,
                {each["name"]: each["smallest"] for each in self.found["outcomes"] if each["smallest"]},
                runs,
            )
            for labels, runs in rows
        )

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The same."""
        return self.grid

    @cached_property
    def folds(self) -> dict[str, Setting]:
        """No setting stands for another."""
        return {}

    @property
    def keeps_statistics(self) -> bool:
        """Whether the report can look into running statistics: never."""
        return False

    def shares_weights(self, context: Mapping[str, str]) -> bool:  # noqa: ARG002 - as of a study that trains
        """Whether it is known that the arms of a seed start from the same weights: never."""
        return False

    def doubles(self, factor: str) -> bool:
        """Whether the levels of a factor are batch sizes, each a number."""
        if not super().doubles(factor):
            return False
        (sizes,) = (each for each in self.found["factors"] if each["name"] == factor)
        return bool(sizes["numbers"] and all(float(text) > 0 for text in sizes["levels"]))

    def examples(self, labels: Mapping[str, str]) -> float:
        """Examples in a batch, where a column says so; else NaN."""
        known = "batch_size" in labels and self.doubles("batch_size")
        return float(labels["batch_size"]) if known else math.nan

    @property
    def varies_sources(self) -> bool:
        """Whether sources of randomness vary alone: never."""
        return False

    @property
    def resampled(self) -> list[str]:
        """Tasks of which each seed draws another split: not known."""
        return []

    def test_per_train(self, labels: Mapping[str, str]) -> float | None:  # noqa: ARG002
        """Test points for each of the others: not known."""
        return None

    def _whatever(self, factor: str, label: str) -> str:  # noqa: ARG002
        return label


def _level(factor: Mapping[str, Any], text: str) -> Level:
    """A level by what people call it: numbers and flags with the name of their column, norms as everywhere else."""
    if factor["column"].lower() in _OF_NORMS and text in NORMS:
        title = NORMS[text].title
    elif factor["numbers"] or text.lower() in ("true", "false", "yes", "no", "on", "off"):
        title = f"{factor['name']}={text}"
    else:
        title = text
    return Level(text, text, text, title, title)


def _address(sha256: str, labels: Mapping[str, str]) -> str:
    """As of a setting that is trained: a readable slug and eight hex digits."""
    slug = "-".join(re.sub(r"[^a-z0-9.]+", "_", text.lower()) for text in labels.values())[:120]
    return f"{slug}-{hashlib.sha256(canonical_json([sha256, dict(labels)]).encode()).hexdigest()[:8]}"
