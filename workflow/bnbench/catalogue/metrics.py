"""The user's own metrics: functions of outputs and targets that are measured on the test points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bnbench.catalogue.own import OwnCode
from bnbench.catalogue.parameters import build, parameter
from bnbench.outcomes import OUTCOMES, Outcome


@dataclass(frozen=True)
class OwnMetric(OwnCode):
    """Your own metric: a function in a Python file, of `output` and `target` at the test points."""

    title = "own metric"
    supplied = ("output", "target")
    unaddressed = (*OwnCode.unaddressed, "better", "scale", "margin")

    better: str = parameter("higher", "whether higher or lower values are better", enum=["higher", "lower"])
    scale: str = parameter(
        "difference", "whether arms are compared by their difference, or by their ratio", enum=["difference", "ratio"]
    )
    margin: float | None = parameter(
        None,
        "an effect that is too small to matter, unless the report has a margin; null means 0.01, or 1.05 for ratios",
    )

    def outcome(self) -> Outcome:
        """How trials are judged by it."""
        margin = self.margin if self.margin is not None else 0.01 if self.scale == "difference" else 1.05
        is_ratio = self.scale == "ratio"
        return Outcome(self.build, "ratio" if is_ratio else "difference", self.better == "lower", margin)


METRICS: dict[str, type[OwnMetric]] = {"module": OwnMetric}
"""What the items of the key `metrics` may name."""


def own(spec: Mapping[str, Any]) -> list[OwnMetric]:
    """The user's own metrics of a setting, or of a resolved config, in their order."""
    return [build(METRICS, entry) for entry in spec.get("metrics", ())]


def outcomes(spec: Mapping[str, Any]) -> dict[str, Outcome]:
    """Name → outcome, for everything that a setting, or a resolved config, can be judged by."""
    return {**OUTCOMES, **{metric.build: metric.outcome() for metric in own(spec)}}
